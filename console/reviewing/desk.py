"""The desk of the failures screen: it asks the search's process, reads pages and pictures in threads, does what keys say.

The event loop touches no file: it holds the numbers of what was found and the rows of the pages that were in sight.
"""

from __future__ import annotations

from array import array
from asyncio import Future, get_running_loop
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from console.actions import BY_NAME
from console.checking.threaded_desk import Failed, ThreadedDesk
from console.failures.finder import Finder
from console.failures.finding_child import Answer
from console.failures.groups import Group
from console.failures.query import parse, with_term
from console.failures.rows import FailureRow
from console.failures.searching import Found
from console.link.snapshot import Pulling
from console.reviewing.archive import Archive, shots_of
from console.reviewing.one_failure import OneFailure
from console.reviewing.reports import LOOK, OPEN, READ, Answered, AroundRead, Opened, Paged, Said, ShotRead
from console.reviewing.view import ReviewView
from console.screens.failures import FailuresScreen
from console.view import View
from remote.errors import Trouble

if TYPE_CHECKING:
    from console.checking.checking_app import CheckingApp

REFRESH_EVERY_S = 2.0
ROWS_KEPT = 2000
"""Rows of pages that were in sight; the book has the others."""
_FOUND = (
    "failure_filter",
    "failure_group",
    "failure_mark",
    "failure_note",
    "failure_around",
    "failure_export",
)
_SAID_LATER = ("marked", "noted", "picture")
"""What can change in a failure that is here already: then a filter by it finds others."""


