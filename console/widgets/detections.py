"""Detections by class: how many a second, how sure, and their history."""

from __future__ import annotations

from console.readings import recent
from console.view import View
from console.widgets.cells import Span, clean, fit
from console.widgets.drawing import number
from console.widgets.panel import Panel, spark

SPAN_S = 5.0


class DetectionsPanel(Panel):
    """A row for each class seen in the last five seconds and for each label of the bundle, most frequent first."""

    TITLE = "Detections"
    HELP = (
        "For each class: boxes a second and mean score over the last 5 s, the lowest score, and boxes of each second as "
        "history. A class of the bundle that was not seen shows 0: nothing found is not the same as no data."
    )

    def caption(self, view: View) -> str:
        """Share of frames with a detection."""
        windows = recent(view.snapshot.windows, SPAN_S)
        frames = sum(window.frames for window in windows)
        if not frames:
            return ""
        share = 100 * sum(window.frames_with_detections for window in windows) / frames
        return f"{share:.0f} % of frames · 5 s"

    def body(self, view: View, width: int, height: int) -> list[list[Span]]:
        """A heading and the classes that fit; the rest are counted."""
        windows = recent(view.snapshot.windows, SPAN_S)
        if not windows:
            return [[("waiting for the first window", "muted")]]
        seconds = sum(window.span_ms for window in windows) / 1000 or 1.0
        tally = _tally(view)
        name_width = max(8, min(18, width - 24))
        rows: list[list[Span]] = [[(fit("class", name_width) + "  per s  score   min", "muted")]]
        shown = tally if len(tally) <= height - 1 else tally[: height - 2]
        for label, (count, score_sum, lowest) in shown:
            mean = score_sum / count if count else None
            row: list[Span] = [
                (fit(clean(label), name_width), "text" if count else "muted"),
                (number(count / seconds, 7), "text" if count else "muted"),
                (number(mean, 7, 2), "text"),
                (number(lowest if count else None, 6, 2) + "  ", "muted"),
            ]
            rows.append([*row, spark(view, f"label:{label}", width - name_width - 22, "trace")])
        if len(shown) < len(tally):
            rows.append([(f"and {len(tally) - len(shown)} classes more", "muted")])
        return rows


def _tally(view: View) -> list[tuple[str, tuple[int, float, float]]]:
    """(label, (count, sum of scores, lowest score)) of the last seconds, most frequent first, then the bundle's others."""
    found: dict[str, tuple[int, float, float]] = {}
    for window in recent(view.snapshot.windows, SPAN_S):
        for label, one in window.labels.items():
            count, total, low = found.get(label, (0, 0.0, 1.0))
            found[label] = (count + one.count, total + one.score_sum, min(low, one.score_min))
    bundle = view.snapshot.state.bundle if view.snapshot.state else None
    for label in bundle.labels if bundle else ():
        found.setdefault(label, (0, 0.0, 1.0))
    return sorted(found.items(), key=lambda pair: (-pair[1][0], pair[0]))
