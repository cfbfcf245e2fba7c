"""Unstructured pruning: the smallest weights become zero. Said with it: the file and the time stay what they were."""

from __future__ import annotations

from typing import Any

import numpy as np

from remote.errors import Trouble
from remote.models.comparing.size import multiplied
from remote.models.optimise.graph import heavy_nodes
from remote.models.optimise.made import Made, tools

_FEWEST = 2


def made_pruned(model: Any, share: float) -> Made:
    """Set the smallest weights of each convolution and matrix product to zero, `share` of them.

    Each layer for itself: a layer whose scale is folded into its weights (levels 0..255 into the first convolution) has small
    ones only, and one limit for the whole model would take all of it. Raises Trouble `nothing_to_prune` for a model without
    such weights.
    """
    from onnx import numpy_helper

    constants = {one.name: one for one in model.graph.initializer}
    names = [name for name in multiplied(model, set(constants)) if len(constants[name].dims) >= _FEWEST]
    arrays = {name: numpy_helper.to_array(constants[name]) for name in names}
    arrays = {name: array for name, array in arrays.items() if array.dtype.kind == "f"}
    if not heavy_nodes(model) or not arrays:
        what = "the model has no float weights of convolutions or matrix products"
        raise Trouble(what, cure="Prune the float bundle, before it is quantised", code="nothing_to_prune")
    zeros = 0
    for name, array in arrays.items():
        kept = without_smallest(array, share)
        zeros += int((kept == 0).sum())
        constants[name].CopyFrom(numpy_helper.from_array(kept, name))
    count = sum(array.size for array in arrays.values())
    notes = (
        f"{100 * zeros / count:.1f} % of {count} weights are zero now; they are stored and multiplied as before, so they make "
        "neither the file nor the time smaller (packed it is smaller). Structured pruning takes channels out",
    )
    return Made(step="prune", model=model, settings={"share": share}, notes=notes, tools=tools("onnx", "numpy"))


def without_smallest(array: Any, share: float) -> Any:
    """The array with `share` of its numbers, those nearest to zero, set to zero; ties go in the array's order."""
    kept = array.copy().reshape(-1)
    order = np.argsort(np.abs(kept), kind="stable")
    kept[order[: round(share * kept.size)]] = 0
    return kept.reshape(array.shape)
