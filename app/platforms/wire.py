"""HTTP to platforms: clients that are lent out, and what each way of failing proves about a message that was on its way."""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cache
from typing import Any

import httpx
import structlog
from flask import current_app

from app.platforms.gateway import CredentialsExpired, NotSent, OutcomeUnknown, PlatformError, RateLimited, Refused

log = structlog.get_logger()

NEVER_LEFT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
LIMITS = httpx.Limits(max_keepalive_connections=10, keepalive_expiry=20)

_at_rest: list[httpx.Client] = []


@contextmanager
def _client() -> Iterator[httpx.Client]:
    """One for each call under way. One for all would look through the connections of all at each call: a third more
    time, with sixty of them."""
    try:
        client = _at_rest.pop()
    except IndexError:
        client = httpx.Client(limits=LIMITS, verify=_trusted(), follow_redirects=False, trust_env=False)
    try:
        yield client
    finally:
        _at_rest.append(client)


@cache
def _trusted() -> ssl.SSLContext:
    """Read once: that takes a tenth of a second."""
    return httpx.create_ssl_context(trust_env=False)


def call(method: str, url: str, **options: Any) -> httpx.Response:
    """An answer from 200 to 299. Raises NotSent, Refused or OutcomeUnknown, whichever is certain."""
    seconds = current_app.config["CALL_SECONDS"]
    # Whoever asks the platform about a call can name it; and their log and ours tell one story.
    request_id = structlog.contextvars.get_contextvars().get("request_id")
    headers = options.pop("headers", {}) | ({"X-Request-ID": request_id} if request_id else {})
    timeout = httpx.Timeout(seconds, connect=min(seconds, 5), pool=min(seconds, 5))
    try:
        with _client() as client:
            response = client.request(method, url, timeout=timeout, headers=headers, **options)
    except NEVER_LEFT as error:
        raise NotSent("The platform cannot be reached.") from error
    except (httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
        raise Refused("The platform's address is not valid.") from error
    except httpx.TimeoutException as error:
        raise OutcomeUnknown("The platform took too long to answer.") from error
    except httpx.HTTPError as error:
        raise OutcomeUnknown("The connection broke before the platform answered.") from error
    if response.is_success:
        return response
    if response.next_request:  # where else the address leads may hold secrets
        raise Refused(f"It answers with a redirect to {response.next_request.url.host}.")
    raise _failure(response)


def moment_of(response: httpx.Response) -> datetime:
    """What the other side's clock showed, to the second; ours where it does not say."""
    try:
        return parsedate_to_datetime(response.headers["Date"]).astimezone(UTC)
    except (KeyError, TypeError, ValueError):
        return datetime.now(UTC)


def readable(value: Any) -> Any:
    """What was read from JSON, with the sign for what cannot be read in place of what no database takes: NUL, and half a
    surrogate pair."""
    if isinstance(value, str):
        return value.replace("\0", "\ufffd").encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, list):
        return [readable(each) for each in value]
    if isinstance(value, dict):
        return {readable(name): readable(each) for name, each in value.items()}
    return value


def _failure(response: httpx.Response) -> PlatformError:
    status, said = response.status_code, _platform_words(response)
    if status == 429:
        return RateLimited("The platform asked us to slow down.", _retry_after(response))
    if status == 401:
        return CredentialsExpired(said or "The platform no longer takes this key.")
    if status == 503:
        return NotSent(said or "The platform is not available.")
    if status == 409:  # the first call under this key still runs
        return OutcomeUnknown(said or "The platform is still at it.")
    if status == 408 or status >= 500:
        return OutcomeUnknown(said or f"The platform answered {status}.", answered=True)
    return Refused(said or f"The platform refused with {status}.")


def _retry_after(response: httpx.Response) -> float | None:
    """Seconds; None where the header is missing or 0, which proxies send although the wait is longer."""
    text = response.headers.get("Retry-After", "")
    seconds = float(text) if text.replace(".", "", 1).isdecimal() else 0
    return seconds or None


def _platform_words(response: httpx.Response) -> str:
    try:
        body = readable(response.json())
    except (ValueError, RecursionError):
        return ""
    return _first_text(body)[:500]


def _first_text(value: Any) -> str:
    """The most telling text in an error body, whatever its nesting: upstream's own words come first."""
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return next(filter(None, map(_first_text, value)), "")
    if not isinstance(value, dict):
        return ""
    for name in ("onlyfans_response", "body", "errors", "message", "detail", "error"):
        if found := _first_text(value.get(name)):
            return found
    return next((text for each in value.values() if (text := _first_text(each))), "")
