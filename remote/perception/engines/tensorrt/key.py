"""What an engine belongs to. One that differs in any of it is another engine and is built again."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import msgspec

from remote.monitor.identity import Identity, read_identity
from remote.perception.engines.tensorrt.build import Shapes
from remote.perception.engines.tensorrt.probe import Found
from remote.perception.engines.wishes import Wishes

_MODE = re.compile(r"pmode:0*(\d+)")


class EngineKey(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Everything that decides what a build gives. `onnx` is the model file's SHA-256; `power_mode` nvpmodel's number."""

    onnx: str
    tensorrt: str
    cuda: str
    l4t: str
    gpu: str
    capability: str
    precision: str
    shapes: dict[str, tuple[int, ...]]
    workspace_mb: int
    power_mode: str

    @property
    def digest(self) -> str:
        """64 hex digits."""
        return hashlib.sha256(msgspec.json.encode(self, order="sorted")).hexdigest()

    @property
    def timing(self) -> str:
        """The part that a timing cache belongs to, 64 hex digits."""
        words = (self.tensorrt, self.cuda, self.l4t, self.gpu, self.capability, self.power_mode)
        return hashlib.sha256(msgspec.json.encode(words)).hexdigest()


def key_for(found: Found, model: bytes, shapes: Shapes, wishes: Wishes, root: Path = Path("/")) -> EngineKey:
    """The key of this model here and now. Reads some small files below `root`."""
    return EngineKey(
        onnx=hashlib.sha256(model).hexdigest(),
        tensorrt=found.version,
        cuda=found.device.cuda,
        l4t=read_identity(root).words.get("l4t", ""),
        gpu=found.device.name,
        capability=found.device.capability,
        precision=wishes.precision,
        shapes=dict(shapes),
        workspace_mb=wishes.workspace_mb,
        power_mode=_power_mode(root),
    )


def machine(root: Path = Path("/")) -> str:
    """This computer, so that a copied cache is not taken for its own: a digest over the serial number."""
    return machine_of(read_identity(root))


def machine_of(identity: Identity) -> str:
    """See machine."""
    return hashlib.sha256(f"{identity.serial_source}:{identity.serial}".encode()).hexdigest()


def _power_mode(root: Path) -> str:
    try:
        found = _MODE.search((root / "var/lib/nvpmodel/status").read_text(encoding="utf-8", errors="replace"))
    except OSError:
        return ""
    return found[1] if found else ""
