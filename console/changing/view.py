"""What the models' widgets are handed: robots with their slots, the bundles of the one that is attached, what was asked of
it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, Union

from console.marks import Charset
from console.models.wording import does_words
from remote.model_states import ModelsState, StoredBundle
from remote.protocol import WorkerPhase
from remote.verdicts import ValidationReport


@dataclass(frozen=True)
class RobotRow:
    """A robot of this laptop. `age_s`: of what is known, None where nothing is. `attached`: this screen's own robot.

    `fresh`: it is current. `in_step_s` is how long ago the step began by the robot's own clock, None where that can't be said.
    `worker` is the worker's phase, empty where it is not known: only while it works does the model run. `robot_wall_ns` is what
    the robot's wall clock shows now, None where nobody knows.
    """

    robot: str
    attached: bool
    state: ModelsState | None
    age_s: float | None
    fresh: bool
    in_step_s: float | None = None
    worker: WorkerPhase | Literal[""] = ""
    robot_wall_ns: int | None = None

    @property
    def does(self) -> str:
        """What it does with its current model: `runs`, `would run`, `switching to`; see console.models.wording."""
        return does_words(self.state, self.worker) if self.state is not None else "runs"

    @property
    def key(self) -> str:
        """What the cursor keeps to."""
        return f"robot:{self.robot}"


@dataclass(frozen=True)
class BundleRow:
    """A bundle in the store of the attached robot."""

    robot: str
    stored: StoredBundle

    @property
    def key(self) -> str:
        """What the cursor keeps to."""
        return f"bundle:{self.stored.digest}"


Row = Union[RobotRow, BundleRow]


@dataclass(frozen=True)
class ModelsView:
    """One repaint's input. `validations`: what the suite found here, by digest. `busy`: what goes on. `mine`: the lease is
    ours. `validating`: the digest of the bundle that is validated now, and for how many seconds.
    """

    charset: Charset
    rows: tuple[Row, ...] = ()
    mine: bool = False
    busy: str = ""
    validations: Mapping[str, ValidationReport] = field(default_factory=dict)
    validating: tuple[str, float] | None = None


@dataclass(frozen=True)
class ModelDetailView:
    """What is selected, with the row of its robot. `validating_s`: for how long it is being validated; None: it is not."""

    charset: Charset
    row: Row
    robot: RobotRow
    validation: ValidationReport | None = None
    validating_s: float | None = None
