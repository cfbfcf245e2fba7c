"""`python -m remote.perception.engines.build_process FOLDER CACHE THREADS [WISHES]`: a bundle's engine.

For a program that waits for it. Says lines of JSON (Said): progress, and at last the engine's name or an error. Called off by
closing its stdin; it is nice, so that a worker beside it keeps its rate.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Union, cast

import msgspec

from remote.child_side import be_nice, claim_answers, end_with_parent
from remote.errors import Trouble
from remote.model_states import Progress
from remote.perception.engines.wishes import Wishes, why_only_onnx_runtime, wishes_in
from remote.protocol import ErrorInfo

if TYPE_CHECKING:
    from remote.models.bundle import Bundle
    from remote.perception.engines.tensorrt.kit import Kit

CANCEL_S = 30.0
"""A build that was called off ends at its next step; one that has no step by then is ended hard."""
TRIAL_RUNS = 3


class Said(msgspec.Struct, frozen=True, omit_defaults=True):
    """One line: how far it is, or the end: the engine's name, or what went wrong."""

    progress: Union[Progress, None] = None
    engine: str = ""
    error: Union[ErrorInfo, None] = None


class Builder:
    """Makes sure that the engine for a bundle is in the cache, and that it runs.

    Args:
        kit: this machine's TensorRT, or why there is none.
        say: is told how far it is.
        cancelled: true calls it off.
    """

    def __init__(self, kit: Kit | str, say: Callable[[Progress], None], cancelled: Callable[[], bool]) -> None:
        self._kit, self._say, self._cancelled = kit, say, cancelled

    def make(self, folder: Path, cache: Path, threads: int, wishes: Wishes) -> str:
        """The name of the engine that a worker will use for the bundle in `folder`.

        Raises Trouble: what load_bundle and open_engine say; what build_plan says; `engine_unusable` where the new engine
        does not run.
        """
        from remote.models.bundle import load_bundle
        from remote.perception.engines.choose import open_engine

        bundle = load_bundle(folder)
        only = why_only_onnx_runtime(bundle.model)
        if not only and not isinstance(self._kit, str):
            name = self._there(self._kit, bundle, cache, wishes)
            return name or self._build(self._kit, bundle, cache, wishes)
        engine = open_engine(bundle.model, bundle.contract, threads=threads, cache=cache if only else None)
        engine.close()
        return engine.name

    def _there(self, kit: Kit, bundle: Bundle, cache: Path, wishes: Wishes) -> str:
        """The name of the engine that is in the cache and runs; empty where it has to be built."""
        try:
            engine = kit.open(bundle.model, bundle.contract, cache, wishes)
            return "" if isinstance(engine, str) else _tried(engine)
        except Trouble as trouble:
            self._say(Progress(done=0, text=f"the engine that was there is built again: {trouble.what}"))
            return ""

    def _build(self, kit: Kit, bundle: Bundle, cache: Path, wishes: Wishes) -> str:
        model, names = bundle.model.read_bytes(), []

        def trial(plan: bytes) -> None:
            self._say(Progress(done=100, whole=100, unit="%", text="trying the engine"))
            names.append(_tried(kit.load(plan, bundle.contract)))

        try:
            kit.build(model, bundle.contract, cache, wishes, say=self._say, cancelled=self._cancelled, trial=trial)
        except Trouble:
            kit.cache(cache).remove(kit.key(model, bundle.contract, wishes))  # what was there does not run either
            raise
        return names[0]


def _tried(engine: object) -> str:
    """The name of an engine that ran; it is closed. Raises Trouble `engine_unusable`."""
    from remote.perception.engines.base import Engine
    from remote.perception.engines.tensorrt.refusals import unusable
    from remote.perception.faults import EngineLost, InferenceError

    opened = cast(Engine, engine)
    try:
        opened.warm_up(TRIAL_RUNS)
    except (InferenceError, EngineLost) as error:
        raise unusable(str(error)) from error
    finally:
        opened.close()
    return opened.name


def main(arguments: list[str] | None = None) -> int:
    """Build, say it, end."""
    folder, cache, threads, *rest = sys.argv[1:] if arguments is None else arguments
    be_nice()
    off = threading.Event()
    end_with_parent(off.set, CANCEL_S)
    say = claim_answers()
    from remote.perception.engines.choose import this_kit

    wishes = wishes_in(rest[0]) if rest else Wishes()
    builder = Builder(this_kit(), lambda progress: say(Said(progress=progress)), off.is_set)
    try:
        say(Said(engine=builder.make(Path(folder), Path(cache), int(threads), wishes)))
    except Trouble as trouble:
        say(Said(error=ErrorInfo.of(trouble)))
    return 0


if __name__ == "__main__":
    status = main()
    sys.stderr.flush()
    os._exit(status)  # TensorRT's threads must not hold the process
