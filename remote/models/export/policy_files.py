"""What a policy's zip does not say: names and units of its numbers, and how its observations were normalised. No torch."""

from __future__ import annotations

import math
import zipfile
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Union

import msgspec
import numpy as np

from remote import strict_yaml
from remote.errors import Trouble
from remote.models.contract import Names
from remote.models.golden import Arrays

UNITS_CODE, STATS_CODE, RECORDED_CODE = "units_invalid", "normalise_invalid", "bad_source"
LIMIT_BYTES = 256 * 1024**2
EPSILON, CLIP = 1e-8, 10.0
"""What Stable-Baselines3's VecNormalize has where nobody says otherwise."""


class ObservationWords(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Names and units of an observation's elements in flat order: one for each, or one for all."""

    elements: Names
    units: Names


class ActionWords(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Names and units of the action's elements in order."""

    names: Names
    units: Names


class PolicyWords(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The file that --units names. A policy with one observation calls it `observation`."""

    observations: dict[str, ObservationWords]
    actions: ActionWords


class _Stats(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    mean: tuple[float, ...]
    var: tuple[float, ...]


class _StatsFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    observations: dict[str, _Stats]
    epsilon: float = EPSILON
    clip: Union[float, None] = CLIP


@dataclass(frozen=True)
class Normalisation:
    """`clip((value - mean) / sqrt(var + epsilon), -clip, clip)`, flat, by observation; one without a mean goes in as it is."""

    mean: dict[str, tuple[float, ...]]
    var: dict[str, tuple[float, ...]]
    epsilon: float = EPSILON
    clip: float | None = CLIP

    def std_of(self, name: str) -> tuple[float, ...]:
        """What to divide by."""
        return tuple(math.sqrt(value + self.epsilon) for value in self.var[name])


def read_words(path: Path | None, sizes: dict[str, int], actions: int) -> PolicyWords:
    """Names and units, fitting observations of `sizes` elements and an action of `actions`.

    Raises:
        Trouble: `units_missing` where there is no file: an action without a unit moves a robot wrongly; `units_invalid`.
    """
    if path is None:
        what = "nothing says what the policy's numbers mean: it has " + ", ".join(
            [*(f"observation `{name}` of {size}" for name, size in sizes.items()), f"an action of {actions}"]
        )
        cure = "Write them down and say --units FILE: observations: {NAME: {elements, units}}, actions: {names, units}"
        raise Trouble(what, cure=cure, code="units_missing")
    words = strict_yaml.load(path, PolicyWords, code=UNITS_CODE, what="units")
    if set(words.observations) != set(sizes):
        what = f"{path} names the observations {sorted(words.observations)}; the policy has {sorted(sizes)}"
        raise Trouble(what, cure="Name these; a policy with one calls it `observation`", code=UNITS_CODE)
    for name, size in sizes.items():
        given = words.observations[name]
        if len(given.elements) not in (1, size) or len(given.units) not in (1, size):
            what = (
                f"{path} has {len(given.elements)} elements and {len(given.units)} units for {name}, which has {size}"
            )
            raise Trouble(what, cure="Give one for each, or one for all", code=UNITS_CODE)
    if len(words.actions.names) != actions or len(words.actions.units) != actions:
        what = f"{path} has {len(words.actions.names)} names and {len(words.actions.units)} units for an action of {actions}"
        raise Trouble(what, cure="Give one for each", code=UNITS_CODE)
    return words


def read_normalisation(path: Path, sizes: dict[str, int], whole: Collection[str] = ()) -> Normalisation:
    """Mean and variance from .yaml or .npz. A .npz of one observation may call them `mean` and `var`, else `NAME.mean`.

    `sizes` are those of all observations that are not of `whole` numbers (uint8), which go in as they are. Raises Trouble
    `normalise_invalid`, and `pickle_refused` for VecNormalize's own pickle.
    """
    suffix = path.suffix.lower()
    if suffix in (".pkl", ".pickle"):
        what = f"{path} is a pickle, which could run anything"
        cure = "Save obs_rms.mean and obs_rms.var with numpy.savez(FILE, mean=..., var=...), or --trust-pickle if you made it"
        raise Trouble(what, cure=cure, code="pickle_refused")
    if suffix not in (".npz", ".yaml", ".yml"):
        what = f"{path} is neither .npz nor .yaml"
        raise Trouble(what, cure="Save mean and variance with numpy.savez(FILE, mean=..., var=...)", code=STATS_CODE)
    found = _stats_of_npz(path, sizes, whole) if suffix == ".npz" else _stats_of_yaml(path)
    refuse_whole(path, found.mean, whole)
    for name, size in sizes.items():
        mean, var = found.mean.get(name, ()), found.var.get(name, ())
        if len(mean) not in (1, size) or len(var) not in (1, size):
            what = f"{path} has {len(mean)} means and {len(var)} variances for {name}, which has {size}"
            raise Trouble(what, cure="Give one for each element", code=STATS_CODE)
        if not np.isfinite([*mean, *var]).all() or min(var) < 0:
            raise Trouble(f"{path} has values for {name} that can't be", cure="Save them again", code=STATS_CODE)
    if not (found.epsilon >= 0 and (found.clip is None or found.clip > 0)):
        raise Trouble(f"{path} has an epsilon or clip that can't be", cure="Save them again", code=STATS_CODE)
    return found


def refuse_whole(path: Path, normalised: Collection[str], whole: Collection[str]) -> None:
    """Raise Trouble `normalise_invalid` where observations of `whole` numbers (uint8) are `normalised`."""
    wrong = sorted(set(normalised) & set(whole))
    if wrong:
        what = f"{path} normalises {', '.join(wrong)}, which the network takes as uint8"
        raise Trouble(what, cure="Train it on a float32 observation, or without normalising that one", code=STATS_CODE)


def read_recorded(path: Path, shapes: dict[str, tuple[int, ...]], count: int) -> Arrays:
    """At most `count` recorded raw observations by name, evenly spread over a .npz (by name) or .npy (one observation).

    Raises Trouble `bad_source` for a damaged file, objects in it, other names or shapes.
    """
    arrays = _arrays(path, RECORDED_CODE)
    if len(shapes) == 1 and len(arrays) == 1:
        arrays = {next(iter(shapes)): next(iter(arrays.values()))}
    if not set(shapes) <= set(arrays):
        what = f"{path} holds {sorted(arrays)}; the policy wants {sorted(shapes)}"
        raise Trouble(what, cure="Save them by these names: numpy.savez(FILE, NAME=...)", code=RECORDED_CODE)
    counts = set()
    for name, shape in shapes.items():
        array = arrays[name]
        if array.shape[1:] != shape or not len(array) or array.dtype.kind not in "fiub":
            what = f"{path} has {name} as {array.dtype} {list(array.shape)}; the policy wants [n, {', '.join(map(str, shape))}]"
            raise Trouble(what, cure="Record what the policy was given", code=RECORDED_CODE)
        counts.add(len(array))
    if len(counts) != 1:
        raise Trouble(f"{path} has observations of different lengths", cure="Record them together", code=RECORDED_CODE)
    have = counts.pop()
    chosen = [index * have // min(count, have) for index in range(min(count, have))]
    return {name: arrays[name][chosen] for name in shapes}


def _stats_of_yaml(path: Path) -> Normalisation:
    given = strict_yaml.load(path, _StatsFile, code=STATS_CODE, what="normalisation")
    return Normalisation(
        {name: one.mean for name, one in given.observations.items()},
        {name: one.var for name, one in given.observations.items()},
        given.epsilon,
        given.clip,
    )


def _stats_of_npz(path: Path, sizes: dict[str, int], whole: Collection[str]) -> Normalisation:
    arrays = _arrays(path, STATS_CODE)
    every = (*sizes, *whole)
    only = every[0] if len(every) == 1 else None
    names = [*sizes, *(name for name in whole if f"{name}.mean" in arrays or name == only)]

    def flat(name: str, what: str) -> tuple[float, ...]:
        found = arrays.get(f"{name}.{what}", arrays.get(what) if name == only else None)
        if found is None or found.dtype.kind not in "fiu":
            cure = (
                "Save it with numpy.savez; where some are not normalised give VecNormalize's own file (--trust-pickle)"
            )
            raise Trouble(f"{path} lacks {name}.{what}", cure=cure, code=STATS_CODE)
        return tuple(float(value) for value in found.reshape(-1))

    def one(what: str, usual: float) -> float:
        return float(arrays[what].reshape(-1)[0]) if what in arrays and arrays[what].size else usual

    return Normalisation(
        {name: flat(name, "mean") for name in names},
        {name: flat(name, "var") for name in names},
        one("epsilon", EPSILON),
        one("clip", CLIP),
    )


def _arrays(path: Path, code: str) -> dict[str, Any]:
    cure = "Save it with numpy.savez, without objects"
    if not path.is_file():
        what = f"{path} {'is a folder' if path.is_dir() else 'does not exist'}"
        raise Trouble(what, cure="Give a file of numbers: .npz or .npy", code=code)
    try:
        if path.stat().st_size > LIMIT_BYTES:
            raise Trouble(f"{path} is longer than {LIMIT_BYTES} bytes", cure="Record fewer", code=code)
        if path.suffix.lower() == ".npy":
            return {"observation": np.load(path, allow_pickle=False)}
        with zipfile.ZipFile(path) as archive:
            if sum(entry.file_size for entry in archive.infolist()) > LIMIT_BYTES:
                raise Trouble(f"{path} unpacks to more than {LIMIT_BYTES} bytes", cure="Record fewer", code=code)
        with np.load(path, allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}
    except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile, NotImplementedError, MemoryError) as error:
        raise Trouble(f"{path} can't be read: {error}", cure=cure, code=code) from error
