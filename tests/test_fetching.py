"""Attachments from addresses: fetched once, within limits, and never from a private network."""

import http.server
import socket
import threading
from collections.abc import Iterator

import pytest

from app.conversations import outbox
from app.media import fetching
from app.media.fetching import CannotFetch, fetch
from tests.people import Person, add_fan, connect

PNG = b"\x89PNG\r\n\x1a\n" + bytes(64)
PAGES = {"/a.png": PNG, "/page": b"<html>", "/large": PNG + bytes(20_000)}


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path.startswith("/to/"):
            self.send_response(302)
            self.send_header("Location", self.path.removeprefix("/to/"))
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        content = PAGES.get(self.path)
        self.send_response(200 if content else 404)
        self.send_header("Content-Length", str(len(content or b"")))
        self.end_headers()
        self.wfile.write(content or b"")

    def log_message(self, *_: object) -> None: ...


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture
def trusted(app, monkeypatch) -> None:
    monkeypatch.setitem(app.config, "MEDIA_HOSTS", frozenset({"127.0.0.1"}))


@pytest.mark.usefixtures("trusted")
def test_a_trusted_hosts_picture_goes_out_with_the_message(app, ada: Person, sandbox, site: str):
    connect(ada, sandbox.url, account="acct_fetch")
    body = {"recipientId": add_fan(ada)["id"], "content": "see", "priceCents": 500, "mediaUrls": [f"{site}/a.png"]}
    message = ada.post("/api/onlyfans/messages/send", body, 202)
    with app.app_context():
        outbox.drain()
    assert ada.get(f"/api/onlyfans/messages/{message['messageId']}")["status"] == "sent"


@pytest.mark.usefixtures("trusted")
@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/missing", "answered 404"),
        ("/page", "does not lead to a picture"),
        ("/large", "too large"),
        ("/to/http://[::1]:9/a.png", "must be valid"),
        ("/to/https://localhost/a.png", "private network"),
        ("/to/https://169.254.169.254/latest", "private network"),
    ],
)
def test_what_cannot_be_fetched_fails_with_the_reason(app, ada: Person, sandbox, site: str, path, words, monkeypatch):
    monkeypatch.setitem(app.config, "MAX_UPLOAD_BYTES", 10_000)
    connect(ada, sandbox.url)
    body = {"recipientId": add_fan(ada)["id"], "content": "see", "mediaUrls": [f"{site}{path}"]}
    message = ada.post("/api/onlyfans/messages/send", body, 202)
    with app.app_context():
        outbox.drain()
    found = ada.get(f"/api/onlyfans/messages/{message['messageId']}")
    assert found["status"] == "failed"
    assert words in found["statusReason"]


@pytest.mark.usefixtures("trusted")
def test_redirects_are_followed_a_few_times(app, site: str):
    with app.app_context():
        assert fetch(f"{site}/to/{site}/a.png", 10_000) == PNG
        with pytest.raises(CannotFetch, match="redirects too often"):
            fetch(f"{site}/to/{site}/to/{site}/to/{site}/to/{site}/a.png", 10_000)


def test_a_name_that_leads_to_a_private_address_is_refused(app, monkeypatch):
    """Whatever its public looks: what counts is where the name leads when it is fetched."""

    def leads_home(*_: object, **__: object) -> list[tuple]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("10.0.0.7", 443))]

    monkeypatch.setattr(fetching.socket, "getaddrinfo", leads_home)
    with app.app_context(), pytest.raises(CannotFetch, match="private network"):
        fetch("https://pictures.example.com/a.png", 10_000)
