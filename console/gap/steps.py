"""Figures of one episode from its steps. Pure; numbers come as lists, [steps] and [steps, components]."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

LONGEST_LAG_S = 1.0
FEWEST_STEPS = 8
"""Shorter episodes tell nothing of lag and noise."""
Matrix = Sequence[Sequence[float]]


def figures_of_steps(
    times_s: Sequence[float], position: Matrix | None, target: Matrix | None, action: Matrix | None
) -> dict[str, float | None]:
    """The figures of console.gap.episodes.FIGURES that these steps tell; None for one that they are too few for."""
    import numpy as np

    found: dict[str, float | None] = {"episode_length": times_s[-1] - times_s[0]}
    step_s = (times_s[-1] - times_s[0]) / (len(times_s) - 1) if len(times_s) > 1 else 0.0
    if position is not None:
        measured = np.asarray(position, float)
        found["position_noise"] = _noise(measured)
        if target is not None:
            wanted = np.asarray(target, float)
            found["tracking_error"] = float(np.sqrt(np.mean(np.sum((wanted - measured) ** 2, axis=1))))
            found["lag_s"] = _lag_s(measured, wanted, step_s)
    if action is not None:
        given = np.asarray(action, float)
        found["control_effort"] = float(np.mean(np.sum(given**2, axis=1)))
        found["peak_action"] = float(np.abs(given).max())
        change = np.diff(given, axis=0)
        found["action_change"] = float(np.sqrt(np.mean(np.sum(change**2, axis=1)))) if len(change) else None
    return found


def _noise(measured: npt.NDArray[np.float64]) -> float | None:
    """The noise's standard deviation: a smooth path has second differences near zero, noise of s gives them s * sqrt(6)
    (von Neumann, Annals of Mathematical Statistics 12, 1941). The median keeps jumps of the path out."""
    import numpy as np

    if len(measured) < FEWEST_STEPS:
        return None
    second = np.diff(measured, n=2, axis=0)
    spread = np.median(np.abs(second - np.median(second, axis=0)), axis=0) / 0.6745
    return float(np.sqrt(np.mean(spread**2)) / np.sqrt(6.0))


def _lag_s(measured: npt.NDArray[np.float64], wanted: npt.NDArray[np.float64], step_s: float) -> float | None:
    """The shift of the position against the target at which they fit best (least squares, parabola between steps)."""
    import numpy as np

    most = min(int(LONGEST_LAG_S / step_s), len(measured) // 2) if step_s > 0 else 0
    if len(measured) < FEWEST_STEPS or most < 1 or float(np.ptp(wanted, axis=0).max()) == 0.0:
        return None
    measured, wanted = measured - measured.mean(axis=0), wanted - wanted.mean(axis=0)  # an offset is no lag
    misfit = np.array([np.mean((measured[k:] - wanted[: len(wanted) - k]) ** 2) for k in range(most + 1)])
    best = int(misfit.argmin())
    if 0 < best < most:
        before, here, after = misfit[best - 1 : best + 2]
        curve = before - 2 * here + after
        return float((best + (0.5 * (before - after) / curve if curve > 0 else 0.0)) * step_s)
    return best * step_s
