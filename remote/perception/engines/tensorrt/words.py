"""What TensorRT says while it works: kept, because its failures are a None and the reason is only in its log."""

from __future__ import annotations

import logging
from collections import deque
from typing import Any

KEPT = 12
_LONGEST = 400

log = logging.getLogger("fieldgate.tensorrt")


class Words:
    """The last errors and warnings. `logger` is what TensorRT wants."""

    def __init__(self, trt: Any) -> None:
        self._said: deque[str] = deque(maxlen=KEPT)
        self.logger = _logger(trt, self)

    def hear(self, severity: str, text: str) -> None:
        """TensorRT said something; `severity` is its word for how bad that is."""
        text = text.strip()[:_LONGEST]
        if severity in ("INTERNAL_ERROR", "ERROR"):
            self._said.append(text)
            log.warning("%s", text)
        elif severity == "WARNING":
            log.info("%s", text)

    @property
    def errors(self) -> tuple[str, ...]:
        """The last errors, oldest first."""
        return tuple(self._said)

    @property
    def last(self) -> str:
        """The first line of the first error that is kept, which is the one that led to the others; empty for none."""
        return self._said[0].splitlines()[0] if self._said else ""


def _logger(trt: Any, words: Words) -> Any:
    class Logger(trt.ILogger):  # type: ignore[misc]
        def __init__(self) -> None:
            trt.ILogger.__init__(self)

        def log(self, severity: Any, msg: str) -> None:
            words.hear(getattr(severity, "name", str(severity)), msg)

    return Logger()
