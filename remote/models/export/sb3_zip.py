"""What a Stable-Baselines3 zip says of its policy, read without running the pickles in it.

Such a zip keeps its spaces and classes as pickles. Only those four entries that shape the network are unpickled, by an
unpickler that knows spaces, arrays and plain classes and refuses everything else by name. Needs gymnasium and numpy, not torch.
"""

from __future__ import annotations

import base64
import binascii
import importlib
import io
import json
import pickle
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from remote.errors import Trouble
from remote.models.export.kinds import damaged

DATA, WEIGHTS = "data", "policy.pth"
MOST_DATA_BYTES = 64 * 1024**2
MOST_WEIGHTS_BYTES = 2 * 1024**3
_SERIALIZED = ":serialized:"
_PREFIXES = ("gymnasium.spaces.", "gym.spaces.")
_ALLOWED = {
    "builtins": ("dict", "list", "tuple", "set", "frozenset", "slice", "bytearray", "object"),
    "collections": ("OrderedDict",),
    "numpy": ("dtype", "ndarray", "bool_", "float32", "float64", "int8", "uint8", "int32", "int64"),
    "numpy._core.multiarray": ("_reconstruct", "scalar"),
    "numpy.core.multiarray": ("_reconstruct", "scalar"),
    "numpy._core.numeric": ("_frombuffer",),
    "numpy.core.numeric": ("_frombuffer",),
    "numpy.random._pickle": ("__generator_ctor", "__bit_generator_ctor", "__randomstate_ctor"),
    "numpy.random._pcg64": ("PCG64",),
    "numpy.random._mt19937": ("MT19937",),
    "numpy.random._generator": ("__generator_ctor",),
    "numpy.random.bit_generator": ("__pyx_unpickle_SeedSequence", "SeedSequence"),
    "torch.nn.modules.activation": ("Tanh", "ReLU", "ELU", "SiLU", "GELU", "LeakyReLU", "Sigmoid", "Mish", "SELU"),
    "torch.optim.adam": ("Adam",),
    "torch.optim.adamw": ("AdamW",),
    "torch.optim.rmsprop": ("RMSprop",),
    "torch.optim.sgd": ("SGD",),
    "stable_baselines3.common.policies": (
        "ActorCriticPolicy",
        "ActorCriticCnnPolicy",
        "MultiInputActorCriticPolicy",
    ),
    "stable_baselines3.sac.policies": ("SACPolicy", "CnnPolicy", "MultiInputPolicy"),
    "stable_baselines3.td3.policies": ("TD3Policy", "CnnPolicy", "MultiInputPolicy"),
    "stable_baselines3.common.torch_layers": ("FlattenExtractor", "NatureCNN", "CombinedExtractor"),
    "stable_baselines3.common.sb2_compat.rmsprop_tf_like": ("RMSpropTFLike",),
}


@dataclass(frozen=True)
class PolicyZip:
    """What the network is made from; `weights` is torch's own file, still as bytes."""

    policy_class: Any
    observation_space: Any
    action_space: Any
    policy_kwargs: dict[str, Any]
    use_sde: bool
    version: str
    weights: bytes


def read_policy_zip(path: Path, *, trusted: bool = False) -> PolicyZip:
    """Read it; where `trusted`, whatever its pickles want is run.

    Raises:
        Trouble: `source_damaged`, or `pickle_refused` naming what a pickle wanted; nothing of it has run then.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            data = json.loads(_entry(archive, DATA, MOST_DATA_BYTES, path))
            weights = _entry(archive, WEIGHTS, MOST_WEIGHTS_BYTES, path)
            names = archive.namelist()
            stated = "_stable_baselines3_version"
            version = _entry(archive, stated, 100, path).decode("ascii", "replace") if stated in names else "unknown"
    except (zipfile.BadZipFile, OSError, EOFError, ValueError, KeyError, NotImplementedError, RecursionError) as error:
        raise damaged(path, f"can't be read as a Stable-Baselines3 zip: {error}") from error
    if not isinstance(data, dict):
        raise damaged(path, "holds no data of a Stable-Baselines3 policy")
    found = {key: _value(data, key, path, trusted) for key in ("policy_class", "observation_space", "action_space")}
    kwargs = _value(data, "policy_kwargs", path, trusted) if "policy_kwargs" in data else {}
    if not isinstance(kwargs, dict):
        raise damaged(path, "has policy_kwargs that are no mapping")
    return PolicyZip(
        **found, policy_kwargs=kwargs, use_sde=bool(data.get("use_sde", False)), version=version, weights=weights
    )


def _entry(archive: zipfile.ZipFile, name: str, most_bytes: int, path: Path) -> bytes:
    with archive.open(name) as file:
        data = file.read(most_bytes + 1)
    if len(data) > most_bytes:
        raise damaged(path, f"has an entry {name} that unpacks to more than {most_bytes} bytes")
    return data


def _value(data: dict[str, Any], key: str, path: Path, trusted: bool) -> Any:
    if key not in data:
        raise damaged(path, f"lacks {key}")
    value = data[key]
    if not (isinstance(value, dict) and _SERIALIZED in value):
        return value
    try:
        packed = base64.b64decode(str(value[_SERIALIZED]), validate=True)
        if trusted:
            return pickle.loads(packed)
        return _Reader(io.BytesIO(packed), path, key).load()
    except Trouble:
        raise
    except binascii.Error as error:
        raise damaged(path, f"has a damaged {key}: {error}") from error
    except Exception as error:
        raise damaged(path, f"has a {key} that can't be read: {type(error).__name__}: {error}") from error


class _Reader(pickle.Unpickler):
    """Takes what spaces are made of; anything else is refused before it is imported."""

    def __init__(self, file: io.BytesIO, path: Path, key: str) -> None:
        super().__init__(file)
        self._path, self._key = path, key

    def find_class(self, module: str, name: str) -> Any:
        """The class or function of that name, if it is one of those that are known to do no harm."""
        space = module.startswith(_PREFIXES) and name.isidentifier() and name[0].isupper()
        if not space and name not in _ALLOWED.get(module, ()):
            what = f"{self._path} is refused, its {self._key} is more than spaces and known classes: it wants {module}.{name}"
            cure = "Only if you made the file yourself: --trust-pickle, which runs what lies in it"
            raise Trouble(what, cure=cure, code="pickle_refused")
        return getattr(importlib.import_module(module), name)
