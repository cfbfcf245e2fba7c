"""All that one call of `model optimise` does: each step made, judged, written or refused."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec

from remote.errors import Trouble
from remote.models.bundle import AnyBundle, Bundle, load_any_bundle
from remote.models.comparing.accuracy import labels_for
from remote.models.comparing.compare import Budget
from remote.models.comparing.samples import Feed, from_picture, spread, stored_or_drawn
from remote.models.comparing.table import comparison_text
from remote.models.optimise.calibration import CalibrationSet, file_digest, read_calibration
from remote.models.optimise.derive import (
    Evidence,
    Judged,
    derived_name,
    judge,
    remove_folder,
    work_folder,
    write_derived,
)
from remote.models.optimise.dynamic import made_dynamic
from remote.models.optimise.graph import refuse_unknown_nodes, simplified
from remote.models.optimise.half import made_half
from remote.models.optimise.int8 import prepared
from remote.models.optimise.int8_search import Int8Options, made_int8
from remote.models.optimise.made import Made, tools
from remote.models.optimise.prune import made_pruned
from remote.models.optimise.structured import Training, made_structured
from remote.models.optimise.wanted import Wanted, refuse_impossible, refuse_places, steps_of
from remote.perception.picture_files import list_pictures
from remote.verdict_text import wrapped
from remote.verdicts import Verdict

Say = Callable[[str], None]
_LOOKED_AT, _TRAINED_ON = 8, 5000
_CURES = {
    "int8": "--auto looks for the layers that must stay in float; see also --method and more pictures for --calibrate",
    "dynamic": "--int8 with --calibrate sets the scales by your own pictures, and leaves the decoding of boxes in float",
    "prune": "set a smaller share to zero",
    "structured": "take out a smaller share, or train it with --finetune or --distil",
    "distil": "train it longer, or on more pictures (--train)",
}
_ANY_CURE = "keep the parent; `fieldgate model layers` names the first node that goes wrong (with --keep-refused)"


@dataclass(frozen=True)
class Result:
    """One step's end. `digest` and `path` are None where it was refused: nothing was written then."""

    step: str
    verdict: Verdict
    judged: Judged
    digest: str | None
    path: Path | None

    def text(self, width: int) -> str:
        """For people: the verdict, the table, the notes, what became of it and, where it is refused, what to do."""
        lines = [f"{self.step}: {self.verdict}", comparison_text(self.judged.comparison, width)]
        for note in self.judged.made.notes:
            lines += wrapped(f"  {note}", width, indent=4)
        refused = self.verdict == "fail"
        if self.path:
            end = f"written to {self.path}" + (
                ", though it loses more than the budget (--keep-refused)" if refused else ""
            )
        else:
            end = "refused: it loses more than the budget; nothing was written"
        lines += wrapped(f"{self.step}: {end}", width)
        if refused:
            lines += wrapped(f"  -> {_CURES.get(self.step, _ANY_CURE)}", width, indent=5)
        return "\n".join(lines)

    def json(self) -> str:
        """One JSON object: step, verdict, digest, path, notes and the comparison."""
        found = {
            "step": self.step,
            "verdict": self.verdict,
            "digest": self.digest,
            "path": str(self.path) if self.path else None,
            "notes": self.judged.made.notes,
            "comparison": self.judged.comparison,
        }
        return msgspec.json.encode(found).decode()


def optimise_bundle(
    folder: Path, output: Path, wanted: Wanted, say: Say, ended: Callable[[Result], None] = lambda one: None
) -> list[Result]:
    """Do each wanted step; `ended` is told of each as soon as its bundle is written or refused.

    Raises Trouble, before anything is made, for wants that can't be and for folders that hold something else.
    """
    parent = load_any_bundle(folder)
    refuse_impossible(parent, wanted)
    refuse_places(parent, output, [derived_name(parent, step) for step in steps_of(wanted)])
    _refuse_evidence(parent, wanted)
    calibration = _calibration(parent, wanted, say)
    evidence = _evidence(wanted)
    work = work_folder()
    results: list[Result] = []
    try:
        for judged in _judged(parent, wanted, evidence, calibration, work, say):
            results.append(_ended(parent, judged, evidence, output, keep_refused=wanted.keep_refused))
            ended(results[-1])
        return results
    except OSError as error:
        what = f"{error.filename or output}: {error.strerror or error}"  # writing a bundle names its place itself
        cure = "Look whether it may be read and written, and whether the disk has room"
        raise Trouble(what, cure=cure, code="unwritable") from error
    finally:
        remove_folder(work)


def _calibration(parent: AnyBundle, wanted: Wanted, say: Say) -> CalibrationSet | None:
    if not wanted.int8 or wanted.calibrate is None or not isinstance(parent, Bundle):
        return None
    refuse_unknown_nodes(prepared(simplified(parent.model)), wanted.keep)
    say("looking at the calibration pictures ...")
    found = read_calibration(parent, wanted.calibrate, wanted.threads)
    for note in found.notes:
        say(note)
    return found


