"""The failure under the cursor, in full: its pictures, one at a time, and what was measured around it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from console.failures.around import Around
from console.failures.rows import FailureRow
from console.reviewing.archive import place_at, shots_of
from console.reviewing.reports import LOOK, AroundRead, ShotRead
from console.reviewing.view import DetailView, Shot

if TYPE_CHECKING:
    from console.reviewing.desk import ReviewDesk


class OneFailure:
    """Serves the detail of `desk`'s screen with what the desk's threads read. `number` is the failure's in the book."""

    def __init__(self, desk: ReviewDesk) -> None:
        self.number: int | None = None
        self.shot: Shot | None = None
        self.around: Around | None = None
        self._desk = desk
        self._place = 0
        self._wanted: tuple[int, int] | None = None
        self._reading = False
        self._with_around = False

    @property
    def row(self) -> FailureRow | None:
        """What the book says of it, once that was read."""
        return self._desk.rows.get(self.number) if self.number is not None else None

    def turn_to(self, number: int | None) -> bool:
        """The cursor stands there now; whether that is another failure."""
        if number == self.number:
            return False
        self.number, self.shot, self.around, self._place = number, None, None, -1
        return True

    def show(self) -> None:
        """Show what is known, and ask for what is lacking where it is in sight."""
        row, screen = self.row, self._desk.screen
        if row is None:
            screen.show_detail(None)
            return
        screen.show_detail(DetailView(self._desk.app.charset, row, self.shot, self.around))
        if not screen.shows_detail:
            return
        if self._place < 0:
            self._place = place_at(row)
        if self.shot is None:
            self._want_shot()
        if self._with_around and self.around is None:
            self._want_around()

    def step(self, by: int) -> None:
        """The picture before or behind."""
        row = self.row
        last = len(shots_of(row)) - 1 if row is not None else -1
        place = min(max(0, self._place + by), max(0, last))
        if place != self._place:
            self._place, self.shot = place, None
            self.show()

    def toggle_around(self) -> None:
        """Show the telemetry around it, or no more."""
        self._with_around = not self._with_around
        self.around = None
        if not self._desk.screen.shows_detail:
            self._desk.screen.open_detail()
        self.show()

    def look_again(self) -> None:
        """A picture has come: it may be the one that is missing here. What was said stays until it was read."""
        if self.shot is not None and self.shot.image is None and self._desk.screen.shows_detail:
            self._want_shot()

    def take_shot(self, report: ShotRead) -> None:
        """A picture was read: show it, or read the one that the cursor stands on by now."""
        self._reading = False
        if (report.number, report.place) == self._wanted == (self.number, self._place):
            self.shot = report.shot
            self.show()
        elif self.row is not None and self.shot is None:
            self._want_shot()

    def forget_shot(self) -> None:
        """It has other pictures now: begin with the one at it."""
        self.shot, self._place = None, -1

    def shot_failed(self) -> None:
        """A picture could not be read: the next wish is read all the same."""
        self._reading = False

    def take_around(self, report: AroundRead) -> None:
        """What was measured around a failure was read."""
        if report.number == self.number:
            self.around = report.around
            self.show()

    def _want_shot(self) -> None:
        """The newest wish counts: while one picture is being read, those that the cursor passed are skipped."""
        assert self.number is not None
        self._wanted = wanted = (self.number, self._place)
        archive, row = self._desk.archive, self.row
        if self._reading or archive is None or row is None:
            return
        self._reading = True
        link_up = self._desk.app.newest.link.phase == "up"
        self._desk.run(LOOK, lambda: ShotRead(*wanted, archive.shot(row, wanted[1], link_up=link_up)))

    def _want_around(self) -> None:
        archive, row, number = self._desk.archive, self.row, self.number
        if archive is not None and row is not None and number is not None:
            self._desk.run("read what was measured", lambda: AroundRead(number, archive.around(row)))