class ReviewDesk(ThreadedDesk):
    """Serves the failures screen within `app`."""

    place = "failures"

    def __init__(self, app: CheckingApp) -> None:
        super().__init__(app)
        self.screen = FailuresScreen(app.ink())
        self.screen.listener = self
        self.archive: Archive | None = None
        self.found = Found()
        self.rows: dict[int, FailureRow] = {}
        self.line = with_term(parse(""), "robot", app.newest.robot)
        self._before = (self.line, self.found, 0)
        self._to_count = False
        self.by = ""
        self.groups: tuple[Group, ...] = ()
        self.conditions: tuple[str, ...] = ()
        self.total: int | None = None
        self._finder: Finder | None = None
        self._finding = self._counting = self._adding = 0
        self._tried: Future[Trouble | None] | None = None
        self._anew = self._away = False
        self._fresh: array[int] = array("q")
        self._last_row = 0
        self.detail = OneFailure(self)
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
        if not (self.groups if self.by else self.found.count):
            return None
        return "Enter", "show these" if self.by else "in full"

    def offered(self) -> tuple[str, ...]:
        """What the key line offers: what would do something now."""
        if not self.total and not self.found.count:
            return ()
        if not self.found.count:
            return ("failure_filter",)
        if self.by:
            return ("failure_filter", "failure_group", "failure_export")
        row = self.row
        keep = row is not None and bool(row.failure) and row.robot == self.app.newest.robot
        return (*_FOUND, "failure_keep") if keep else _FOUND

    def act(self, name: str) -> None:
        """Do the action of that name."""
        from console.reviewing import acts

        if self.archive is None:
            self.screen.say("the book of failures is being opened", "info")
            self._open()
            return
        if name in ("failure_earlier", "failure_later"):
            self.detail.step(-1 if name == "failure_earlier" else 1)
            return
        self.screen.say("")
        found: Callable[[ReviewDesk], Awaitable[None]] = getattr(acts, BY_NAME[name].name.removeprefix("failure_"))
        self.app.begin_act(partial(found, self), name)

    def show(self) -> None:
        """Show what is known."""
        self.screen.show(self.view())
        self.show_offered()

    def show_link(self, view: View) -> None:
        """Show the robot's line, and how pulling goes."""
        self.screen.show_link(view)
        pulling = view.snapshot.pulling
        self._pulling = pulling_words(pulling)
        if pulling.came != self._came:
            self._came = pulling.came
            self.detail.look_again()
        if self._away:  # what came meanwhile is not waited for
            self._away = False
            self._refresh()
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
        self._before = (self.line, self.found, self.screen.items.at)
        self._look_for(line.strip())

    def _look_for(self, line: str) -> None:
        self.line, self.found, self._fresh, self._adding = line, Found(), array("q"), 0
        self.screen.items.go_to(0)
        self._decide(None)
        if self._finder is not None:
            self._finding = self._finder.find(self.line)
            self._to_count = bool(self.by)
        self.show()

    async def try_filter(self, line: str) -> Trouble | None:
        """Look for what matches; what is wrong with the line, once the search has read it: then the list is as before."""
        self.filter(line)
        self._tried = get_running_loop().create_future()
        return await self._tried

    def _decide(self, trouble: Trouble | None) -> bool:
        """Answer who typed a filter; whether somebody waited for that."""
        tried, self._tried = self._tried, None
        if tried is None or tried.done():
            return False
        tried.set_result(trouble)
        return True

    def group(self, by: str) -> None:
        """Count by that; an empty word goes back to the list."""
        self.by, self.groups = by, ()
        self.screen.items.go_to(0)
        if by and self._finder is not None:
            self._counting = self._finder.count(self.line, by)
        self.show()
        self.app.show_keys()

    def _refresh(self) -> None:
        self._away = self.app.place != "failures"
        if self._finder is not None and not self._leaving and not self._away:
            self._finder.refresh(hush=True)
            self.detail.look_again()

    def _answered(self, answer: Answer, rows: array[int]) -> None:
        if answer.code:
            self._refused(answer)
        elif answer.id == 0:
            self._refreshed(answer)
        elif answer.id == self._finding:
            self._taken()
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
        mistyped = answer.id == self._finding and self._decide(trouble)
        if not mistyped:
            self.app.say_trouble("look for failures" if answer.id else "read the store", trouble)
        if answer.id == self._counting:
            self._counting = 0
        if answer.id == self._finding:
            self.found.complete = True
            if answer.code == "bad_query" and self.line != self._before[0]:
                self._go_back()

    def _taken(self) -> None:
        """The search has understood the line."""
        self._decide(None)
        if self._to_count and self._finder is not None:
            self._to_count, self._counting = False, self._finder.count(self.line, self.by)

    def _go_back(self) -> None:
        """As it was before the line that was wrong."""
        line, found, at = self._before
        self._to_count = False
        if not found.complete:
            self._look_for(line)
            return
        self.line, self.found = line, found
        self.screen.items.go_to(at)

    def _refreshed(self, answer: Answer) -> None:
        self.total, self.conditions = answer.total, answer.conditions
        if not answer.fresh or self._finder is None:
            return
        top = self.screen.items.top
        kept = set(self.found.rows[top : top + self.screen.items.size.height])
        self._read([number for number in kept | {self.detail.number} if number is not None], again=True)
        if self.found.complete:
            self._fresh = array("q")
            self._anew = any(term.field in _SAID_LATER for term in parse(self.line).terms)
            self._adding = self._finder.find(self.line, 0 if self._anew else self._last_row)

    def _add(self, answer: Answer) -> None:
        """New failures come on top; the cursor stays on its row unless it follows the newest."""
        self._last_row = answer.last_row
        items, fresh = self.screen.items, self._fresh
        rows = fresh if self._anew else fresh + self.found.rows
        if rows != self.found.rows:
            self.found.rows = rows
            at = items.at + len(fresh) if not self._anew else _place(rows, self.detail.number, items.at)
            if not self.by and (items.at or self._is_reading):
                items.shift(at - items.at)
        self._fresh, self._adding = array("q"), 0

    @property
    def _is_reading(self) -> bool:
        """Whether a person looks at one failure or answers a question about it: then nothing else is selected."""
        return self.screen.pane is self.screen.detail or self.app.screen is not self.screen

    # ------------------------------------------------------------ what the screen tells

    def selected(self, number: int | None, moved: bool) -> None:
        """The cursor stands on another row."""
        if self.detail.turn_to(number) and moved and not self.screen.message.is_busy:
            self.screen.say("")  # what was said was about another row
        self.detail.show()

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
            self.detail.show()
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
        return self.detail.row

    def _read(self, numbers: list[int], *, again: bool = False) -> None:
        wanted = [number for number in numbers if again or number not in self._asked]
        archive = self.archive
        if wanted and archive is not None:
            self._asked.update(wanted)
            self.run(READ, lambda: Paged(archive.rows(wanted)))

    def _paged(self, rows: dict[int, FailureRow]) -> None:
        if len(self.rows) > ROWS_KEPT:
            self.rows = {number: row for number, row in self.rows.items() if number == self.detail.number}
        self._asked.difference_update(rows)
        before = self.row
        self.rows.update(rows)
        row = self.row
        if before is not None and row is not None and shots_of(before) != shots_of(row):
            self.detail.forget_shot()  # its clip came
        self.show()
        if self.detail.number in rows:
            self.detail.show()

    # ------------------------------------------------------------ threads

    def take(self, report: Any) -> None:
        """Take what a thread reported."""
        if self._leaving:
            return
        if isinstance(report, Answered):
            self._answered(report.answer, report.rows)
        elif isinstance(report, Paged):
            self._paged(report.rows)
        elif isinstance(report, ShotRead):
            self.detail.take_shot(report)
        elif isinstance(report, AroundRead):
            self.detail.take_around(report)
        elif isinstance(report, Opened):
            self._opened(report.archive)
        elif isinstance(report, Said):
            self.screen.say(f"{self.app.charset.glyph('ok')} {report.text}", "ok")
            self._read(list(report.numbers), again=True)
            self._refresh()
        elif isinstance(report, Failed):
            self._failed(report)

    def _failed(self, report: Failed) -> None:
        """Say it, and let the next key try again."""
        if report.what == OPEN:
            self._opening = False
        elif report.what == READ:
            self._asked.clear()
        elif report.what == LOOK:
            self.detail.shot_failed()
        self.app.say_trouble(report.what, report.trouble)

    def _open(self) -> None:
        if not self._opening:
            self._opening = True
            self.run(OPEN, lambda: Opened(Archive()))

    def _opened(self, archive: Archive) -> None:
        self.archive = archive
        if archive.book.moved_aside is not None:
            self.screen.say(_damaged(archive), "warning")
        self._finder = Finder(archive.book.path.parent, archive.store.path, self._post_answer)
        self._finding = self._finder.find(self.line)
        self._finder.refresh()

    def _post_answer(self, answer: Answer, rows: array[int]) -> None:
        self.tell(Answered(answer, rows))


def _place(rows: array[int], number: int | None, at: int) -> int:
    """Where that failure stands; where it is none of them any more, the place that it had."""
    try:
        return at if number is None else rows.index(number)
    except ValueError:
        return at


def pulling_words(pulling: Pulling) -> str:
    """How the pictures come; nothing where all are here."""
    if not pulling.waiting:
        return ""
    return f"{pulling.waiting:,}{'' if pulling.all_known else '+'} pictures to come"


def _damaged(archive: Archive) -> str:
    files = ", ".join(one.file for one in archive.book.imports())
    again = f"; import again: {files}" if files else ""
    return f"the book of failures was damaged, moved to {archive.book.moved_aside} and is made again; marks are kept{again}"
