"""What probes look through: a robot's session, commands on it, and what the laptop has stored of it."""

from __future__ import annotations

import math
import shlex
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from console.link.session import Session
from console.link.snapshot import CONNECTED, LOST, Snapshot
from console.link.transport import Ran, Transport
from console.visiting import PATIENCE_S, confirmed, visiting
from remote.errors import Trouble
from remote.protocol import Facts, GetFacts

if TYPE_CHECKING:  # SSH and SQL are loaded where a robot is really looked at
    from console.link.asking import Asker
    from console.robots import Robot
    from console.store.store import Store

POLL_S = 0.05
FACTS_S = 10.0
_LINK_GRACE_S = 2.0
_LEFT_BEHIND_S = 3


class RobotSight:
    """Sight (console.checklist.probes) through a started session. Blocks, so a screen calls it from a thread; any thread may.

    Args:
        session: started by whoever owns it; only its snapshot and its requests are used.
        transport: the way to the same robot, for commands; closed by its owner.
        store: the laptop's own, where the session stores what comes.
        robot: the robot's name in the store and in cures.
        files: the folder that relative paths belong to.
        bundle: the campaign's bundle; empty for none.
        mono_ns, wall_ns: the laptop's clocks.
        pause: waits that many seconds between two looks at the snapshot.
    """

    def __init__(
        self,
        session: Session,
        transport: Transport,
        store: Store,
        *,
        robot: str,
        files: Path,
        bundle: str = "",
        mono_ns: Callable[[], int] = time.monotonic_ns,
        wall_ns: Callable[[], int] = time.time_ns,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._session, self._transport, self._store, self._robot = session, transport, store, robot
        self._files, self._bundle = files, bundle
        self._mono_ns, self._wall_ns, self._pause = mono_ns, wall_ns, pause
        self._facts: Facts | None = None
        self._asking = threading.Lock()

    @property
    def session(self) -> Session | None:
        """See Sight."""
        return self._session

    @property
    def files(self) -> Path:
        """See Sight."""
        return self._files

    @property
    def bundle(self) -> str:
        """See Sight."""
        return self._bundle

    def facts(self) -> Facts:
        """See Sight. An agent that is too old for the question raises Trouble `too_old`."""
        with self._asking:
            if self._facts is None:
                reply = confirmed(self._session.request(GetFacts(), timeout_s=FACTS_S), FACTS_S + _LINK_GRACE_S)
                if reply.facts is None:
                    raise Trouble(
                        f"the agent on '{self._robot}' answered without its facts",
                        cure=f"run `fieldgate deploy {self._robot}`",
                        code="too_old",
                    )
                self._facts = reply.facts
            return self._facts

    def run(self, argv: tuple[str, ...], timeout_s: float) -> Ran:
        """See Sight. Exit 127: the program is not there, 126: it may not be run. Trouble `timeout` where it did not end.

        What does not end in time is ended on the robot too, some seconds later.
        """
        if not argv or any("\0" in word for word in argv):
            raise Trouble("a command is empty or holds a NUL character", cure="correct its argv", code="bad_command")
        words, limit_s = shlex.join(argv), math.ceil(timeout_s) + _LEFT_BEHIND_S
        # An SSH session that is hung up leaves its program running; the laptop's own limit comes first and is told.
        script = f"if command -v timeout >/dev/null; then exec timeout -k 2 {limit_s} {words}; fi; exec {words}"
        return self._transport.run(script, timeout_s=timeout_s)

    def stored_seq(self) -> int:
        """See Sight; read from the store itself, of the journal that the robot writes now."""
        hello = self._session.snapshot.hello
        known = {one.journal: one.last_seq for one in self._store.journals(self._robot)}
        return known.get(hello.journal, 0) if hello else 0

    def wait(self, wanted: Callable[[Snapshot], bool], timeout_s: float) -> Snapshot | None:
        """See Sight. Only snapshots of a link that is connected are wanted; one that still connects is waited for."""
        end_ns = self._mono_ns() + int(timeout_s * 1e9)
        while True:
            shot = self._session.snapshot
            if shot.link.phase in LOST:
                return None
            if shot.link.phase in CONNECTED and wanted(shot):
                return shot
            left_s = (end_ns - self._mono_ns()) / 1e9
            if left_s <= 0:
                return None
            self._pause(min(POLL_S, left_s))

    def mono_ns(self) -> int:
        """See Sight."""
        return self._mono_ns()

    def wall_ns(self) -> int:
        """See Sight."""
        return self._wall_ns()


class OfflineSight:
    """Sight without a robot: files on the laptop can be looked at, everything else is unavailable.

    Args:
        files: the folder that relative paths belong to.
        bundle: the campaign's bundle; empty for none.
        reason: why there is no robot, where that is known; every item that needs the robot is unavailable with it.
        cure: what to do about it, where that is known.
        mono_ns, wall_ns: the laptop's clocks.
    """

    def __init__(
        self,
        files: Path,
        bundle: str = "",
        *,
        reason: str = "the robot is not connected",
        cure: str = "",
        mono_ns: Callable[[], int] = time.monotonic_ns,
        wall_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        self._files, self._bundle, self._mono_ns, self._wall_ns = files, bundle, mono_ns, wall_ns
        self._reason, self._cure = reason, cure

    @property
    def session(self) -> Session | None:
        """None."""
        return None

    @property
    def files(self) -> Path:
        """See Sight."""
        return self._files

    @property
    def bundle(self) -> str:
        """See Sight."""
        return self._bundle

    def facts(self) -> Facts:
        """Raises Trouble (`no_robot`) with the reason and the cure."""
        raise self._no_robot()

    def run(self, argv: tuple[str, ...], timeout_s: float) -> Ran:
        """Raises Trouble (`no_robot`) with the reason and the cure."""
        raise self._no_robot()

    def stored_seq(self) -> int:
        """0: nothing is known of any robot."""
        return 0

    def wait(self, wanted: Callable[[Snapshot], bool], timeout_s: float) -> Snapshot | None:
        """None at once: there is nothing to come."""
        return None

    def mono_ns(self) -> int:
        """See Sight."""
        return self._mono_ns()

    def wall_ns(self) -> int:
        """See Sight."""
        return self._wall_ns()

    def _no_robot(self) -> Trouble:
        return Trouble(self._reason, cure=self._cure, code="no_robot")


@contextmanager
def looking_at(
    robot: Robot,
    *,
    files: Path,
    bundle: str = "",
    asker: Asker | None = None,
    store: Store | None = None,
    patience_s: float = PATIENCE_S,
    silent: Callable[[str], None] | None = None,
) -> Iterator[RobotSight]:
    """A sight of a robot for a command: connected, with the state known; everything is closed at the end.

    Questions (passphrases, an unknown host key) go to `asker` once, when the session logs in; commands go over a connection
    of their own. `silent` is told of a robot that lets wait.
    Raises Trouble where the robot can't be reached within `patience_s`.
    """
    from console.link.opening import open_session, transport_of
    from console.store.store import Store

    kept = store or Store()
    transport = transport_of(robot, asker)
    try:
        with visiting(open_session(robot, asker=asker, store=kept)) as visit:
            visit.arrive(patience_s, silent)
            yield RobotSight(visit.session, transport, kept, robot=robot.name, files=files, bundle=bundle)
    finally:
        transport.close()
        if store is None:
            kept.close()
