"""The pictures that a quantised model is calibrated with: which count, what they show, and their digest."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from remote.errors import Trouble
from remote.models.bundle import Bundle
from remote.models.comparing.looking import Looker, read_frame
from remote.models.comparing.samples import spread
from remote.models.provenance import Calibration

LEAST_PICTURES = 100
LEAST_CONTRAST = 2.0
"""Standard deviation of grey levels below which a picture shows nothing: black, white, a lens cap."""
_LIGHT = ((32, "dark"), (80, "dim"), (180, "normal"), (256, "bright"))
_MOST = 5000


@dataclass(frozen=True)
class CalibrationSet:
    """`pictures` are used; `left_out` says of the others why, by count. `digests` are of the used files."""

    pictures: tuple[Path, ...]
    digests: frozenset[str]
    calibration: Calibration
    left_out: dict[str, int]
    notes: tuple[str, ...]


def read_calibration(bundle: Bundle, folder: Path, threads: int = 1) -> CalibrationSet:
    """Look at every picture in `folder`, with the float model too.

    Raises Trouble `too_few_pictures` where fewer than LEAST_PICTURES different ones show anything, `bad_source` or
    `bad_frame` for a folder or picture that can't be read.
    """
    from remote.perception.picture_files import list_pictures

    used, left_out, light, seen = [], Counter[str](), Counter[str](), set[str]()
    labels: Counter[str] = Counter()
    digests = []
    looker = Looker(bundle, threads)
    everything = list_pictures(folder)
    for path in spread(everything, _MOST):
        frame = read_frame(path)
        pixels = hashlib.sha256(frame.tobytes()).hexdigest()
        why = "twice there" if pixels in seen else _nothing_to_see(frame)
        if why:
            left_out[why] += 1
            continue
        seen.add(pixels)
        used.append(path)
        digests.append(file_digest(path))
        light[light_of(frame)] += 1
        found = looker.look(frame).reported.labels.tolist()
        labels.update(bundle.contract.labels[label] for label in set(found))
    looker.close()
    if len(everything) > _MOST:
        left_out[f"as {_MOST} are enough, evenly spread"] = len(everything) - _MOST
    _refuse_few(folder, len(used), left_out)
    whole = hashlib.sha256("".join(sorted(digests)).encode()).hexdigest()
    by_label = {name: labels[name] for name in bundle.contract.labels if labels[name]}
    calibration = Calibration(digest=whole, pictures=len(used), by_label=by_label, by_light=dict(sorted(light.items())))
    return CalibrationSet(
        tuple(used), frozenset(digests), calibration, dict(left_out), _notes(bundle, calibration, left_out)
    )


def file_digest(path: Path) -> str:
    """SHA-256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def light_of(frame: NDArray[np.uint8]) -> str:
    """dark, dim, normal or bright, by the mean grey level."""
    level = float(frame.mean())
    return next(name for limit, name in _LIGHT if level < limit)


def _nothing_to_see(frame: NDArray[np.uint8]) -> str:
    if float(frame.std()) >= LEAST_CONTRAST:
        return ""
    return "black" if float(frame.mean()) < _LIGHT[0][0] else "of one colour"


def _refuse_few(folder: Path, used: int, left_out: Counter[str]) -> None:
    if used >= LEAST_PICTURES:
        return
    out = ", ".join(f"{count} {why}" for why, count in sorted(left_out.items()))
    pictures = "different picture that shows" if used == 1 else "different pictures that show"
    what = f"folder {folder} has {used} {pictures} something" + (f" ({out})" if out else "")
    cure = f"Give at least {LEAST_PICTURES} pictures of what the robot sees, in all its light"
    raise Trouble(f"{what}; calibration needs {LEAST_PICTURES}", cure=cure, code="too_few_pictures")


def _notes(bundle: Bundle, found: Calibration, left_out: Counter[str]) -> tuple[str, ...]:
    labels, light = found.by_label, found.by_light
    notes = [f"calibrated with {found.pictures} pictures, digest {found.digest[:12]}"]
    notes += [f"left out: {count} {why}" for why, count in sorted(left_out.items())]
    shown = sorted(labels.items(), key=lambda item: -item[1])[:8]
    notes.append("shows, by label: " + (", ".join(f"{name} {count}" for name, count in shown) or "nothing"))
    unseen = [name for name in bundle.contract.labels if name not in labels]
    if unseen:
        more = f" and {len(unseen) - 6} more" if len(unseen) > 6 else ""
        notes.append(f"never shows: {', '.join(unseen[:6])}{more}; their accuracy is a guess")
    notes.append("shows, by light: " + ", ".join(f"{name} {count}" for name, count in light.items()))
    missing = [name for _, name in _LIGHT if name not in light]
    if missing:
        notes.append(f"no picture is {' or '.join(missing)}")
    return tuple(notes)
