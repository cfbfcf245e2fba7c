"""Cutting a byte stream into lines without letting an endless line eat the memory."""

from __future__ import annotations

from remote.errors import Trouble


class LineSplitter:
    """Collects chunks and gives back whole lines (without newline); holds at most one unfinished line."""

    def __init__(self, limit_bytes: int) -> None:
        self.limit_bytes = limit_bytes
        self._rest = bytearray()

    def feed(self, chunk: bytes) -> list[bytes]:
        """The lines that `chunk` completes, empty ones left out.

        Raises Trouble (code `too_long`) when a line, finished or not, is over the limit; the splitter is then done with.
        """
        if b"\n" not in chunk:
            self._rest += chunk
            self._check(len(self._rest))
            return []
        first, *middle, last = chunk.split(b"\n")
        lines = [bytes(self._rest + first) if self._rest else first, *middle]
        self._rest = bytearray(last)
        self._check(max(len(self._rest), *(len(line) for line in lines)))
        return [line for line in lines if line.strip()]

    def _check(self, size: int) -> None:
        if size > self.limit_bytes:
            self._rest = bytearray()
            raise Trouble(
                f"a line of more than {self.limit_bytes} bytes came without an end",
                cure="send one JSON object a line and keep it under the limit",
                code="too_long",
            )
