"""Links that let somebody in once: a signed random word for whoever is to open it, and a digest of it for the database."""

import hashlib
import secrets

from flask import current_app
from itsdangerous import BadSignature, URLSafeSerializer


def make_link(purpose: str) -> tuple[str, str]:
    """The word, which is shown once; and its digest, which is kept."""
    secret = secrets.token_urlsafe(24)
    return _signer(purpose).dumps(secret), _digest(secret)  # type: ignore[return-value]


def digest_of(purpose: str, word: str) -> str | None:
    """None for a word that was not made here for this purpose."""
    try:
        return _digest(_signer(purpose).loads(word))
    except BadSignature:
        return None


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _signer(purpose: str) -> URLSafeSerializer:
    return URLSafeSerializer(current_app.config["SECRET_KEY"], salt=f"link {purpose}")
