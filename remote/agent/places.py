"""Where the agent keeps its files on the robot, and the checks that nobody else put something there."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path

from remote.errors import Trouble

SOCKET_PATH_LIMIT_BYTES = 107
"""Linux's sockaddr_un holds 108 bytes with the closing NUL."""


@dataclass(frozen=True)
class Places:
    """The agent's folders: `state` for what must survive, `runtime` for the socket. `prepare` makes them."""

    state: Path
    runtime: Path

    @property
    def socket(self) -> Path:
        """The Unix socket that consoles connect to."""
        return self.runtime / "agent.sock"

    @property
    def lock(self) -> Path:
        """Locked (flock) by the running agent, which writes its process id into it."""
        return self.state / "agent.lock"

    @property
    def journal(self) -> Path:
        """The SQLite journal."""
        return self.state / "journal.db"

    @property
    def pictures(self) -> Path:
        """Pictures of failures, DIGEST.jpg."""
        return self.state / "pictures"

    @property
    def bundles(self) -> Path:
        """Bundles that consoles put here, one folder DIGEST each."""
        return self.state / "bundles"

    @property
    def engines(self) -> Path:
        """Engines that this robot built of its bundles; made when the first one is."""
        return self.state / "engines"

    @property
    def slots(self) -> Path:
        """Which bundle runs, which one ran before, and how far a change is; the file may be missing."""
        return self.state / "slots.json"

    @property
    def updates(self) -> Path:
        """What is known of updates over the air: their source, its root, the verified metadata."""
        return self.state / "updates"

    @property
    def settings(self) -> Path:
        """The settings; the file may be missing."""
        return self.state / "settings.yaml"

    @property
    def counters(self) -> Path:
        """Numbers that must never go back: the lease's epoch and the worker's run."""
        return self.state / "counters.json"

    @property
    def watch(self) -> Path:
        """What the robot was told to look out for; the file may be missing."""
        return self.state / "watch.json"

    @property
    def picture_index(self) -> Path:
        """Which pictures belong to which failure, in the order of the failures."""
        return self.state / "pictures.jsonl"

    @property
    def pins(self) -> Path:
        """Which failures' pictures are to be kept; the file may be missing."""
        return self.state / "pins.json"

    @property
    def failure_log(self) -> Path:
        """One line for each failure, rotated, for people."""
        return self.state / "failures.log"

    @property
    def log(self) -> Path:
        """The agent's own log, rotated."""
        return self.state / "agent.log"

    def prepare(self) -> Places:
        """Make the folders, 0700 and owned by this user. Raises Trouble where somebody else's folder or a link is there."""
        _private(self.state)
        _private(self.runtime)
        for folder in (self.pictures, self.bundles):
            folder.mkdir(mode=0o700, exist_ok=True)
        self.check_socket_path()
        return self

    def check_socket_path(self) -> None:
        """Raise Trouble (code `path_too_long`) where the socket's path does not fit into the kernel's address."""
        length = len(os.fsencode(self.socket))
        if length > SOCKET_PATH_LIMIT_BYTES:
            raise Trouble(
                f"the socket's path {self.socket} has {length} bytes, a Unix socket allows {SOCKET_PATH_LIMIT_BYTES}",
                cure="choose a shorter --home, for example one under /tmp",
                code="path_too_long",
            )


def places_for(home: Path | None = None) -> Places:
    """The places for `--home DIR` (everything inside), else the user's state and runtime directories. Touches nothing."""
    if home is not None:
        whole = Path(os.path.abspath(home.expanduser()))  # noqa: PTH100 - resolve() would hide a symlink put there
        return Places(state=whole, runtime=whole)
    state = os.environ.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")
    return Places(state=Path(state) / "fieldgate-agent", runtime=_runtime())


def _runtime() -> Path:
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    if runtime and Path(runtime).is_dir():
        return Path(runtime) / "fieldgate-agent"
    return Path("/tmp") / f"fieldgate-agent-{os.getuid()}"  # noqa: S108 - owner and mode are verified by _private


def _private(folder: Path) -> None:
    """Make `folder` 0700, or verify that what is there is a real directory of ours that nobody else may enter."""
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.mkdir(mode=0o700, exist_ok=True)
        status = folder.lstat()
    except FileExistsError as error:
        raise _foreign(folder, "is no directory") from error
    except OSError as error:
        raise Trouble(f"{folder} can't be made: {error.strerror}", cure="check its parent's owner and space") from error
    if stat.S_ISLNK(status.st_mode):
        raise _foreign(folder, "is a symbolic link")
    if status.st_uid != os.getuid():
        raise _foreign(folder, f"belongs to user {status.st_uid}")
    if stat.S_IMODE(status.st_mode) & 0o077:
        folder.chmod(0o700)


def _foreign(folder: Path, what: str) -> Trouble:
    return Trouble(
        f"{folder} {what}; the agent needs a directory of its own there",
        cure="look who made it, remove it, or choose another place with --home",
        code="unsafe_place",
    )
