"""What can go wrong in the user's terms, and how it is answered: a page for people, problem+json for programs."""

import math
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import structlog
from apiflask.exceptions import _ValidationError
from flask import Flask, Response, current_app, g, jsonify, render_template, request
from flask_limiter.errors import RateLimitExceeded
from flask_wtf.csrf import CSRFError
from sqlalchemy.orm.exc import ObjectDeletedError
from werkzeug.exceptions import HTTPException
from werkzeug.http import HTTP_STATUS_CODES

from app.extensions import limiter, login_manager

log = structlog.get_logger()

PAGE_WORDS = {
    400: "That request could not be understood.",
    403: "You may not do that.",
    404: "There is nothing at this address, or it is not yours to see.",
    405: "That cannot be done here.",
    413: "That file is too large.",
    429: "Too many tries. Wait a minute, then go on.",
    500: "Something broke on our side. It has been written down.",
}


PAGE_TITLES = {
    400: "That was not understood",
    403: "That is not yours to do",
    404: "Nothing is here",
    409: "That does not go now",
    413: "Too large",
    429: "Too many tries",
    500: "Something broke",
}


@dataclass
class DomainError(Exception):
    """Something the user can understand. The domain raises it; the web layer alone knows its status."""

    detail: str
    status: int = 400
    headers: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.detail

    @property
    def said(self) -> str:
        """To people."""
        return self.detail


class NotFound(DomainError):
    def __init__(self, detail: str = "There is no such thing in this account.") -> None:
        super().__init__(detail, 404)


class Conflict(DomainError):
    def __init__(self, detail: str) -> None:
        super().__init__(detail, 409)


class Forbidden(DomainError):
    def __init__(self, detail: str) -> None:
        super().__init__(detail, 403)


class Invalid(DomainError):
    """Bad input. `errors` holds (field, message) pairs: the field as programs name it, in camelCase."""

    def __init__(self, *errors: tuple[str, str], status: int = 400) -> None:
        super().__init__(" ".join(f"{name}: {message}" for name, message in errors), status)
        self.errors = errors

    @property
    def said(self) -> str:
        """The messages alone: people see no field by that name."""
        return " ".join(message for _, message in self.errors)


def init_app(app: Flask) -> None:
    app.register_error_handler(DomainError, _domain_error)
    app.register_error_handler(CSRFError, _csrf_error)
    app.register_error_handler(_ValidationError, _validation_error)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(ObjectDeletedError, _gone)
    app.register_error_handler(Exception, _unforeseen)


def speaks_json() -> bool:
    """Whether a program asks: it gets problem+json, whatever goes wrong."""
    by_token = request.path.startswith("/media/") and "Authorization" in request.headers
    return by_token or f"{request.path}/".startswith(("/api/", "/webhooks/"))


def problem(status: int, detail: str, errors: list[dict[str, str]] | None = None, **more: Any) -> Response:
    """An RFC 9457 answer."""
    body: dict[str, Any] = {"type": "about:blank", "title": HTTP_STATUS_CODES[status], "status": status}
    body |= {"detail": detail} | more
    if errors:
        body["errors"] = errors
    response = jsonify(body)
    response.status_code = status
    response.mimetype = "application/problem+json"
    return response


def _answer(status: int, detail: str, errors: list[dict[str, str]] | None = None) -> Response:
    if speaks_json():
        return problem(status, detail, errors)
    return _page(status, detail)


def _page(status: int, detail: str) -> Response:
    title = PAGE_TITLES.get(status, HTTP_STATUS_CODES[status])
    page = render_template(
        "error.html", status=status, title=title, detail=detail, request_id=g.get("request_id"),
        before=path_of(request.referrer),
    )  # fmt: skip
    return Response(page, status)


def path_of(address: str | None) -> str:
    """Of a page of ours, with its query; of any other, or of what is no address, empty."""
    try:
        parts = urlsplit(address or "")
    except ValueError:
        return ""
    return urlunsplit(("", "", parts.path, parts.query, "")) if parts.netloc == request.host else ""


def _domain_error(error: DomainError) -> Response:
    errors = [{"field": name, "message": message} for name, message in getattr(error, "errors", ())]
    response = _answer(error.status, error.detail if speaks_json() else error.said, errors)
    response.headers.update(error.headers)
    return response


def _gone(_: ObjectDeletedError) -> Response:
    """What was found, or even written, somebody else has deleted before it was answered."""
    return _domain_error(NotFound())


def _csrf_error(error: CSRFError) -> Response:
    return _answer(400, "The form's safety token is missing or too old. Load the page again, then send it once more.")


def _validation_error(error: _ValidationError) -> Response:
    found: list[dict[str, str]] = [
        {"field": "body" if name == "_schema" else name, "message": message.removeprefix("Value error, ")}
        for fields in error.detail.values()
        for name, messages in fields.items()
        for message in messages
    ]
    return _answer(400, " ".join(f"{each['field']}: {each['message']}." for each in found), found)


def _http_error(error: HTTPException) -> Response:
    status = error.code or 500
    if error.response is not None:
        return error.response  # type: ignore[return-value]
    if status == 413:
        return _too_large()
    if isinstance(error, RateLimitExceeded):
        return _too_many()
    said = PAGE_WORDS.get(status) if not speaks_json() else None
    response = _answer(status, said or error.description or HTTP_STATUS_CODES[status])
    for name, value in error.get_headers():
        if name == "Allow":
            response.headers[name] = value
    return response


def _too_large() -> Response:
    megabytes = current_app.config["MAX_UPLOAD_BYTES"] // 1024 // 1024
    said = f"This is too large: a file may have at most {megabytes} MB."
    return _answer(
        413, said, [{"field": "file" if request.mimetype == "multipart/form-data" else "body", "message": said}]
    )


def _too_many() -> Response:
    hit = limiter.current_limit
    seconds = max(1, math.ceil(hit.reset_at - time.time())) if hit else 60
    response = _answer(429, f"Too many: try again in {seconds} {'second' if seconds == 1 else 'seconds'}.")
    response.headers["Retry-After"] = str(seconds)
    return response


def _unforeseen(error: Exception) -> Response:
    log.exception("unhandled_error", path=request.path, method=request.method)
    if speaks_json():
        return problem(500, "Something broke on our side.", requestId=g.get("request_id"))
    if "_login_user" not in g:  # who is there could not be found out: the page must not ask the same database again
        login_manager._update_request_context_with_user()
    return _page(500, PAGE_WORDS[500])
