"""Help for the pane in focus, all keys, and what the signs mean."""

from __future__ import annotations

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.widgets import Static

from console.actions import Place, on_screen
from console.marks import FIELD_MARKS, ITEM_STATES, MARKS, Charset
from console.screens.dialog import Dialog

_PANE_KEYS = (
    ("Tab", "next pane; Shift+Tab the one before"),
    ("up down", "move in a list; the top follows what is new"),
    ("Enter", "open the selected line"),
    ("Esc", "leave a dialog, show a filtered list in full"),
)
_LIST_KEYS = (
    ("up down", "move over items and gates"),
    ("Enter", "show the evidence in full; on a count: unfold it"),
    ("Esc", "leave a dialog or the evidence"),
)
_FIELD_KEYS = (
    ("left right", "look at the phase before, or the next one"),
    ("Tab", "next pane; Shift+Tab the one before"),
    ("up down", "scroll the pane in focus"),
    ("Esc", "leave a dialog"),
)
_FAILURE_KEYS = (
    ("up down", "move; the newest is on top, the top follows what is new"),
    ("Home End", "the newest, the oldest"),
    ("Enter", "show the failure in full; on a group: what belongs to it"),
    ("Esc", "back: out of the detail, the groups, the filter"),
)
_MODEL_KEYS = (
    ("up down", "move over robots and bundles"),
    ("Enter", "show what is selected in full"),
    ("Esc", "leave a dialog or the detail"),
)
_KEYS: dict[Place, tuple[tuple[str, str], ...]] = {
    "live": _PANE_KEYS,
    "field": _FIELD_KEYS,
    "failures": _FAILURE_KEYS,
    "models": _MODEL_KEYS,
}
_AGES = "\nAn age beside a pane's title says how old its numbers are; older than 3 s they are STALE."
_COUNTS = "\nOnly pass and marginal count as passed: what is stale or could not be seen never does."

_FIELD_END = "\nA question passes by the bound of its interval; what was looked at more than 3 s ago is STALE."
_FAILURE_END = "\nA mark is what somebody said; the newest counts. Filters: docs/failures.md tells every field."
_MODEL_END = "\nWhat has begun goes on without this console. What was heard more than 3 s ago is STALE."
_ENDS: dict[Place, str] = {"live": _AGES, "field": _FIELD_END, "failures": _FAILURE_END, "models": _MODEL_END}
_MODEL_SIGNS = (
    ("ok", "the model that runs; a robot on which nothing is being changed"),
    ("running", "the step that the change is in; the candidate"),
    ("paused", "the change waits: for the robot to be idle, for frames"),
    ("pending", "a step that is still to come"),
    ("busy", "something that was asked for here goes on; the worker starts"),
    ("pass", "a step or a check that is passed, a change that was kept"),
    ("fail", "failed; a change refused or taken back; a damaged bundle"),
    ("warning", "going back; the bundle that leaves; a change called off"),
    ("inconclusive", "a check that decides nothing yet: that is no pass"),
    ("n/a", "skipped, with the reason; a person went back"),
    ("off", "a bundle that does not run; a robot of which nothing is known"),
    ("stale", "as it was: the robot was not heard for more than 3 s"),
)
_FAILURE_SIGNS = (
    ("error", "a failure; as a mark: real, the robot was wrong"),
    ("warning", "a result that is doubtful, late or impossible"),
    ("info", "a moment that a person marked"),
    ("picture", "a picture was taken"),
    ("acknowledged", "mark: seen"),
    ("off", "mark: false alarm"),
    ("next", "mark: to label; also the cursor"),
)


class HelpScreen(Dialog[None]):
    """Scrollable text; Esc or ? leaves."""

    BINDINGS = [("question_mark", "leave", "leave"), ("q", "leave", "leave")]  # noqa: RUF012 - Textual's own form

    def __init__(self, pane: str, text: str, charset: Charset, place: Place = "live") -> None:
        super().__init__(f"Help: {pane}")
        self._place = place
        self._text = text
        self._charset = charset
        self.add_class("wide")

    def parts(self) -> ComposeResult:
        """Pane, keys, signs."""
        yield VerticalScroll(Static(self._all(), id="help", markup=False))

    def _all(self) -> Text:
        text = Text(self._text.replace("*", "").replace("`", ""))
        text.append("\n\nKeys\n", "bold")
        for key, meaning in _KEYS.get(self._place, _LIST_KEYS):
            text.append(f"  {key:<8} ", "bold").append(f"{meaning}\n")
        for action in on_screen(self._place):
            needs = " (needs the lease)" if action.lease else ""
            text.append(f"  {action.shown:<8} ", "bold").append(f"{action.meaning}{needs}\n")
        text.append("\nSigns\n", "bold")
        for name, word in self._signs():
            text.append(f"  {self._charset.glyph(name)}  {word}\n")
        text.append(_ENDS.get(self._place, _COUNTS))
        return text

    def _signs(self) -> list[tuple[str, str]]:
        if self._place == "failures":
            return list(_FAILURE_SIGNS)
        if self._place == "models":
            return list(_MODEL_SIGNS)
        if self._place == "field":
            return [(name, mark.word) for name, mark in FIELD_MARKS.items()]
        if self._place != "live":
            return [(name, MARKS[name].word) for name in ITEM_STATES]
        only_items = set(ITEM_STATES) - {"stale", "unavailable"}
        return [(name, mark.word) for name, mark in MARKS.items() if mark.word and name not in only_items]
