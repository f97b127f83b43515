"""HTTP over threads: one per connection, kept alive, able to hang up without an answer."""

import http.client
import json
import socket
import socketserver
import sys
import traceback
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from sandbox import routes
from sandbox.calls import DROP, Answer, Call
from sandbox.world import World

MAX_BODY = 110 * 1024 * 1024
IDLE_SECONDS = 120


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 512

    def __init__(self, port: int, world: World):
        self.world = world
        super().__init__(("127.0.0.1", port), Connection)

    def server_bind(self) -> None:
        # HTTPServer's own looks the host's name up, which can take seconds where the resolver is slow.
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = "127.0.0.1", self.server_address[1]

    def handle_error(self, request, client_address) -> None:
        """A client that went away is its own affair; anything else is ours and is shown."""
        if not isinstance(sys.exception(), ConnectionError | TimeoutError):
            traceback.print_exc()


class Connection(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "GreenroomSandbox"
    disable_nagle_algorithm = True
    timeout = IDLE_SECONDS

    def setup(self) -> None:
        assert isinstance(self.server, Server)
        self._world = self.server.world
        super().setup()

    def _respond(self) -> None:
        body = self._read_body()
        if body is None:
            return
        path, _, query = self.path.partition("?")
        try:
            answer = routes.answer(self._world, Call(self.command, path, query, self.headers, body))
        except Exception:
            traceback.print_exc()
            answer = Answer(500, {"error": "the sandbox failed; its log says why"})
        if answer is DROP:
            self._hang_up()
        else:
            self._write(answer)

    do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = _respond  # noqa: N815

    def _read_body(self) -> bytes | None:
        length = self.headers.get("Content-Length", "0")
        if "Transfer-Encoding" in self.headers or not length.isdigit() or int(length) > MAX_BODY:
            self.close_connection = True
            self._write(Answer(411, {"error": f"send a Content-Length of at most {MAX_BODY} bytes"}))
            return None
        body = self.rfile.read(int(length))
        # A client that left in the middle of its body sent nothing that could be judged.
        return body if len(body) == int(length) else None

    def _hang_up(self) -> None:
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)

    def _write(self, answer: Answer) -> None:
        body = json.dumps(answer.body, separators=(",", ":")).encode()
        headers = {"Content-Type": "application/json", "Content-Length": str(len(body)), **answer.headers}
        if self.close_connection:
            headers["Connection"] = "close"
        head = f"HTTP/1.1 {answer.status} {http.client.responses.get(answer.status, '')}\r\n"
        head += "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        # One write, one packet: headers and body apart would double the system calls.
        self.wfile.write(head.encode("latin-1") + b"\r\n" + body)

    def log_message(self, format: str, *args: object) -> None:
        """Thousands of sends would drown the launcher's output; /sandbox/sends is the log."""
