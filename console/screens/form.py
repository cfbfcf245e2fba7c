"""The common frame of all dialogs that ask for several things at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import ClassVar, NamedTuple, TypeVar, Union

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.widget import Widget
from textual.widgets import Button, Input, Static

from console.screens.dialog import Dialog
from console.widgets.cells import clean
from console.widgets.one_line import OneLine
from console.widgets.pick import Pick
from remote.errors import Trouble

R = TypeVar("R")
LOW_ROWS, NARROW_COLUMNS = 20, 76
"""Terminals of fewer rows get dialogs without empty rows, of fewer columns buttons close together."""


class Words(NamedTuple):
    """A field for words or a number."""

    name: str
    label: str
    value: str = ""
    hint: str = ""


class Choice(NamedTuple):
    """A field for one of few: (value, what is shown) each."""

    name: str
    label: str
    choices: Sequence[tuple[str, str]]
    chosen: str = ""


Field = Union[Words, Choice]


class Form(Dialog[R]):
    """Text, fields, and buttons of which the safe one is first. A subclass turns what was entered into its typed answer.

    Args:
        title, text: what it is about; foreign text may be in both, and in labels and values of fields.
        fields: what is asked.
        buttons: (name, label) each of those that answer; `answer` gets the name. The one that leaves comes before them.
        clock: monotonic nanoseconds; how long the text was on the screen is measured by it.
    """

    DEFAULT_CSS = """
    Form > #box { width: 76; padding: 0 2; }
    Form #text { margin: 0; }
    Form .field { height: 1; margin-top: 1; }
    Form .label { width: 18; height: 1; color: $secondary; }
    Form Input { width: 1fr; height: 1; border: none; background: $panel; padding: 0 1; }
    Form.ascii Input { border: none; }
    Form Input:focus { background: $primary 30%; border: none; }
    Form #buttons { margin-top: 1; }
    Form.narrow Button { margin-left: 1; min-width: 8; }
    Form.low #buttons, Form.low .field { margin-top: 0; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "app.focus_previous", "field before", show=False),
        Binding("down", "field_below", "next field", show=False),
    ]
    AUTO_FOCUS = "Input, Pick, #no"

    def __init__(
        self,
        title: str,
        text: str,
        fields: Sequence[Field],
        buttons: Sequence[tuple[str, str]],
        clock: Callable[[], int],
        leave: str = "Leave it",
    ) -> None:
        super().__init__(clean(title), "up, down move; Enter goes on; Esc leaves")
        self._text = "\n".join(clean(line) for line in text.splitlines())
        self._fields = tuple(fields)
        self._buttons = tuple(buttons)
        self._leave = leave
        self._clock = clock
        self._began_ns = clock()

    def answer(self, button: str, values: dict[str, str]) -> R | None:
        """The typed answer to `button` being pressed; Trouble where something was entered that can't be right."""
        raise NotImplementedError

    @property
    def looked_ms(self) -> int:
        """How long the text has been on the screen."""
        return (self._clock() - self._began_ns) // 1_000_000

    def parts(self) -> ComposeResult:
        """Text, fields, what is wrong, buttons."""
        text = Static(self._text, id="text", markup=False)
        yield VerticalScroll(text, *self._rows(), id="content", can_focus=False)
        yield Static("", id="error", markup=False)
        yield Horizontal(*self._all_buttons(), id="buttons")

    def on_mount(self) -> None:
        """The text is on the screen from now on."""
        self._began_ns = self._clock()

    def on_resize(self, event: events.Resize) -> None:
        """No empty rows where there are few."""
        self.set_class(event.size.height < LOW_ROWS, "low")
        self.set_class(event.size.width < NARROW_COLUMNS, "narrow")
        super().on_resize(event)

    @property
    def foot_rows(self) -> int:
        """Border and buttons."""
        return 3 if self.has_class("low") else 4

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Enter: the next field, at last the buttons."""
        self.action_next_field()

    def action_next_field(self) -> None:
        """Go on to the next field, at last to the first button that answers."""
        inputs = [self._input(field.name) for field in self._fields]
        at = inputs.index(self.focused) if self.focused in inputs else len(inputs)
        following = inputs[at + 1] if at + 1 < len(inputs) else self.query_one(f"#{self._buttons[0][0]}")
        following.focus()

    def action_field_below(self) -> None:
        """Down: the next field, from the last one to the first button that answers."""
        inputs = [self._input(field.name) for field in self._fields]
        if inputs and self.focused is inputs[-1]:
            self.action_next_field()
        else:
            self.app.action_focus_next()

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Answer, or say what is wrong with what was entered."""
        name = event.button.id or "no"
        if name == "no":
            self.dismiss(None)
            return
        try:
            answer = self.answer(name, {field.name: self._input(field.name).value.strip() for field in self._fields})
        except Trouble as trouble:
            self.refuse(f"{trouble.what}; {trouble.cure}" if trouble.cure else trouble.what)
            return
        if answer is None:
            self.dismiss(None)
        else:
            self.deliver(answer)

    def _rows(self) -> Iterator[Widget]:
        for field in self._fields:
            label = Static(clean(field.label), classes="label", markup=False)
            yield Horizontal(label, self._widget(field), classes="field")

    def _widget(self, field: Field) -> Widget:
        if isinstance(field, Choice):
            return Pick(field.choices, field.chosen, id=f"field-{field.name}")
        return OneLine(
            clean(field.value), placeholder=clean(field.hint), id=f"field-{field.name}", max_length=1000, compact=True
        )

    def _input(self, name: str) -> Input | Pick:
        found = self.query_one(f"#field-{name}")
        assert isinstance(found, (Input, Pick))
        return found

    def _all_buttons(self) -> Iterator[Button]:
        yield Button(self._leave, id="no", variant="primary", compact=True)
        for name, label in self._buttons:
            yield Button(label, id=name, variant="warning", compact=True)


def number_of(text: str, what: str) -> float:
    """A finite number with a point or a comma; Trouble otherwise."""
    import math

    try:
        value = float(text.replace(",", "."))
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise Trouble(f"{what}: '{text}' is no number", cure="give a number such as 12.5", code="bad_value")
    return value


def count_of(text: str, what: str, least: int = 0) -> int:
    """A whole number, `least` or more; Trouble otherwise."""
    if not text.isdecimal() or len(text) > 9 or int(text) < least:
        raise Trouble(f"{what}: '{text}' is no count", cure=f"give a whole number, {least} or more", code="bad_value")
    return int(text)


def flowing(text: str) -> str:
    """A file's text with its single line breaks as spaces; empty lines divide, and lists stay lists."""
    import re

    parts = [re.sub(r"\s*\n(?!\s*(?:[-*]|\d+[.)])\s)\s*", " ", part.strip()) for part in re.split(r"\n\s*\n", text)]
    return "\n\n".join(part for part in parts if part)


def paths_of(text: str) -> tuple[str, ...]:
    """Paths, divided by commas."""
    return tuple(part.strip() for part in text.split(",") if part.strip())
