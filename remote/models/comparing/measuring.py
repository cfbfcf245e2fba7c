"""Running bundles on the same inputs, one input at a time, and adding up what differs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from remote.errors import Trouble
from remote.models.bundle import AnyBundle, Bundle
from remote.models.check import run_on_greys
from remote.models.comparing.accuracy import Matches, Scorer, difference, labels_for
from remote.models.comparing.agreement import Agreement
from remote.models.comparing.compare import Accuracy, Measured, Progress
from remote.models.comparing.latency import Latency, measured
from remote.models.comparing.looking import Looker, Seen, read_frame
from remote.models.comparing.parity import Tally
from remote.models.comparing.runner import Runner
from remote.models.comparing.samples import stored_or_drawn

if TYPE_CHECKING:
    from remote.perception.detector import Detector


def over_pictures(
    bundles: Sequence[Bundle],
    pictures: tuple[Path, ...],
    labels: Path | None,
    *,
    threads: int,
    seed: int,
    progress: Progress,
) -> list[Measured]:
    """Detectors on pictures; accuracy where `labels` is the folder of their boxes."""
    names = bundles[0].contract.labels
    true = labels_for(pictures, labels, len(names)) if labels else {}
    sides = [_Side(bundle, threads, scored=bool(labels)) for bundle in bundles]
    _refuse_impossible(sides[0].impossible)
    for number, path in enumerate(pictures, 1):
        frame = read_frame(path)
        seen = [side.looker.look(frame) for side in sides]
        for side, one in zip(sides, seen, strict=True):
            side.add(path.name, seen[0], one)
            if side.scorer:
                side.scorer.add((frame.shape[1], frame.shape[0]), true[path], one.every)
        progress(number, len(pictures))
    for side in sides:
        side.looker.close()
    matches = [side.scorer.matches() if side.scorer else None for side in sides]
    return [side.measured(matches[0], own, seed) for side, own in zip(sides, matches, strict=True)]


class _Side:
    """One of several detectors on the same pictures, and what is added up of it."""

    def __init__(self, bundle: Bundle, threads: int, *, scored: bool) -> None:
        self.looker = Looker(bundle, threads)
        self.scorer = Scorer(bundle.contract.labels) if scored else None
        self.impossible = _impossible(self.looker.detector, bundle)
        self._path = bundle.path
        self._tally, self._agreement = Tally(), Agreement()
        self._faults: list[str] = []

    def add(self, picture: str, first: Seen, own: Seen) -> None:
        """What the first one and this one saw on a picture."""
        _same_shape(first.output.shape, own.output.shape, self._path)
        self._tally.add(first.output, own.output)
        self._agreement.add(first.reported, own.reported)
        if own.fault:
            self._faults.append(f"{picture}: {own.fault}")

    def measured(self, first: Matches | None, own: Matches | None, seed: int) -> Measured:
        """All of it; the matches are of the first one and of this one, where boxes are labelled."""
        return Measured(
            parity=self._tally.parity(),
            agreement=self._agreement.share(seed),
            boxes=self._agreement.boxes,
            more=self._agreement.more,
            accuracy=_accuracy(first, own, seed) if first and own else None,
            faults=tuple(self._faults),
            impossible=self.impossible,
            needs_pictures=True,
        )


def over_samples(bundles: Sequence[AnyBundle], *, threads: int) -> tuple[list[Measured], str]:
    """Any bundles on the first one's golden samples, else on drawn inputs; and which of both it was."""
    feeds, what = stored_or_drawn(bundles[0])
    impossible = [_looked_at(bundle, threads) for bundle in bundles]
    _refuse_impossible(impossible[0])
    runners = [Runner(bundle.model, threads=threads) for bundle in bundles]
    tallies = [Tally() for _ in bundles]
    for feed in feeds:
        outputs = [runner(feed) for runner in runners]
        for at, found in enumerate(outputs):
            for name in outputs[0]:
                if name not in found:
                    raise _unlike(f"bundle {bundles[at].path} has no output {name!r}")
                _same_shape(outputs[0][name].shape, found[name].shape, bundles[at].path)
                tallies[at].add(outputs[0][name], found[name])
    rows = [
        Measured(parity=tally.parity(), impossible=wrong, needs_pictures=isinstance(bundle, Bundle))
        for tally, wrong, bundle in zip(tallies, impossible, bundles, strict=True)
    ]
    return rows, f"{len(feeds)} {what}"


def times(bundles: Sequence[AnyBundle], threads: int, rounds: int) -> list[Latency]:
    """The engines alone, in turns."""
    runs: list[Callable[[], object]] = []
    engines: list[str] = []
    for bundle in bundles:
        if isinstance(bundle, Bundle):
            engine = Looker(bundle, threads).detector.engine
            runs.append(engine.run)
            engines.append(engine.name)
        else:
            runner, feed = Runner(bundle.model, threads=threads), stored_or_drawn(bundle)[0][0]
            runs.append(lambda runner=runner, feed=feed: runner(feed))  # type: ignore[misc]
            engines.append(runner.engine)
    return list(measured(runs, engines, rounds=rounds))


def _looked_at(bundle: AnyBundle, threads: int) -> str:
    """See `_impossible`; a policy has no boxes."""
    if not isinstance(bundle, Bundle):
        return ""
    looker = Looker(bundle, threads)
    try:
        return _impossible(looker.detector, bundle)
    finally:
        looker.close()


def _impossible(detector: Detector, bundle: Bundle) -> str:
    """What the head gives on plain pictures that can't be; raw cells read as boxes are finite numbers, after all."""
    try:
        run_on_greys(detector, bundle.path)
    except Trouble as trouble:
        return trouble.what
    return ""


def _refuse_impossible(of_the_first: str) -> None:
    if of_the_first:
        cure = "Make that bundle anew with the --like of its family: nothing can be compared with it"
        raise Trouble(of_the_first, cure=cure, code="bad_output")


def _accuracy(first: Matches, one: Matches, seed: int) -> Accuracy:
    import numpy as np

    score, at_50 = one.precision(np.ones(one.pictures, np.int64))
    change = difference(first, one, seed)
    return Accuracy(map=score, ap50=at_50, pictures=one.pictures, boxes=one.boxes, change=change)


def _same_shape(ours: tuple[int, ...], theirs: tuple[int, ...], path: Path) -> None:
    if ours != theirs:
        raise _unlike(f"bundle {path} gives an output {list(theirs)}, the first one {list(ours)}")


def _unlike(what: str) -> Trouble:
    return Trouble(what, cure="Compare bundles that do the same", code="not_alike")
