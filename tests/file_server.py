"""A real HTTP server over a folder, with ranges, that counts what it sends and can misbehave on request."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

Behave = Callable[["Request"], bool]


@dataclass
class Sent:
    """One request: its path, its Range header and how many bytes of a body went out."""

    path: str
    range: str
    bytes: int = 0


@dataclass
class Server:
    """`behave` gets each request first; where it returns True it has answered."""

    url: str = ""
    sent: list[Sent] = field(default_factory=list)
    behave: Behave = lambda request: False
    ranges: bool = True

    def bytes_of(self, name: str) -> int:
        """How many bytes went out of files whose path ends so."""
        return sum(one.bytes for one in self.sent if one.path.endswith(name))


class Request(BaseHTTPRequestHandler):
    """One request for a file."""

    state: Server
    folder: Path

    def do_GET(self) -> None:
        self.note = Sent(self.path, self.headers.get("Range", ""))
        self.state.sent.append(self.note)
        if self.state.behave(self):
            return
        path = self.folder / self.path.lstrip("/")
        if ".." in self.path or not path.is_file():
            self.send_error(404)
            return
        self.answer(path.read_bytes())

    def answer(self, data: bytes, **headers: str) -> None:
        """Send data, or the part that was asked for."""
        begin = 0
        if self.state.ranges and self.note.range:
            begin = int(self.note.range.removeprefix("bytes=").rstrip("-"))
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {begin}-{len(data) - 1}/{len(data)}")
        else:
            self.send_response(200)
        self.send_header("Content-Length", str(len(data) - begin))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.send(data[begin:])

    def send(self, data: bytes) -> None:
        """Send bytes and count them."""
        for at in range(0, len(data), 65_536):
            piece = data[at : at + 65_536]
            try:
                self.wfile.write(piece)
            except OSError:
                return
            self.note.bytes += len(piece)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@contextmanager
def serving(folder: Path) -> Iterator[Server]:
    """Serve the folder on a free port of this machine."""
    state = Server()
    handler = type("Handler", (Request,), {"state": state, "folder": folder})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    state.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
