"""What a call is and what it is answered with; knows no sockets."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs


@dataclass(slots=True)
class Call:
    method: str
    path: str
    query_string: str
    headers: Any
    body: bytes

    @property
    def query(self) -> dict[str, str]:
        return {name: values[-1] for name, values in parse_qs(self.query_string, keep_blank_values=True).items()}

    @property
    def base(self) -> str:
        return f"http://{self.headers.get('Host', '127.0.0.1')}"


@dataclass(slots=True)
class Answer:
    status: int
    body: Any
    headers: dict[str, str] = field(default_factory=dict)


# Answered by closing the connection: not one byte of HTTP.
DROP = Answer(0, None)

Handler = Callable[..., Answer]


class HttpError(Exception):
    def __init__(self, status: int, body: dict, headers: dict[str, str] | None = None):
        super().__init__(status, body)
        self.answer = Answer(status, body, headers or {})


def read_json(body: bytes) -> Any:
    """The body's JSON with decimals kept exact; ValueError for anything that is not JSON."""
    try:
        return json.loads(body, parse_float=Decimal, parse_constant=_no_constant)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")
