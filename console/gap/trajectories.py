"""Estimated against true poses: absolute trajectory error and relative pose error (Sturm et al., IROS 2012).

Poses are matched by time, the nearest one within the largest gap; what finds no partner is left out and counted.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, NamedTuple

import msgspec

from console.gap.names import column_of, nearest
from console.tables.cells import number
from console.tables.reading import CODE, Table
from remote.errors import Trouble

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]
    Places = npt.NDArray[np.intp]

Align = Literal["none", "rigid", "similarity"]
FEWEST_POSES = 3
_AXIS = r"(?:pose[_.])?(?:position[_.]|pos[_.]|translation[_.]|t)?{}\Z"
_TURN = r"(?:pose[_.])?(?:(?:orientation|rotation|quaternion|quat)[_.]?q?|q)_?{}\Z"


class Path(NamedTuple):
    """One trajectory: times (s, ascending), positions [n, 3] (m), and unit quaternions [n, 4] (x, y, z, w) where there are
    some.
    """

    name: str
    times_s: Floats
    positions: Floats
    turns: Floats | None


class PoseErrors(msgspec.Struct, frozen=True, kw_only=True):
    """Errors of one trajectory. ATE is of positions after alignment, in the file's unit of length; RPE over `span_s`: of the
    motion in that time, translation in the same unit and rotation in degrees (None without orientations).

    `matched` poses of `estimated` found a true one within the largest gap, which was `widest_gap_s` at most; `coverage` is the
    share of the true trajectory's time that the matched ones span. `scale` is the factor that similarity alignment found.
    """

    matched: int
    estimated: int
    widest_gap_s: float
    coverage: float
    align: Align
    scale: float
    ate_rmse: float
    ate_median: float
    ate_max: float
    rpe_pairs: int
    span_s: float
    rpe_rmse: float | None
    rpe_max: float | None
    rpe_turn_rmse_deg: float | None


class _Matched(NamedTuple):
    """Places of poses in both trajectories that belong together, and which of these (`first`, `last`) lie a span apart."""

    at_true: Places
    at_estimated: Places
    first: Places
    last: Places


def path_of(table: Table) -> Path:
    """The trajectory in a table: a time, x, y, z (`tx`, `position_x`, `pose.position.x`), and qx, qy, qz, qw where they are.

    Raises Trouble (`bad_table`): no such columns, times that do not ascend, fewer than 3 poses, a quaternion of length 0.
    """
    import numpy as np

    time = column_of("time", table.columns, {})
    axes = [_find(table.columns, _AXIS.format(axis)) for axis in "xyz"]
    if time is None or None in axes:
        cure = nearest("time" if time is None else "x", table.columns)
        raise Trouble(f"{table.name} holds no poses: it needs time, x, y and z", cure=cure, code=CODE)
    turns = [_find(table.columns, _TURN.format(axis)) for axis in "xyzw"]
    has_turns = None not in turns and not set(turns) & set(axes)
    columns = [time, *(name for name in (*axes, *(turns if has_turns else ())) if name)]
    rows = np.array([[number(table, row, name) for name in columns] for row in table.rows], float)
    if len(rows) < FEWEST_POSES:
        raise Trouble(f"{table.name} has {len(rows)} poses, at least {FEWEST_POSES} are needed", code=CODE)
    _check_ascending(table, rows[:, 0])
    return Path(table.name, rows[:, 0], rows[:, 1:4], _unit(table, rows[:, 4:8]) if has_turns else None)


def _find(columns: Sequence[str], pattern: str) -> str | None:
    return next((name for name in columns if re.match(pattern, name, re.IGNORECASE)), None)


def _check_ascending(table: Table, times_s: Floats) -> None:
    import numpy as np

    wrong = np.flatnonzero(np.diff(times_s) <= 0)
    if len(wrong):
        row = table.rows[int(wrong[0]) + 1]
        raise Trouble(
            f"{table.name}, {row.place}: its time does not follow the one before", cure="sort it by time", code=CODE
        )


def _unit(table: Table, turns: Floats) -> Floats:
    import numpy as np

    lengths = np.linalg.norm(turns, axis=1)
    wrong = np.flatnonzero(np.abs(lengths - 1) > 0.1)
    if len(wrong):
        row = table.rows[int(wrong[0])]
        what = f"{table.name}, {row.place}: its quaternion has the length {lengths[wrong[0]]:.3g}, not 1"
        raise Trouble(what, cure="write qx, qy, qz, qw of a rotation", code=CODE)
    return np.asarray(turns / lengths[:, None])


def pose_errors(
    true: Path, estimated: Path, *, largest_gap_s: float = 0.02, span_s: float = 1.0, align: Align = "rigid"
) -> PoseErrors:
    """Compare an estimated trajectory with the true one.

    Args:
        true: the reference.
        estimated: what is judged.
        largest_gap_s: poses further apart in time are no pair.
        span_s: over which the relative error is taken.
        align: `rigid` turns and shifts the estimate onto the truth (Umeyama 1991) before the absolute error is taken,
            `similarity` scales it too (a monocular camera knows no scale), `none` leaves it as it is.

    Raises:
        Trouble: `no_pairs` where fewer than 3 poses find a partner, with how far apart the clocks seem.
    """
    import numpy as np

    at_true, at_estimated, gaps = _pairs(true.times_s, estimated.times_s, largest_gap_s)
    if len(at_true) < FEWEST_POSES:
        raise _no_pairs(true, estimated, largest_gap_s, len(at_true))
    times_s, whole_s = true.times_s[at_true], true.times_s[-1] - true.times_s[0]
    matched = _Matched(at_true, at_estimated, *_spans(times_s, span_s, largest_gap_s))
    wanted, found = true.positions[at_true], estimated.positions[at_estimated]
    turn, shift, scale = _alignment(found, wanted, align)
    aligned = scale * found @ turn.T + shift
    errors = np.linalg.norm(aligned - wanted, axis=1)
    moved = _moved_apart(true, estimated, matched, aligned, scale)
    turned = _turned_apart(true, estimated, matched)
    return PoseErrors(
        matched=len(at_true),
        estimated=len(estimated.times_s),
        widest_gap_s=float(gaps.max()),
        coverage=float((times_s[-1] - times_s[0]) / whole_s) if whole_s > 0 else 1.0,
        align=align,
        scale=scale,
        ate_rmse=_rmse(errors),
        ate_median=float(np.median(errors)),
        ate_max=float(errors.max()),
        rpe_pairs=len(moved),
        span_s=span_s,
        rpe_rmse=_rmse(moved) if len(moved) else None,
        rpe_max=float(moved.max()) if len(moved) else None,
        rpe_turn_rmse_deg=float(np.degrees(_rmse(turned))) if turned is not None else None,
    )


def _rmse(errors: Floats) -> float:
    import numpy as np

    return float(np.sqrt(np.mean(errors**2)))


def _pairs(true_s: Floats, estimated_s: Floats, largest_gap_s: float) -> tuple[Places, Places, Floats]:
    """Indices of the true pose nearest to each estimated one, each true pose once, with the gaps in seconds."""
    import numpy as np

    after = np.clip(np.searchsorted(true_s, estimated_s), 1, len(true_s) - 1)
    nearer = after - (estimated_s - true_s[after - 1] < true_s[after] - estimated_s)
    gaps = np.abs(true_s[nearer] - estimated_s)
    order = np.lexsort((gaps, nearer))
    first_of_each = np.concatenate(([True], np.diff(nearer[order]) > 0))
    chosen = np.sort(order[first_of_each & (gaps[order] <= largest_gap_s)])
    return nearer[chosen], chosen, gaps[chosen]


def _no_pairs(true: Path, estimated: Path, largest_gap_s: float, pairs: int) -> Trouble:
    apart_s = float(estimated.times_s[0] - true.times_s[0])
    what = f"only {pairs} poses of {estimated.name} lie within {largest_gap_s:g} s of one of {true.name}"
    cure = f"they begin {apart_s:+.3f} s apart: correct the clocks, or raise --max-gap"
    return Trouble(what, cure=cure, code="no_pairs")


def _alignment(found: Floats, wanted: Floats, align: Align) -> tuple[Floats, Floats, float]:
    """Rotation, shift and scale that bring `found` nearest to `wanted` (Umeyama, IEEE PAMI 13, 1991)."""
    import numpy as np

    if align == "none":
        return np.eye(3), np.zeros(3), 1.0
    middle_found, middle_wanted = found.mean(axis=0), wanted.mean(axis=0)
    a, b = found - middle_found, wanted - middle_wanted
    u, sizes, vt = np.linalg.svd(b.T @ a / len(a))
    mirror = np.array([1.0, 1.0, math.copysign(1.0, np.linalg.det(u) * np.linalg.det(vt))])
    turn = u @ np.diag(mirror) @ vt
    spread = float(np.mean(np.sum(a**2, axis=1)))
    scale = float(sizes @ mirror) / spread if align == "similarity" and spread > 0 else 1.0
    return turn, middle_wanted - scale * turn @ middle_found, scale


def _spans(times_s: Floats, span_s: float, largest_gap_s: float) -> tuple[Places, Places]:
    """Pairs of matched poses that lie `span_s` apart, to within the largest gap."""
    import numpy as np

    after = np.clip(np.searchsorted(times_s, times_s + span_s), 1, len(times_s) - 1)
    nearer = after - (times_s + span_s - times_s[after - 1] < times_s[after] - times_s - span_s)
    first = np.flatnonzero(
        (np.abs(times_s[nearer] - times_s - span_s) <= largest_gap_s) & (nearer > np.arange(len(times_s)))
    )
    return first, nearer[first]


def _moved_apart(true: Path, estimated: Path, matched: _Matched, aligned: Floats, scale: float) -> Floats:
    """How far the displacements lie apart that both made over each span."""
    import numpy as np

    at_true, at_estimated, first, last = matched
    if true.turns is not None and estimated.turns is not None:
        apart = _own_motion(true, at_true[first], at_true[last])
        apart = apart - scale * _own_motion(estimated, at_estimated[first], at_estimated[last])
    else:  # without orientations only the alignment says how the two frames lie
        wanted = true.positions[at_true]
        apart = (wanted[last] - wanted[first]) - (aligned[last] - aligned[first])
    return np.asarray(np.linalg.norm(apart, axis=1))


def _own_motion(path: Path, first: Places, last: Places) -> Floats:
    """The displacement between two poses, in the first one's own frame."""
    from scipy.spatial.transform import Rotation

    assert path.turns is not None
    return Rotation.from_quat(path.turns[first]).inv().apply(path.positions[last] - path.positions[first])  # type: ignore[no-any-return]


def _turned_apart(true: Path, estimated: Path, matched: _Matched) -> Floats | None:
    """Angles (rad) between the rotations that both made over each span; None where one side has no orientations."""
    at_true, at_estimated, first, last = matched
    if true.turns is None or estimated.turns is None or not len(first):
        return None
    from scipy.spatial.transform import Rotation

    a, b = Rotation.from_quat(true.turns[at_true]), Rotation.from_quat(estimated.turns[at_estimated])
    apart = (a[first].inv() * a[last]).inv() * (b[first].inv() * b[last])
    return apart.magnitude()  # type: ignore[no-any-return]
