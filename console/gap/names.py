"""Which columns mean what: simulators and robots name the same thing differently."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping, Sequence

ALIASES: dict[str, tuple[str, ...]] = {
    "episode": ("episode", "episode_id", "trial", "trial_id", "run", "rollout", "demo"),
    "success": ("success", "succeeded", "is_success", "outcome", "result"),
    "tracking_error": ("tracking_error", "tracking_error_m", "tracking_rmse", "position_error", "error"),
    "control_effort": ("control_effort", "effort", "energy", "torque_sq", "control_cost"),
    "episode_length": ("episode_length", "episode_length_s", "length", "duration", "duration_s", "took_s", "steps"),
    "latency_ms": ("latency_ms", "latency", "end_to_end_ms", "inference_ms", "control_latency_ms"),
    "time": ("time", "time_s", "t", "timestamp", "stamp", "log_time_s"),
}
"""The meaning, and the column names that are taken for it, in this order; case does not matter."""
VECTORS: dict[str, str] = {
    "position": r"(?:actual_|measured_)?(?:pos|position|qpos|q|obs_pos)[_.]?(x|y|z|\d+)",
    "target": r"(?:target|desired|reference|cmd|command)(?:_pos|_position|_q)?[_.]?(x|y|z|\d+)",
    "action": r"(?:actions?|control|u|torque|tau|effort)[_.]?(x|y|z|\d+)",
}
"""Columns of several numbers: `position_x`, `q_0`, `actions_3`."""


def column_of(meaning: str, columns: Sequence[str], chosen: Mapping[str, str]) -> str | None:
    """The column that holds `meaning`: the one that a person chose for it, else the first known name; None for none."""
    if meaning in chosen:
        return chosen[meaning]
    lower = {name.lower(): name for name in reversed(columns)}
    return next((lower[alias] for alias in ALIASES[meaning] if alias in lower), None)


def vector_of(meaning: str, columns: Iterable[str]) -> dict[str, str]:
    """The components of a vector by their axis or number, and the columns that hold them."""
    pattern = re.compile(rf"{VECTORS[meaning]}\Z", re.IGNORECASE)
    found = {match[1].lower(): name for name in columns if (match := pattern.match(name))}
    return dict(sorted(found.items(), key=lambda item: (len(item[0]), item[0])))


def nearest(name: str, columns: Sequence[str]) -> str:
    """What to do about a column that is not there."""
    near = difflib.get_close_matches(name, columns, n=1, cutoff=0.5)
    known = f"it has: {', '.join(columns[:20])}"
    return f"did you mean `{near[0]}`? {known}" if near else known
