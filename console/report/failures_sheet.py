"""What the report shows of failures: how many of each kind and how often, patterns beyond chance, examples with pictures."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec

from console.checklist.wording import utc_words
from console.failures.book import FailureBook
from console.failures.circumstances import utc_hour
from console.failures.examples import folded
from console.failures.looks import Looks
from console.failures.oldest_first import oldest_first
from console.failures.pattern_words import sentence, summary
from console.failures.patterns import Patterns
from console.failures.query import Query, parse
from console.failures.rows import FailureRow
from console.failures.whole import patterns_of
from console.places import cache_dir
from console.report.plots import Bar, bar_plot
from console.store.pictures import Pictures
from console.store.store import Store

WIDEST_PX = 420
MOST_PICTURES = 24
OF_EACH_KIND = 4
FEWEST_TO_PLOT = 5
"""Fewer failures are told in words: their intervals say next to nothing."""
_QUALITY = 72
_BOX, _WIDTH_PX = (255, 196, 0), 2


class ExampleSheet(msgspec.Struct, frozen=True):
    """One failure with its picture; `uri` is empty where the picture is missing, `why` then says so."""

    id: str
    kind: str
    when: str
    text: str
    about: str
    uri: str
    why: str


class FailuresSheet(msgspec.Struct, frozen=True, kw_only=True):
    """Everything about failures. `plots` are (title, SVG as a data: address)."""

    summary: str
    patterns: tuple[str, ...]
    plots: tuple[tuple[str, str], ...]
    examples: tuple[ExampleSheet, ...]
    left_out: tuple[str, ...]


def failures_sheet(book: FailureBook, store: Store, robot: str, bundle: str) -> FailuresSheet:
    """Gather what went wrong with that bundle on that robot, as far as this laptop knows. Hours of the day are UTC."""
    book.refresh(store)
    query = parse(f'robot:"{robot}"' + (f" bundle:{bundle}" if bundle else ""))
    found = patterns_of(book, store, query, utc_hour)
    notable = [one for one in found.groups if one.beyond_chance or one.hint]
    return FailuresSheet(
        summary=summary(found),
        patterns=tuple(sentence(one, found.looked_at, found.unit) for one in notable),
        plots=tuple(_plots(found)),
        examples=tuple(_examples(book, query)),
        left_out=tuple(f"{count} failures: {why}" for why, count in found.left_out.items()),
    )


def _plots(found: Patterns) -> Iterable[tuple[str, str]]:
    for by in dict.fromkeys(one.by for one in found.groups):
        bars = [
            Bar(one.name, one.rate.per_unit, one.rate.lower, one.rate.upper, f"({one.failures})")
            for one in found.groups
            if one.by == by and one.rate is not None
        ]
        failures = sum(one.failures for one in found.groups if one.by == by)
        if failures >= FEWEST_TO_PLOT and (len(bars) > 1 or (bars and by == "kind")):
            svg = bar_plot(sorted(bars), "failures an hour of running, with exact 95 % intervals")
            yield f"By {by}", f"data:image/svg+xml;base64,{base64.b64encode(svg).decode()}"


# ------------------------------------------------------------ examples


def _examples(book: FailureBook, query: Query) -> Iterable[ExampleSheet]:
    """The newest different ones of each kind, at most MOST_PICTURES with a picture."""
    pictures = Pictures()
    looks = Looks(pictures, cache_dir())
    rows = oldest_first(book, book.find(query))
    first = [one.row for one in folded(rows, looks.of) if one.first]
    chosen: list[FailureRow] = []
    for kind in dict.fromkeys(row.kind for row in first):
        chosen += [row for row in first if row.kind == kind][-OF_EACH_KIND:]
    chosen.sort(key=lambda row: row.wall_ns)
    for row in chosen[-MOST_PICTURES:]:
        yield _example(row, pictures)


def _example(row: FailureRow, pictures: Pictures) -> ExampleSheet:
    path = pictures.path(row.at) if row.at else None
    jpeg = drawn(path, row) if path is not None else None
    why = ""
    if jpeg is None:
        missing = "its picture is not on this laptop: `fieldgate failures pull`" if row.at else row.no_picture
        why = "its picture can't be read" if path is not None else missing or "no picture was taken"
    conditions = ", ".join(f"{name} {word}" for name, word in sorted(row.conditions.items()))
    light = f"light {row.light:.0f}" if row.light is not None else ""
    notes = "; ".join(f"{note.person}: {note.text}" for note in row.notes)
    marked = f"marked {row.mark.replace('_', ' ')}" if row.mark else ""
    about = ", ".join(part for part in (conditions, light, marked, notes) if part)
    uri = f"data:image/jpeg;base64,{base64.b64encode(jpeg).decode()}" if jpeg else ""
    return ExampleSheet(row.id, row.kind.replace("_", " "), utc_words(row.wall_ns), row.text, about, uri, why)


def drawn(path: Path, row: FailureRow) -> bytes | None:
    """The picture with its boxes, at most WIDEST_PX wide, as JPEG; None where it can't be decoded."""
    from PIL import Image, ImageDraw, UnidentifiedImageError

    try:
        with Image.open(path) as opened:
            opened.draft("RGB", (WIDEST_PX, WIDEST_PX))
            image = opened.convert("RGB")
    except (OSError, ValueError, SyntaxError, UnidentifiedImageError, Image.DecompressionBombError):
        return None
    image.thumbnail((WIDEST_PX, WIDEST_PX))
    draw, scale = ImageDraw.Draw(image), image.width / (row.width or image.width)
    for box in row.detections:
        corners = [scale * value for value in (box.x1, box.y1, box.x2, box.y2)]
        if corners[0] <= corners[2] and corners[1] <= corners[3]:
            draw.rectangle(corners, outline=_BOX, width=_WIDTH_PX)
            draw.text((corners[0] + 3, corners[1] + 1), _label(row.names, box.label_index, box.score), fill=_BOX)
    written = io.BytesIO()
    image.save(written, format="JPEG", quality=_QUALITY)
    return written.getvalue()


def _label(names: Sequence[str], index: int, score: float) -> str:
    name = names[index] if 0 <= index < len(names) else str(index)
    return f"{name} {score:.2f}"
