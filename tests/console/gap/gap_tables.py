"""Tables of made-up episodes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from console.gap.episodes import Episodes, episodes_of
from console.tables.reading import Row, Table


def table(rows: Sequence[Mapping[str, Any]], name: str = "made.csv") -> Table:
    """A table as `read_table` gives it."""
    return Table(name, tuple(rows[0]), [Row(f"line {k}", row) for k, row in enumerate(rows, 2)])


def steps(
    *,
    episodes: int = 8,
    lag_s: float = 0.0,
    noise: float = 0.001,
    offset: float = 0.0,
    action: float = 1.0,
    jump: float = 0.1,
    length: int = 60,
    success: float = 1.0,
    seed: int = 0,
) -> Episodes:
    """Episodes of a joint that follows a sine, as steps."""
    rng = np.random.default_rng(seed)
    rows: list[dict[str, Any]] = []
    for episode in range(episodes):
        t = np.arange(length) * 0.02
        target = np.sin(3 * t + rng.random() * 6)
        position = np.interp(t - lag_s, t, target) + offset + rng.normal(0, noise, length)
        given = action * np.sin(t + rng.random()) + rng.normal(0, jump, length)
        won = int(episode < round(success * episodes))
        for k in range(length):
            cells = {"episode": episode, "t": t[k], "pos_x": position[k], "target_x": target[k]}
            rows.append({**cells, "action_0": given[k], "success": won})
    return episodes_of(table(rows), {})
