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
        self._flows = threading.Event()
        self._flows.set()
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
            self._close(self._listener)
            self._listener = None
        self.drop()

    def drop(self) -> None:
        """What is open breaks; what is new comes through."""
        with self._lock:
            for each in self._open:
                self._reset(each)
            self._open.clear()

    def is_in_use(self) -> bool:
        return bool(self._open)

    def hold(self) -> None:
        """Nothing breaks and nothing arrives: as of a laptop that sleeps, or a router that forgot the connection."""
        self._flows.clear()

    def release(self) -> None:
        """What was held arrives after all."""
        self._flows.set()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                near, _ = listener.accept()
            except OSError:
                return
            try:
                far = socket.create_connection(self._to)
            except OSError:  # nobody is there just now
                self._reset(near)
                continue
            with self._lock:
                self._open |= {near, far}
            for source, target in ((near, far), (far, near)):
                threading.Thread(target=self._carry, args=(source, target), daemon=True).start()

    def _carry(self, source: socket.socket, target: socket.socket) -> None:
        try:
            while data := source.recv(65536):
                self._flows.wait()
                target.sendall(data)
        except OSError:
            pass
        with self._lock:
            for each in {source, target} & self._open:
                self._close(each)
            self._open -= {source, target}

    def _reset(self, each: socket.socket) -> None:
        each.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        self._close(each)

    @staticmethod
    def _close(each: socket.socket) -> None:
        """A close alone would not wake the thread that waits for what comes."""
        try:
            each.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        each.close()
