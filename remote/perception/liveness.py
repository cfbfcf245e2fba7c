"""Whether a camera lives: a pure state machine over frames, errors and time. It opens and reads nothing itself.

States are those of remote.protocol.CameraPhase. Each fault is reported once per episode; an episode ends when several good
frames came in a row, which is reported as `camera_recovered`.
"""

from __future__ import annotations

from dataclasses import dataclass

from remote.protocol import CameraPhase

_NS_PER_S = 1_000_000_000


@dataclass(frozen=True)
class Limits:
    """When a camera counts as faulty. Levels are grey levels in [0, 255]; leaving a state takes more than entering it."""

    stalled_after_s: float = 2.0
    opening_after_s: float = 5.0
    frozen_frames: int = 10
    black_frames: int = 5
    black_mean: float = 8.0
    black_spread: float = 6.0
    lit_mean: float = 12.0
    lit_spread: float = 9.0
    good_frames: int = 3
    judge_frozen: bool = True

    @classmethod
    def for_camera(cls, *, noisy: bool, interval_s: float | None) -> Limits:
        """Limits that suit a camera: slow ones get three intervals of time, files are never judged frozen."""
        slack_s = max(2.0, 3 * (interval_s or 0.0))
        return cls(stalled_after_s=slack_s, opening_after_s=slack_s + 3.0, judge_frozen=noisy)


@dataclass(frozen=True)
class Look:
    """What is judged of a frame: mean and spread of its grey levels, and a mark that equal frames share."""

    mean: float
    spread: float
    mark: int


@dataclass(frozen=True)
class Change:
    """Something to report. `name` is a failure's name, or `camera_recovered` with the time since the first fault."""

    name: str
    text: str
    away_s: float = 0.0


class Liveness:
    """Feed it everything that happens; each call returns what is to be reported now. Times are monotonic nanoseconds."""

    def __init__(self, limits: Limits, now_ns: int) -> None:
        self._limits = limits
        self.phase: CameraPhase = "opening"
        self.reason = ""
        self.brightness: float | None = None
        self._last_sign_ns = now_ns
        self._allowed_s = limits.opening_after_s
        self._episode_ns: int | None = None
        self._reported: set[str] = set()
        self._mark: int | None = None
        self._same = 0
        self._dark = 0
        self._good = 0

    def opening(self, now_ns: int) -> None:
        """The camera is being opened (again): it gets the longer time to show a frame."""
        self._last_sign_ns = now_ns
        self._allowed_s = self._limits.opening_after_s
        self._mark, self._same = None, 0
        if self._episode_ns is None:
            self.phase, self.reason = "opening", ""

    def gone(self, now_ns: int, reason: str) -> list[Change]:
        """It can't be opened, or a read failed."""
        self._last_sign_ns = now_ns
        return self._enter("gone", reason, now_ns)

    def tick(self, now_ns: int) -> list[Change]:
        """Time has passed; call it several times a second."""
        waited_s = (now_ns - self._last_sign_ns) / _NS_PER_S
        if self.phase in ("gone", "stalled") or waited_s <= self._allowed_s:
            return []
        return self._enter("stalled", f"no frame for {waited_s:.1f} s", now_ns)

    def frame(self, now_ns: int, look: Look) -> list[Change]:
        """A frame came at `now_ns`."""
        self._last_sign_ns = now_ns
        self._allowed_s = self._limits.stalled_after_s
        self.brightness = look.mean
        self._count(look)
        if self._limits.judge_frozen and self._same >= self._limits.frozen_frames:
            return self._enter("frozen", f"{self._same + 1} frames in a row are the same", now_ns)
        if self._dark >= self._limits.black_frames:
            return self._enter("black", f"mean grey level {look.mean:.1f} of 255", now_ns)
        return self._good_frame(now_ns, bad=self._dark > 0 or (self._same > 0 and self._limits.judge_frozen))

    def _count(self, look: Look) -> None:
        limits = self._limits
        self._same = self._same + 1 if look.mark == self._mark else 0
        self._mark = look.mark
        mean, spread = limits.black_mean, limits.black_spread
        if self.phase == "black":
            mean, spread = limits.lit_mean, limits.lit_spread
        self._dark = self._dark + 1 if look.mean < mean and look.spread < spread else 0

    def _good_frame(self, now_ns: int, *, bad: bool) -> list[Change]:
        if bad:
            self._good = 0
            return []
        self._good += 1
        if self._episode_ns is None:
            self.phase, self.reason = "ok", ""
            return []
        if self._good < self._limits.good_frames:
            return []
        away_s = (now_ns - self._episode_ns) / _NS_PER_S
        text = f"the camera works again after {away_s:.1f} s ({self.phase}: {self.reason})"
        self.phase, self.reason = "ok", ""
        self._episode_ns = None
        self._reported.clear()
        return [Change("camera_recovered", text, away_s)]

    def _enter(self, phase: CameraPhase, reason: str, now_ns: int) -> list[Change]:
        self.phase, self.reason, self._good = phase, reason, 0
        if self._episode_ns is None:
            self._episode_ns = now_ns
        if phase in self._reported:
            return []
        self._reported.add(phase)
        return [Change(f"camera_{phase}", reason)]


@dataclass
class Backoff:
    """How long to wait before the next try: doubles from `first_s` to `longest_s`."""

    first_s: float
    longest_s: float
    tries: int = 0

    def next_s(self) -> float:
        """The wait before the coming try."""
        wait_s = min(self.longest_s, self.first_s * 2.0 ** min(self.tries, 30))
        self.tries += 1
        return wait_s

    def reset(self) -> None:
        """It worked: begin anew."""
        self.tries = 0
