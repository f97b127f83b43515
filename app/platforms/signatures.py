"""How webhooks are signed, one row a scheme. Sources: the vendors' documents."""

import base64
import hashlib
import hmac
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Scheme:
    """Headers by their names in lower case."""

    header: str
    pattern: str  # finds the signature (group 1), wherever it stands in the header
    signed: str = "{body}"
    encoding: Literal["hex", "base64"] = "hex"
    key: Literal["plain", "whsec"] = "plain"
    time_pattern: str = ""  # finds the Unix time in the header
    time_header: str = ""
    id_header: str = ""
    event_key_header: str = ""  # names the delivery, so that a repeated one is known


SCHEMES = {
    "onlyfansapi": Scheme("signature", r"^([0-9a-f]{64})$", event_key_header="x-ofapi-idempotency-key"),
    "onlyfanskit": Scheme("x-webhook-signature", r"^sha256=([0-9a-f]{64})$"),
    "ofauth": Scheme("ofauth-signature", r"v1=([0-9a-f]{64})", "{time}.{body}", time_pattern=r"t=(\d+)"),
    "svix": Scheme(
        "svix-signature", r"v1,(\S+)", "{id}.{time}.{body}", "base64", "whsec",
        time_header="svix-timestamp", id_header="svix-id", event_key_header="svix-id",
    ),
    "fanvue": Scheme("x-fanvue-signature", r"v0=([0-9a-f]{64})", "{time}.{body}", time_pattern=r"t=(\d+)"),
}  # fmt: skip
TOLERANCE_SECONDS = 300


def is_signed(scheme: Scheme, secret: str, headers: Mapping[str, str], body: bytes, now: float | None = None) -> bool:
    """Whether the body was signed with the secret, and lately, where the scheme has a time."""
    given = headers.get(scheme.header, "")
    signatures = re.findall(scheme.pattern, given)
    sent_at = _sent_at(scheme, headers, given)
    if not signatures or sent_at is None or (sent_at and abs((now or time.time()) - int(sent_at)) > TOLERANCE_SECONDS):
        return False
    wanted = _sign(scheme, secret, sent_at, headers.get(scheme.id_header, ""), body)
    return any(hmac.compare_digest(wanted.encode(), each.encode()) for each in signatures)


def event_key(scheme: Scheme, headers: Mapping[str, str], body: bytes) -> str:
    """The delivery's own name, else the body's digest: the same event again has the same key."""
    return headers.get(scheme.event_key_header, "")[:255] or hashlib.sha256(body).hexdigest()


def _sent_at(scheme: Scheme, headers: Mapping[str, str], given: str) -> str | None:
    """Unix seconds, "" where the scheme has no time, None where it should be there and is not."""
    if not (scheme.time_pattern or scheme.time_header):
        return ""
    text = headers.get(scheme.time_header, "") if scheme.time_header else ""
    if scheme.time_pattern:
        found = re.search(scheme.time_pattern, given)
        text = found[1] if found else ""
    return text if text.isdecimal() and len(text) < 15 else None


def _sign(scheme: Scheme, secret: str, sent_at: str, delivery_id: str, body: bytes) -> str:
    before, _, after = scheme.signed.format(id=delivery_id, time=sent_at, body="\0").partition("\0")
    key = base64.b64decode(secret.removeprefix("whsec_")) if scheme.key == "whsec" else secret.encode()
    digest = hmac.new(key, before.encode() + body + after.encode(), hashlib.sha256).digest()
    return digest.hex() if scheme.encoding == "hex" else base64.b64encode(digest).decode()
