"""What a robot is and runs, gathered afresh: the things whose change makes earlier measurements stale."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from remote.agent.bundles import BundleStore
from remote.agent.clock import Clock
from remote.errors import Trouble
from remote.manifest import CONTRACT
from remote.monitor.identity import Identity, read_identity, version_of
from remote.perception.cameras.spec import parse_source
from remote.protocol import Facts

CALIBRATION = "calibration.yaml"
FILE_LIMIT_BYTES = 16 * 1024 * 1024

_RUNTIMES = ("onnxruntime-gpu", "onnxruntime")
_CUDA_LIBRARY = "onnxruntime/capi/libonnxruntime_providers_cuda.so"


@dataclass(frozen=True)
class Used:
    """What the agent knows of its own use.

    `bundle` is the digest of what runs or will run, also where it is unusable; empty for none. `engine` is the worker's own
    word where it said one of this bundle, else empty.
    """

    home: Path
    source: str
    bundle: str
    engine: str
    threads: int
    power_mode: str


def gather(used: Used, bundles: BundleStore, clock: Clock, identity: Callable[[], Identity] = read_identity) -> Facts:
    """Look at everything now; reads files, so it belongs into a thread. What can't be read is an empty text."""
    known = identity()
    return Facts(
        serial=known.serial,
        serial_source=known.serial_source,
        bundle=used.bundle,
        contract=contract_digest(bundles, used.bundle),
        engine=used.engine or engine_by_files(used.threads),
        calibration=calibration_digest(used.source, used.home),
        source=used.source,
        power_mode=used.power_mode,
        words=known.words,
        mono_ns=clock.mono_ns(),
        wall_ns=clock.wall_ns(),
    )


def contract_digest(bundles: BundleStore, digest: str) -> str:
    """SHA-256 of the contract.yaml that lies in this bundle's folder now; empty where there is none."""
    if not digest:
        return ""
    try:
        return _sha256(bundles.folder(digest) / CONTRACT)
    except Trouble:
        return ""


def calibration_digest(source: str, home: Path) -> str:
    """SHA-256 of calibration.yaml beside the source's files, else in the agent's home; empty where there is none."""
    folders = (*_folder_of(source), home)
    return next((digest for folder in folders if (digest := _sha256(folder / CALIBRATION))), "")


def engine_by_files(threads: int, version: Callable[[str], str] = version_of, packages: Path | None = None) -> str:
    """What the worker would call its engine here, told without loading it: the same words as OnnxRuntimeEngine.name.

    `packages` is the folder that Python packages lie in; None finds onnxruntime's own.
    """
    number = next((found for name in _RUNTIMES if (found := version(name))), "")
    if not number:
        return ""
    provider = "CUDA" if _has_cuda(packages) else "CPU"
    return f"ONNX Runtime {number}, {provider}, {threads} thread{'s' if threads != 1 else ''}"


def _has_cuda(packages: Path | None) -> bool:
    if packages is not None:
        return (packages / _CUDA_LIBRARY).is_file()
    from importlib.util import find_spec

    found = find_spec("onnxruntime")  # looks for the package, does not load it
    return bool(found and found.origin and (Path(found.origin).parent.parent / _CUDA_LIBRARY).is_file())


def _folder_of(source: str) -> tuple[Path, ...]:
    try:
        parsed = parse_source(source)
    except Trouble:
        return ()
    if parsed.kind == "folder":
        return (Path(parsed.place),)
    return (Path(parsed.place).parent,) if parsed.kind == "video" else ()


def _sha256(path: Path) -> str:
    """Of a file up to FILE_LIMIT_BYTES; empty for what is no readable file of that size."""
    try:
        if not path.is_file():
            return ""
        with path.open("rb") as file:
            data = file.read(FILE_LIMIT_BYTES + 1)
    except OSError:
        return ""
    return hashlib.sha256(data).hexdigest() if len(data) <= FILE_LIMIT_BYTES else ""
