"""provenance.json of a bundle: what it was made from, by which step, and what was measured of it then. Optional in a bundle."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, Union

import msgspec

from remote.errors import Trouble
from remote.manifest import PROVENANCE, Digest
from remote.ready_types import ready
from remote.strict_yaml import read_bytes
from remote.verdicts import Check

LIMIT_BYTES = 256 * 1024
CODE = "provenance_invalid"
MOST_ABSOLUTE = 1000.0
"""In an output's own unit."""
MOST_WRONG_SHARE = 0.2
"""With more elements further away than allowed the golden samples prove nothing."""
_PARENT = "parent_"
Scalar = Union[str, int, float, bool, None]


class Tolerance(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How far outputs may be from the golden ones: an element is right where |difference| <= absolute + relative * |golden|.

    `wrong_share` of the elements may be further away (quantised models), and `snr_db`, where given, is the least ratio of the
    golden signal to the difference in decibels. The bounds hold for what is read from a bundle: whoever makes one must not be
    able to make a check of it that can't fail.
    """

    absolute: Annotated[float, msgspec.Meta(ge=0.0, le=MOST_ABSOLUTE)]
    relative: Annotated[float, msgspec.Meta(ge=0.0, le=0.5)]
    wrong_share: Annotated[float, msgspec.Meta(ge=0.0, le=MOST_WRONG_SHARE)] = 0.0
    snr_db: Annotated[float, msgspec.Meta(ge=-300.0, le=300.0)] | None = None


def sane(tolerance: Tolerance) -> Tolerance:
    """The same. Raises Trouble (`bad_tolerance`) where no bundle may say that."""
    try:
        return msgspec.convert(msgspec.structs.asdict(tolerance), ready(Tolerance))
    except msgspec.ValidationError as error:
        what = f"a tolerance like that proves nothing: {error}"
        raise Trouble(what, cure="allow less: a few percent of what the model gives", code="bad_tolerance") from error


class Calibration(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The pictures that a quantised model was calibrated with.

    `digest` is SHA-256 over the sorted digests of the files. `by_label` counts pictures that show each label (as the model
    before quantising sees them), `by_light` pictures by brightness: dark, dim, normal, bright.
    """

    digest: Digest
    pictures: int
    by_label: dict[str, int] = {}
    by_light: dict[str, int] = {}


class Provenance(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Where a bundle's model comes from.

    `step` is what made it (export, simplify, fp16, int8, dynamic, prune, structured, distil), `source` says of what in words,
    `parent` is the bundle it was made from, `source_sha256` the file. `opset` was read back from the model. `tolerance` belongs
    to golden.npz. `measured` are the checks of the step, with their numbers. `tools` are versions by name.
    """

    format: Literal[1] = 1
    step: str
    source: str
    source_sha256: str = ""
    parent: str = ""
    opset: int
    tolerance: Tolerance | None = None
    calibration: Calibration | None = None
    settings: dict[str, Scalar] = {}
    tools: dict[str, str] = {}
    measured: tuple[Check, ...] = ()


def read_provenance(folder: Path) -> Provenance | None:
    """The provenance of the bundle in `folder`; None where it has none. Raises Trouble (code `provenance_invalid`)."""
    path = folder / PROVENANCE
    if not path.is_file():
        return None
    data = read_bytes(path, what="provenance", code=CODE, limit_bytes=LIMIT_BYTES)
    try:
        return msgspec.json.decode(data, type=ready(Provenance))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Trouble(f"{path} is refused: {error}", cure="make the bundle anew", code=CODE) from error


def failed_before(folder: Path) -> tuple[Check, ...]:
    """What failed when the bundle in `folder` was made: whatever is made from it is measured against it alone, so it takes that
    with it.

    Raises Trouble as `read_provenance`.
    """
    made = read_provenance(folder)
    failed = [check for check in made.measured if check.verdict == "fail"] if made else []
    return tuple(
        msgspec.structs.replace(check, name=f"{_PARENT}{check.name.removeprefix(_PARENT)}") for check in failed
    )


def failed_by_maker(folder: Path) -> tuple[str, ...]:
    """What failed when the bundle was made and was written all the same: `name: text` of each; empty where nothing did.

    Raises Trouble as `read_provenance`.
    """
    made = read_provenance(folder)
    return tuple(f"{check.name}: {check.text}" for check in made.measured if check.verdict == "fail") if made else ()
