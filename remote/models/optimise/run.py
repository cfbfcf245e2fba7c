"""All that one call of `model optimise` does: each step made, judged, written or refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec

from remote.errors import Trouble
from remote.models.bundle import AnyBundle, Bundle, load_any_bundle
from remote.models.comparing.compare import Budget, Row
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
from remote.models.optimise.dynamic import made_dynamic, refuse_for_tensorrt
from remote.models.optimise.graph import simplified
from remote.models.optimise.half import made_half
from remote.models.optimise.int8_search import Int8Options, made_int8
from remote.models.optimise.made import Made, tools
from remote.models.optimise.prune import made_pruned
from remote.models.optimise.structured import Training, made_structured
from remote.perception.picture_files import list_pictures
from remote.verdicts import Verdict

Say = Callable[[str], None]
_LOOKED_AT, _TRAINED_ON = 8, 5000


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """The command line's words; None and False are steps that are not wanted."""

    simplify: bool = False
    fp16: bool = False
    int8: bool = False
    dynamic: bool = False
    prune: float | None = None
    structured: float | None = None
    calibrate: Path | None = None
    method: str = "minmax"
    keep: tuple[str, ...] = ()
    keep_float: int = 0
    auto: bool = False
    whole: bool = False
    heavy: bool = False
    pack: bool = False
    engine: str = "any"
    module: str = ""
    finetune: str = ""
    distil: str = ""
    train: Path | None = None
    images: Path | None = None
    labels: Path | None = None
    budget: float = 0.02
    agreement: float = 0.95
    snr: float = 30.0
    keep_refused: bool = False
    runs: int = 40
    threads: int = 1
    seed: int = 0


@dataclass(frozen=True)
class Result:
    """One step's end. `digest` and `path` are None where it was refused: nothing was written then."""

    step: str
    verdict: Verdict
    judged: Judged
    digest: str | None
    path: Path | None

    def text(self) -> str:
        """For people: the table, the notes, what became of it."""
        lines = [f"{self.step}:", comparison_text(self.judged.comparison), *(f"  {n}" for n in self.judged.made.notes)]
        lines += [f"  {note}" for note in time_notes(self.judged.row)]
        end = f"written to {self.path}" if self.path else "refused: it loses more than the budget; nothing was written"
        lines.append(f"{self.step}: {end}" + (f"\n{self.digest}" if self.digest else ""))
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


def time_notes(row: Row) -> list[str]:
    """Whether it is faster on this machine, where the interval leaves no doubt."""
    if row.latency is None:
        return []
    one = row.latency
    word = "faster" if one.ratio_high < 1 else "slower" if one.ratio_low > 1 else "neither faster nor slower"
    return [f"{word} here: {one.ratio:.2f} times the parent's time on {one.engine}"]


def optimise_bundle(folder: Path, output: Path, wanted: Wanted, say: Say) -> list[Result]:
    """Do each wanted step. Raises Trouble, before anything is made, for wants that can't be."""
    parent = load_any_bundle(folder)
    refuse_impossible(parent, wanted)
    calibration = _calibration(parent, wanted, say)
    evidence = _evidence(wanted)
    work = work_folder()
    try:
        results = []
        for judged in _judged(parent, wanted, evidence, calibration, work, say):
            results.append(_ended(parent, judged, evidence, output, keep_refused=wanted.keep_refused))
        return results
    except OSError as error:
        cure = "Give a folder that can be written, on a disk with room"
        what = f"bundles can't be written to {output}: {error.strerror or error}"
        raise Trouble(what, cure=cure, code="unwritable") from error
    finally:
        remove_folder(work)


