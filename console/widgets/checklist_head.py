"""The checklist's own status rows: campaign and who is at work, the counts, and what must be looked at again."""

from __future__ import annotations

from console.checking.view import ChecklistView
from console.checklist.wording import short
from console.marks import MARKS
from console.widgets.cells import Span, clean, row_of, width_of
from console.widgets.view_canvas import ViewCanvas


class ChecklistHead(ViewCanvas[ChecklistView]):
    """Two rows, and a third while something went stale or a warning stands."""

    def show(self, view: ChecklistView) -> None:
        """Show `view`."""
        self._shown = view
        width, height = self.size
        rows = [_campaign(view), _counts(view, width)]
        if third := notice(view):
            rows.append([(f" {third}".ljust(width), "notice")])
        self.paint([row_of(row, width) for row in rows[:height]])


def notice(view: ChecklistView) -> str:
    """The smallest set to look at again, what nobody has looked at yet, and the warnings; empty where there is nothing."""
    again = len(view.state.recheck)
    unseen = sum(one.state == "pending" and one.need == "probe" and not one.attempts for one in view.state.items())
    parts = [f"{again} to re-check: r does it"] if again else []
    parts += [f"{unseen} not looked at yet: R looks at all"] if unseen else []
    return clean(" · ".join([*parts, *view.state.warnings]))


def _campaign(view: ChecklistView) -> list[Span]:
    state = view.state
    ids = [stage.stage.id for stage in state.stages]
    here = ids.index(state.stage) + 1 if state.stage in ids else 0
    spans: list[Span] = [(f" {clean(state.campaign)}", "strong")]
    spans += _part("as", clean(view.person) + (f", from paper of {clean(view.paper)}" if view.paper else ""), "accent")
    spans += _part("stage", f"{here}/{len(ids)}", "text")
    spans += _part("bundle", f"{clean(state.bundle_name)} {short(state.bundle)}".strip(), "text")
    spans += _part("pack", short(state.revision), "text")
    return [*spans, *_part("entries", str(state.entries), "muted")]


def _part(name: str, text: str, role: str) -> list[Span]:
    return [(" │ ", "line"), (f"{name} ", "muted"), (text, role)]


def _counts(view: ChecklistView, width: int) -> list[Span]:
    """The counts; in short words where the long ones would hide an override."""
    long = _count_spans(view, short=False)
    fits = sum(width_of(text) for text, _ in long) <= width
    return long if fits else _count_spans(view, short=True)


def _count_spans(view: ChecklistView, *, short: bool) -> list[Span]:
    spans: list[Span] = []
    for name, count, word, short_word, always in _known_counts(view):
        if count or always:
            text = f" {view.charset.glyph(name)} {count} {short_word if short else word + ' '}"
            spans.append((text, MARKS[name].role if count else "muted"))
    return spans


def _known_counts(view: ChecklistView) -> tuple[tuple[str, int, str, str, bool], ...]:
    """(mark, count, word, short word, whether it is shown at 0 too) of each count."""
    states = [item.state for item in view.state.items()]
    passed = states.count("pass") + states.count("marginal")
    still_open = states.count("pending") + states.count("running")
    return (
        ("pass", passed, "passed", "pass", True),
        ("pending", still_open, "open", "open", True),
        ("fail", states.count("fail"), "failed", "fail", False),
        ("stale", states.count("stale"), "stale", "stale", False),
        ("overridden", view.state.overrides, "overridden", "over", False),
        ("deferred", view.state.deferrals, "deferred", "defer", False),
        ("unavailable", states.count("unavailable"), "unavailable", "unseen", False),
        ("running", states.count("running"), "running", "run", False),
    )
