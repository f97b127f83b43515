"""The same rule may stand behind two fields of two calls: an error names the one that was sent."""

from collections.abc import Iterator
from contextlib import contextmanager

from app.errors import Invalid


@contextmanager
def renamed(**names: str) -> Iterator[None]:
    """Names of the domain's fields, as this call has them."""
    try:
        yield
    except Invalid as error:
        fields = [(_rename(field, names), message) for field, message in error.errors]
        raise Invalid(*fields, status=error.status) from error


def _rename(field: str, names: dict[str, str]) -> str:
    first, dot, rest = field.partition(".")
    return f"{names.get(first, first)}{dot}{rest.removesuffix('.url') if first in names else rest}"
