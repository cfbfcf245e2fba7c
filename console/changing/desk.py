"""The desk of the models screen: what is known of each robot's models, and what keys ask of the attached one.

Commands are sent by the application as everywhere; what takes long (sending a bundle, validation) is waited for in threads.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from console.actions import BY_NAME
from console.changing.applicable import offered_now
from console.changing.lease_words import lost_words
from console.changing.reports import Listed, Others, Said, Sending, Validated
from console.changing.validating import Validating, report_of
from console.changing.view import BundleRow, ModelDetailView, ModelsView, RobotRow, Row
from console.checking.threaded_desk import Failed, ThreadedDesk
from console.link.snapshot import CONNECTED, Snapshot
from console.models.wording import named, outcome_words
from console.screens.models import ModelsScreen
from console.view import STALE_S, View
from console.visiting import confirmed
from console.widgets.cells import clean
from console.widgets.model_words import outcome_mark
from remote.model_states import ModelsState, Step, StoredBundle
from remote.protocol import GetStored, LeaseState
from remote.verdicts import ValidationReport

if TYPE_CHECKING:
    from console.checking.checking_app import CheckingApp

_PLACES = ("current", "candidate", "previous", "agent", "")
"""In which order the bundles of the attached robot stand, by their place."""
OTHERS_EVERY_S = 5.0
"""How often it is looked up what is known of the other robots."""
LIST_S = 10.0


class ModelsDesk(ThreadedDesk):
    """Serves the models screen within `app`. `wall_ns`: this laptop's clock, from which ages of what was stored are counted."""

    place = "models"

    def __init__(self, app: CheckingApp, wall_ns: Callable[[], int] = time.time_ns) -> None:
        super().__init__(app)
        self.leaving = False
        self.screen = ModelsScreen(app.ink())
        self.screen.listener = self
        self.busy = ""
        self.wall_ns = wall_ns
        self._others: tuple[tuple[str, ModelsState | None, int], ...] = ()
        self._stored: tuple[StoredBundle, ...] = ()
        self._listed: object = None
        self._step: Step = "idle"
        self._validations: dict[str, ValidationReport] = {}
        self._validating: Validating | None = None
        self.gives_lease_back = False
        self._own_lease: LeaseState | None = None
        self._said: tuple[int, int] = (0, 0)

    # ------------------------------------------------------------ as the application asks

    def begin(self) -> None:
        """Look up what is known of all robots, again and again."""
        self.show()
        self._look_at_others()
        self.app.set_interval(OTHERS_EVERY_S, self._look_at_others, name="models of other robots")

    @property
    def enter_key(self) -> tuple[str, str] | None:
        """What Enter does in the list, or Esc in the detail."""
        if self.screen.pane is self.screen.detail:
            return "Esc", "back"
        return None if self.screen.shows_detail else ("Enter", "in full")

    @property
    def labels(self) -> dict[str, str]:
        """What the key line calls the lease: what `l` does with it now, and whose it is."""
        state = self.app.newest.state
        if self.app.session.holds_lease:
            return {"model_lease": "give lease back"}
        holder = clean(state.lease.holder) if state is not None and state.lease is not None else ""
        return {"model_lease": f"take lease from {holder}" if holder else "take lease"}

    def offered(self) -> tuple[str, ...]:
        """What the key line offers: what would do something now."""
        if self.state is None or self.other_robot or self.app.newest.link.phase not in CONNECTED:
            return ()
        mine, validating = self.app.session.holds_lease, self._validating is not None
        return offered_now(self.state, self.bundle, mine=mine, validating=validating)

    @property
    def bundle(self) -> StoredBundle | None:
        """The bundle that the cursor stands on."""
        row = self.screen.items.selected
        return row.stored if isinstance(row, BundleRow) else None

    @property
    def other_robot(self) -> str:
        """The robot that is selected or shown in full where that is not the attached one; else empty."""
        row = self.screen.items.selected
        return row.robot if isinstance(row, RobotRow) and not row.attached else ""

    def act(self, name: str) -> None:
        """Do the action of that name on the attached robot; where another one is shown, say what to do instead."""
        from console.changing import acts

        self.screen.say("")
        other = self.other_robot
        if other and not BY_NAME[name].phases:
            cure = f"`fieldgate {clean(other)} --screen models` attaches it"
            self.screen.say(f"not asked: {clean(other)} is not attached to this screen - {cure}", "warning")
            return
        found: Callable[[ModelsDesk], Awaitable[None]] = getattr(acts, BY_NAME[name].name.removeprefix("model_"))
        self.app.begin_act(partial(found, self), name)

    def show(self) -> None:
        """Show what is known."""
        view = self.view()
        self.screen.show(view)
        self.screen.show_detail(self._detail(view))
        self.show_offered()

    def show_link(self, view: View) -> None:
        """Show the robot's line and its newest state."""
        self._age_message()
        self.screen.show_link(view)
        self._list_bundles(view.snapshot)
        self._tell_end()
        self._tell_lease()
        self.show()

    def _tell_end(self) -> None:
        """Say how a change ended that went on while somebody looked: what was said of its begin is over."""
        state = self.state
        if state is None:
            return
        if state.step == "idle" and state.last is not None and self._step != "idle":
            mark = outcome_mark(state.last)
            glyph = mark.twin if self.app.charset.ascii else mark.glyph
            self.screen.happened(f"{glyph} {clean(outcome_words(state.last))}", mark.role)
        self._step = state.step

    def _tell_lease(self) -> None:
        """Say that the lease is gone where nobody here gave it back, and who has it: an agent that began anew knows none."""
        shot, own = self.app.newest, self._own_lease
        mine = self.app.session.holds_lease
        if own is not None and not mine and not self.gives_lease_back and shot.link.phase in CONNECTED:
            self.screen.happened(f"the lease is lost: {lost_words(shot, own)} - l takes it", "warning")
        if mine != (own is not None):
            self.gives_lease_back = False
        self._own_lease = shot.state.lease if mine and shot.state is not None else own if mine else None

    def _age_message(self) -> None:
        """What was said tells of then, not of now."""
        line, now_ns = self.screen.message, self.app.clock()
        if line.said != self._said[0]:
            self._said = (line.said, now_ns)
        line.age((now_ns - self._said[1]) / 1e9)

    # ------------------------------------------------------------ what is known

    @property
    def state(self) -> ModelsState | None:
        """The attached robot's, whether current or not."""
        newest = self.app.newest.state
        return newest.models if newest is not None else None

    def view(self) -> ModelsView:
        """What the widgets show."""
        own = self._own_row(self.app.newest)
        bundles = tuple(BundleRow(own.robot, stored) for stored in self._stored)
        others = tuple(self._other_row(*other) for other in self._others if other[0] != own.robot)
        rows: tuple[Row, ...] = (own, *bundles, *others)
        mine = self.app.session.holds_lease
        doing, now_ns = self._validating, self.app.clock()
        idle = self.state is None or self.state.step == "idle"
        busy = self.busy or (doing.words(now_ns) if doing is not None and idle else "")
        validating = (doing.digest, doing.for_s(now_ns)) if doing is not None else None
        return ModelsView(self.app.charset, rows, mine, busy, dict(self._validations), validating)

    def _own_row(self, shot: Snapshot) -> RobotRow:
        if shot.state is None:
            return RobotRow(shot.robot, True, None, None, False)
        heard_ns = shot.link.heard_ns
        age_s = (self.app.clock() - heard_ns) / 1e9 if heard_ns is not None else 0.0
        fresh = shot.link.phase in CONNECTED and age_s <= STALE_S
        models, offset_ms = shot.state.models, shot.link.robot_wall_offset_ms
        robot_ns = self.wall_ns() + int(offset_ms * 1e6) if offset_ms is not None else None
        in_step_s = None
        if fresh and models is not None and models.since_wall_ns and robot_ns is not None:
            in_step_s = max(0.0, (robot_ns - models.since_wall_ns) / 1e9)
        return RobotRow(shot.robot, True, models, age_s, fresh, in_step_s, shot.state.worker.phase, robot_ns)

    def _other_row(self, robot: str, state: ModelsState | None, wall_ns: int) -> RobotRow:
        age_s = max(0.0, (self.wall_ns() - wall_ns) / 1e9) if state is not None else None
        return RobotRow(robot, False, state, age_s, False)

    def _detail(self, view: ModelsView) -> ModelDetailView | None:
        row = self.screen.items.selected or (view.rows[0] if view.rows else None)
        if row is None:
            return None
        robot = next(one for one in view.rows if isinstance(one, RobotRow) and one.robot == row.robot)
        found = self._validations.get(row.stored.digest) if isinstance(row, BundleRow) else None
        doing = view.validating
        validating_s = doing[1] if doing is not None and row.key == f"bundle:{doing[0]}" else None
        return ModelDetailView(view.charset, row, robot, found, validating_s)

    # ------------------------------------------------------------ looking things up

    def _list_bundles(self, shot: Snapshot) -> None:
        """Ask which bundles lie on the robot where its models changed, or it came back."""
        models = shot.state.models if shot.state is not None else None
        if models is None or shot.link.phase != "up":
            return
        key = (models.current, models.previous, models.candidate, models.step, shot.link.reconnects)
        if key != self._listed:
            self._listed = key
            self.list_again()

    def list_again(self) -> None:
        """Ask which bundles lie on the robot."""
        self.run(
            "list the robot's bundles",
            lambda: Listed(confirmed(self.app.session.request(GetStored(), timeout_s=LIST_S)).stored),
        )

    def _look_at_others(self) -> None:
        if not self.leaving and self.app.place == "models":
            self.run("look up the other robots", _others)

    # ------------------------------------------------------------ what the screen tells

    def selected(self) -> None:
        """The cursor stands on another row."""
        self.show()

    def opened(self) -> None:
        """Enter: what is selected in full."""
        self.screen.open_detail()
        self.show()
        self.app.call_after_refresh(self.app.show_keys)

    def left(self) -> None:
        """Esc in the detail."""
        self.screen.close_detail()
        self.app.call_after_refresh(self.app.show_keys)

    def validate(self, digest: str, what: str) -> None:
        """Let the robot validate a bundle, one at a time; while it does, that it does and for how long is in sight."""
        doing = self._validating
        if doing is not None:
            self.screen.say(f"{doing.words(self.app.clock())}: one at a time", "warning")
            return
        robot = self.app.newest.robot
        self._validating = Validating(digest, what, clean(robot), self.app.clock())
        self.run(f"validate {what}", lambda: Validated(report_of(self.app.session, digest)))
        self.show()

    # ------------------------------------------------------------ threads

    def take(self, report: Any) -> None:
        """Take what a thread reported."""
        if self.leaving:
            return
        if isinstance(report, Listed):
            self._stored = tuple(sorted(report.stored, key=lambda one: (_PLACES.index(one.use), one.name, one.digest)))
        elif isinstance(report, Others):
            self._others = report.known
        elif isinstance(report, Sending):
            self.busy = report.text
        elif isinstance(report, Validated):
            self._validated(report.report)
        elif isinstance(report, Said):
            self.busy = ""
            self.screen.say(f"{self.app.charset.glyph('ok')} {report.text}", "ok")
            self.list_again()
        elif isinstance(report, Failed):
            if self._validating is not None and report.what == f"validate {self._validating.what}":
                self._validating = None
            else:
                self.busy = ""
            self.app.say_trouble(report.what, report.trouble)
        self.show()

    def _validated(self, report: ValidationReport) -> None:
        what, self._validating = named(report.digest, clean(report.name)), None
        self._validations[report.digest] = report
        self.screen.happened(f"validated {what}: {report.verdict}", "ok" if report.verdict == "pass" else "warning")


def _others() -> Others:
    from console.robots import Robots
    from console.store.known_models import known_models

    found = []
    for robot in Robots().all():
        known = known_models(robot.name)
        found.append((robot.name, known[0], known[1]) if known is not None else (robot.name, None, 0))
    return Others(tuple(found))
