"""What holds for every address: ids in paths, the security headers, and answers to uploads that are too large."""

from collections.abc import Callable
from contextvars import copy_context
from typing import Any

from flask import Flask, Response, after_this_request, current_app, request
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.routing import IntegerConverter

from app.assets import CDN
from app.database import LARGEST_ID
from app.extensions import compress

MOST_DRAINED_BYTES = 64 * 1024 * 1024


class IdConverter(IntegerConverter):
    """A row's id. A number that no row can have is no address."""

    def __init__(self, *args: object, **options: object) -> None:
        super().__init__(*args, **options, max=LARGEST_ID)  # type: ignore[arg-type]


def id_in(text: str | None) -> int:
    """The id that a query or a form names; 0, which no row has, where it names none."""
    return int(text) if text and text.isdecimal() and len(text) < len(str(LARGEST_ID)) else 0


def init_app(app: Flask) -> None:
    app.url_map.converters["id"] = IdConverter
    app.after_request(_compress)
    app.after_request(_secure)
    app.after_request(_drain)
    if app.config["PRODUCTION"]:
        app.wsgi_app = ProxyFix(app.wsgi_app)  # type: ignore[method-assign]


def _compress(response: Response) -> Response:
    """Our own files always. Pages hold secrets (the CSRF token) beside what an address says (a search): the length of a
    compressed one would tell them, guess by guess, to whoever makes the browser ask and counts bytes on the line
    (BREACH). So only what our own pages or the person asked for: a browser says where a request comes from.
    """
    is_file = request.endpoint == "static"
    if not is_file and request.headers.get("Sec-Fetch-Site") not in ("same-origin", "none"):
        return response
    if is_file and response.status_code == 200:
        response.direct_passthrough = False
        response.make_sequence()  # whole, so that every encoding can be chosen
    return compress.after_request(response)


def _secure(response: Response) -> Response:
    host = request.host
    policy = (
        f"default-src 'self'; script-src 'self' {CDN}; style-src 'self' {CDN}; img-src 'self' data: https:; "
        f"font-src 'self' {CDN}; media-src 'self'; connect-src 'self' ws://{host} wss://{host}; "
        "frame-ancestors 'none'; base-uri 'self'; form-action 'self'; object-src 'none'"
    )
    response.headers.setdefault("Content-Security-Policy", policy)
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    response.headers.setdefault("Referrer-Policy", "same-origin")
    response.headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
    if request.is_secure:
        response.headers.setdefault("Strict-Transport-Security", "max-age=31536000")
    if request.endpoint != "static" and not response.cache_control.max_age:
        response.cache_control.no_store = True
    return response


def _drain(response: Response) -> Response:
    """Reads on what a client still sends after a refusal: else it meets a broken pipe where the answer should be."""
    is_chunked = "chunked" in request.headers.get("Transfer-Encoding", "").lower()
    if response.status_code >= 400 and (request.content_length or is_chunked):
        stream, left = (
            request.environ["wsgi.input"],
            min(request.content_length or MOST_DRAINED_BYTES, MOST_DRAINED_BYTES),
        )
        try:
            while left > 0 and (chunk := stream.read(min(65536, left))):
                left -= len(chunk)
        except (OSError, ValueError):
            pass
    return response


def once_answered(verb: Callable[..., None], *values: Any) -> None:
    """Has it done after the answer has left: so the time that an answer takes tells nothing of it."""
    app, context = current_app._get_current_object(), copy_context()  # type: ignore[attr-defined]

    def run() -> None:
        with app.app_context():
            verb(*values)

    @after_this_request
    def _run_at_the_end(response: Response) -> Response:
        response.call_on_close(lambda: context.run(run))
        return response
