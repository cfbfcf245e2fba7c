"""The status line: which robot, how the link is, what runs, who commands, what is stored, how many alarms."""

from __future__ import annotations

from console.marks import MARKS
from console.readings import NS_PER_S
from console.view import STALE_S, View
from console.widgets.cells import Row, Span, clean, row_of
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


class StatusLine(ViewCanvas[View]):
    """Two rows, and a third that can't be overlooked while the link is not up. Never leaves the screen."""

    def show(self, view: View) -> None:
        """Show `view`."""
        self._shown = view
        width, height = self.size
        rows = [self._first(view), self._second(view)]
        if trouble := link_trouble(view):
            rows.insert(0, trouble)
        self.paint([_filled(row, width) for row in rows[:height]])

    def _first(self, view: View) -> list[Span]:
        snapshot = view.snapshot
        spans: list[Span] = [
            (f" {clean(snapshot.robot)}", "strong"),
            *_session(view, self.size.width),
            *_alarms(view),
            *_link(view),
        ]
        worker = snapshot.state.worker if snapshot.state else None
        if worker is None:
            spans += _part("worker", "not known", "muted")
        else:
            mark = "stale" if _is_old(view) else _WORKER_MARK.get(worker.phase, "busy")
            phase = "restarting" if worker.phase == "waiting_to_restart" else worker.phase
            text = f"{view.charset.glyph(mark)} {phase}"
            spans += _part("worker", f"{text}, when last heard" if mark == "stale" else text, MARKS[mark].role)
        if view.paused_ns is not None:
            since = duration(max(0, view.now_ns - view.paused_ns) / NS_PER_S, whole=True)
            spans += _part("", f"{view.charset.glyph('paused')} paused {since}", "accent")
        return spans

    def _second(self, view: View) -> list[Span]:
        state = view.snapshot.state
        bundle = state.bundle if state else None
        spans: list[Span] = [(" ", "text")]
        spans += _part("bundle", f"{clean(bundle.name)} {bundle.digest[:8]}" if bundle else "none", "text", first=True)
        spans += _part("lease", *_lease(view))
        source = clean(state.source) if state and state.source else "none"
        return [*spans, *_stored(view), *_round_trip(view), *_part("source", source, "text")]


def link_trouble(view: View) -> list[Span]:
    """The row that says that the link is not up, why, until when and what to do; empty while it is up."""
    link = view.snapshot.link
    if link.phase in ("up", "connecting"):
        return []
    for_ = duration(max(0, view.now_ns - link.since_ns) / NS_PER_S, whole=True)
    glyph = view.charset.glyph(_LINK_MARK[link.phase])
    text = f" {glyph} LINK {link.phase.upper()} for {for_}"
    if link.reason:
        text += f": {clean(link.reason)}"
    if link.retry_at_ns is not None:
        left = max(0, link.retry_at_ns - view.now_ns) / NS_PER_S
        text += f" · next try in {left:.0f} s" if left >= 1 else " · trying now"
    if link.cure:
        text += f" · {clean(link.cure)}"
    return [(text, "notice" if link.phase == "silent" else "alert")]


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


def _link(view: View) -> list[Span]:
    link = view.snapshot.link
    mark = _LINK_MARK[link.phase]
    spans = _part("link", f"{view.charset.glyph(mark)} {link.phase}", MARKS[mark].role)
    age = view.age_s(link.heard_ns)
    if age is not None:
        spans.append((f" {duration(age, whole=not view.sparks)} ago", "muted"))
    return spans


def _round_trip(view: View) -> list[Span]:
    link = view.snapshot.link
    if link.round_trip_ms is None or link.phase != "up":
        return []
    offset = link.robot_wall_offset_ms
    spans = _part("round trip", f"{link.round_trip_ms:.1f} ms", "text")
    return spans if offset is None else [*spans, *_part("clock", f"{offset / 1000:+.2f} s", "text")]


def _session(view: View, width: int) -> list[Span]:
    """How the field test's session stands; nothing where none is open."""
    text, role = view.session
    most = max(24, width * 2 // 5)  # alarms and link must stay in sight
    text = clean(text) if len(text) <= most else f"{clean(text)[: most - 1]}…"
    return _part("", text, role) if text else []


def _alarms(view: View) -> list[Span]:
    raised = [alarm for alarm in view.alarms if alarm.state == "raised"]
    if not raised:
        cleared = len(view.alarms)
        return _part("alarms", f"none raised, {cleared} cleared" if cleared else "none", "muted")
    worst = raised[0].severity
    count = sum(alarm.severity == worst for alarm in raised)
    fresh = sum(not alarm.acknowledged for alarm in raised)
    other = f", {len(raised) - count} other" if count < len(raised) else ""
    new = f", {fresh} new" if fresh else ""
    return _part("alarms", f"{view.charset.glyph(worst)} {count} {worst}{other}{new}", worst)


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
