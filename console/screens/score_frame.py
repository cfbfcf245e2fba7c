"""Scoring what the robot saw: a frame drawn at random, its boxes one by one right or wrong, and what was missed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, NamedTuple

from rich.text import Text
from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container
from textual.widget import Widget
from textual.widgets import Static

from console.fieldwork.scoring import FrameToScore
from console.marks import Charset
from console.record.entries import ScoredBox
from console.screens.dialog import Dialog
from console.screens.refusal_words import refusal_words
from console.widgets.camera_picture import CameraPicture
from console.widgets.cells import clean
from console.widgets.scored_picture import Said, bare_picture, with_boxes
from remote.errors import Trouble

MOST_MISSED = 999
BOXES_SHOWN, BOXES_SHOWN_LOW, LOW_ROWS = 8, 4, 28
"""So many boxes are named at once; fewer in terminals of less than LOW_ROWS rows, where the picture needs them."""


class Scored(NamedTuple):
    """What a person said of a frame."""

    right: int
    wrong: int
    missed: int
    boxes: tuple[ScoredBox, ...]


class ScoreScreen(Dialog[int]):
    """Returns how many frames were written. After each another one is drawn; Esc leaves.

    Args:
        draw: waits for the next random instant and fetches its frame; called in a thread. Raises Trouble.
        write: makes the score durable; called in a thread. Raises Trouble.
        within_s: a frame comes at a random instant of so many seconds.
    """

    DEFAULT_CSS = """
    ScoreScreen #boxes { height: auto; max-height: 9; width: 100%; }
    ScoreScreen #boxes, ScoreScreen #state { text-wrap: nowrap; text-overflow: ellipsis; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left,up", "step(-1)", "box before", show=False),
        Binding("right,down,tab", "step(1)", "next box", show=False),
        Binding("r", "say('right')", "right", show=False),
        Binding("w", "say('wrong')", "wrong", show=False),
        Binding("a", "all_right", "the rest is right", show=False),
        Binding("plus,equals_sign,m", "missed(1)", "one more missed", show=False),
        Binding("minus", "missed(-1)", "one less missed", show=False),
        Binding("z", "zoom", "zoom", show=False),
        Binding("enter", "write", "write", show=False),
    ]

    def __init__(
        self,
        draw: Callable[[], FrameToScore],
        write: Callable[[FrameToScore, Scored], None],
        charset: Charset,
        within_s: float,
    ) -> None:
        super().__init__("Score a frame", "r right, w wrong, a rest right, + - missed, z zoom, Enter writes, Esc")
        self._draw_frame, self._write_score = draw, write
        self._charset, self._within_s = charset, within_s
        self._frame: FrameToScore | None = None
        self._image: Any = None
        self._said: list[Said] = []
        self._current = 0
        self._missed = 0
        self._written = 0
        self._busy = False
        self._zoomed = False
        self._picture: Widget | None = None
        self.add_class("full")

    def parts(self) -> ComposeResult:
        """What frame it is, its boxes, its picture."""
        yield Static("", id="state", markup=False)
        yield Static("", id="boxes", markup=False)
        yield Static("", id="error", markup=False)
        yield Container(id="frame")

    def on_mount(self) -> None:
        """Draw the first frame."""
        self._next()

    def action_leave(self) -> None:
        """Leave; what was written stays."""
        self.dismiss(self._written)

    # ------------------------------------------------------------ a frame

    def _next(self) -> None:
        self._frame, self._busy = None, True
        self._tell(f"{self._charset.glyph('busy')} a frame comes at a random instant within {self._within_s:.0f} s...")
        self.query_one("#boxes", Static).update("")
        self._clear_error()
        if self._picture is not None:  # what is on the screen would be taken for the frame that comes
            self._picture.remove()
            self._picture = None
        self._bring()

    @work(thread=True, group="score")
    def _bring(self) -> None:
        try:
            frame = self._draw_frame()
            image = bare_picture(frame)
        except Trouble as trouble:
            self.app.call_from_thread(self._failed, trouble)
            return
        self.app.call_from_thread(self._came, frame, image)

    def _failed(self, trouble: Trouble) -> None:
        self._busy = False
        if self.is_mounted:
            self._tell(
                "no frame: Enter draws again, Esc leaves" if self._frame is None else "not written: Enter tries again"
            )
            self.refuse(refusal_words(trouble))

    def _came(self, frame: FrameToScore, image: Any) -> None:
        self._busy = False
        if not self.is_mounted:
            return
        self._frame, self._image = frame, image
        self._said, self._current, self._missed = [""] * len(frame.detections), 0, 0
        self._clear_error()
        if self._picture is None:
            self._picture = CameraPicture.widget_for(self._charset, colour=not self.app.no_color)
            self.query_one("#frame", Container).mount(self._picture)
        self._show()

    # ------------------------------------------------------------ what the person says

    def action_step(self, step: int) -> None:
        """Another box."""
        if self._said:
            self._current = (self._current + step) % len(self._said)
            self._show()

    def action_say(self, word: Said) -> None:
        """The current box is right or wrong; go on to the next that nothing was said of."""
        if self._frame is not None and self._said:
            self._said[self._current] = word
            unsaid = [n for n, said in enumerate(self._said) if not said]
            self._current = next((n for n in unsaid if n > self._current), unsaid[0] if unsaid else self._current)
            self._show()

    def action_all_right(self) -> None:
        """Every box that nothing was said of is right."""
        self._said = [said or "right" for said in self._said]
        self._show()

    def action_zoom(self) -> None:
        """Show what is around the current box, or the whole frame."""
        self._zoomed = not self._zoomed
        self._show()

    def action_missed(self, step: int) -> None:
        """One object more, or less, was there and not reported."""
        if self._frame is not None:
            self._missed = min(MOST_MISSED, max(0, self._missed + step))
            self._show()

    def action_write(self) -> None:
        """Write the score, once every box has its word."""
        if self._busy:
            return
        if self._frame is None:
            self._next()
            return
        unsaid = sum(not said for said in self._said)
        if unsaid:
            self.refuse(f"{unsaid} boxes have no word yet: r right, w wrong, a the rest is right")
            return
        self._busy = True
        self._clear_error()
        wrong = [place for place, said in enumerate(self._said) if said == "wrong"]
        boxes = self._frame.reported(wrong)
        self._put(self._frame, Scored(len(boxes) - len(wrong), len(wrong), self._missed, boxes))

    @work(thread=True, group="campaign")
    def _put(self, frame: FrameToScore, scored: Scored) -> None:
        try:
            self._write_score(frame, scored)
        except Trouble as trouble:
            self.app.call_from_thread(self._failed, trouble)
            return
        self.app.call_from_thread(self._was_written)

    def _was_written(self) -> None:
        self._written += 1
        if self.is_mounted:
            self.app.bell()
            self._next()

    # ------------------------------------------------------------ showing

    def _clear_error(self) -> None:
        self.query_one("#error", Static).display = False

    def _show(self) -> None:
        if self._frame is None:
            return
        if all(self._said):
            self._clear_error()
        written = f"{self._written} written · " if self._written else ""
        self._tell(f"{written}{counted_boxes(len(self._said))} · missed {self._missed} · {self._frame.drawn}")
        self.query_one("#boxes", Static).update(self._boxes(self._frame))
        if self._picture is not None:
            drawn = with_boxes(self._image, self._frame, self._said, self._current, zoomed=self._zoomed)
            CameraPicture.put(self._picture, drawn)

    def _boxes(self, frame: FrameToScore) -> Text:
        """The boxes around the current one, in words: number, label, score, place, verdict."""
        text = Text(no_wrap=True, overflow="ellipsis")
        if not frame.detections:
            return text.append("the robot reported nothing here: count what it missed with + and -, Enter writes")
        most = BOXES_SHOWN if self.size.height >= LOW_ROWS else BOXES_SHOWN_LOW
        first = max(0, min(self._current - 1, len(self._said) - most))
        for n in range(first, min(len(self._said), first + most)):
            box, said = frame.detections[n], self._said[n]
            pointer = self._charset.glyph("next") if n == self._current else " "
            glyph = self._charset.glyph("success" if said == "right" else "failure" if said else "pending")
            line = f"{pointer} {glyph} box {n + 1} of {len(self._said)}: {clean(frame.label(box))} {box.score:.2f}"
            line += f": {said or 'right or wrong?'}, x {box.x1:.0f}-{box.x2:.0f}, y {box.y1:.0f}-{box.y2:.0f} px"
            text.append(line + "\n", "bold" if n == self._current else "")
        return text

    def _tell(self, words: str) -> None:
        self.query_one("#state", Static).update(clean(words))


def counted_boxes(n: int) -> str:
    """`1 box`, `7 boxes`."""
    return f"{n} box{'' if n == 1 else 'es'}"
