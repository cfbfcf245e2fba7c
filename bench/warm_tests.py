"""Runs tests of changed copies of this checkout: one process loads what is heavy once, each run is forked from it.

A module of the copy is read by its content (checked-hash caches), never from a cache of what stood there a moment before.
"""

from __future__ import annotations

import compileall
import contextlib
import importlib
import os
import shutil
import signal
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from py_compile import PycInvalidationMode
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parent.parent
LIMIT_S, LIMIT_TIMES = 20.0, 4.0
"""What does not end within so many seconds and so many times what its tests took before is stopped."""
FIRST_LIMIT_S = 300.0
"""The limit where it is not known what they take."""
_PARTS = ("console", "remote", "checklists", "docs", "tests", "pyproject.toml")
_HEAVY = ("hypothesis", "numpy", "psutil", "pyarrow.parquet", "pytest_asyncio.plugin", "scipy.special", "scipy.stats")
_PROFILE = "changed"
_PLUGINS = ("pytest_asyncio.plugin", "_hypothesis_pytestplugin", "pytest_timeout")
_POLL_S = 0.01


class Try(NamedTuple):
    """Tests to run with `module` replaced by `source`; `took_s` of the tests, where known, brings the quick ones first."""

    module: str
    source: str
    tests: tuple[str, ...]
    took_s: dict[str, float]


class Tried(NamedTuple):
    """What came of it. `said` is what pytest wrote; `took_s` is what each test took."""

    passed: bool
    said: str
    took_s: dict[str, float]


class _Running(NamedTuple):
    number: int
    what: Try
    place: Path
    whole: str
    until: float


def copies(folder: Path, count: int) -> list[Path]:
    """`count` copies of what the tests need, below `folder`."""
    keep_out = shutil.ignore_patterns("__pycache__", "*.pyc", "*.onnx", ".venv*", ".git")
    places = [folder / str(number) for number in range(count)]
    for place in places:
        for name in _PARTS:
            source = ROOT / name
            if source.is_dir():
                shutil.copytree(source, place / name, ignore=keep_out)
            else:
                shutil.copy(source, place / name)
        for name in ("console", "remote"):
            compileall.compile_dir(place / name, quiet=1, invalidation_mode=PycInvalidationMode.CHECKED_HASH)
    return places


def warm_up() -> None:
    """Load what the tests import anyway, except what may be changed."""
    os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", PYTEST_DISABLE_PLUGIN_AUTOLOAD="1")
    for name in _HEAVY:
        importlib.import_module(name)


def tried(places: list[Path], tries: Iterable[Try]) -> Iterator[tuple[int, Tried]]:
    """The outcome of each try with its number, as they end; as many at once as there are copies.

    A run that does not end within its limit has not passed.
    """
    waiting, free, running = enumerate(tries), list(places), dict[int, _Running]()
    try:
        while True:
            while free and (following := next(waiting, None)):
                begun = _begun(*following, free.pop())
                running[begun[0]] = begun[1]
            if not running:
                return
            for pid in list(running):
                code = _ended(pid, running[pid].until)
                if code is not None:
                    one = running.pop(pid)
                    (one.place / one.what.module).write_text(one.whole, encoding="utf-8")
                    yield one.number, Tried(code == 0, *_left(one.place))
                    free.append(one.place)
            time.sleep(_POLL_S)
    finally:
        for pid in running:  # left early, by Ctrl+C
            _stop(pid)


def _begun(number: int, what: Try, place: Path) -> tuple[int, _Running]:
    path = place / what.module
    whole = path.read_text(encoding="utf-8")
    path.write_text(what.source, encoding="utf-8")
    for name in ("said", "took"):
        (place / name).write_text("")
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            code = _run(what, place)
        finally:
            os._exit(code)  # whatever came: it must not go on as its parent
    limit_s = LIMIT_S + LIMIT_TIMES * sum(what.took_s.values()) if what.took_s else FIRST_LIMIT_S
    return pid, _Running(number, what, place, whole, time.monotonic() + limit_s)


def _ended(pid: int, until: float) -> int | None:
    """The run's end, 0 where all tests passed; None while it goes on."""
    if time.monotonic() > until:
        _stop(pid)
        return -signal.SIGKILL
    ended, status = os.waitpid(pid, os.WNOHANG)
    return os.waitstatus_to_exitcode(status) if ended else None


def _stop(pid: int) -> None:
    """End the run with what it started: it leads a session of its own."""
    with contextlib.suppress(ProcessLookupError):  # it may be so young that it leads none yet
        os.killpg(pid, signal.SIGKILL)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)


def _left(place: Path) -> tuple[str, dict[str, float]]:
    took = (line.rsplit(" ", 1) for line in (place / "took").read_text(encoding="utf-8").splitlines())
    return (place / "said").read_text(encoding="utf-8", errors="replace"), {name: float(s) for name, s in took}


# ---------------------------------------------------------------- in the forked process


def _run(what: Try, place: Path) -> int:
    """pytest's exit status; no plug-ins but those that are named: finding them all takes longer than most tests."""
    os.setsid()
    os.chdir(place)
    os.environ["PYTHONPATH"] = str(place)
    sys.path[:] = [str(place), *(path for path in sys.path if Path(path).resolve() != ROOT)]
    said = os.open(place / "said", os.O_WRONLY | os.O_TRUNC)
    for stream in (1, 2):
        os.dup2(said, stream)
    import pytest
    from hypothesis import Phase, settings

    # The same samples each time, and a failing one is not made smaller: that it fails is all that is asked.
    phases = (Phase.explicit, Phase.generate)
    settings.register_profile(_PROFILE, deadline=None, derandomize=True, database=None, phases=phases)
    plugins = [word for name in _PLUGINS for word in ("-p", name)] + [f"--hypothesis-profile={_PROFILE}"]
    words = ["-x", "-q", "--capture=sys", f"--basetemp={place.parent / f't{place.name}'}", *plugins, *what.tests]
    return int(pytest.main(words, plugins=[_QuickFirst(what.took_s, place / "took")]))


class _QuickFirst:
    """Sorts tests by what they took, the file that is quick as a whole before the others, and writes down what each takes."""

    def __init__(self, took_s: dict[str, float], into: Path) -> None:
        self._took_s, self._into = took_s, into

    def pytest_collection_modifyitems(self, items: list[Any]) -> None:
        files: dict[str, float] = {}
        for name, took_s in self._took_s.items():
            file = name.partition("::")[0]
            files[file] = files.get(file, 0.0) + took_s

        def order(item: Any) -> tuple[float, str, float]:
            file = item.nodeid.partition("::")[0]
            return files.get(file, 0.0), file, self._took_s.get(item.nodeid, 0.0)

        items.sort(key=order)

    def pytest_runtest_logreport(self, report: Any) -> None:
        if report.when == "call":
            with self._into.open("a", encoding="utf-8") as file:
                file.write(f"{report.nodeid} {report.duration:.4f}\n")
