"""The program without a process of its own: the same `main`, with streams, folder and environment as a shell would give
them.
"""

from __future__ import annotations

import io
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

import pytest

from console.cli import main


class Done(NamedTuple):
    """How a command ended."""

    code: int
    out: str
    err: str


Fieldgate = Callable[..., Done]
"""`fieldgate WORDS`; see the fixture of that name."""


def run(
    *words: object, cwd: Path | None = None, typed: str = "", environment: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[bytes]:
    """How `fieldgate WORDS` ends and what it says, `typed` being its standard input. A process costs half a second more."""
    kept = {"stdin": _Kept(typed.encode()), "stdout": _Kept(), "stderr": _Kept()}
    with pytest.MonkeyPatch.context() as given:
        given.setattr(sys, "argv", ["fieldgate", *map(str, words)])
        for name, buffer in kept.items():
            given.setattr(sys, name, io.TextIOWrapper(buffer, "utf-8"))
        for name, value in (environment or {}).items():
            given.setenv(name, value)
        given.chdir(cwd or Path.cwd())
        with pytest.raises(SystemExit) as end:
            main()
        for name in ("stdout", "stderr"):
            getattr(sys, name).flush()
        argv = list(sys.argv)
    code = end.value.code
    assert isinstance(code, int)
    return subprocess.CompletedProcess(argv, code, kept["stdout"].getvalue(), kept["stderr"].getvalue())


class _Kept(io.BytesIO):
    """What was written outlives the streams: the program puts its own over them."""

    def close(self) -> None:
        """Stay open."""


HEEDS_CTRL_C = (
    "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\nfrom console.cli import main; main()"
)
"""`fieldgate` for `python -c`: who was started in the background ignores Ctrl+C, and so would its children."""
