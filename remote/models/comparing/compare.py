"""Bundles side by side, each against the first one: size, parity, agreement, accuracy, latency, and a verdict."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from remote.errors import Trouble
from remote.models.bundle import AnyBundle, Bundle
from remote.models.comparing.latency import Latency
from remote.models.comparing.parity import Parity
from remote.models.comparing.resampling import Interval
from remote.models.comparing.size import Size, size_of
from remote.verdicts import Check, Verdict, overall

Progress = Callable[[int, int], None]


class Budget(msgspec.Struct, frozen=True, kw_only=True):
    """What may be lost.

    With pictures: `agreement` is the least share of the first bundle's boxes, at the contract's thresholds, that must be found
    again. With labels too: AP@[.50:.95] may fall by `loss` (0.02 are two points). Both must hold, as mAP does not notice scores
    that all sink below the threshold in use. Without pictures: `snr_db` is the least parity of the outputs.
    """

    loss: float = 0.02
    agreement: float = 0.95
    snr_db: float = 30.0


class Accuracy(msgspec.Struct, frozen=True, kw_only=True):
    """AP@[.50:.95] and AP50 in [0, 1]; `change` is the difference to the first bundle, with its interval."""

    map: float
    ap50: float
    pictures: int
    boxes: int
    change: Interval


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One bundle. `agreement` and `parity` are with the first one; `more_boxes` it reports that the first does not.

    `digest` and `path` are empty for one that `optimise` refused: it is nowhere.
    """

    name: str
    digest: str
    path: str
    size: Size
    parity: Parity | None = None
    agreement: Interval | None = None
    more_boxes: int = 0
    accuracy: Accuracy | None = None
    latency: Latency | None = None
    checks: tuple[Check, ...] = ()
    verdict: Verdict = "skipped"


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """The whole table; `rested_on` says what went in."""

    rested_on: str
    budget: Budget
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class Measured:
    """One bundle's parity, agreement and accuracy against the first, and a model's faults on pictures.

    `impossible` says what its head gives on plain pictures that can't be, empty where nothing is wrong; `needs_pictures` is
    true of a detector, whose raw outputs prove nothing of its boxes.
    """

    parity: Parity
    agreement: Interval | None = None
    boxes: int = 0
    more: int = 0
    accuracy: Accuracy | None = None
    faults: tuple[str, ...] = ()
    impossible: str = ""
    needs_pictures: bool = False


def compare_bundles(
    bundles: Sequence[AnyBundle],
    *,
    pictures: tuple[Path, ...] = (),
    labels: Path | None = None,
    budget: Budget = Budget(),
    threads: int = 1,
    seed: int = 0,
    time_rounds: int = 0,
    progress: Progress = lambda done, of: None,
    say: Callable[[str], None] = lambda text: None,
) -> Comparison:
    """Measure and judge. Latency is measured where `time_rounds` is not 0; `say` gets what is done now.

    Raises Trouble `not_alike` for bundles of different inputs or labels, `wrong_task` for pictures with policies, and what
    engines, pictures and labels raise.
    """
    from remote.models.comparing.measuring import over_pictures, over_samples, times

    refuse_unlike(bundles)
    detectors = [bundle for bundle in bundles if isinstance(bundle, Bundle)]
    if pictures and not detectors:
        raise Trouble("these bundles take no pictures", cure="Leave --images and --labels away", code="wrong_task")
    sizes = [size_of(bundle.model) for bundle in bundles]
    say(f"running them on {f'{len(pictures)} pictures' if pictures else 'samples'}")
    if pictures:
        measured = over_pictures(detectors, pictures, labels, threads=threads, seed=seed, progress=progress)
        rested_on = f"{len(pictures)} pictures" + (" with labels" if labels else "")
    else:
        measured, rested_on = over_samples(bundles, threads=threads)
    if time_rounds:
        say(f"timing them, {time_rounds} runs each")
    latencies = times(bundles, threads, time_rounds) if time_rounds else [None] * len(bundles)
    rows = [
        _row(bundle, size, one, latency, budget, is_first=at == 0)
        for at, (bundle, size, one, latency) in enumerate(zip(bundles, sizes, measured, latencies, strict=True))
    ]
    return Comparison(rested_on=rested_on, budget=budget, rows=tuple(rows))


def refuse_unlike(bundles: Sequence[AnyBundle]) -> None:
    """Raise Trouble `not_alike` unless all have the same task, and labels, or observations and names of actions."""
    first = bundles[0]
    for bundle in bundles[1:]:
        ours, theirs = _shape(first), _shape(bundle)
        other = next((name for name, value in ours.items() if theirs.get(name) != value), None)
        if other is not None:
            what = f"bundles {first.path} and {bundle.path} differ in their {other}"
            raise Trouble(what, cure="Compare bundles that do the same", code="not_alike")


def _shape(bundle: AnyBundle) -> dict[str, object]:
    """What must be alike by its name in words, the task first."""
    contract = bundle.contract
    if isinstance(bundle, Bundle):
        return {"task": contract.task, "labels": bundle.contract.labels}
    names = bundle.contract.actions.names
    return {"task": contract.task, "observations": bundle.contract.observations, "names of actions": names}


def _row(
    bundle: AnyBundle, size: Size, one: Measured, latency: Latency | None, budget: Budget, *, is_first: bool
) -> Row:
    checks = () if is_first else checks_of(one, budget)
    return Row(
        name=bundle.contract.name,
        digest=bundle.digest,
        path=str(bundle.path),
        size=size,
        parity=None if is_first else one.parity,
        agreement=None if is_first else one.agreement,
        more_boxes=one.more,
        accuracy=one.accuracy,
        latency=latency,
        checks=checks,
        verdict=overall(checks),
    )


def checks_of(one: Measured, budget: Budget) -> tuple[Check, ...]:
    """The questions to a bundle beside the first one, parity judged only where nothing that comes out of it is."""
    from remote.models.comparing.judging import accuracy_check, agreement_check, finite_check, parity_check

    decides = one.agreement is None and one.accuracy is None
    found = [
        finite_check(one),
        parity_check(one.parity, budget.snr_db, decides=decides, needs_pictures=one.needs_pictures),
    ]
    if one.agreement is not None:
        found.append(agreement_check(one.agreement, budget.agreement))
    if one.accuracy is not None:
        found.append(accuracy_check(one.accuracy, budget.loss))
    return tuple(found)
