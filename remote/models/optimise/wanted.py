"""What one call of `model optimise` is asked for, and what of it can't be: told before any work is done."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import msgspec

from remote.errors import Trouble
from remote.models.bundle import AnyBundle, Bundle, load_any_bundle
from remote.models.optimise.dynamic import refuse_for_tensorrt
from remote.models.provenance import read_provenance


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """The command line's words; None and False are steps that are not wanted."""

    simplify: bool = False
    fp16: bool = False
    int8: bool = False
    dynamic: bool = False
    prune: float | None = None
    structured: float | None = None
    calibrate: Path | None = None
    method: str = "minmax"
    keep: tuple[str, ...] = ()
    keep_float: int = 0
    auto: bool = False
    whole: bool = False
    heavy: bool = False
    pack: bool = False
    engine: str = "any"
    module: str = ""
    finetune: str = ""
    distil: str = ""
    train: Path | None = None
    images: Path | None = None
    labels: Path | None = None
    budget: float = 0.02
    agreement: float = 0.95
    snr: float = 30.0
    keep_refused: bool = False
    runs: int = 40
    threads: int = 1
    seed: int = 0


def steps_of(wanted: Wanted) -> tuple[str, ...]:
    """The names of the wanted steps, in the order in which they are done."""
    trained = wanted.structured is not None or bool(wanted.distil)
    asked = (
        ("simplify", wanted.simplify),
        ("fp16", wanted.fp16),
        ("dynamic", wanted.dynamic),
        ("prune", wanted.prune is not None),
        ("distil" if wanted.distil else "structured", trained),
        ("int8", wanted.int8),
    )
    return tuple(step for step, is_asked in asked if is_asked)


def refuse_impossible(parent: AnyBundle, wanted: Wanted) -> None:
    """Raise Trouble for wants that contradict each other or the bundle, or that no wanted step would look at."""
    steps, trains = steps_of(wanted), wanted.structured is not None or bool(wanted.distil)
    if not steps:
        cure = "Give --fp16, --int8, --dynamic, --prune, --structured, --distil or --simplify"
        raise Trouble("no step is wanted", cure=cure, code="usage")
    _refuse_idle(wanted, trains)
    if wanted.int8 and wanted.calibrate is None:
        cure = "Give --calibrate with a folder of at least 100 pictures of what the robot sees"
        raise Trouble("INT8 without calibration pictures is a guess", cure=cure, code="calibration_missing")
    if wanted.int8 and not isinstance(parent, Bundle):
        what = "INT8 is calibrated with pictures, and this bundle takes none"
        raise Trouble(what, cure="Use --fp16 or --dynamic for a policy", code="wrong_task")
    if wanted.dynamic:
        refuse_for_tensorrt(wanted.engine)
    if trains and not wanted.module:
        cure = "Give --module MODULE:FUNCTION, a function that gives the torch module"
        raise Trouble("structured pruning and distillation need the torch module", cure=cure, code="usage")
    for name, folder in (("--images", wanted.images), ("--train", wanted.train)):
        if folder is not None and not isinstance(parent, Bundle):
            raise Trouble("this bundle takes no pictures", cure=f"Leave {name} away", code="wrong_task")
    if (wanted.distil or wanted.finetune) and wanted.train is None and isinstance(parent, Bundle):
        cure = "Give --train with a folder of pictures of what the robot sees"
        raise Trouble("training without pictures teaches nothing", cure=cure, code="usage")


def _refuse_idle(wanted: Wanted, trains: bool) -> None:
    """Raise Trouble for options that no wanted step looks at: whoever gave them believes that they do something."""
    usual = Wanted()
    of_int8 = ("calibrate", "method", "keep", "keep_float", "auto", "whole", "heavy", "pack")
    of_training = ("module", "finetune", "train")
    for names, is_wanted, step in ((of_int8, wanted.int8, "--int8"), (of_training, trains, "--structured or --distil")):
        given = [f"--{name.replace('_', '-')}" for name in names if getattr(wanted, name) != getattr(usual, name)]
        if given and not is_wanted:
            what = f"{', '.join(given)} {'does' if len(given) == 1 else 'do'} nothing without {step}"
            raise Trouble(what, cure=f"Give {step} too, or leave {', '.join(given)} out", code="usage")


def refuse_places(parent: AnyBundle, output: Path, names: Sequence[str]) -> None:
    """Raise Trouble where the made bundles could not be written: `usage` inside the parent or for a file, `unwritable`,
    `bundle_exists` where one's folder holds anything but a bundle that was made from this parent.
    """
    place, given = output.resolve(), parent.path.resolve()
    if place == given or given in place.parents:
        what = f"--output {output} is inside the bundle {parent.path}, which must stay as it is"
        raise Trouble(what, cure="Give a folder outside of it", code="usage")
    if output.exists() and not output.is_dir():
        raise Trouble(f"--output {output} is a file", cure="Give the name of a folder", code="usage")
    standing = next(one for one in (place, *place.parents) if one.exists())
    if not os.access(standing, os.W_OK | os.X_OK):
        cure = "Give a folder that can be written"
        raise Trouble(f"nothing can be written to {standing}", cure=cure, code="unwritable")
    for name in names:
        _refuse_foreign(parent, output / name)


def _refuse_foreign(parent: AnyBundle, place: Path) -> None:
    if not place.exists() or (place.is_dir() and not any(place.iterdir())):
        return
    try:
        present = load_any_bundle(place)
        made = read_provenance(place)
    except Trouble as trouble:
        what, cure = f"{place} holds something else: {trouble.what}", "Choose another --output"
        raise Trouble(what, cure=cure, code="bundle_exists") from trouble
    if made is None or made.parent != parent.digest:
        what = f"{place} holds another bundle already: {present.contract.name} {present.digest[:12]}, not made from this one"
        raise Trouble(what, cure="Choose another --output, or remove that bundle first", code="bundle_exists")
