"""Structured pruning and distillation of a torch module: fewer channels, a smaller graph. Needs torch (extra `train`)."""

from __future__ import annotations

import importlib
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from remote.errors import Trouble
from remote.models.bundle import AnyBundle
from remote.models.comparing.model_file import read_model
from remote.models.comparing.runner import Runner
from remote.models.comparing.samples import Feed
from remote.models.optimise.graph import opset_of, tidied
from remote.models.optimise.made import Made, tools
from remote.models.provenance import Scalar

Hook = Callable[..., Any]


@dataclass(frozen=True)
class Training:
    """Functions of the user's own, as MODULE:FUNCTION.

    `module()` gives the torch module. `finetune(module, feeds)` trains it and gives it back. `distil(teacher, student,
    feeds)` does so with the parent: `teacher(feed)` gives its outputs by name. `feeds` are inputs by name, of the pictures.
    """

    module: str
    finetune: str = ""
    distil: str = ""


def made_structured(parent: AnyBundle, share: float, training: Training, feeds: Sequence[Feed], seed: int = 0) -> Made:
    """Take `share` of the channels out of each layer but the last ones, train by the hooks, export as the parent was.

    With a share of 0 nothing is taken out: the module is a smaller student of its own. Raises Trouble `torch_missing`,
    `hook_invalid`, or `outputs_changed` where the module's outputs are not the parent's in shape.
    """
    torch = _torch(pruning=share > 0)
    torch.manual_seed(seed)
    module = _module(training.module, hook(training.module)())
    examples = tuple(torch.from_numpy(array) for array in feeds[0].values())
    before = _parameters(module)
    whole = _taken_out(module, share, examples) if share > 0 else 0
    for name, extra in ((training.distil, (Runner(parent.model),)), (training.finetune, ())):
        if name:
            given = (*extra, module, feeds) if extra else (module, feeds)
            module = _module(name, hook(name)(*given))
    after = _parameters(module)
    model = _exported(torch, module, parent, feeds[0], examples)
    trained = training.distil or training.finetune
    notes = [f"{before} parameters before, {after} after"]
    if whole:
        notes.append(f"{whole} groups of layers stay whole: torch-pruning can't follow how their channels are used")
    if not trained:
        notes.append("nothing was trained after it: give --finetune or --distil, or expect a loss")
    settings: dict[str, Scalar] = {
        "share": share,
        "module": training.module,
        "finetune": training.finetune,
        "distil": training.distil,
    }
    return Made(
        step="distil" if training.distil else "structured",
        model=model,
        settings={**settings, "seed": seed, "parameters_before": before, "parameters_after": after},
        notes=tuple(notes),
        keeps_outputs=False,
        tools=tools("torch", "torch-pruning", "onnx"),
    )


def hook(name: str) -> Hook:
    """The function that MODULE:FUNCTION names. Raises Trouble `hook_invalid`."""
    module, _, function = name.partition(":")
    cure = "Write it as MODULE:FUNCTION, with the module where Python finds it (PYTHONPATH)"
    try:
        found = getattr(importlib.import_module(module), function)
    except (ImportError, AttributeError, ValueError) as error:
        raise Trouble(f"{name!r} can't be loaded: {error}", cure=cure, code="hook_invalid") from error
    if not callable(found):
        raise Trouble(f"{name!r} is no function", cure=cure, code="hook_invalid")
    loaded: Hook = found
    return loaded


def _module(name: str, given: Any) -> Any:
    """What a hook gave, ready to be run. Raises Trouble `hook_invalid` where that is no module."""
    import torch

    if not isinstance(given, torch.nn.Module):
        what = f"{name} gave {'None' if given is None else type(given).__name__}, not a torch module"
        raise Trouble(what, cure="End that function with `return module`", code="hook_invalid")
    return given.eval()


def _torch(*, pruning: bool) -> Any:
    try:
        import torch

        if pruning:
            import torch_pruning  # noqa: F401 - asked for before any work is done
    except ImportError as error:
        cure = "Install them: pip install 'fieldgate[train]'"
        raise Trouble(f"{error.name} is not installed here", cure=cure, code="torch_missing") from error
    return torch


def _taken_out(module: Any, share: float, examples: tuple[Any, ...]) -> int:
    """Returns how many groups of layers stay whole because torch-pruning can't follow how their channels are used."""
    import torch
    import torch_pruning

    last = _last_layers(module, examples)
    importance = torch_pruning.importance.MagnitudeImportance(p=2)
    graph = torch_pruning.DependencyGraph().build_dependency(module, examples)
    kinds = [torch.nn.Conv2d, torch.nn.Linear]
    whole = []
    for group in graph.get_all_groups(ignored_layers=last, root_module_types=kinds):
        try:
            importance(group)
        except (IndexError, RuntimeError):  # its map of channels does not fit the weights: shared or split layers
            whole.append(group[0].dep.target.module)
    pruner = torch_pruning.pruner.MagnitudePruner(
        module, examples, importance=importance, pruning_ratio=share, ignored_layers=[*last, *whole]
    )
    pruner.step()
    return len(whole)


def _last_layers(module: Any, examples: tuple[Any, ...]) -> list[Any]:
    """Layers whose outputs no other layer takes in: their channels are the model's outputs and must stay."""
    import torch
    import torch_pruning

    graph = torch_pruning.DependencyGraph().build_dependency(module, examples)
    kinds = (torch.nn.Conv2d, torch.nn.Linear)
    found = []
    for layer in module.modules():
        if not isinstance(layer, kinds):
            continue
        group = graph.get_pruning_group(layer, graph.get_pruner_of_module(layer).prune_out_channels, idxs=[0])
        taken = any(
            isinstance(one.dep.target.module, kinds) and graph.is_in_channel_pruning_fn(one.dep.handler)
            for one in group
        )
        if not taken:
            found.append(layer)
    return found


def _parameters(module: Any) -> int:
    return sum(int(one.numel()) for one in module.parameters())


def _exported(torch: Any, module: Any, parent: AnyBundle, feed: Feed, examples: tuple[Any, ...]) -> Any:
    import warnings

    teacher = Runner(parent.model)
    opset = opset_of(read_model(parent.model))
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        written = Path(folder) / "model.onnx"
        torch.onnx.export(
            module,
            examples,
            str(written),
            input_names=list(feed),
            output_names=list(teacher.outputs),
            opset_version=opset,
            dynamo=False,
        )
        ours, theirs = teacher(feed), Runner(written)(feed)
        model = read_model(written)
    for name, array in ours.items():
        if theirs[name].shape != array.shape:
            what = f"the module's output {name!r} is {list(theirs[name].shape)}, the bundle's {list(array.shape)}"
            raise Trouble(what, cure="Give a module that ends as the bundle's model does", code="outputs_changed")
    return tidied(model)
