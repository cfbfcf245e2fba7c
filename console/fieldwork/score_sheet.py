"""Frames that were drawn, as a folder that a person fills in: marked pictures and a CSV sheet, read back later.

The folder holds `sheet.csv` (a row a frame), `marked/` (pictures with numbered boxes), `pictures/` (as they came) and
`frames.json` (what was drawn; not to be edited).
"""

from __future__ import annotations

import csv
import hashlib
import io
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, NamedTuple

import msgspec

from console.fieldwork.marked_picture import marked
from console.fieldwork.scoring import FrameToScore, check_label
from console.record.entries import Moment, ScoredBox
from remote.atomic import write_atomically
from remote.errors import Trouble
from remote.protocol import Detection
from remote.ready_types import ready

CODE = "bad_sheet"
SHEET, FRAMES = "sheet.csv", "frames.json"
COLUMNS = ("frame", "picture", "boxes", "looked", "wrong", "missed", "note")
LIMIT_BYTES = 32 * 1024 * 1024
_YES = ("x", "yes", "y", "1", "true")


class Drawn(msgspec.Struct, frozen=True, kw_only=True):
    """A frame as frames.json has it: all of FrameToScore, its picture by SHA-256."""

    session: int
    phase: str
    run: int
    frame: int
    width: int
    height: int
    picture: str
    detections: tuple[Detection, ...]
    labels: tuple[str, ...]
    drawn: str
    conditions: dict[str, str]
    fingerprints: dict[str, str]
    moment: Moment

    @property
    def name(self) -> str:
        """What the sheet calls it: run and number."""
        return f"{self.run}-{self.frame}"


class _Frames(msgspec.Struct, frozen=True, kw_only=True):
    format: Literal[1]
    campaign: str
    frames: tuple[Drawn, ...]


class Score(NamedTuple):
    """What the sheet says of one frame."""

    frame: FrameToScore
    right: int
    wrong: int
    missed: int
    boxes: tuple[ScoredBox, ...]
    note: str


class Sheet(NamedTuple):
    """A sheet that was read: scores, and the names of the frames that nobody has looked at."""

    scores: tuple[Score, ...]
    blank: tuple[str, ...]


# ------------------------------------------------------------ writing


def write_sheet(folder: Path, campaign: str, frames: Sequence[FrameToScore]) -> Path:
    """Write the folder; the sheet's path. A picture that can't be shown stays as it came.

    Raises Trouble: `folder_used` where it holds a sheet already, `unwritable`.
    """
    check_unused(folder)
    drawn = [_drawn(frame) for frame in frames]
    held = _Frames(format=1, campaign=campaign, frames=tuple(drawn))
    try:
        for name in ("pictures", "marked"):
            (folder / name).mkdir(mode=0o700, parents=True, exist_ok=True)
        for one, frame in zip(drawn, frames, strict=True):
            write_atomically(folder / "pictures" / f"{one.name}.jpg", frame.jpeg)
            write_atomically(folder / "marked" / f"{one.name}.jpg", _marked(frame))
        write_atomically(folder / FRAMES, msgspec.json.format(msgspec.json.encode(held), indent=1))
        write_atomically(folder / SHEET, _rows(drawn, frames).encode("utf-8-sig"))
    except OSError as error:
        what = f"{folder} can't be written: {error.strerror}"
        raise Trouble(what, cure="choose another folder, then draw again", code="unwritable") from error
    return folder / SHEET


def check_unused(folder: Path) -> None:
    """Refuse a folder in which somebody may be filling in a sheet. Raises Trouble (`folder_used`)."""
    if (folder / SHEET).exists() or (folder / FRAMES).exists():
        raise Trouble(f"{folder} holds a sheet already", cure="choose another folder (`-o`)", code="folder_used")


def _marked(frame: FrameToScore) -> bytes:
    try:
        return marked(frame)
    except Trouble:
        return frame.jpeg  # better a picture without boxes than no sheet after an hour of drawing


