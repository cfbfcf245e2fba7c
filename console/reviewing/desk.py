"""The desk of the failures screen: it asks the search's process, reads pages and pictures in threads, does what keys say.

The event loop touches no file: it holds the numbers of what was found and the rows of the pages that were in sight.
"""

from __future__ import annotations

from array import array
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from console.actions import BY_NAME
from console.checking.messages import Reported
from console.failures.around import Around
from console.failures.finder import Finder
from console.failures.finding_child import Answer
from console.failures.groups import Group
from console.failures.query import parse, with_term
from console.failures.rows import FailureRow
from console.failures.searching import Found
from console.link.snapshot import Pulling
from console.reviewing.archive import Archive, place_at, shots_of
from console.reviewing.reports import Answered, AroundRead, Failed, Opened, Paged, Said, ShotRead
from console.reviewing.view import DetailView, ReviewView, Shot
from console.screens.failures import FailuresScreen
from console.view import View
from remote.errors import Trouble

if TYPE_CHECKING:
    from console.checking.checking_app import CheckingApp

REFRESH_EVERY_S = 2.0
ROWS_KEPT = 2000
"""Rows of pages that were in sight; the book has the others."""
_OPEN, _READ, _LOOK = "open the book of failures", "read failures", "read the picture"
_OFFERED = (
    "failure_filter",
    "failure_group",
    "failure_mark",
    "failure_note",
    "failure_around",
    "failure_export",
    "failure_keep",
)


