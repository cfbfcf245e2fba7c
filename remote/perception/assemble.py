"""Puts a worker together from its configuration: everything that can fail before the first frame fails here, as Trouble."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from remote.errors import Trouble
from remote.models.bundle import Bundle, load_bundle
from remote.perception.cameras.spec import make_camera, parse_source
from remote.perception.darkroom import Darkroom
from remote.perception.detector import Detector
from remote.perception.drills import Drills
from remote.perception.eye import Eye
from remote.perception.faults import FrameFault
from remote.perception.handoff import Handoff
from remote.perception.jpeg import PictureStore
from remote.perception.liveness import Limits, Liveness
from remote.perception.loop import Parts, WorkerLoop
from remote.perception.messages import Ready, WorkerConfig
from remote.perception.orders import Orders
from remote.perception.reporter import Reporter
from remote.perception.sampler import Sampler
from remote.perception.tally import Tally
from remote.perception.watching.watcher import Watcher
from remote.perception.wire import Outbox
from remote.protocol import BundleState

WARM_UP_RUNS = 3


def assemble(
    config: WorkerConfig, outbox: Outbox, handoff: Handoff, *, ended: Callable[[], bool]
) -> tuple[Ready, Parts, WorkerLoop]:
    """The message that says that frames may come, the parts, and the loop that runs them.

    Raises:
        Trouble: a bundle that fails its check, an unknown or impossible source, an engine that fails, no place for pictures.
    """
    source = parse_source(config.source)
    camera = make_camera(source)  # now, because a source that can never work is no camera that is away
    camera.close()
    bundle = load_bundle(Path(config.bundle))
    detector = _warm_detector(bundle, config)
    pictures = _pictures(Path(config.pictures))
    digest, labels = bundle.digest, bundle.contract.labels
    drills = Drills() if config.drills else None
    if drills is not None:
        detector.before_engine = drills.slow_engine
    unplugged = drills.unplugged if drills is not None else _never
    limits = Limits.for_camera(noisy=camera.noisy, interval_s=camera.interval_s)
    now = time.monotonic_ns()
    darkroom = Darkroom(outbox, pictures)
    conditions = config.watch.conditions if config.watch else {}
    reporter = Reporter(outbox, darkroom, source=config.source, bundle=digest, conditions=conditions)
    parts = Parts(
        detector=detector,
        eye=Eye(lambda: make_camera(source, labels), handoff, unplugged=unplugged),
        handoff=handoff,
        liveness=Liveness(limits, now),
        tally=Tally(run=config.run, source=config.source, bundle=digest, labels=labels, now_ns=now),
        reporter=reporter,
        outbox=outbox,
        sampler=Sampler(config.samples_per_s, now),
        orders=Orders(outbox, reporter, drills),
        drills=drills,
        darkroom=darkroom,
        watcher=Watcher(labels, config.watch),
    )
    ready = Ready(BundleState(digest, bundle.contract.name, labels), detector.engine.name)
    return ready, parts, WorkerLoop(parts, ended=ended)


def _warm_detector(bundle: Bundle, config: WorkerConfig) -> Detector:
    engines = Path(config.engines) if config.engines else None
    detector = Detector(bundle, threads=config.threads, engine_cache=engines, wishes=config.wishes)
    try:
        detector.warm_up(WARM_UP_RUNS)
    except FrameFault as fault:
        cure = "Check the bundle on this machine: fieldgate-agent bundle check"
        raise Trouble(f"bundle {bundle.path} fails its warm-up: {fault}", cure=cure, code=fault.name) from fault
    return detector


def _pictures(folder: Path) -> PictureStore:
    store = PictureStore(folder)
    try:
        store.prepare()
    except OSError as error:
        cure = "Make room on that disk, or make the folder writable for this user"
        what = f"pictures of failures can't be kept in {folder}: {error.strerror}"
        raise Trouble(what, cure=cure, code="pictures_unusable") from error
    return store


def _never() -> bool:
    return False