def refuse_impossible(parent: AnyBundle, wanted: Wanted) -> None:
    """Raise Trouble for wants that contradict each other or the bundle."""
    steps = (wanted.simplify, wanted.fp16, wanted.int8, wanted.dynamic)
    trains = wanted.structured is not None or bool(wanted.distil)
    if not any(steps) and wanted.prune is None and not trains:
        cure = "Give --fp16, --int8, --dynamic, --prune, --structured, --distil or --simplify"
        raise Trouble("no step is wanted", cure=cure, code="usage")
    if wanted.int8 and wanted.calibrate is None:
        cure = "Give --calibrate with a folder of at least 100 pictures of what the robot sees"
        raise Trouble("INT8 without calibration pictures is a guess", cure=cure, code="calibration_missing")
    if wanted.int8 and not isinstance(parent, Bundle):
        what = "INT8 is calibrated with pictures, and this bundle takes none"
        raise Trouble(what, cure="Use --fp16 or --dynamic for a policy", code="wrong_task")
    if wanted.dynamic:
        refuse_for_tensorrt(wanted.engine)
    if trains and not wanted.module:
        cure = "Give --module MODULE:FUNCTION, a function that gives the torch module"
        raise Trouble("structured pruning and distillation need the torch module", cure=cure, code="usage")
    if wanted.images is not None and not isinstance(parent, Bundle):
        raise Trouble("this bundle takes no pictures", cure="Leave --images away", code="wrong_task")


def _calibration(parent: AnyBundle, wanted: Wanted, say: Say) -> CalibrationSet | None:
    if not wanted.int8 or wanted.calibrate is None or not isinstance(parent, Bundle):
        return None
    found = read_calibration(parent, wanted.calibrate, wanted.threads)
    for note in found.notes:
        say(note)
    _refuse_same(wanted.images, found.digests, "calibration")
    return found


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
) -> list[Judged]:
    def judging(made: Made) -> Judged:
        return judge(parent, made, evidence, work)

    found = [judging(made) for made in _plain_steps(parent, wanted, evidence)]
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
        found.append(
            made_int8(parent, calibration, options, lambda made: judge(parent, made, doubted, work), say, work)
        )
    return found


def _plain_steps(parent: AnyBundle, wanted: Wanted, evidence: Evidence) -> list[Made]:
    found = []
    if wanted.simplify:
        found.append(Made("simplify", simplified(parent.model), tools=tools("onnx", "onnxruntime")))
    if wanted.fp16:
        found.append(made_half(parent.model, _feeds(parent, evidence, _LOOKED_AT)))
    if wanted.dynamic:
        found.append(made_dynamic(simplified(parent.model)))
    if wanted.prune is not None:
        found.append(made_pruned(simplified(parent.model), wanted.prune))
    if wanted.structured is not None or wanted.distil:
        training = Training(wanted.module, wanted.finetune, wanted.distil)
        feeds = _training_feeds(parent, wanted)
        found.append(made_structured(parent, wanted.structured or 0.0, training, feeds, wanted.seed))
    return found


def _training_feeds(parent: AnyBundle, wanted: Wanted) -> list[Feed]:
    if wanted.train is None or not isinstance(parent, Bundle):
        return stored_or_drawn(parent)[0]
    pictures = spread(list_pictures(wanted.train), _TRAINED_ON)
    _refuse_same(wanted.images, frozenset(file_digest(path) for path in pictures), "training")
    return [from_picture(parent.contract, path) for path in pictures]


def _feeds(parent: AnyBundle, evidence: Evidence, most: int) -> list[Feed]:
    if evidence.pictures and isinstance(parent, Bundle):
        return [from_picture(parent.contract, path) for path in spread(evidence.pictures, most)]
    return stored_or_drawn(parent)[0]


def _ended(parent: AnyBundle, judged: Judged, evidence: Evidence, output: Path, *, keep_refused: bool) -> Result:
    step, verdict = judged.made.step, judged.row.verdict
    if verdict == "fail" and not keep_refused:
        return Result(step, verdict, judged, None, None)
    place = output / derived_name(parent, step)
    bundle = write_derived(parent, judged, evidence, place)
    return Result(step, verdict, judged, bundle.digest, place)
