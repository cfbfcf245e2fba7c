"""What this machine is and how hot: board, power mode, sensors, whether it slows itself down. Files of /proc and /sys only."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Optional

from remote.models.validation.profiles import Profile
from remote.monitor.identity import read_identity
from remote.monitor.sysfs import SysfsSource, board_model
from remote.monitor.throttle import ThrottleSource
from remote.verdicts import Check


@dataclass(frozen=True)
class Heat:
    """How hot it is now. None: can't be told here (`throttled_why` says why of the second)."""

    hottest_c: Optional[float]
    throttled: Optional[bool]
    throttled_by: str = ""
    throttled_why: str = ""


class Machine:
    """This machine, looked at below `root`.

    Attributes:
        board: the board's name where it is a Jetson, else None.
        power_mode: in words, empty where it can't be read.
        words: facts by name, as the agent tells them, without the empty ones.
    """

    def __init__(self, root: Path = Path("/")) -> None:
        self.board = board_model(root)
        self._sysfs = SysfsSource(root)
        self._throttle = ThrottleSource(root)
        self.power_mode = self._sysfs.read().text.get("power_mode", "") if self.board else ""
        self.words = {name: word for name, word in read_identity(root).words.items() if word}

    def heat(self) -> Heat:
        """How hot it is now, and whether it slowed down since the last look."""
        zones = self._sysfs.read().series.get("temp_c", {})
        found = self._throttle.read()
        throttled = found.values.get("throttled")
        return Heat(
            max(zones.values(), default=None),
            None if throttled is None else throttled > 0,
            found.text.get("throttled_by", ""),
            found.unavailable.get("throttled", ""),
        )


def right_machine(profile: Profile, board: str | None) -> Check:
    """Whether the profile may pass on this machine at all."""
    if profile.board != "jetson":
        return Check(name="machine", verdict="pass", text="the profile asks for no certain board")
    if board is None:
        text = "this is no Jetson (by /proc/device-tree/model): nothing measured here can pass for one"
        return Check(name="machine", verdict="inconclusive", text=text)
    return Check(name="machine", verdict="pass", text=board)


def power_mode(profile: Profile, mode: str) -> Check:
    """Whether it is known in which power mode was measured: times of an unknown mode belong to no robot."""
    if profile.board != "jetson":
        return Check(name="power_mode", verdict="skipped", text="the profile's machines have no power modes")
    if not mode:
        return Check(name="power_mode", verdict="inconclusive", text="the power mode can't be read here")
    return Check(name="power_mode", verdict="pass", text=f"measured in {mode}")


def thermal(profile: Profile, before: Heat, after: Heat) -> Check:
    """Heat and slowing down over the runs: too hot fails, slowing down decides nothing."""
    hottest, limit = after.hottest_c, profile.hottest_c
    told = (
        ""
        if hottest is None
        else f"hottest sensor {_c(before.hottest_c)} before, {_c(hottest)} after, limit {limit:g} C"
    )
    text = told or "no temperature sensor can be read here"
    if hottest is not None and not hottest <= limit:
        return Check(name="thermal", verdict="fail", text=text, value=hottest, limit=limit, unit="C", n=2)
    if slowed := slowed_down(before, after):
        verdict, text = "inconclusive", f"{slowed}; {text}"
    elif hottest is not None:
        verdict = "pass"
        text += f"; whether it slowed down can't be told: {after.throttled_why}" if after.throttled is None else ""
    else:
        verdict = "inconclusive" if profile.board else "skipped"
    return Check(name="thermal", verdict=verdict, text=text, value=hottest, limit=limit, unit="C", n=2)  # type: ignore[arg-type]


def slowed_down(before: Heat, after: Heat) -> str:
    """In words that the machine slowed itself down before or during the runs; empty where nothing tells of it."""
    by = after.throttled_by or before.throttled_by
    return f"the machine slowed itself down ({by})" if before.throttled or after.throttled else ""


def _c(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.1f} C"
