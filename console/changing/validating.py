"""A validation that goes on: the robot tells nothing of how far it is, so what is known is for how long it runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from console.widgets.drawing import duration
from remote.protocol import Validate
from remote.verdicts import ValidationReport

if TYPE_CHECKING:
    from console.link.session import Session

VALIDATE_S = 900.0


@dataclass(frozen=True)
class Validating:
    """The bundle of that digest, called `what`, on `robot`, asked for at `since_ns` of this laptop's monotonic time."""

    digest: str
    what: str
    robot: str
    since_ns: int

    def for_s(self, now_ns: int) -> float:
        """For how many seconds it goes on."""
        return max(0.0, (now_ns - self.since_ns) / 1e9)

    def words(self, now_ns: int) -> str:
        """That it goes on, in a line."""
        asked = duration(self.for_s(now_ns), whole=True)
        return f"validating {self.what} on {self.robot} for {asked}, of a minute or more"


def report_of(session: Session, digest: str) -> ValidationReport:
    """What the suite found on the robot, by the robot's own profile; waits, so call it in a thread. Raises Trouble."""
    from console.checklist.probes.model_validation import ask, own_profile

    return ask(session, Validate(digest, own_profile(session)), VALIDATE_S)
