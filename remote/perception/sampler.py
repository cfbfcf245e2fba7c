"""How often a live sample is due. Pure."""

from __future__ import annotations

from remote.protocol import SAMPLES_PER_S_MAX

_NS_PER_S = 1_000_000_000


class Sampler:
    """Lets `per_s` frames a second through (0: none), at most SAMPLES_PER_S_MAX."""

    def __init__(self, per_s: float, now_ns: int) -> None:
        self._due_ns = now_ns
        self.set_rate(per_s)

    def set_rate(self, per_s: float) -> None:
        """Change the rate from now on."""
        rate = min(max(0.0, per_s), SAMPLES_PER_S_MAX)
        self._interval_ns = round(_NS_PER_S / rate) if rate > 0 else None

    def take(self, now_ns: int) -> bool:
        """Whether the frame that is ready now is to be sent."""
        if self._interval_ns is None or now_ns < self._due_ns:
            return False
        # Counted from when it was due, so that the rate is kept; after a pause it begins anew instead of catching up.
        self._due_ns = max(self._due_ns + self._interval_ns, now_ns)
        return True
