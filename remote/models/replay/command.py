"""`fieldgate-agent model replay OLD NEW PICTURES`: what would change if NEW ran instead of OLD, on pictures that were
recorded.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Optional

import click
import msgspec

if TYPE_CHECKING:
    from remote.models.replay.running import Replay

_FOLDER = click.Path(path_type=Path)
_LONGEST_NAME = 40


@click.command()
@click.argument("old", type=_FOLDER)
@click.argument("new", type=_FOLDER)
@click.argument("pictures", type=_FOLDER)
@click.option("--labels", type=_FOLDER, help="Label files (NAME.txt: `class cx cy w h`); else beside the pictures.")
@click.option("--show", default=10, show_default=True, type=click.IntRange(0, 100_000), help="Pictures to name.")
@click.option("--threads", default=1, show_default=True, type=click.IntRange(1, 64), help="Threads of each engine.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")
def replay(
    old: Path, new: Path, pictures: Path, labels: Optional[Path], show: int, threads: int, as_json: bool
) -> None:
    """Run every picture in PICTURES (a folder, or an export of failures) through the bundles OLD and NEW.

    A box is in both where label and place agree (IoU at least 0.5). Nothing is judged: it is for looking before a push.
    """
    from remote.models.replay.running import refuse_same
    from remote.models.replay.running import replay as run

    refuse_same(old, new)
    found = run(old, new, pictures, labels=labels, threads=threads, shown=show, progress=_show_progress)
    click.echo(msgspec.json.encode(found).decode() if as_json else replay_text(found))


def replay_text(found: Replay) -> str:
    """The result as lines for a person."""
    both = found.agreed + found.only_old + found.only_new
    share = f" ({100 * found.agreed / both:.1f} %)" if both else ""
    lines = [
        f"old  {found.old_name} {found.old[:12]}",
        f"new  {found.new_name} {found.new[:12]}",
        f"{found.pictures} pictures, {found.same_pictures} with the same boxes",
        *(() if found.common_labels else ("the two have no label in common: no box can be in both",)),
        f"boxes: {found.agreed} of {both} in both{share}, {found.only_old} only old, {found.only_new} only new",
    ]
    if found.shift_median is not None and found.shift_p95 is not None:
        lines.append(
            f"scores of boxes in both: median shift {found.shift_median:+.3f}, 95 % within {found.shift_p95:.3f}"
        )
    if found.old_ms is not None and found.new_ms is not None:
        lines.append(f"time here: {found.old_ms:.2f} ms old, {found.new_ms:.2f} ms new (median, picture to boxes)")
    if found.failed_old or found.failed_new:
        lines.append(f"no answer: {found.failed_old} pictures old, {found.failed_new} new")
    return "\n".join((*lines, *_truths(found), *_most(found)))


def _truths(found: Replay) -> list[str]:
    truth = found.truths
    if truth is None:
        return ["no label files: which of the two is right is not known"]
    head = f"against labels of {truth.pictures} pictures with {truth.objects} objects"
    return [
        f"{head}: old found {truth.old_found}, new {truth.new_found}",
        f"boxes where nothing is labelled: old {truth.old_extra}, new {truth.new_extra}",
    ]


def _most(found: Replay) -> list[str]:
    if not found.most:
        return []
    rows = [f"{'largest differences':<{_LONGEST_NAME}} {'both':>5} {'old':>5} {'new':>5} {'shift':>7}"]
    for one in found.most:
        differs = one.difference
        shift = max(differs.shifts, key=abs, default=0.0)
        name = "".join(sign if sign.isprintable() else "?" for sign in one.name)[:_LONGEST_NAME]
        fault = differs.fault_new or differs.fault_old
        words = f"  {fault}" if fault else f" {shift:>+7.3f}"
        rows.append(f"{name:<{_LONGEST_NAME}} {differs.agreed:>5} {differs.only_old:>5} {differs.only_new:>5}{words}")
    return rows


def _show_progress(done: int, of: int) -> None:
    if sys.stderr.isatty():
        click.echo(f"\r{done} of {of} pictures" + ("\n" if done == of else ""), err=True, nl=False)