def _rows(drawn: Sequence[Drawn], frames: Sequence[FrameToScore]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for one, frame in zip(drawn, frames, strict=True):
        boxes = "; ".join(
            f"{place} {frame.label(box)} {box.score:.2f}" for place, box in enumerate(frame.detections, 1)
        )
        writer.writerow((one.name, f"marked/{one.name}.jpg", boxes, "", "", "", ""))
    return text.getvalue()


def _drawn(frame: FrameToScore) -> Drawn:
    fields = {name: getattr(frame, name) for name in Drawn.__struct_fields__ if name != "picture"}
    return Drawn(**fields, picture=hashlib.sha256(frame.jpeg).hexdigest())


# ------------------------------------------------------------ reading


def read_sheet(path: Path, campaign: str) -> Sheet:
    """Read a sheet that was filled in, all of it or nothing.

    Raises Trouble: `bad_sheet` with the line and what to do, `unknown_label`, `other_campaign`.
    """
    frames, draw = _frames(path.parent / FRAMES, campaign)
    scores: list[Score] = []
    blank: list[str] = []
    seen: set[str] = set()
    for line, row in _lines(path):
        name = row["frame"].strip()
        where = f"{path}, line {line}"
        if name not in frames:
            raise _bad(f"{where}: no frame '{name}' was drawn", "leave the first column as it was written")
        if name in seen:
            raise _bad(f"{where}: frame '{name}' stands there twice", "leave one row for each frame")
        seen.add(name)
        if row["looked"].strip().casefold() in _YES:
            one = _score(row, frames[name], path.parent, where)
            scores.append(one._replace(frame=msgspec.structs.replace(one.frame, draw=draw, draw_of=len(frames))))
        elif any(row[column].strip() for column in ("looked", "wrong", "missed")):
            raise _bad(
                f"{where}: frame '{name}' is filled in, but `looked` is not x", "put an x there, or empty the row"
            )
        else:
            blank.append(name)
    missing = sorted(frames.keys() - seen)
    if missing:
        raise _bad(f"{path} has no row for frame {missing[0]}", "the sheet was cut: fill in a whole one")
    return Sheet(tuple(scores), tuple(blank))


def _lines(path: Path) -> list[tuple[int, dict[str, str]]]:
    text = _text(path)
    head = text.split("\n", 1)[0]
    sign = max(",;\t", key=head.count)  # spreadsheets of many countries write semicolons
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=sign, strict=True)
    try:
        if tuple(name.strip() for name in reader.fieldnames or ()) != COLUMNS:
            raise _bad(f"{path} begins with other columns than {', '.join(COLUMNS)}", "leave the first row as it was")
        found = []
        for row in reader:
            if None in row or None in row.values():
                raise _bad(f"{path}, line {reader.line_num}: not as many columns as the first row", "mend that row")
            found.append((reader.line_num, {str(name).strip(): value for name, value in row.items()}))
    except csv.Error as error:
        raise _bad(f"{path}, line {reader.line_num}: {error}", "save it as CSV again") from error
    return found


def _score(row: dict[str, str], drawn: Drawn, folder: Path, where: str) -> Score:
    frame = _frame(drawn, folder)
    wrong = _numbers(row["wrong"], len(drawn.detections), where)
    labels = [part.strip() for part in re.split(r"[,;]", row["missed"]) if part.strip()]
    for label in labels:
        try:
            check_label(label, drawn.labels)
        except Trouble as trouble:
            raise Trouble(f"{where}: {trouble.what}", cure=trouble.cure, code=trouble.code) from trouble
    boxes = (*frame.reported(wrong), *(ScoredBox(label, 0.0, 0.0, 0.0, 0.0, 0.0, "missed") for label in labels))
    right = len(drawn.detections) - len(wrong)
    return Score(frame, right, len(wrong), len(labels), boxes, row["note"].strip()[:2000])


def _numbers(text: str, boxes: int, where: str) -> frozenset[int]:
    """Places (from 0) of the boxes that are named by their numbers (from 1)."""
    words = [word for word in re.split(r"[\s,;]+", text.strip()) if word]
    if any(not word.isascii() or not word.isdigit() or not 1 <= int(word) <= boxes for word in words):
        known = f"from 1 to {boxes}" if boxes else "none: the robot reported no box"
        raise _bad(
            f"{where}: '{text.strip()}' names no boxes", f"their numbers are {known}; what was missed goes beside"
        )
    return frozenset(int(word) - 1 for word in words)


def _frame(drawn: Drawn, folder: Path) -> FrameToScore:
    path = folder / "pictures" / f"{drawn.name}.jpg"
    try:
        jpeg = path.read_bytes()
    except OSError as error:
        raise _bad(f"{path} can't be read: {error.strerror}", "put it back, or draw again") from error
    if hashlib.sha256(jpeg).hexdigest() != drawn.picture:
        raise _bad(f"{path} is not the picture that was drawn", "put it back, or draw again")
    fields = {name: getattr(drawn, name) for name in Drawn.__struct_fields__ if name != "picture"}
    return FrameToScore(**fields, jpeg=jpeg)


def _frames(path: Path, campaign: str) -> tuple[dict[str, Drawn], str]:
    """What was drawn by its name, and the name of the whole."""
    data = _bytes(path)
    try:
        held = msgspec.json.decode(data, type=ready(_Frames))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _bad(f"{path} can't be read: {error}", "draw again; it is not to be edited") from error
    if held.campaign != campaign:
        what = f"these frames were drawn for '{held.campaign}', not for '{campaign}'"
        raise Trouble(
            what, cure=f"enter them there: `fieldgate score enter {held.campaign} ...`", code="other_campaign"
        )
    return {one.name: one for one in held.frames}, hashlib.sha256(data).hexdigest()[:16]


def _text(path: Path) -> str:
    try:
        return _bytes(path).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _bad(f"{path} is no UTF-8 text", "save it as CSV in UTF-8") from error


def _bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(LIMIT_BYTES + 1)
    except OSError as error:
        raise _bad(
            f"{path} can't be read: {error.strerror}", "name the sheet within the folder that was drawn"
        ) from error
    if len(data) > LIMIT_BYTES:
        raise _bad(f"{path} has more than {LIMIT_BYTES:,} bytes", "that is no sheet of ours")
    return data


def _bad(what: str, cure: str) -> Trouble:
    return Trouble(what, cure=cure, code=CODE)
