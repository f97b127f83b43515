"""A platform that answers with a redirect has done nothing: it is refused, and says no more than where it leads."""

import http.server
import threading
from collections.abc import Iterator

import pytest

from app.platforms import wire
from app.platforms.gateway import Refused


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        """By its path: the status, and where it leads."""
        status, _, leads_to = self.path[1:].partition("/to/")
        self.send_response(int(status))
        if leads_to:
            self.send_header("Location", leads_to)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def do_POST(self) -> None:
        self.do_GET()

    def log_message(self, *_: object) -> None: ...


@pytest.fixture(scope="module")
def platform_url() -> Iterator[str]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("301/to/https://elsewhere.example/a?key=secret", "It answers with a redirect to elsewhere.example."),
        ("308/to//login?key=secret", "It answers with a redirect to 127.0.0.1."),
        ("304", "The platform refused with 304."),
    ],
)
def test_a_redirect_is_no_success(app, platform_url: str, method: str, path: str, words: str):
    with app.app_context(), pytest.raises(Refused) as refused:
        wire.call(method, f"{platform_url}/{path}")
    assert str(refused.value) == words


def test_what_is_done_is_a_success(app, platform_url: str):
    with app.app_context():
        assert wire.call("GET", f"{platform_url}/204").status_code == 204
