"""Whatever people do in whatever order, a phase counts what a plain list would: nothing twice, nothing lost."""

from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st

from console.fieldtest.criteria import Rate
from console.fieldtest.sequential import SequentialTest
from tests.console.checklist.fold_book import BUNDLE_A, BUNDLE_B
from tests.console.phases.phase_book import ROBOT_A, ROBOT_B, FieldBook, pack, phase

PHASES = ("lab", "office")
CHECKLIST = pack(*(phase(id) for id in PHASES))
ACTS = st.lists(
    st.one_of(
        st.sampled_from(
            [
                "begin lab",
                "begin office",
                "sit",
                "end",
                "pause",
                "resume",
                "attempt",
                "bundle",
                "robot",
                "undo",
                "again",
            ]
        ),
        st.sampled_from(["+", "+", "+", "+", "-", "x", "+++++", "--"]),
    ),
    max_size=60,
)


@dataclass
class Logged:
    """One trial as the model remembers it."""

    phase: str
    outcome: str
    ground: tuple[str, str]
    era: int
    fair: bool
    began: int | None = None
    undone: bool = False


@dataclass
class Model:
    """What a careful person would note beside the robot: `era` counts the times that a phase was begun."""

    trials: list[tuple[int, Logged]] = field(default_factory=list)
    eras: dict[str, int] = field(default_factory=dict)
    gone_back: set[str] = field(default_factory=set)
    session: tuple[str, int] | None = None
    open: bool = False
    paused: bool = False
    attempt: int | None = None

    def begin(self, id: str, seq: int) -> None:
        self.eras[id] = seq
        self.gone_back.discard(id)
        if id == "lab" and "office" in self.eras:
            self.gone_back.add("office")

    def counting(self, id: str, ground: tuple[str, str]) -> list[str]:
        used: set[int] = set()
        found = []
        for _, one in self.trials:
            first = one.began is None or one.began not in used
            if one.phase != id or not one.fair or one.undone or not first:
                continue
            used.update([one.began] if one.began is not None else [])
            if one.ground == ground and one.era == self.eras.get(id) and id not in self.gone_back:
                found.append(one.outcome)
        return found


def play(acts: list[str]) -> tuple[FieldBook, Model]:
    book, model = FieldBook(CHECKLIST), Model()
    book.see_robot(ROBOT_A)
    for act in acts:
        _do(act, book, model)
    return book, model


def _do(act: str, book: FieldBook, model: Model) -> None:
    if act.startswith("begin"):
        id = act.split()[1]
        model.begin(id, book.begin(id, sit=False))
        _sit(book, model, id)
    elif act == "sit" and model.session is not None:
        _sit(book, model, book.at)
    elif act == "end" and model.session is not None:
        book.end()
        model.open = False
    elif act in ("pause", "resume") and model.session is not None:
        book.pause() if act == "pause" else book.resume()
        model.paused = act == "pause"
    elif act == "attempt" and model.session is not None and model.open:
        model.attempt = book.attempt()
    elif act == "again" and model.attempt is not None:
        _log(book, model, "success", began=model.attempt)
    elif act == "bundle":
        book.change_bundle(BUNDLE_B if book.bundle == BUNDLE_A else BUNDLE_A)
    elif act == "robot":
        book.see_robot(ROBOT_B if book.robot == ROBOT_A else ROBOT_A)
    elif act == "undo":
        left = [(seq, one) for seq, one in model.trials if not one.undone]
        if left:
            book.withdraw(left[-1][0])
            left[-1][1].undone = True
    elif set(act) <= set("+-x") and model.session is not None:
        for one in act:
            _log(book, model, {"+": "success", "-": "failure", "x": "aborted"}[one])


def _sit(book: FieldBook, model: Model, id: str) -> None:
    book.sit(id)
    model.session, model.open, model.paused, model.attempt = (id, model.eras[id]), True, False, None


def _log(book: FieldBook, model: Model, outcome: str, began: int | None = None) -> None:
    assert model.session is not None
    id, era = model.session
    fair = model.open and not model.paused
    seq = book.trial(outcome, began=began, phase=id)
    model.trials.append((seq, Logged(id, outcome, (book.bundle, book.robot), era, fair, began)))


@settings(max_examples=60, deadline=None)
@given(ACTS)
def test_a_phase_counts_what_a_careful_person_would(acts: list[str]) -> None:
    book, model = play(acts)
    state = book.field
    ground = (book.bundle, book.robot)
    for id in PHASES:
        outcomes = [one == "success" for one in model.counting(id, ground)]
        found = state.phase(id)
        assert found.trials == len(outcomes)
        assert found.questions[0].measurement == (Rate(sum(outcomes), len(outcomes)) if outcomes else None)
        decided = SequentialTest(0.7).decided(outcomes[:60]) if outcomes else None
        if decided:
            assert found.status == decided
        else:
            assert found.status in ("ready", "testing", "stale")
        assert found.trials + sum(found.left_out.values()) == sum(one.phase == id for _, one in model.trials)
    assert [trial.counts for trial in state.trials].count(True) == sum(one.trials for one in state.phases)
    assert (state.session is not None) == any(one.ended_wall_ns is None for one in state.sessions)
