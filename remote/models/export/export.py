"""One export from end to end: tell what was given, make the ONNX file of it, prove it, write the bundle."""

from __future__ import annotations

import tempfile
from pathlib import Path

from remote.errors import Trouble
from remote.models.export.finish import finish
from remote.models.export.kinds import Kind, kind_of
from remote.models.export.made import ExportReport, Made
from remote.models.export.wishes import Wishes, detector_contract
from remote.models.writing import refuse_output, writing


def export_model(source: Path, wishes: Wishes) -> ExportReport:
    """Write the bundle `wishes.output` from whatever `source` is.

    Raises:
        Trouble: anything that keeps the bundle from being what it says; nothing is written then.
    """
    kind = kind_of(source)
    _refuse_useless(kind, wishes)
    refuse_output(wishes.output, source)
    with writing(Path(tempfile.gettempdir())), tempfile.TemporaryDirectory(prefix="fieldgate-export-") as folder:
        return finish(_made(kind, source, wishes, Path(folder)), wishes.output)


def _made(kind: Kind, source: Path, wishes: Wishes, folder: Path) -> Made:
    if kind == "bundle":
        return _of_bundle(source, wishes)
    if kind == "onnx":
        return _of_onnx(source, wishes)
    need_torch(kind)
    if kind == "policy":
        from remote.models.export.sb3_source import of_policy

        return of_policy(source, wishes, folder)
    from remote.models.export.torch_source import of_torch

    return of_torch(source, wishes, folder, scripted=kind == "torchscript")


def _of_bundle(source: Path, wishes: Wishes) -> Made:
    from remote.models.export.from_onnx import of_bundle, tolerance_of_bundle

    tolerance = wishes.tolerance(tolerance_of_bundle(source))
    return of_bundle(source, wishes.golden, wishes.samples, tolerance)


def _of_onnx(source: Path, wishes: Wishes) -> Made:
    from remote.models.export.from_onnx import of_onnx, usual_tolerance
    from remote.models.export.onnx_file import examine

    examine(source)  # before any engine opens it
    contract = detector_contract(wishes, source, source)
    return of_onnx(source, contract, wishes.samples_for(contract.input), wishes.tolerance(usual_tolerance(source)))


def need_torch(kind: Kind) -> None:
    """Raise Trouble `torch_missing` where the training's packages are not installed."""
    try:
        import torch  # noqa: F401

        if kind == "policy":
            import stable_baselines3  # noqa: F401
    except ImportError as error:
        what = f"reading this source needs the package {error.name or 'torch'}, which is not installed here"
        cure = "Install it on a workstation: pip install 'fieldgate[train]'; ONNX files and bundles need no torch"
        raise Trouble(what, cure=cure, code="torch_missing") from error


_TORCH: tuple[Kind, ...] = ("checkpoint", "torchscript")
_USE: dict[str, tuple[Kind, ...]] = {
    "dynamic": (*_TORCH, "policy"),
    "opset": (*_TORCH, "policy"),
    "exporter": (*_TORCH, "policy"),
    "torchscript": (*_TORCH, "policy"),
    "factory": ("checkpoint",),
    "key": ("checkpoint",),
    "trust_pickle": ("checkpoint", "policy"),
    "units": ("policy",),
    "normalise": ("policy",),
    "like": (*_TORCH, "onnx"),
    "labels": (*_TORCH, "onnx"),
    "contract": (*_TORCH, "onnx"),
    "size": (*_TORCH, "onnx"),
    "name": (*_TORCH, "onnx", "policy"),
}


def _refuse_useless(kind: Kind, wishes: Wishes) -> None:
    """An option that would change nothing was meant for something else."""
    from remote.models.export.kinds import WORDS, a_kind

    double = [f"--{name}" for name in ("like", "labels", "size") if wishes.contract and getattr(wishes, name)]
    if double:
        what = f"--contract says what {' and '.join(double)} would say"
        raise Trouble(what, cure="Give one of both", code="usage")
    for option, kinds in _USE.items():
        if getattr(wishes, option) and kind not in kinds:
            what = f"--{option.replace('_', '-')} does nothing for {a_kind(kind)}"
            raise Trouble(what, cure=f"Leave it out; it is for: {', '.join(WORDS[one] for one in kinds)}", code="usage")
