"""How often the drift detector cries wolf, and how soon it finds a shift: `python -m bench.drift [--robots 60]`.

Each robot has healthy blocks of its own, on which it is calibrated, and is then watched: twice while it is healthy, for as many
blocks as should lie between false alarms (2,000 at most), and once with one figure shifted by 1.5 of its standard deviations.
"""

from __future__ import annotations

import argparse
import math
from statistics import median

import numpy as np
from scipy.signal import lfilter

from console.fieldtest.drift import Block, Detector, first_alarm
from console.fieldtest.drift_calibration import calibrate

SETTINGS = ((0.0, 300, 1, 1000), (0.5, 500, 1, 1000), (0.5, 500, 4, 1000), (0.8, 400, 3, 1000), (0.9, 1000, 4, 1000),
            (0.5, 500, 3, 5000))  # fmt: skip
"""Correlation of neighbours, healthy blocks, figures, blocks between false alarms."""
SHIFT = 1.5
_LONGEST_WATCH = 2000


def main() -> int:
    """Simulate every setting and print one line for each."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--robots", type=int, default=60)
    robots = arguments.parse_args().robots
    print("correlation  healthy  figures  interval   with a false alarm  wanted   median delay of a shift")
    for at, setting in enumerate(SETTINGS):
        print(_line(setting, robots, np.random.default_rng(at)), flush=True)
    return 0


def _line(setting: tuple[float, int, int, int], robots: int, rng: np.random.Generator) -> str:
    correlation, healthy, figures, interval = setting
    watch, false, delays, refused = min(interval, _LONGEST_WATCH), [], [], 0
    for _ in range(robots):
        detector = _calibrated(_rows(rng, healthy, correlation, figures), interval, rng)
        if detector is None:
            refused += 1
            continue
        for _ in range(2):
            false.append(first_alarm(detector, _blocks(_rows(rng, watch, correlation, figures))) is not None)
        shifted = _rows(rng, 500, correlation, figures)
        shifted[:, 0] += SHIFT
        found = first_alarm(detector, _blocks(shifted))
        delays.append(found.at_ns + 1 if found else math.inf)
    share = f"{correlation:<13g}{healthy:<9}{figures:<9}{interval:<11}{100 * float(np.mean(false)):<20.0f}"
    wanted = 100 * (1 - math.exp(-watch / interval))
    return f"{share}{wanted:<9.0f}{median(delays):.0f} blocks" + (f"  ({refused} refused)" if refused else "")


def _calibrated(rows: np.ndarray, interval: int, rng: np.random.Generator) -> Detector | None:
    try:
        return calibrate(_blocks(rows), interval, rng)
    except ValueError:  # too few healthy blocks for so long a memory
        return None


def _rows(rng: np.random.Generator, n: int, correlation: float, figures: int) -> np.ndarray:
    shocks = rng.normal(size=(n + 200, figures)) * math.sqrt(1 - correlation**2)
    series: np.ndarray = lfilter([1.0], [1.0, -correlation], shocks, axis=0)[200:]
    return series


def _blocks(rows: np.ndarray) -> list[Block]:
    return [Block(at, {f"m{figure}": float(value) for figure, value in enumerate(row)}) for at, row in enumerate(rows)]


if __name__ == "__main__":
    raise SystemExit(main())
