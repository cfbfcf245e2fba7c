"""A made model becomes a bundle: measured against its parent first, refused where it loses more than the budget."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from remote.manifest import GOLDEN, MODEL, PROVENANCE, entry_of
from remote.models.bundle import AnyBundle, Bundle
from remote.models.columns_gone import columns_gone
from remote.models.comparing.compare import Budget, Comparison, Row, compare_bundles
from remote.models.comparing.parity import Tally
from remote.models.comparing.runner import Runner
from remote.models.comparing.samples import Feed, drawn, from_picture, spread
from remote.models.golden import Golden, golden_bytes, read_golden
from remote.models.make import write_any_bundle
from remote.models.optimise.graph import model_bytes, opset_of
from remote.models.optimise.made import Made
from remote.models.provenance import MOST_ABSOLUTE, MOST_WRONG_SHARE, Provenance, Tolerance, failed_before
from remote.verdicts import Check, overall

_GOLDEN_PICTURES = 2
_NEAR = {"simplify": 1e-4, "fp16": 1e-2}
_OTHERWISE = 5e-2
_MORE_WRONG, _ALWAYS_WRONG, _MARGIN_DB = 1.5, 0.01, 6.0


@dataclass(frozen=True)
class Evidence:
    """What a made model is measured on. `calibrated_on` says that these pictures set its scales: they prove little."""

    pictures: tuple[Path, ...] = ()
    labels: Path | None = None
    budget: Budget = field(default_factory=Budget)
    threads: int = 1
    seed: int = 0
    time_rounds: int = 0
    calibrated_on: bool = False


@dataclass(frozen=True)
class Judged:
    """A made model in a folder of its own, as a bundle that nobody has taken yet."""

    made: Made
    bundle: AnyBundle
    comparison: Comparison

    @property
    def row(self) -> Row:
        """Its line beside the parent's."""
        return self.comparison.rows[1]


def judge(parent: AnyBundle, made: Made, evidence: Evidence, folder: Path) -> Judged:
    """Write the made model as a bundle without provenance into `folder` and compare it with its parent."""
    model = folder / f"{made.step}.onnx"
    model.write_bytes(model_bytes(made.model))
    contract = msgspec.structs.replace(parent.contract, name=derived_name(parent, made.step))
    bundle = write_any_bundle(model, contract, folder / "judged" / model_key(model))
    found = compare_bundles(
        [parent, bundle],
        pictures=evidence.pictures,
        labels=evidence.labels,
        budget=evidence.budget,
        threads=evidence.threads,
        seed=evidence.seed,
        time_rounds=evidence.time_rounds,
    )
    if evidence.calibrated_on:
        found = _doubted(found)
    return Judged(made, bundle, found)


def model_key(path: Path) -> str:
    """A folder name for a model file."""
    return entry_of(path).sha256[:16]


def derived_name(parent: AnyBundle, step: str) -> str:
    """The derived bundle's name."""
    return f"{parent.contract.name}-{step}"


def write_derived(parent: AnyBundle, judged: Judged, evidence: Evidence, output: Path) -> AnyBundle:
    """The bundle with its provenance and golden samples. Equal inputs give an equal digest: no time of day is in it."""
    made = judged.made
    golden = golden_for(parent, judged, evidence)
    runner = Runner(judged.bundle.model)
    tolerance = tolerance_for(made.step, golden, runner)
    if tolerance.wrong_share > MOST_WRONG_SHARE or _is_gone(golden, runner, tolerance):
        # too far from its parent: its own outputs are what must come out elsewhere
        golden = _own_golden(golden, runner)
        tolerance = tolerance_for(made.step, golden, runner)
    provenance = Provenance(
        step=made.step,
        source=f"{made.step} of bundle {parent.contract.name}",
        source_sha256=entry_of(parent.model).sha256,
        parent=parent.digest,
        opset=opset_of(made.model),
        tolerance=tolerance,
        calibration=made.calibration,
        settings=made.settings,
        tools=made.tools,
        measured=(*judged.row.checks, *failed_before(parent.path)),
    )
    extra = {PROVENANCE: msgspec.json.format(msgspec.json.encode(provenance), indent=2) + b"\n"}
    extra[GOLDEN] = golden_bytes(golden)
    extra |= _licences(parent.path)
    return write_any_bundle(judged.bundle.path / MODEL, judged.bundle.contract, output, extra)


