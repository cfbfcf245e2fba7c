"""When a line of a foreign log was written: date and time of day as far as the line, or the lines before, tell."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta, timezone, tzinfo

import msgspec

from console.failures.foreign.line import Part, parts_of

_WHOLE = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[ T](\d{1,2}):(\d\d):(\d\d)(?:[.,](\d{1,9}))?\s?(Z|[+-]\d\d:?\d\d)?(?![\d:])"
)
_CLOCK = re.compile(r"(?<!\d)(\d{1,2}):(\d\d):(\d\d)(?:[.,](\d{1,9}))?")
_EPOCH = re.compile(r"(\d{10})(\d{3})?(?:\.(\d{1,9}))?\Z")


class Dated(msgspec.Struct, frozen=True):
    """How times without a zone or without a date are meant: `zone` None is this laptop's; `day` is that of the first line."""

    zone: tzinfo | None = None
    day: date | None = None


class LineTimes:
    """The times of a log's lines, asked for in order: where only times of day are written, a step back is midnight."""

    def __init__(self, dated: Dated) -> None:
        self._dated = dated
        self._day = dated.day
        self._last_s = -1

    def of(self, line: bytes) -> int | None:
        """Nanoseconds since the epoch; None where the line tells no date and none is known."""
        parts = parts_of(line)
        return None if isinstance(parts, str) else self.of_parts(parts)

    def of_parts(self, parts: list[Part]) -> int | None:
        """The same of a line that was taken apart."""
        texts = _texts(parts)
        for text in texts:
            found = _epoch_ns(text)
            if found is None:
                found = self._whole_ns(text)
            if found is not None:
                return found
        for text in texts:
            found = self._clock_ns(text)
            if found is not None:
                return found
        return None

    def _whole_ns(self, text: str) -> int | None:
        found = _WHOLE.search(text)
        if not found:
            return None
        year, month, day, hour, minute, second, _, zone = found.groups()
        try:
            when = datetime(int(year), int(month), int(day), int(hour), int(minute), int(second), tzinfo=_zone(zone))
        except ValueError:
            return None
        return self._ns(when, found[7])

    def _clock_ns(self, text: str) -> int | None:
        found = _CLOCK.search(text)
        if not found or self._day is None:
            return None
        hour, minute, second = int(found[1]), int(found[2]), int(found[3])
        if hour > 23 or minute > 59 or second > 59:
            return None
        of_day_s = hour * 3600 + minute * 60 + second
        if of_day_s < self._last_s - 43_200:  # half a day: lines of several threads may stand out of order
            self._day += timedelta(days=1)
        self._last_s = of_day_s
        return self._ns(datetime(self._day.year, self._day.month, self._day.day, hour, minute, second), found[4])

    def _ns(self, when: datetime, fraction: str | None) -> int | None:
        if when.tzinfo is None and self._dated.zone is not None:
            when = when.replace(tzinfo=self._dated.zone)
        try:
            seconds = int(when.timestamp())
        except (ValueError, OverflowError, OSError):
            return None
        return seconds * 1_000_000_000 + int((fraction or "0").ljust(9, "0"))


def _texts(parts: list[Part]) -> list[str]:
    """Where times may stand: `Time:` first, then the words in front."""
    return [one.text for one in parts if one.role == "time"] + [one.stamp for one in parts if one.hour is not None]


def _epoch_ns(text: str) -> int | None:
    found = _EPOCH.match(text.strip())
    if not found:
        return None
    fraction = (found[2] or "") + (found[3] or "")
    return int(found[1]) * 1_000_000_000 + int(fraction.ljust(9, "0")[:9])


def _zone(text: str | None) -> tzinfo | None:
    if not text:
        return None
    if text == "Z":
        return timezone.utc
    sign = -1 if text[0] == "-" else 1
    digits = text[1:].replace(":", "")
    try:
        return timezone(sign * timedelta(hours=int(digits[:2]), minutes=int(digits[2:])))
    except ValueError:
        return None
