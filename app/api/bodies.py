"""What kind of body a call takes: none, JSON, or a form with one file. Anything else is said so before it is read."""

import math
from typing import Any

from flask import current_app, request
from werkzeug.exceptions import BadRequest, RequestEntityTooLarge, UnsupportedMediaType

from app.accounts.guard import SAFE
from app.errors import Invalid

WITH_FILE = {"api.import_csv", "api.upload_import", "api.store_medium"}


def check() -> None:
    """Raises Invalid (400) or UnsupportedMediaType (415)."""
    if request.method in SAFE:
        return
    if request.endpoint in WITH_FILE:
        _check_form()
    elif _takes_json():
        _check_json()
    elif _has_body():
        _check_empty()


def _takes_json() -> bool:
    view = current_app.view_functions[request.endpoint or ""]
    return "body" in getattr(view, "_spec", {})


def _has_body() -> bool:
    return bool(request.content_length) or "chunked" in request.headers.get("Transfer-Encoding", "").lower()


def _check_form() -> None:
    if _has_body() and request.mimetype != "multipart/form-data":
        raise UnsupportedMediaType("Send a form: multipart/form-data, with the file in the field `file`.")
    unknown = [name for name in request.files if name != "file"]
    if request.endpoint == "api.store_medium":
        unknown += list(request.form)
    if unknown:
        raise Invalid((unknown[0], "There is no such field."))
    if len(request.files.getlist("file")) > 1:
        raise Invalid(("file", "Send one file at a time."))


def _check_json() -> None:
    if _has_body() and not request.is_json:
        raise UnsupportedMediaType("Send JSON, with Content-Type: application/json.")
    if _read_json() is None:
        raise Invalid(("body", "Send a JSON object."))


def _check_empty() -> None:
    """A call without fields takes no body but an empty object."""
    if not request.is_json:
        raise UnsupportedMediaType("This call takes no body.")
    body = _read_json()
    if body:
        name = next(iter(body)) if isinstance(body, dict) else "body"
        raise Invalid((str(name), "This call takes no fields."))


def _read_json() -> Any:
    if request.content_length is None and len(request.get_data()) >= (request.max_content_length or math.inf):
        raise RequestEntityTooLarge  # what comes in chunks is cut there without a word
    try:
        return request.get_json(force=True)
    except (BadRequest, RecursionError) as error:
        raise Invalid(("body", "This is not valid JSON.")) from error
