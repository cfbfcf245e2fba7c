"""Sources that are ONNX already: a file of any framework, or a bundle. Needs no torch."""

from __future__ import annotations

from pathlib import Path

from remote.errors import Trouble
from remote.manifest import CONTRACT, GOLDEN, MANIFEST, MAX_MANIFEST_BYTES, MODEL, PROVENANCE, entry_of, parse_manifest
from remote.models.bundle import AnyBundle, load_any_bundle
from remote.models.contract import Contract, PolicyContract
from remote.models.export.made import Made, output_name
from remote.models.export.onnx_file import examine, read_onnx
from remote.models.export.parity import USUAL
from remote.models.export.runs import by_plain_engine
from remote.models.export.samples import Samples, made, of_pictures
from remote.models.golden import Golden, read_golden
from remote.models.provenance import Tolerance, failed_before, read_provenance
from remote.strict_yaml import read_bytes

HALF = Tolerance(absolute=5e-2, relative=2e-2)
"""Half precision has 11 bits; each layer rounds anew."""
AGAINST = "the file itself, node after node without an engine's optimisations"
_FLOAT16 = 10


def of_onnx(model: Path, contract: Contract, samples: Samples, tolerance: Tolerance | None) -> Made:
    """An ONNX file with a contract: the golden outputs are those of the file run without optimisations."""
    examine(model)
    return Made(
        onnx=model,
        contract=contract,
        samples=samples,
        golden=by_plain_engine(model, [contract.output.name])(samples.inputs),
        against=AGAINST,
        source=f"ONNX file {model.name}",
        source_sha256=entry_of(model).sha256,
        tolerance=tolerance or usual_tolerance(model),
    )


def of_bundle(folder: Path, pictures: Path | None, count: int, tolerance: Tolerance | None = None) -> Made:
    """A bundle anew: its model stays byte for byte. Its own golden samples are kept unless `pictures` are given.

    Raises:
        Trouble: what `load_any_bundle`, `read_golden` and `examine` refuse; `golden_missing` for a policy without samples.
    """
    bundle = load_any_bundle(folder)
    examine(bundle.model)
    before = read_provenance(folder)
    tolerance = tolerance or tolerance_of_bundle(folder)
    kept = None if pictures is not None else read_golden(folder)
    samples = _samples(bundle, kept, pictures, count)
    names = [output_name(bundle.contract)]
    golden = kept.outputs if kept else by_plain_engine(bundle.model, names)(samples.inputs)
    return Made(
        onnx=bundle.model,
        contract=bundle.contract,
        samples=samples,
        golden=golden,
        against=f"the golden outputs of bundle {bundle.contract.name}" if kept else AGAINST,
        source=f"bundle {bundle.contract.name}",
        source_sha256=entry_of(bundle.model).sha256,
        parent=bundle.digest,
        calibration=before.calibration if before else None,
        settings=dict(before.settings) if before else {},
        tolerance=tolerance,
        checks=failed_before(folder),
        extra=_others(folder),
    )


def usual_tolerance(model: Path) -> Tolerance:
    """What may differ where nobody said it: more for a model with weights of half precision."""
    halves = any(one.data_type == _FLOAT16 for one in read_onnx(model).graph.initializer)
    return HALF if halves else USUAL


def tolerance_of_bundle(folder: Path) -> Tolerance:
    """The one that was recorded with its golden outputs, else the usual one."""
    before = read_provenance(folder)
    return (before.tolerance if before else None) or usual_tolerance(load_any_bundle(folder).model)


def _samples(bundle: AnyBundle, kept: Golden | None, pictures: Path | None, count: int) -> Samples:
    if kept is not None:
        return Samples(kept.inputs, "those of the bundle")
    if isinstance(bundle.contract, PolicyContract):
        what = f"bundle {bundle.path} holds a policy without golden observations"
        raise Trouble(what, cure="Export the policy itself again", code="golden_missing")
    given = bundle.contract.input
    return of_pictures(given, pictures, count) if pictures else made(given, count)


def _others(folder: Path) -> dict[str, bytes]:
    """Files that are neither made anew nor part of each bundle: a model card, TorchScript."""
    where = folder / MANIFEST
    data = read_bytes(where, what="manifest", code="bundle_incomplete", limit_bytes=MAX_MANIFEST_BYTES)
    names = parse_manifest(data, where).files
    return {name: (folder / name).read_bytes() for name in names if name not in (MODEL, CONTRACT, GOLDEN, PROVENANCE)}
