"""Idempotency-Key: the same POST again gets the first answer, and does nothing again.

The key is written before the call runs, in a transaction of its own: of two at once only one runs. If the process
dies in between, or the call breaks off, the key stays taken: what it did is not known, and doing it again could double it.
"""

import hashlib
import re

from flask import Response, g, request

from app.accounts import idempotency
from app.accounts.guard import person
from app.errors import Conflict, Invalid

PRINTABLE = re.compile(r"^[\x20-\x7e]{1,255}$")


def begin() -> Response | None:
    """Takes the key, or answers as the first time. Raises Invalid (400, 422) or Conflict."""
    key = request.headers.get("Idempotency-Key")
    if request.method != "POST" or key is None:
        return None
    if not PRINTABLE.match(key):
        raise Invalid(("Idempotency-Key", "A key has 1 to 255 printable ASCII characters."))
    fingerprint = _fingerprint()
    g.idempotency_id = idempotency.take_key(
        g.membership.account_id, person.id, request.method, request.path, key, fingerprint
    )
    return None if g.idempotency_id else _first_answer(key, fingerprint)


def end(response: Response) -> Response:
    """Keeps a 2xx answer; a refusal frees the key: it says that nothing was done. An unforeseen error does not."""
    row_id = g.pop("idempotency_id", None)
    if row_id is None:
        return response
    if 200 <= response.status_code < 300:
        body, location = response.get_data(as_text=True), response.headers.get("Location")
        idempotency.keep_answer(row_id, response.status_code, body, location)
    elif response.status_code != 500:
        idempotency.free_key(row_id)
    return response


def _first_answer(key: str, fingerprint: str) -> Response:
    first = idempotency.find_key(person.id, request.method, request.path, key)
    if first is not None and first.fingerprint != fingerprint:
        raise Invalid(("Idempotency-Key", "This key was used with another body."), status=422)
    if first is None or first.status is None:
        conflict = Conflict("The first call with this key still runs, or broke off: what it did is not known yet.")
        conflict.headers["Retry-After"] = "1"
        raise conflict
    answer = Response(first.body or "", first.status, mimetype="application/json")
    answer.headers["Idempotent-Replayed"] = "true"
    if first.location:
        answer.headers["Location"] = first.location
    return answer


def _fingerprint() -> str:
    """Of the account and the body; of an upload, its fields and bytes: each call draws another boundary between them."""
    digest = hashlib.sha256(f"account {g.membership.account_id}\n".encode())
    if request.mimetype != "multipart/form-data":
        digest.update(request.get_data())
        return digest.hexdigest()
    for name, value in sorted(request.form.items(multi=True)):
        digest.update(repr((name, value)).encode())
    for name, file in request.files.items(multi=True):
        digest.update(repr(("file", name)).encode())
        while chunk := file.stream.read(65536):
            digest.update(chunk)
        file.stream.seek(0)
    return digest.hexdigest()
