"""The status line: which robot, how the link is, what runs, who commands, what is stored, how many alarms."""

from __future__ import annotations

from textual.geometry import Size

from console.alarms import Alarm
from console.marks import MARKS
from console.readings import NS_PER_S
from console.view import STALE_S, View
from console.widgets.cells import Row, Span, clean, fit, row_of, width_of
from console.widgets.drawing import duration
from console.widgets.view_canvas import ViewCanvas

_LINK_MARK = {
    "up": "ok",
    "connecting": "busy",
    "silent": "warning",
    "down": "error",
    "refused": "error",
    "closed": "off",
}
_WORKER_MARK = {"running": "ok", "stopped": "off", "waiting_to_restart": "error"}


TALL_ROWS = 20
"""So many rows of a terminal allow two of them for a link that is not up."""
LEAST_SESSION = (0, 24, 14, 7)
"""So many cells of how the session stands are kept before more is left out beside it: at the end `PAUSED: …`."""


class StatusLine(ViewCanvas[View]):
    """Two rows, and one or two more that can't be overlooked while the link is not up. Never leaves the screen."""

    def show(self, view: View) -> None:
        """Show `view`."""
        self._shown = view
        width, height = self.size
        rows = [self._first(view), self._second(view)]
        rows = [*link_trouble(view, self.app.size), *rows]
        self.paint([_filled(row, width) for row in rows[:height]])

    def _first(self, view: View) -> list[Span]:
        """Link and worker stay in sight: in a narrow terminal alarms are counted by their glyphs, then the session is cut, then
        names go, and last the link's age."""
        width = self.size.width
        robot: list[Span] = [(f" {clean(view.snapshot.robot)}", "strong")]
        for brief in range(4):
            behind = [*_alarms(view, brief), *_link(view, brief), *_worker(view, brief), *_paused(view)]
            room = width - _width(robot) - _width(behind)
            session = _session(view, room if brief else width, LEAST_SESSION[brief])
            if _width(session) <= room:
                break
        return [*robot, *session, *behind]

    def _second(self, view: View) -> list[Span]:
        state = view.snapshot.state
        bundle = state.bundle if state else None
        source = clean(state.source) if state and state.source else "none"
        parts = [
            [
                (" ", "text"),
                *_part("bundle", f"{clean(bundle.name)} {bundle.digest[:8]}" if bundle else "none", "text", first=True),
            ],
            _part("lease", *_lease(view)),
            _stored(view),
            *_round_trip(view),
            _part("source", source, "text"),
        ]
        return _whole(parts, self.size.width)


def link_trouble(view: View, size: Size) -> list[list[Span]]:
    """The rows that say that the link is not up, why, until when and what to do in a terminal of `size`; none while it is up.

    What to do has a row of its own where one does not hold all, and in a low terminal it comes before the reason.
    """
    link = view.snapshot.link
    if link.phase in ("up", "connecting"):
        return []
    for_ = duration(max(0, view.now_ns - link.since_ns) / NS_PER_S, whole=True)
    begin = f" {view.charset.glyph(_LINK_MARK[link.phase])} LINK {link.phase.upper()} for {for_}"
    why, cure = f": {clean(link.reason)}" if link.reason else "", clean(link.cure)
    retry = ""
    if link.retry_at_ns is not None:
        left = max(0, link.retry_at_ns - view.now_ns) / NS_PER_S
        retry = f" · next try in {left:.0f} s" if left >= 1 else " · trying now"
    longest = (
        begin.replace(for_, "119 min") + why + " · next try in 60 s · " + cure
    )  # the same rows in all of its seconds
    if not cure or width_of(longest) <= size.width:
        rows = [f"{begin}{why}{retry}" + (f" · {cure}" if cure else "")]
    elif size.height >= TALL_ROWS:
        rows = [f"{begin}{why}{retry}", f"   {cure}"]
    else:
        rows = [f"{begin} · {cure}{retry}{why}"]
    role = "notice" if link.phase == "silent" else "alert"
    return [[(row, role)] for row in rows]


def _is_old(view: View) -> bool:
    """Whether the agent's state may have changed since it was heard."""
    age = view.age_s(view.snapshot.link.heard_ns)
    return age is None or age > STALE_S


def _filled(spans: list[Span], width: int) -> Row:
    role = spans[0][1] if spans and spans[0][1] in ("alert", "notice") else "text"
    row = row_of(spans, width)
    return row if role == "text" else tuple((text, role) for text, _ in row)


def _part(name: str, text: str, role: str, *, first: bool = False) -> list[Span]:
    return [("" if first else " │ ", "line"), (f"{name} " if name else "", "muted"), (text, role)]


def _link(view: View, brief: int) -> list[Span]:
    link = view.snapshot.link
    mark = _LINK_MARK[link.phase]
    spans = _part("link", f"{view.charset.glyph(mark)} {link.phase}", MARKS[mark].role)
    age = view.age_s(link.heard_ns)
    if age is not None and brief < 3:
        spans.append((f" {duration(age, whole=not view.sparks)} ago", "muted"))
    return spans


