"""The line between a browser and Greenroom, which a test may cut: a small TCP proxy.

Playwright's `set_offline` leaves an open WebSocket alive in Chromium; a cut line does not.
"""

import socket
import struct
import threading

RESET = struct.pack("ii", 1, 0)  # SO_LINGER of 0 s: closing resets, as a line does that breaks


class Line:
    def __init__(self, to_port: int) -> None:
        self._to = ("127.0.0.1", to_port)
        self._listener: socket.socket | None = None
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self.port = 0
        self.mend()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def mend(self) -> None:
        """Connections come through, on the same port as before."""
        listener = socket.create_server(("127.0.0.1", self.port))
        self.port = listener.getsockname()[1]
        self._listener = listener
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()

    def cut(self) -> None:
        """What is open breaks; what is new is refused."""
        if self._listener:
            # A close alone would leave the thread in accept() with the port still open.
            self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
            self._listener = None
        with self._lock:
            for each in self._open:
                self._reset(each)
            self._open.clear()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                near, _ = listener.accept()
                far = socket.create_connection(self._to)
            except OSError:
                return
            with self._lock:
                self._open |= {near, far}
            for source, target in ((near, far), (far, near)):
                threading.Thread(target=self._carry, args=(source, target), daemon=True).start()

    def _carry(self, source: socket.socket, target: socket.socket) -> None:
        try:
            while data := source.recv(65536):
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    @staticmethod
    def _reset(each: socket.socket) -> None:
        try:
            each.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            each.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        each.close()
