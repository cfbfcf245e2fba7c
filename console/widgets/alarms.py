"""The alarms in sight: raised ones first, then those that cleared and wait for acknowledgement."""

from __future__ import annotations

from collections.abc import Hashable

from msgspec.structs import replace

from console.alarms import Alarm
from console.readings import NS_PER_S
from console.view import View
from console.widgets.cells import Span, clean, fit, width_of
from console.widgets.drawing import duration
from console.widgets.list_panel import Item, ListPanel


class AlarmsPanel(ListPanel):
    """State, title, value against limit, since when; what can't be judged says why."""

    TITLE = "Alarms"
    HELP = (
        "Conditions of kpis.yaml that are broken now, or were and nobody acknowledged. `a` acknowledges the selected one: "
        "it stays while it is broken. An alarm without data keeps its state and says so. Enter shows limit, count and cure."
    )
    FREEZES = False
    NOTHING = "no alarm"

    def at_ns(self, view: View) -> int | None:
        """Alarms are judged now, whatever the data's age."""
        return view.now_ns

    def depends(self, view: View) -> Hashable:
        """The alarms, each second."""
        return view.alarms, len(view.blind), view.now_ns // NS_PER_S if view.alarms else 0

    def body(self, view: View, width: int, height: int) -> list[list[Span]]:
        """The alarms; where there is none, of how many rules nobody can say so."""
        if not view.alarms and view.unjudged:
            return [[(f"{self.NOTHING}, but {view.unjudged} are not judged", "muted")]]
        return super().body(view, width, height)

    def caption(self, view: View) -> str:
        """How many are raised, how many have no row here, and how many rules can't be judged."""
        raised = sum(alarm.state == "raised" for alarm in view.alarms)
        more = len(view.alarms) - max(1, self.size.height - 2)
        unseen = f" · {more} more" if more > 0 else ""
        blind = f" · {len(view.blind)} not judged" if view.blind else ""
        return f"{raised} raised{unseen}{blind}"

    def items(self, view: View, width: int) -> list[Item]:
        """All alarms in sight."""
        return [_item(view, alarm, width) for alarm in view.alarms]

    def _age(self, view: View, stale: bool) -> Span:
        return "", "muted"


def alarm_word(alarm: Alarm) -> tuple[str, str]:
    """(name of the mark, word) of an alarm's state."""
    if alarm.state == "cleared":
        return "cleared", "cleared"
    return ("acknowledged", f"ack {alarm.severity}") if alarm.acknowledged else (alarm.severity, alarm.severity)


def alarm_value(alarm: Alarm) -> str:
    """The value against its limit, or the word, or the reason why it is not known."""
    parts = []
    if alarm.value is not None:
        unit = f" {alarm.unit}" if alarm.unit else ""
        limit = "" if alarm.limit is None else f" (limit {alarm.limit:g}{unit})"
        parts.append(f"{alarm.value:.1f}{unit}{limit}")
    elif alarm.word:
        parts.append(clean(alarm.word))
    if alarm.recovering:
        parts.append("recovering")
    if alarm.blind:
        parts.append(clean(alarm.blind))
    return ", ".join(parts)


def _text(alarm: Alarm, room: int) -> str:
    """Title and value in `room` cells: the limit goes first, then the title is cut; the number keeps its unit."""
    text = f"{alarm.title}: {alarm_value(alarm)}"
    if width_of(text) <= room or alarm.value is None:
        return fit(text, max(0, room))
    value = alarm_value(replace(alarm, limit=None))
    if width_of(f"{alarm.title}: {value}") <= room:
        return fit(f"{alarm.title}: {value}", room)
    number = alarm_value(replace(alarm, limit=None, recovering=False, blind=""))
    title = fit(alarm.title, min(width_of(alarm.title), max(2, room - width_of(number) - 2)))
    return fit(f"{title}: {number}", max(0, room))


def _item(view: View, alarm: Alarm, width: int) -> Item:
    mark, word = alarm_word(alarm)
    role = alarm.severity if alarm.state == "raised" else "ok"
    since = duration(max(0, view.now_ns - alarm.since_ns) / NS_PER_S, whole=True)
    text = f"{alarm.title}: {alarm_value(alarm)}"
    spans: list[Span] = [(f"{view.charset.glyph(mark)} ", role), (fit(word, 9 if not alarm.acknowledged else 13), role)]
    room = width - 2 - len(spans[1][0]) - len(since) - 2
    spans += [
        (" ", "text"),
        (_text(alarm, room), "text" if not alarm.acknowledged else "muted"),
        (f" {since}", "muted"),
    ]
    return Item(alarm.id, lambda: spans, f"{word} {text}, for {since}", alarm)