def _round_trip(view: View) -> list[list[Span]]:
    link = view.snapshot.link
    if link.round_trip_ms is None or link.phase != "up":
        return []
    offset = link.robot_wall_offset_ms
    round_trip = _part("round trip", f"{link.round_trip_ms:.1f} ms", "text")
    return [round_trip] if offset is None else [round_trip, _part("clock", f"{offset / 1000:+.2f} s", "text")]


def _whole(parts: list[list[Span]], width: int) -> list[Span]:
    """The parts that fit, each whole; the first two always."""
    spans = [*parts[0], *parts[1]]
    for part in parts[2:]:
        if _width(spans) + _width(part) <= width:
            spans += part
    return spans


def _worker(view: View, brief: int) -> list[Span]:
    worker = view.snapshot.state.worker if view.snapshot.state else None
    if worker is None:
        return _part("worker", "not known", "muted")
    mark = "stale" if _is_old(view) else _WORKER_MARK.get(worker.phase, "busy")
    phase = "restarting" if worker.phase == "waiting_to_restart" else worker.phase
    text = f"{view.charset.glyph(mark)} {phase}"
    return _part("worker", f"{text}, when last heard" if mark == "stale" and not brief else text, MARKS[mark].role)


def _paused(view: View) -> list[Span]:
    if view.paused_ns is None:
        return []
    since = duration(max(0, view.now_ns - view.paused_ns) / NS_PER_S, whole=True)
    return _part("", f"{view.charset.glyph('paused')} paused {since}", "accent")


def _session(view: View, room: int, least: int) -> list[Span]:
    """How the field test's session stands, cut to `room` but not below `least` cells; nothing where none is open."""
    text, role = clean(view.session[0]), view.session[1]
    most = max(least, room - len(" │ "))
    if width_of(text) > most:
        text = text.replace("session: running", "session", 1)
    return _part("", fit(text, most) if width_of(text) > most else text, role) if text else []


def _alarms(view: View, brief: int) -> list[Span]:
    raised = [alarm for alarm in view.alarms if alarm.state == "raised"]
    if not raised:
        cleared = f"{len(view.alarms)} cleared" if view.alarms else ""
        unjudged = f"{view.unjudged} not judged" if view.unjudged else ""
        none = ", ".join(part for part in ("none raised" if cleared else "none", cleared, unjudged) if part)
        return _part("alarms", cleared or unjudged or "none" if brief else none, "muted")
    if brief:
        return _counted(view, raised, brief)
    worst = raised[0].severity
    count = sum(alarm.severity == worst for alarm in raised)
    fresh = sum(not alarm.acknowledged for alarm in raised)
    other = f", {len(raised) - count} other" if count < len(raised) else ""
    new = f", {fresh} new" if fresh else ""
    return _part("alarms", f"{view.charset.glyph(worst)} {count} {worst}{other}{new}", worst)


def _counted(view: View, raised: list[Alarm], brief: int) -> list[Span]:
    """`alarms ✖ 1 ▲ 2, 3 new`: how many of each severity, the worst first."""
    spans = _part("alarms" if brief < 2 else "", "", "text")
    for n, severity in enumerate(dict.fromkeys(alarm.severity for alarm in raised)):
        count = sum(alarm.severity == severity for alarm in raised)
        spans.append((f"{' ' if n else ''}{view.charset.glyph(severity)} {count}", severity))
    fresh = sum(not alarm.acknowledged for alarm in raised)
    return [*spans, (f", {fresh} new", raised[0].severity)] if fresh and brief < 2 else spans


def _width(spans: list[Span]) -> int:
    return sum(width_of(text) for text, _ in spans)


def _lease(view: View) -> Span:
    lease = view.snapshot.state.lease if view.snapshot.state else None
    if view.snapshot.state is None:
        return "not known", "muted"
    if _is_old(view) and (view.mine or lease):
        who = "you" if view.mine or lease is None else clean(lease.holder)
        return f"{view.charset.glyph('stale')} {who}, when last heard", "warning"
    if view.mine:
        return "you", "ok"
    return (clean(lease.holder), "warning") if lease else ("free", "muted")


def _stored(view: View) -> list[Span]:
    state = view.snapshot.state
    stored = view.snapshot.stored_seq
    if state is None or not stored:
        return _part("stored", "nothing yet", "muted")
    newest = max([state.journal.last_seq, *(seen[-1].seq for seen in (view.snapshot.windows,) if seen)])
    behind = newest - stored
    text = f"{view.charset.glyph('ok')} #{stored}" if behind < 30 else f"{view.charset.glyph('busy')} {behind} behind"
    return _part("stored", text, "ok" if behind < 30 else "warning")