def _is_gone(golden: Golden, runner: Runner, tolerance: Tolerance) -> bool:
    """Whether on a golden sample a column is gone here already: each robot would refuse it in its self-test."""
    return any(
        columns_gone(golden.outputs[name][at][None], array, tolerance)
        for at in range(golden.samples)
        for name, array in runner(_feed(golden, at)).items()
        if name in golden.outputs
    )


def golden_for(parent: AnyBundle, judged: Judged, evidence: Evidence) -> Golden:
    """The parent's golden samples, or new ones from the parent; those of a model trained anew are its own outputs."""
    golden = read_golden(parent.path) or new_golden(parent, Runner(parent.model), evidence.pictures)
    if judged.made.keeps_outputs:
        return golden
    return _own_golden(golden, Runner(judged.bundle.model))


def _own_golden(golden: Golden, runner: Runner) -> Golden:
    return _golden([_feed(golden, at) for at in range(golden.samples)], runner)


def new_golden(parent: AnyBundle, runner: Runner, pictures: tuple[Path, ...]) -> Golden:
    """Samples from some of the pictures, or drawn ones where there are none."""
    if pictures and isinstance(parent, Bundle):
        return _golden([from_picture(parent.contract, path) for path in spread(pictures, _GOLDEN_PICTURES)], runner)
    return _golden(drawn(parent, _GOLDEN_PICTURES), runner)


def tolerance_for(step: str, golden: Golden, runner: Runner) -> Tolerance:
    """What this step does to the golden outputs here, with a margin for another engine's rounding."""
    near = _NEAR.get(step, _OTHERWISE)
    largest = max(float(np.abs(array).max()) for array in golden.outputs.values())
    absolute = min(MOST_ABSOLUTE, near * largest)
    wrong, ratios = 0.0, []
    for at in range(golden.samples):
        found, tally = runner(_feed(golden, at)), Tally()
        for name, array in golden.outputs.items():
            wanted, got = array[at].astype(np.float64), found[name][0].astype(np.float64)
            wrong = max(wrong, float((np.abs(got - wanted) > absolute + near * np.abs(wanted)).mean()))
            tally.add(wanted, got)
        if (ratio := tally.parity().snr_db) is not None:
            ratios.append(ratio)
    return Tolerance(
        absolute=absolute,
        relative=near,
        wrong_share=min(1.0, wrong * _MORE_WRONG + _ALWAYS_WRONG),
        snr_db=min(ratios) - _MARGIN_DB if ratios and step not in _NEAR else None,
    )


def _feed(golden: Golden, at: int) -> Feed:
    return {name: array[at][None] for name, array in golden.inputs.items()}


def _golden(feeds: list[Feed], runner: Runner) -> Golden:
    outputs = [runner(feed) for feed in feeds]
    return Golden(_stacked(feeds), _stacked(outputs))


def _stacked(rows: list[Feed]) -> dict[str, Any]:
    return {name: np.concatenate([row[name] for row in rows]) for name in rows[0]}


def _licences(folder: Path) -> dict[str, bytes]:
    """Licence files go with what was derived; a model card does not: its numbers were measured of the parent."""
    found = sorted(folder.iterdir())
    return {path.name: path.read_bytes() for path in found if path.name.upper().startswith(("LICENSE", "NOTICE"))}


def _doubted(found: Comparison) -> Comparison:
    """Pass becomes inconclusive for what was measured on the pictures that set the scales."""
    why = "; measured on the calibration pictures, which proves little: give --images"

    def doubt(check: Check) -> Check:
        if check.verdict != "pass" or check.name == "finite":
            return check
        return msgspec.structs.replace(check, verdict="inconclusive", text=check.text + why)

    first, row = found.rows
    checks = tuple(doubt(check) for check in row.checks)
    row = msgspec.structs.replace(row, checks=checks, verdict=overall(checks))
    return msgspec.structs.replace(found, rows=(first, row))


def work_folder() -> Path:
    """A folder for models that are not decided yet; the caller removes it with `remove_folder`."""
    return Path(tempfile.mkdtemp(prefix="fieldgate-optimise-"))


def remove_folder(folder: Path) -> None:
    """Remove what `work_folder` made."""
    shutil.rmtree(folder, ignore_errors=True)
