"""The actions of the failures screen, one coroutine each: dialogs here, what waits for a disk in threads."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from console.failures.rows import MARK_WORDS, FailureRow, MarkWord
from console.failures.searching import Found
from console.failures.telling import MARK_SAID
from console.reviewing.reports import Said
from console.widgets.cells import clean
from remote.protocol import Choice, Pin

if TYPE_CHECKING:
    from console.reviewing.desk import ReviewDesk

_MEANS = {
    "seen": "looked at, nothing to say",
    "real": "the robot was wrong",
    "false_alarm": "the robot was right, or it does not matter",
    "to_label": "worth labelling and training on",
}
_BY_MEANS = {
    "kind": "what went wrong",
    "label": "what was detected in the frame",
    "hour": "the hour of the day",
    "light": "how bright the picture was",
    "place": "every condition's words",
    "robot": "the robot",
    "marked": "what people said",
}


async def filter(desk: ReviewDesk) -> None:
    """Ask for a query; a wrong one stays in the dialog with what is wrong."""
    from console.screens.ask_text import AskTextScreen

    text = (
        "Words are regular expressions; fields: kind: label: light:<40 time:>2026-11-20T10:00 place: marked:yes robot: "
        "phase:; !before one hides. Nothing shows all."
    )
    dialog = AskTextScreen("Filter failures", text, value=desk.line)
    dialog.carry = desk.try_filter
    if await desk.ask(dialog) is not None:
        desk.screen.items.focus()


async def group(desk: ReviewDesk) -> None:
    """Ask by what to count."""
    from console.screens.choose import ChooseScreen

    choices = [Choice(by, means) for by, means in _BY_MEANS.items()]
    choices += [Choice(name, "condition") for name in desk.conditions if name not in _BY_MEANS]
    choices.append(Choice("", "no groups: the list"))
    by = await desk.ask(ChooseScreen("Group failures by", tuple(choices), desk.by or None))
    if by is not None:
        desk.group(by)
        desk.screen.items.focus()


async def mark(desk: ReviewDesk) -> None:
    """Ask what the selected failure is."""
    from console.people import who
    from console.screens.choose import ChooseScreen

    row, archive = _selected(desk), desk.archive
    if row is None or archive is None:
        return
    choices = [Choice(word, _MEANS[word]) for word in MARK_WORDS]
    choices.append(Choice("none", "take back what was said"))
    chosen = await desk.ask(ChooseScreen(_title("What is", row), tuple(choices), row.mark or None))
    if chosen is None:
        return
    word: MarkWord = next((one for one in MARK_WORDS if one == chosen), "")
    numbers = _number(desk)

    def write() -> Said:
        archive.book.mark([row.id], word, who(desk.app.person))
        return Said(f"marked {MARK_SAID[word]}" if word else "the mark is taken back", numbers)

    desk.run("mark the failure", write)


async def note(desk: ReviewDesk) -> None:
    """Ask for a note on the selected failure."""
    from console.people import who
    from console.screens.ask_text import AskTextScreen

    row, archive = _selected(desk), desk.archive
    if row is None or archive is None:
        return
    text = await desk.ask(
        AskTextScreen(_title("Note on", row), "It stays with the failure, with your name and the time.")
    )
    if text is None or not text.strip():
        return
    numbers = _number(desk)

    def write() -> Said:
        archive.book.note(row.id, text.strip(), who(desk.app.person))
        return Said("noted", numbers)

    desk.run("note", write)


async def around(desk: ReviewDesk) -> None:
    """Show what was measured around it, or no more."""
    if _selected(desk) is not None:
        desk.detail.toggle_around()


async def keep(desk: ReviewDesk) -> None:
    """Ask the robot to keep the pictures of the selected failure."""
    row = _selected(desk)
    if row is None:
        return
    if not row.failure or row.robot != desk.app.newest.robot:
        why = (
            "it has no name on a robot"
            if not row.failure
            else f"it belongs to {clean(row.robot)}, which is not on this screen"
        )
        desk.screen.say(f"not asked: {why}", "warning")
        return
    command = Pin(failure=row.failure)
    desk.app.ask("keep its pictures", "the robot keeps its pictures", lambda: desk.app.session.request(command))


def _selected(desk: ReviewDesk) -> FailureRow | None:
    if desk.by:
        desk.screen.say("a group is selected: Enter shows its failures", "warning")
    elif desk.row is None:
        desk.screen.say("no failure is selected", "warning")
    return None if desk.by else desk.row


def _number(desk: ReviewDesk) -> tuple[int, ...]:
    number = desk.screen.items.number
    return () if number is None else (number,)


def _title(words: str, row: FailureRow) -> str:
    return (
        f"{words} this {clean(row.kind).replace('_', ' ')}?"
        if words == "What is"
        else f"{words} {clean(row.kind).replace('_', ' ')}"
    )


async def export(desk: ReviewDesk) -> None:
    """Ask as what, and write everything that is listed."""
    from console.reviewing.exporting import choices, export_as
    from console.screens.choose import ChooseScreen

    archive, found, folder = desk.archive, desk.found, desk.app.report_folder()
    if archive is None or not found.count:
        desk.screen.say("nothing is listed that could be exported", "warning")
        return
    if not found.complete:
        desk.screen.say("not all of it has been found yet", "warning")
        return
    now_s, fixed = time.time(), Found()
    fixed.rows = found.rows[:]  # what comes meanwhile must not move what is being written
    what = await desk.ask(ChooseScreen(f"Export these {fixed.count:,} failures", choices(now_s), None))
    if what is None:
        return
    desk.screen.say(f"{desk.app.charset.glyph('busy')} exporting {fixed.count:,} failures...", "info")

    def write() -> Said:
        made = export_as(archive, fixed, what, folder, now_s)
        return Said(f"written: {clean(made.path)} - {'; '.join(made.words())}")

    desk.run("export", write)
