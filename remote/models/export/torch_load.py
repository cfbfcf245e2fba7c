"""Loading what torch saved without running what may lie in it. Needs PyTorch (extra `train`)."""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import torch

from remote.errors import Trouble
from remote.models.export.kinds import damaged
from remote.refusals import nearest_of

KEYS = ("state_dict", "model_state_dict", "model", "net", "weights")
_WANTED = re.compile(r"GLOBAL ([\w.]+)")
_PARALLEL = "module."
_SHOWN = 5


def load_scripted(path: Path) -> Any:
    """A TorchScript module, in evaluation mode. Raises Trouble `source_damaged`."""
    try:
        return torch.jit.load(str(path), map_location="cpu").eval()
    except (RuntimeError, ValueError, OSError) as error:
        raise damaged(path, f"can't be loaded as TorchScript: {_short(error)}") from error


class Loaded(NamedTuple):
    """A module in evaluation mode, and under which key of the checkpoint its weights lay; empty where they were all of it."""

    module: Any
    key: str = ""


def load_module(path: Path, factory: str | None, key: str | None, *, trusted: bool) -> Loaded:
    """The nn.Module of a checkpoint: the factory's with its weights, or a whole one where trusted.

    Raises:
        Trouble: `pickle_refused` with what the pickle wanted, `source_damaged`, `factory_missing`, `factory_failed`,
            `state_mismatch` with the first names that don't fit.
    """
    saved = load_saved(path, trusted=trusted)
    if isinstance(saved, torch.nn.Module):
        return Loaded(saved.eval())
    if factory is None:
        what = f"{path} holds weights alone; nothing says which module they are for"
        raise Trouble(what, cure="Say what makes it: --factory package.module:function", code="factory_missing")
    module = made_by(factory)
    key = key or key_of(saved, path)
    fill(module, state_of(saved, path, key), path)
    return Loaded(module.eval(), key)


def load_saved(path: Path, *, trusted: bool) -> Any:
    """What `torch.save` wrote: with `weights_only`, unless trusted. Nothing of a refused pickle is run."""
    import pickle

    try:
        return torch.load(path, map_location="cpu", weights_only=not trusted)
    except pickle.UnpicklingError as error:
        if trusted:
            raise damaged(path, f"can't be unpickled: {_short(error)}") from error
        raise _refused(path, error) from error
    except (RuntimeError, ValueError, EOFError, KeyError, IndexError, OSError) as error:
        raise damaged(path, f"can't be loaded: {_short(error)}") from error


def key_of(saved: Any, path: Path) -> str:
    """Where the one state_dict of a checkpoint lies; empty where it is one itself.

    Raises Trouble `state_mismatch` where there are several (weights and their moving average, say), or none by a usual name.
    """
    if not isinstance(saved, dict) or _is_state(saved):
        return ""
    states = [str(one) for one in saved if _is_state(saved[one])]
    if len(states) == 1 and states[0] in KEYS:
        return states[0]
    if len(states) > 1:
        what = f"{path} holds several state_dicts: {', '.join(states[:12])}"
        raise Trouble(what, cure=f"Say which: --key {' or --key '.join(states[:_SHOWN])}", code="state_mismatch")
    what = f"{path} has the keys {', '.join(map(str, list(saved)[:12]))}; it is not plain which holds the weights"
    raise Trouble(what, cure="Say it: --key NAME", code="state_mismatch")


def state_of(saved: Any, path: Path, key: str) -> dict[str, Any]:
    """The state_dict in a checkpoint: it itself, or what lies under `key`."""
    found = saved
    if key:
        if not isinstance(saved, dict) or key not in saved:
            words = [str(one) for one in saved] if isinstance(saved, dict) else []
            raise Trouble(f"{path} has no key {key!r}", cure=nearest_of(key, words, "keys"), code="state_mismatch")
        found = saved[key]
    if not _is_state(found):
        what = f"{path} holds no state_dict (names and tensors)"
        raise Trouble(what, cure="Save `module.state_dict()`, or say --key NAME", code="state_mismatch")
    if all(name.startswith(_PARALLEL) for name in found):
        return {name.removeprefix(_PARALLEL): tensor for name, tensor in found.items()}
    return dict(found)


def made_by(factory: str) -> Any:
    """Call `package.module:function` without arguments. It is your own code and runs with your rights."""
    module_name, _, function = factory.partition(":")
    cure = (
        "Write it as package.module:function; the folder that the package lies in must be the present one or installed"
    )
    if not module_name or not function:
        raise Trouble(f"--factory {factory!r} names no function", cure=cure, code="usage")
    try:
        make = getattr(importlib.import_module(module_name), function)
    except (ImportError, AttributeError) as error:
        raise Trouble(f"--factory {factory!r} can't be had: {error}", cure=cure, code="factory_missing") from error
    try:
        module = make()
    except Exception as error:
        what = f"--factory {factory!r} failed: {type(error).__name__}: {_short(error)}"
        raise Trouble(what, cure="Give a function that needs no arguments", code="factory_failed") from error
    if not isinstance(module, torch.nn.Module):
        what = f"--factory {factory!r} gives a {type(module).__name__}, not a torch.nn.Module"
        raise Trouble(what, cure="Return the module", code="factory_failed")
    return module


def fill(module: Any, state: dict[str, Any], path: Path) -> None:
    """Load the weights strictly. Raises Trouble `state_mismatch` naming what is missing, unknown or of another shape."""
    own = module.state_dict()
    missing, unknown = sorted(own.keys() - state.keys()), sorted(state.keys() - own.keys())
    shapes = [
        f"{name} is {list(state[name].shape)}, the module has {list(own[name].shape)}"
        for name in sorted(own.keys() & state.keys())
        if own[name].shape != state[name].shape
    ]
    said = [f"{len(missing)} missing ({_some(missing)})"] if missing else []
    said += [f"{len(unknown)} unknown ({_some(unknown)})"] if unknown else []
    said += [f"{len(shapes)} of another shape ({_some(shapes)})"] if shapes else []
    if said:
        what = f"{path} does not fit the factory's module: {'; '.join(said)}"
        raise Trouble(what, cure="Give the factory of this training, with the same settings", code="state_mismatch")
    module.load_state_dict(state)


def _is_state(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and bool(value)
        and all(isinstance(name, str) and isinstance(one, torch.Tensor) for name, one in value.items())
    )


def _refused(path: Path, error: Exception) -> Trouble:
    """What the pickle asked for beyond tensors, by name."""
    wanted = list(dict.fromkeys(_WANTED.findall(str(error)))) or _unsafe(path)
    named = f": it wants {_some(wanted)}" if wanted else f": {_short(error)}"
    cure = "Save `module.state_dict()` and give --factory; only if you made the file yourself: --trust-pickle, which runs it"
    return Trouble(f"{path} is refused, its pickle is more than weights{named}", cure=cure, code="pickle_refused")


def _unsafe(path: Path) -> list[str]:
    try:
        return list(torch.serialization.get_unsafe_globals_in_checkpoint(path))
    except (AttributeError, RuntimeError, ValueError):  # an older torch, or an older file
        return []


def _some(names: Iterable[str]) -> str:
    names = list(names)
    return ", ".join(names[:_SHOWN]) + (", ..." if len(names) > _SHOWN else "")


def _short(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