class ReviewDesk:
    """Serves the failures screen within `app`."""

    def __init__(self, app: CheckingApp) -> None:
        self.app = app
        self.screen = FailuresScreen(app.ink())
        self.screen.listener = self
        self.archive: Archive | None = None
        self.found = Found()
        self.rows: dict[int, FailureRow] = {}
        self.line = self._line_before = with_term(parse(""), "robot", app.newest.robot)
        self.by = ""
        self.groups: tuple[Group, ...] = ()
        self.conditions: tuple[str, ...] = ()
        self.total: int | None = None
        self._finder: Finder | None = None
        self._finding = self._counting = self._adding = 0
        self._fresh: array[int] = array("q")
        self._last_row = 0
        self._number: int | None = None
        self._shot: Shot | None = None
        self._shot_place = 0
        self._shot_wanted: tuple[int, int] | None = None
        self._reading_shot = False
        self._with_around = False
        self._around: Around | None = None
        self._asked: set[int] = set()
        self._leaving = self._opening = False
        self._pulling, self._came = "", 0

    # ------------------------------------------------------------ as the application asks

    @property
    def leaving(self) -> bool:
        """Whether the person leaves."""
        return self._leaving

    @leaving.setter
    def leaving(self, value: bool) -> None:
        self._leaving = value
        if value:
            self.close()

    def close(self) -> None:
        """End the search's process and close the files."""
        self._leaving = True
        if self._finder is not None:
            self._finder.close()
        if self.archive is not None:
            self.archive.close()

    def begin(self) -> None:
        """Open the book in a thread; look for what is new now and then."""
        self.show()
        self._open()
        self.app.set_interval(REFRESH_EVERY_S, self._refresh, name="failures")

    @property
    def enter_key(self) -> tuple[str, str] | None:
        """What Enter does in the list, or Esc in the detail."""
        if self.screen.pane is self.screen.detail:
            return "Esc", "back"
        return "Enter", "show these" if self.by else "in full"

    def offered(self) -> tuple[str, ...]:
        """What the key line offers."""
        return _OFFERED

    def act(self, name: str) -> None:
        """Do the action of that name."""
        from console.reviewing import acts

        if self.archive is None:
            self.screen.say("the book of failures is being opened", "info")
            self._open()
            return
        if name in ("failure_earlier", "failure_later"):
            self.step(-1 if name == "failure_earlier" else 1)
            return
        self.screen.say("")
        found: Callable[[ReviewDesk], Awaitable[None]] = getattr(acts, BY_NAME[name].name.removeprefix("failure_"))
        self.app.run_worker(found(self), exclusive=True, group="dialog", name=name)

    def show(self) -> None:
        """Show what is known."""
        self.screen.show(self.view())

    def show_link(self, view: View) -> None:
        """Show the robot's line, and how pulling goes."""
        self.screen.show_link(view)
        pulling = view.snapshot.pulling
        self._pulling = pulling_words(pulling)
        if pulling.came != self._came:
            self._came = pulling.came
            self.look_again()
        self.show()

    def view(self) -> ReviewView:
        """What the widgets show."""
        busy = "" if self.found.complete and not self._counting else "looking..."
        return ReviewView(
            charset=self.app.charset,
            found=self.found,
            rows=self.rows,
            total=self.total,
            line=self.line,
            by=self.by,
            groups=self.groups,
            busy=busy,
            pulling=self._pulling,
        )

    # ------------------------------------------------------------ searching

    def filter(self, line: str) -> None:
        """Look for what matches `line`; the cursor goes to the newest."""
        self._line_before, self.line = self.line, line.strip()
        self.found, self._fresh, self._adding = Found(), array("q"), 0
        self.screen.items.go_to(0)
        if self._finder is not None:
            self._finding = self._finder.find(self.line)
            if self.by:
                self._counting = self._finder.count(self.line, self.by)
        self.show()

    def group(self, by: str) -> None:
        """Count by that; an empty word goes back to the list."""
        self.by, self.groups = by, ()
        self.screen.items.go_to(0)
        if by and self._finder is not None:
            self._counting = self._finder.count(self.line, by)
        self.show()
        self.app.show_keys()

    def _refresh(self) -> None:
        if self._finder is not None and not self._leaving and self.app.place == "failures":
            self._finder.refresh(hush=True)

    def _answered(self, answer: Answer, rows: array[int]) -> None:
        if answer.code:
            self._refused(answer)
        elif answer.id == 0:
            self._refreshed(answer)
        elif answer.id == self._finding:
            below = self.found.count > self.screen.items.at + self.screen.items.size.height
            self.found.extend(rows)
            if below and not answer.done:
                return  # nothing of it is in sight: the next repaint shows the count
            self.found.complete = answer.done
            self._last_row = answer.last_row or self._last_row
        elif answer.id == self._counting:
            self.groups, self._counting = answer.groups, 0
        elif answer.id == self._adding:
            self._fresh.extend(rows)
            if answer.done:
                self._add(answer)
        if answer.done and answer.id:
            self.total = answer.total or self.total
            self.conditions = answer.conditions or self.conditions
        self.show()

    def _refused(self, answer: Answer) -> None:
        trouble = Trouble(answer.what, cure=answer.cure, code=answer.code)
        self.app.say_trouble("look for failures" if answer.id else "read the store", trouble)
        if answer.id == self._counting:
            self._counting = 0
        if answer.id == self._finding:
            self.found.complete = True
            if answer.code == "bad_query" and self.line != self._line_before:
                self.filter(self._line_before)

    def _refreshed(self, answer: Answer) -> None:
        self.total, self.conditions = answer.total, answer.conditions
        if not answer.fresh or self._finder is None:
            return
        kept = set(self.found.rows[: self.screen.items.size.height]) if self.found.count else set()
        self._read([number for number in kept | ({self._number} - {None}) if number is not None], again=True)
        if self.found.complete:
            self._fresh = array("q")
            self._adding = self._finder.find(self.line, self._last_row)

    def _add(self, answer: Answer) -> None:
        """New failures come on top; the cursor stays on its row unless it follows the newest."""
        self._last_row = answer.last_row
        if self._fresh:
            self.found.rows = self._fresh + self.found.rows
            if self.screen.items.at and not self.by:
                self.screen.items.shift(len(self._fresh))
        self._fresh, self._adding = array("q"), 0

    # ------------------------------------------------------------ what the screen tells

    def selected(self, number: int | None, moved: bool) -> None:
        """The cursor stands on another row."""
        if number != self._number:
            self._number, self._shot, self._around, self._shot_place = number, None, None, -1
            if moved and not self.screen.message.is_busy:
                self.screen.say("")  # what was said was about another row
        self._show_detail()

    def opened(self, number: int | None, group: int | None) -> None:
        """Enter on a failure shows it in full, on a group what belongs to it."""
        if group is not None:
            chosen = self.groups[group] if group < len(self.groups) else None
            if chosen is not None and chosen.query:
                self.by = ""
                self.filter(chosen.query)
            else:
                self.screen.say("no filter shows just these", "muted")
        elif number is not None:
            self.screen.open_detail()
            self._show_detail()
        self.app.call_after_refresh(self.app.show_keys)

    def back(self) -> None:
        """Esc in the list: out of the groups, then out of the filter."""
        if self.by:
            self.group("")
        elif self.line:
            self.filter("")

    def left(self) -> None:
        """Esc in the detail."""
        self.screen.close_detail()
        self.app.call_after_refresh(self.app.show_keys)

    def needed(self, numbers: list[int]) -> None:
        """Rows came in sight that are not here."""
        self._read(numbers)

    @property
    def row(self) -> FailureRow | None:
        """The failure under the cursor, once it was read."""
        return self.rows.get(self._number) if self._number is not None else None

    def _read(self, numbers: list[int], *, again: bool = False) -> None:
        wanted = [number for number in numbers if again or number not in self._asked]
        archive = self.archive
        if wanted and archive is not None:
            self._asked.update(wanted)
            self._run(_READ, lambda: Paged(archive.rows(wanted)))

    def _paged(self, rows: dict[int, FailureRow]) -> None:
        if len(self.rows) > ROWS_KEPT:
            self.rows = {number: row for number, row in self.rows.items() if number == self._number}
        self._asked.difference_update(rows)
        self.rows.update(rows)
        self.show()
        if self._number in rows:
            self._show_detail()

    # ------------------------------------------------------------ the detail

    def _show_detail(self) -> None:
        row = self.row
        if row is None or self._number is None:
            self.screen.show_detail(None)
            return
        self.screen.show_detail(DetailView(self.app.charset, row, self._shot, self._around))
        if not self.screen.shows_detail:
            return
        if self._shot_place < 0:
            self._shot_place = place_at(row)
        if self._shot is None:
            self._want_shot()
        if self._with_around and self._around is None:
            self._want_around()

    def step(self, by: int) -> None:
        """The picture before or behind."""
        row = self.row
        last = len(shots_of(row)) - 1 if row is not None else -1
        place = min(max(0, self._shot_place + by), max(0, last))
        if place != self._shot_place:
            self._shot_place, self._shot = place, None
            self._show_detail()

    def toggle_around(self) -> None:
        """Show the telemetry around it, or no more."""
        self._with_around = not self._with_around
        self._around = None
        if not self.screen.shows_detail:
            self.screen.open_detail()
        self._show_detail()

    def look_again(self) -> None:
        """A picture has come: it may be the one that is missing here. What was said stays until it was read."""
        if self._shot is not None and self._shot.image is None and self.screen.shows_detail:
            self._want_shot()

    def _want_shot(self) -> None:
        """The newest wish counts: while one picture is being read, those that the cursor passed are skipped."""
        assert self._number is not None
        self._shot_wanted = (self._number, self._shot_place)
        archive, row, wanted = self.archive, self.row, self._shot_wanted
        if self._reading_shot or archive is None or row is None:
            return
        self._reading_shot = True
        link_up = self.app.newest.link.phase == "up"
        self._run(_LOOK, lambda: ShotRead(*wanted, archive.shot(row, wanted[1], link_up=link_up)))

    def _shot_read(self, report: ShotRead) -> None:
        self._reading_shot = False
        if (report.number, report.place) == self._shot_wanted == (self._number, self._shot_place):
            self._shot = report.shot
            self._show_detail()
        elif self.row is not None and self._shot is None:
            self._want_shot()

    def _want_around(self) -> None:
        archive, row, number = self.archive, self.row, self._number
        if archive is not None and row is not None and number is not None:
            self._run("read what was measured", lambda: AroundRead(number, archive.around(row)))

    # ------------------------------------------------------------ threads

    def _run(self, what: str, call: Callable[[], object]) -> None:
        """Run `call` in a thread; its report, or why there is none, comes to `take`."""

        def caught() -> None:
            try:
                report = call()
            except Trouble as trouble:
                report = Failed(what, trouble)
            self.app.post_message(Reported("failures", report))

        self.app.run_worker(caught, thread=True, group="failures", name=what)

    def start(self, what: str, call: Callable[[], Said]) -> None:
        """Do something that a person asked for, and say how it ended."""
        self._run(what, call)

    async def ask(self, dialog: Any) -> Any:
        """Show a dialog and wait for its typed answer; None where the person left."""
        return await self.app.push_screen_wait(dialog)

    def take(self, report: Any) -> None:
        """Take what a thread reported."""
        if self._leaving:
            return
        if isinstance(report, Answered):
            self._answered(report.answer, report.rows)
        elif isinstance(report, Paged):
            self._paged(report.rows)
        elif isinstance(report, ShotRead):
            self._shot_read(report)
        elif isinstance(report, AroundRead):
            if report.number == self._number:
                self._around = report.around
                self._show_detail()
        elif isinstance(report, Opened):
            self._opened(report.archive)
        elif isinstance(report, Said):
            self.screen.say(f"{self.app.charset.glyph('ok')} {report.text}", "ok")
            self._read(list(report.numbers), again=True)
        elif isinstance(report, Failed):
            self._failed(report)

    def _failed(self, report: Failed) -> None:
        """Say it, and let the next key try again."""
        if report.what == _OPEN:
            self._opening = False
        elif report.what == _READ:
            self._asked.clear()
        elif report.what == _LOOK:
            self._reading_shot = False
        self.app.say_trouble(report.what, report.trouble)

    def _open(self) -> None:
        if not self._opening:
            self._opening = True
            self._run(_OPEN, lambda: Opened(Archive()))

    def _opened(self, archive: Archive) -> None:
        self.archive = archive
        if archive.book.moved_aside is not None:
            self.screen.say(_damaged(archive), "warning")
        self._finder = Finder(archive.book.path.parent, archive.store.path, self._post_answer)
        self._finding = self._finder.find(self.line)
        self._finder.refresh()

    def _post_answer(self, answer: Answer, rows: array[int]) -> None:
        self.app.post_message(Reported("failures", Answered(answer, rows)))


def pulling_words(pulling: Pulling) -> str:
    """How the pictures come; nothing where all are here."""
    if not pulling.waiting:
        return ""
    return f"{pulling.waiting:,}{'' if pulling.all_known else '+'} pictures to come"


def _damaged(archive: Archive) -> str:
    files = ", ".join(one.file for one in archive.book.imports())
    again = f"; import again: {files}" if files else ""
    return f"the book of failures was damaged, moved to {archive.book.moved_aside} and is made again; marks are kept{again}"
