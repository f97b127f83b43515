"""Attachments from addresses: fetched once, within limits, and never from a private network."""

import http.server
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress

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
        if self.path == "/slow.png":
            self.drip()
            return
        content = PAGES.get(self.path)
        self.send_response(200 if content else 404)
        self.send_header("Content-Length", str(len(content or b"")))
        self.end_headers()
        self.wfile.write(content or b"")

    def drip(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "100")
        self.end_headers()
        with suppress(OSError):  # nobody listens any more
            for _ in range(100):
                self.wfile.write(b"x")
                time.sleep(0.1)

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


@pytest.mark.usefixtures("trusted")
def test_what_comes_byte_by_byte_is_not_waited_for(app, site: str, monkeypatch):
    monkeypatch.setattr(fetching, "MOST_SECONDS", 0.5)
    with app.app_context(), pytest.raises(CannotFetch, match="takes too long"):
        fetch(f"{site}/slow.png", 10_000)


@pytest.mark.usefixtures("trusted")
def test_a_redirect_to_what_is_no_address_is_refused(app, site: str):
    with app.app_context(), pytest.raises(CannotFetch, match="must be valid"):
        fetch(f"{site}/to/https://[x", 10_000)


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1", "10.0.0.7", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1", "[::1]", "[fe80::1]", "[fd00::1]",
        "[::ffff:127.0.0.1]", "[::ffff:a00:7]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]", "2130706433", "0x7f000001",
        "localhost", "printer.local", "db.internal",
    ],
)  # fmt: skip
def test_what_is_private_on_its_face_is_refused_where_it_is_said(ada: Person, sandbox, host: str):
    connect(ada, sandbox.url)
    body = {"recipientId": add_fan(ada)["id"], "content": "see", "mediaUrls": [f"https://{host}/a.png"]}
    answer = ada.call("POST", "/api/onlyfans/messages/send", json=body)
    assert answer.status_code == 400
    assert answer.json["errors"] == [{"field": "mediaUrls.0", "message": "This address is on a private network."}]


@pytest.mark.parametrize("host", ["0177.0.0.1", "0x7f.1", "127.1"])
def test_other_ways_to_write_a_private_address_lead_nowhere(app, host: str):
    """They are names like any other, until they are looked up."""
    with app.app_context(), pytest.raises(CannotFetch, match=r"private network|must be valid"):
        fetch(f"https://{host}/a.png", 10_000)


@pytest.mark.parametrize("leads_to", [["10.0.0.7"], ["93.184.215.14", "10.0.0.7"], ["::ffff:10.0.0.7"], ["::1"]])
def test_a_name_that_leads_to_a_private_address_is_refused(app, monkeypatch, leads_to: list[str]):
    """Whatever its public looks: what counts is where the name leads when it is fetched."""

    def leads_home(*_: object, **__: object) -> list[tuple]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 443)) for address in leads_to]

    monkeypatch.setattr(fetching.socket, "getaddrinfo", leads_home)
    with app.app_context(), pytest.raises(CannotFetch, match="private network"):
        fetch("https://pictures.example.com/a.png", 10_000)
