"""Spans of time as people write them."""

from __future__ import annotations

_SECONDS = {"s": 1.0, "min": 60.0, "h": 3600.0, "d": 86_400.0}


def span_s(span: str) -> float:
    """Seconds of a span such as `30 s`, `5min`, `8 h` or `365 d`. ValueError for anything else."""
    for unit, seconds in _SECONDS.items():
        count = span.removesuffix(unit).removesuffix(" ")
        if span.endswith(unit) and count.isascii() and count.isdigit():
            return int(count) * seconds
    raise ValueError(f"no span: {span!r}")


def time_words(seconds: float) -> str:
    """`7 h 58 min`, `12 min 3 s`, `4.2 s`: a length of time in units that suit it."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, left_s = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:,} h {minutes} min" if hours else f"{minutes} min {left_s} s"
