"""A detector from a checkpoint or TorchScript: its ONNX, and what the module itself gives on golden pictures. Needs PyTorch."""

from __future__ import annotations

from pathlib import Path

import torch

from remote.manifest import entry_of
from remote.models.contract import Contract
from remote.models.export.made import Made
from remote.models.export.onnx_file import examine
from remote.models.export.opened import open_checks
from remote.models.export.parity import USUAL, parity
from remote.models.export.torch_load import Loaded, load_module, load_scripted
from remote.models.export.torch_write import Tensors, at_rest, by_torch, torchscript_bytes, write_onnx
from remote.models.export.wishes import Wishes, planned_contract
from remote.models.make import refuse_unfit
from remote.models.provenance import Scalar
from remote.perception.preprocess import input_shape

TORCHSCRIPT = "model.torchscript.pt"


def of_torch(source: Path, wishes: Wishes, folder: Path, *, scripted: bool) -> Made:
    """Write the ONNX file into `folder`. Raises Trouble for whatever keeps it from being the module's."""
    contract = planned_contract(wishes, source)
    loaded = _loaded(source, wishes, scripted)
    module = at_rest(loaded.module)
    tensors = tensors_of(contract)
    samples = wishes.samples_for(contract.input)
    golden = by_torch(module, tensors)(samples.inputs)
    path = folder / "model.onnx"
    checks = [
        write_onnx(module, tensors, path, opset=wishes.opset_asked, exporter=wishes.way, dynamic=wishes.dynamic),
        *open_checks(path, samples.inputs, wishes.dynamic, wishes.tolerance(USUAL)),
    ]
    examine(path)
    refuse_unfit(path, contract)
    extra = {}
    if wishes.torchscript:
        extra[TORCHSCRIPT] = torchscript_bytes(module, tensors)
        again = folder / TORCHSCRIPT
        again.write_bytes(extra[TORCHSCRIPT])
        found = by_torch(load_scripted(again), tensors)(samples.inputs)
        checks.append(parity(golden, found, wishes.tolerance(USUAL), name="torchscript", against="the module"))
    return Made(
        onnx=path,
        contract=contract,
        samples=samples,
        golden=golden,
        against=f"torch {torch.__version__}",
        source=f"{'TorchScript' if scripted else 'checkpoint'} {source.name}",
        source_sha256=entry_of(source).sha256,
        settings=settings_of(wishes) | ({"key": loaded.key} if loaded.key else {}),
        tools={"torch": str(torch.__version__)},
        tolerance=wishes.tolerance(USUAL),
        checks=tuple(checks),
        extra=extra,
    )


def _loaded(source: Path, wishes: Wishes, scripted: bool) -> Loaded:
    if scripted:
        return Loaded(load_scripted(source))
    return load_module(source, wishes.factory, wishes.key, trusted=wishes.trust_pickle)


def tensors_of(contract: Contract) -> Tensors:
    """The one picture in, the one tensor of boxes out."""
    given = contract.input
    return Tensors({given.name: input_shape(given)[1:]}, (contract.output.name,), {given.name: given.dtype})


def settings_of(wishes: Wishes) -> dict[str, Scalar]:
    """What was asked for; what came is beside it."""
    asked: dict[str, Scalar] = {
        "opset_asked": wishes.opset_asked,
        "exporter": wishes.way,
        "dynamic": ", ".join(wishes.dynamic),
        "trusted_pickle": wishes.trust_pickle,
    }
    return asked | ({"factory": wishes.factory} if wishes.factory else {})
