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
    """Set the `share` of the weights of convolutions and matrix products that are smallest, over the whole model, to zero.

    Raises Trouble `nothing_to_prune` for a model without such weights.
    """
    from onnx import numpy_helper

    constants = {one.name: one for one in model.graph.initializer}
    names = [name for name in multiplied(model, set(constants)) if len(constants[name].dims) >= _FEWEST]
    arrays = {name: numpy_helper.to_array(constants[name]) for name in names}
    arrays = {name: array for name, array in arrays.items() if array.dtype.kind == "f"}
    if not heavy_nodes(model) or not arrays:
        what = "the model has no float weights of convolutions or matrix products"
        raise Trouble(what, cure="Prune the float bundle, before it is quantised", code="nothing_to_prune")
    sizes = np.sort(np.concatenate([np.abs(array).reshape(-1).astype(np.float64) for array in arrays.values()]))
    count = round(share * len(sizes))
    limit = sizes[count - 1] if count else -1.0
    zeros = 0
    for name, array in arrays.items():
        kept = np.where(np.abs(array) <= limit, 0, array).astype(array.dtype)
        zeros += int((kept == 0).sum())
        constants[name].CopyFrom(numpy_helper.from_array(kept, name))
    notes = (
        f"{zeros / len(sizes):.1%} of {len(sizes)} weights are zero now; they are stored and multiplied as before: "
        "neither the file nor the time is smaller. Structured pruning takes channels out",
    )
    return Made(step="prune", model=model, settings={"share": share}, notes=notes, tools=tools("onnx", "numpy"))
