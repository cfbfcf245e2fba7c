"""A child that is killed before one of the calls by which it changes a folder, and what a disk holds then.

All its threads are followed. A power cut is simulated from the calls: what was written to a file after its last fsync is lost,
and so are the names that a folder got, lost or changed after its own last fsync. That is the least that a disk promises.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import platform
import shutil
import signal
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tests.killing import KILLED, CannotTrace, forked, watched

_TRACE_ME, _TO_NEXT_CALL, _SET_OPTIONS, _CALL_INFO = 0, 24, 0x4200, 0x420E
_OPTIONS = 0x100000 | 0x1 | 0x8  # kill with the tracer, mark stops at calls, follow threads
_ALL_THREADS = 0x40000000
_AT_CALL = signal.SIGTRAP | 0x80
_NEAR = {-100, 0xFFFFFF9C, 0xFFFFFFFFFFFFFF9C}
_libc = ctypes.CDLL(None, use_errno=True)
_libc.ptrace.restype = ctypes.c_long
_libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]

BY_FILE = {"write", "pwrite64", "writev", "fsync", "fdatasync", "fchmod", "ftruncate"}
_NUMBERS = {
    "x86_64": {
        1: "write", 18: "pwrite64", 20: "writev", 74: "fsync", 75: "fdatasync", 91: "fchmod", 77: "ftruncate",
        82: "rename", 86: "link", 87: "unlink", 83: "mkdir", 84: "rmdir", 90: "chmod", 88: "symlink", 2: "open",
        264: "renameat", 316: "renameat", 265: "linkat", 263: "unlinkat", 258: "mkdirat", 268: "fchmodat",
        452: "fchmodat", 257: "openat", 266: "symlinkat",
    },
    "aarch64": {
        64: "write", 68: "pwrite64", 66: "writev", 82: "fsync", 83: "fdatasync", 52: "fchmod", 46: "ftruncate",
        38: "renameat", 276: "renameat", 37: "linkat", 35: "unlinkat", 34: "mkdirat", 53: "fchmodat",
        452: "fchmodat", 56: "openat", 36: "symlinkat",
    },
}  # fmt: skip


class _Info(ctypes.Structure):
    _fields_ = (
        ("op", ctypes.c_uint8),
        ("pad", ctypes.c_uint8 * 3),
        ("arch", ctypes.c_uint32),
        ("ip", ctypes.c_uint64),
        ("sp", ctypes.c_uint64),
        ("words", ctypes.c_uint64 * 8),
    )


@dataclass
class Disk:
    """What of a folder would be there after a power cut. Begins with all that is there."""

    root: Path
    files: dict[int, tuple[bytes, int]] = field(default_factory=dict)
    folders: dict[int, tuple[dict[str, tuple[int, bool]], int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for path in [self.root, *self.root.rglob("*")]:
            self.synced(path)

    def synced(self, path: Path) -> None:
        """A file's content or a folder's names are safe."""
        with contextlib.suppress(FileNotFoundError):
            status = path.stat()
            if path.is_dir():
                names = {one.name: (one.inode(), one.is_dir(follow_symlinks=False)) for one in os.scandir(path)}
                self.folders[status.st_ino] = (names, status.st_mode & 0o7777)
            else:
                self.files[status.st_ino] = (path.read_bytes(), status.st_mode & 0o7777)

    def made(self, path: Path) -> None:
        """A new file or folder: nothing of it is safe, whatever had its number before."""
        with contextlib.suppress(FileNotFoundError):
            self.files.pop(path.stat().st_ino, None)
            self.folders.pop(path.stat().st_ino, None)

    def cut(self) -> None:
        """Bring the folder to what a power cut leaves: neither data nor names that were not synced."""
        new = self.root.with_name(self.root.name + ".cut")
        self._rebuild(self.root.stat().st_ino, new)
        _clear(self.root)
        new.rename(self.root)

    def tear(self) -> None:
        """The same, but all names are there: files that were not synced have their old length, or none."""
        for path in [one for one in self.root.rglob("*") if one.is_file() and not one.is_symlink()]:
            data, _ = self.files.get(path.stat().st_ino, (b"", 0))
            if path.read_bytes() != data:
                mode = path.stat().st_mode
                path.chmod(0o600)
                path.write_bytes(data)
                path.chmod(mode & 0o7777)

    def _rebuild(self, number: int, to: Path) -> None:
        names, mode = self.folders.get(number, ({}, 0o700))
        to.mkdir()
        for name, (inside, is_folder) in names.items():
            if is_folder:
                self._rebuild(inside, to / name)
            else:
                data, file_mode = self.files.get(inside, (b"", 0o600))
                (to / name).write_bytes(data)
                (to / name).chmod(file_mode)
        to.chmod(mode)


def _clear(folder: Path) -> None:
    for path in folder.rglob("*"):
        if path.is_dir() and not path.is_symlink():
            path.chmod(0o700)
    shutil.rmtree(folder)


@dataclass
class Ran:
    """How a child ended, the calls that changed the folder, in order, and what of the folder is safe."""

    end: int
    calls: list[str]
    disk: Disk


def killed_at_change(work: Callable[[], object], folder: Path, number: int | None) -> Ran:
    """Do `work` in a child that is killed with SIGKILL before its change `number` (from 0) of `folder`; None: never.

    A change is a write, fsync, rename, link, unlink, mkdir, chmod or making open. Raises CannotTrace.
    AssertionError where the child does not end.
    """
    numbers = _NUMBERS.get(platform.machine())
    if numbers is None:
        raise CannotTrace(f"the system calls of {platform.machine()} are not known here")

    def traced() -> object:
        if _libc.ptrace(_TRACE_ME, 0, None, None) != 0:
            os._exit(77)
        os.kill(os.getpid(), signal.SIGSTOP)
        return work()

    disk = Disk(folder)
    child = forked(traced)
    with watched(child):
        status = os.waitpid(child, 0)[1]
        if not os.WIFSTOPPED(status):
            raise CannotTrace(f"ptrace is refused here (exit {os.waitstatus_to_exitcode(status)})")
        _libc.ptrace(_SET_OPTIONS, child, None, _OPTIONS)
        _libc.ptrace(_TO_NEXT_CALL, child, None, None)
        return _Tracer(child, numbers, disk, number).follow()


class _Tracer:
    def __init__(self, child: int, numbers: dict[int, str], disk: Disk, number: int | None) -> None:
        self._child, self._numbers, self._disk, self._number = child, numbers, disk, number
        self._calls: list[str] = []
        self._open: dict[int, tuple[str, Path, bool]] = {}

    def follow(self) -> Ran:
        while True:
            thread, status = os.waitpid(-self._child, _ALL_THREADS)
            if not os.WIFSTOPPED(status):
                self._open.pop(thread, None)
                if thread == self._child:
                    return Ran(os.waitstatus_to_exitcode(status), self._calls, self._disk)
                continue
            passed_on = os.WSTOPSIG(status)
            if passed_on == _AT_CALL:
                if not self._at_call(thread):
                    return Ran(self._kill(), self._calls, self._disk)
                passed_on = 0
            elif passed_on in (signal.SIGTRAP, signal.SIGSTOP):
                passed_on = 0  # a new thread, told by its maker and by itself
            _libc.ptrace(_TO_NEXT_CALL, thread, None, passed_on)

    def _kill(self) -> int:
        os.kill(self._child, signal.SIGKILL)
        while True:
            thread, status = os.waitpid(-self._child, _ALL_THREADS)
            if thread == self._child and not os.WIFSTOPPED(status):
                assert os.waitstatus_to_exitcode(status) == KILLED
                return KILLED

    def _at_call(self, thread: int) -> bool:
        """False where this is the call before which the child dies."""
        info = _Info()
        if _libc.ptrace(_CALL_INFO, thread, ctypes.sizeof(info), ctypes.byref(info)) <= 0:
            return True
        if info.op == 1:
            return self._begins(thread, info)
        if info.op == 2 and (begun := self._open.pop(thread, None)):
            self._ended(*begun, ctypes.c_int64(info.words[0]).value)
        return True

    def _begins(self, thread: int, info: _Info) -> bool:
        name = self._numbers.get(info.words[0])
        path = self._path(name, info.words[1:]) if name else None
        if name is None or path is None or not path.is_relative_to(self._disk.root):
            return True
        if len(self._calls) == self._number:
            return False
        self._calls.append(f"{name} {path.relative_to(self._disk.root)}")
        self._open[thread] = (name, path, not os.path.lexists(path))
        return True

    def _ended(self, name: str, path: Path, is_new: bool, result: int) -> None:
        if result < 0:
            return
        if name in ("fsync", "fdatasync"):
            self._disk.synced(path)
        elif is_new and name in ("open", "openat", "mkdir", "mkdirat"):
            self._disk.made(path)

    def _path(self, name: str, words: ctypes.Array[ctypes.c_uint64] | list[int]) -> Path | None:
        try:
            if name in BY_FILE:
                return Path(f"/proc/{self._child}/fd/{words[0]}").readlink()
            if name == "open":
                return self._text(words[0]) if words[1] & os.O_CREAT else None
            if name == "openat":
                return self._at(words[0], words[1]) if words[2] & os.O_CREAT else None
            if name in ("symlink", "symlinkat"):
                return self._text(words[1]) if name == "symlink" else self._at(words[1], words[2])
            return self._at(words[0], words[1]) if name.endswith("at") else self._text(words[0])
        except OSError:
            return None  # closed meanwhile, or no file at all

    def _at(self, folder: int, address: int) -> Path:
        text = self._text(address)
        if text.is_absolute() or folder in _NEAR:
            return text
        return Path(f"/proc/{self._child}/fd/{folder}").readlink() / text

    def _text(self, address: int) -> Path:
        with Path(f"/proc/{self._child}/mem").open("rb", buffering=0) as memory:
            memory.seek(address)
            return Path(os.fsdecode(memory.read(min(4096, 4096 - address % 4096) or 4096).split(b"\0")[0]))
