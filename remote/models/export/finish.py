"""The last steps of each export, whatever it came from: examine the file, prove it, write the bundle whole."""

from __future__ import annotations

from importlib import metadata
from pathlib import Path

import msgspec

from remote.errors import Trouble
from remote.manifest import CONTRACT, GOLDEN, MANIFEST, MODEL, PROVENANCE
from remote.models.bundle import AnyBundle
from remote.models.check import refuse_impossible
from remote.models.export.made import ExportReport, Made, output_name
from remote.models.export.onnx_file import Examined, examine
from remote.models.export.parity import MORE_ROOM, OTHER_WAY, parity
from remote.models.export.runs import by_definition, by_engine
from remote.models.golden import Arrays, Golden, golden_bytes
from remote.models.make import write_any_bundle
from remote.models.provenance import Provenance
from remote.verdicts import Check

_TOOLS = ("onnx", "onnxruntime", "numpy")


def finish(made: Made, output: Path) -> ExportReport:
    """Prove `made` and write it to `output`.

    Raises:
        Trouble: what `examine`, `parity` and `write_any_bundle` refuse; nothing is written then.
    """
    examined = examine(made.onnx)
    checks = (*_as_asked(examined.checks, made), *made.checks, *_parities(made))
    golden = Golden(made.samples.inputs, made.golden)
    files = {**made.extra, GOLDEN: golden_bytes(golden), PROVENANCE: _provenance(made, examined, checks)}
    there = (output / MANIFEST).exists()

    def look(bundle: AnyBundle) -> None:
        refuse_impossible(bundle, made.source)

    bundle = write_any_bundle(made.onnx, made.contract, output, files, look)
    return ExportReport(
        name=bundle.contract.name,
        digest=bundle.digest,
        folder=str(output),
        source=made.source,
        task=bundle.contract.task,
        opset=examined.opset,
        ir_version=examined.ir_version,
        inputs={name: shape_text(shape) for name, shape in examined.inputs.items()},
        outputs={name: shape_text(shape) for name, shape in examined.outputs.items()},
        golden=made.samples.words,
        samples=golden.samples,
        tolerance=made.tolerance,
        files=tuple(sorted({MODEL, CONTRACT, MANIFEST, *files})),
        checks=checks,
        was_there=there,
    )


def _as_asked(checks: tuple[Check, ...], made: Made) -> tuple[Check, ...]:
    """The opset's check says so where another one was asked for: torch writes what it can, not what it is told."""
    asked = made.settings.get("opset_asked")
    return tuple(
        msgspec.structs.replace(check, text=f"{check.text}; {asked} was asked for")
        if check.name == "opset" and asked not in (None, check.value)
        else check
        for check in checks
    )


def shape_text(shape: tuple[object, ...]) -> str:
    """A tensor's shape for people: `1 x 3 x 192 x 256`, with the names of open axes."""
    return " x ".join("?" if axis is None else str(axis) for axis in shape)


def _parities(made: Made) -> tuple[Check, ...]:
    names = [output_name(made.contract)]
    found = by_engine(made.onnx, names)(made.samples.inputs)
    first = parity(made.golden, found, made.tolerance, name="parity", against=made.against, cure=_cure(made))
    return (first, _by_definition(made, found, names))


def _cure(made: Made) -> str:
    return OTHER_WAY if "exporter" in made.settings and not made.parent else MORE_ROOM


def _by_definition(made: Made, found: Arrays, names: list[str]) -> Check:
    """The last sample, the least plain one, by ONNX's own definition: an engine that agrees with itself proves little."""
    inputs = {name: array[-1:] for name, array in made.samples.inputs.items()}
    against = "ONNX's reference implementation"
    try:
        defined = by_definition(made.onnx, names)(inputs)
    except Trouble as trouble:
        return Check(name="definition", verdict="skipped", text=trouble.what)
    last = {name: array[-1:] for name, array in found.items()}
    return parity(defined, last, made.tolerance, name="definition", against=against, cure=_cure(made))


def _provenance(made: Made, examined: Examined, checks: tuple[Check, ...]) -> bytes:
    provenance = Provenance(
        step="export",
        source=made.source,
        source_sha256=made.source_sha256,
        parent=made.parent,
        opset=examined.opset,
        tolerance=made.tolerance,
        calibration=made.calibration,
        settings={"golden": made.samples.words, "ir_version": examined.ir_version, **made.settings},
        tools={**{name: metadata.version(name) for name in _TOOLS}, **made.tools},
        measured=checks,
    )
    return msgspec.json.format(msgspec.json.encode(provenance), indent=2) + b"\n"
