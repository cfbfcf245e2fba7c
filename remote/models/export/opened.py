"""Axes that were left open on request really are: the file runs with another batch and at another size."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from remote.errors import Trouble
from remote.models.export.onnx_file import examine
from remote.models.export.parity import parity, refuse_not_finite
from remote.models.export.wishes import Dynamic
from remote.models.golden import Arrays
from remote.models.provenance import Tolerance
from remote.perception.engines.onnx_runtime import open_session
from remote.verdicts import Check

STEP = 32
"""Pixels: the stride that most detectors need their input to be a multiple of."""


def open_checks(model: Path, inputs: Arrays, dynamic: Sequence[Dynamic], tolerance: Tolerance) -> tuple[Check, ...]:
    """One check for each axis asked for.

    Raises:
        Trouble: `not_dynamic` where the file has fixed it all the same, or fails when it is used.
    """
    checks = []
    if "batch" in dynamic:
        checks.append(_batch(model, inputs, tolerance))
    if "size" in dynamic:
        checks.append(_size(model, inputs))
    return tuple(checks)


def _batch(model: Path, inputs: Arrays, tolerance: Tolerance) -> Check:
    fixed = [name for name, shape in examine(model).inputs.items() if isinstance(shape[0], int)]
    if fixed:
        raise _refused("batch", f"the file has a batch of its own in {', '.join(fixed)}")
    two = {name: array[[0, -1]] for name, array in inputs.items()}  # one sample alone is taken twice
    alone = [_run(model, {name: array[index : index + 1] for name, array in two.items()}, "batch") for index in (0, 1)]
    single = {name: np.concatenate([one[name] for one in alone]) for name in alone[0]}
    together = _run(model, two, "batch")
    return parity(single, together, tolerance, name="dynamic_batch", against="each sample alone")


def _size(model: Path, inputs: Arrays) -> Check:
    pictures = [name for name, array in inputs.items() if array.ndim == 4]
    if not pictures:
        raise _refused("size", "no input is a picture")
    larger = {
        name: np.pad(array[:1], ((0, 0), (0, 0), (0, STEP), (0, STEP)), mode="edge") if name in pictures else array[:1]
        for name, array in inputs.items()
    }
    refuse_not_finite(_run(model, larger, "size"), "at another size")
    height, width = larger[pictures[0]].shape[2:]
    text = f"runs at {width} x {height} too; boxes there were compared with nothing"
    return Check(name="dynamic_size", verdict="pass", text=text, n=1)


def _run(model: Path, inputs: Arrays, axis: str) -> Arrays:
    session = open_session(model)
    names = [one.name for one in session.get_outputs()]
    try:
        return dict(zip(names, session.run(names, inputs), strict=True))
    except Exception as error:
        raise _refused(axis, (str(error).splitlines() or [""])[0][:300]) from error


def _refused(axis: str, why: str) -> Trouble:
    what = f"--dynamic {axis}: the exported file does not take another {axis}: {why}"
    cure = f"Leave out --dynamic {axis}, or take out of the module what is made for one {axis} only"
    return Trouble(what, cure=cure, code="not_dynamic")