def _refuse_evidence(parent: AnyBundle, wanted: Wanted) -> None:
    """Raise Trouble for pictures and labels that can't prove anything, before any picture is calibrated with."""
    for folder in (wanted.calibrate, wanted.train, wanted.images):
        if folder is not None:
            list_pictures(folder)
    for folder, what_for in ((wanted.calibrate, "calibration"), (wanted.train, "training")):
        if folder is not None and wanted.images is not None:
            _refuse_same(wanted.images, frozenset(file_digest(path) for path in list_pictures(folder)), what_for)
    if wanted.images is not None and wanted.labels is not None and isinstance(parent, Bundle):
        labels_for(list_pictures(wanted.images), wanted.labels, len(parent.contract.labels))


def _refuse_same(images: Path | None, digests: frozenset[str], what_for: str) -> None:
    """Raise Trouble `same_pictures`: a model is always good on what it was made with."""
    same = sum(file_digest(path) in digests for path in list_pictures(images)) if images else 0
    if same:
        what = f"{same} of the pictures in {images} are {what_for} pictures too"
        raise Trouble(what, cure="Measure on other pictures than those it was made with", code="same_pictures")


def _evidence(wanted: Wanted) -> Evidence:
    return Evidence(
        pictures=list_pictures(wanted.images) if wanted.images else (),
        labels=wanted.labels,
        budget=Budget(loss=wanted.budget, agreement=wanted.agreement, snr_db=wanted.snr),
        threads=wanted.threads,
        seed=wanted.seed,
        time_rounds=wanted.runs,
    )


def _judged(
    parent: AnyBundle,
    wanted: Wanted,
    evidence: Evidence,
    calibration: CalibrationSet | None,
    work: Path,
    say: Say,
) -> Iterator[Judged]:
    def judging(made: Made) -> Judged:
        say(f"{made.step}: it is made; measuring it beside its parent ...")
        return judge(parent, made, evidence, work)

    for made in _plain_steps(parent, wanted, evidence):
        yield judging(made)
    if calibration is not None and isinstance(parent, Bundle):
        doubted = evidence
        if not evidence.pictures:
            doubted = replace(evidence, pictures=calibration.pictures, calibrated_on=True)
        options = Int8Options(
            wanted.method,
            wanted.keep,
            wanted.keep_float,
            wanted.auto,
            wanted.whole,
            wanted.pack,
            wanted.engine == "cpu",
            wanted.heavy,
        )

        def measured(made: Made) -> Judged:
            say(f"{made.step}: it is made; measuring it beside its parent ...")
            return judge(parent, made, doubted, work)

        yield made_int8(parent, calibration, options, measured, say, work)


def _plain_steps(parent: AnyBundle, wanted: Wanted, evidence: Evidence) -> Iterator[Made]:
    if wanted.simplify:
        yield Made("simplify", simplified(parent.model), tools=tools("onnx", "onnxruntime"))
    if wanted.fp16:
        yield made_half(parent.model, _feeds(parent, evidence, _LOOKED_AT))
    if wanted.dynamic:
        yield made_dynamic(simplified(parent.model))
    if wanted.prune is not None:
        yield made_pruned(simplified(parent.model), wanted.prune)
    if wanted.structured is not None or wanted.distil:
        training = Training(wanted.module, wanted.finetune, wanted.distil)
        feeds = _training_feeds(parent, wanted)
        yield made_structured(parent, wanted.structured or 0.0, training, feeds, wanted.seed)


def _training_feeds(parent: AnyBundle, wanted: Wanted) -> list[Feed]:
    if wanted.train is None or not isinstance(parent, Bundle):
        return stored_or_drawn(parent)[0]
    pictures = spread(list_pictures(wanted.train), _TRAINED_ON)
    return [from_picture(parent.contract, path) for path in pictures]


def _feeds(parent: AnyBundle, evidence: Evidence, most: int) -> list[Feed]:
    if evidence.pictures and isinstance(parent, Bundle):
        return [from_picture(parent.contract, path) for path in spread(evidence.pictures, most)]
    return stored_or_drawn(parent)[0]


def _ended(parent: AnyBundle, judged: Judged, evidence: Evidence, output: Path, *, keep_refused: bool) -> Result:
    step, verdict = judged.made.step, judged.row.verdict
    if verdict == "fail" and not keep_refused:
        return Result(step, verdict, _placed(judged, "", ""), None, None)
    place = output / derived_name(parent, step)
    bundle = write_derived(parent, judged, evidence, place)
    return Result(step, verdict, _placed(judged, bundle.digest, str(place)), bundle.digest, place)


def _placed(judged: Judged, digest: str, path: str) -> Judged:
    """With the digest and place of the written bundle: the one that was measured had no provenance yet."""
    first, row = judged.comparison.rows
    row = msgspec.structs.replace(row, digest=digest, path=path)
    return replace(judged, comparison=msgspec.structs.replace(judged.comparison, rows=(first, row)))
