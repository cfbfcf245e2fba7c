"""One look for a release, from the clock to the verified bundle. It decides nothing that was not signed."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from remote.errors import Trouble
from remote.manifest import MANIFEST, MAX_MANIFEST_BYTES, digest_of, parse_manifest
from remote.model_states import Progress
from remote.release import CODE as INVALID
from remote.release import Release, Rollout
from remote.updates.compatibility import is_open, misfits
from remote.updates.fetcher import Fetcher
from remote.updates.files import FileFetcher
from remote.updates.order import Facts, Found, Order
from remote.updates.repository import Repository, root_in_words
from remote.updates.staging import Staging, staging
from remote.updates.troubles import DISK, trouble
from remote.updates.trust import check_clock, check_signed

MISFIT = "release_not_for_us"
OLDER = "release_old"
Say = Callable[[Progress], None]


def look(
    order: Order,
    say: Say,
    wall_ns: Callable[[], int] = time.time_ns,
    clock: Callable[[], int] = time.monotonic_ns,
) -> Found:
    """Look once; what is open to this robot, fits it and is newer lies verified in its staging folder afterwards.

    Raises Trouble: `time_untrusted`, `release_not_for_us`, `release_old`, `release_invalid`, those of
    remote.updates.troubles.
    """
    if order.only_root:
        return Found(outcome="nothing", text=root_in_words(order.root))
    check_clock(wall_ns(), order.floor_wall_ns)
    fetcher = Fetcher(clock, lambda: say(Progress(done=0, unit="bytes", text="metadata")))
    repository = Repository(order.url, Path(order.cache), order.root, fetcher)
    signed = repository.refresh()
    check_signed(wall_ns(), signed)
    rollout = repository.rollout()
    why = _nothing(rollout, order)
    if rollout is None or why or order.only_rollout:
        stopped = rollout.release if rollout and rollout.stopped else None
        return Found(outcome="nothing", text=why, signed_wall_ns=signed, stopped=stopped)
    release = repository.release(rollout.release)
    if release.number == order.highest_release:
        text = f"release {release.number} is the newest, this robot has it"
        return Found(outcome="nothing", text=text, release=release, signed_wall_ns=signed)
    _check_fits(release, order.facts)
    folder, fetched = _had(order, repository, release, say, clock)
    text = f"release {release.number}, {release.name}"
    return Found(
        outcome="taken", text=text, release=release, folder=folder, fetched_bytes=fetched, signed_wall_ns=signed
    )


def _nothing(rollout: Rollout | None, order: Order) -> str:
    """Why there is nothing to take; empty where there is something. Raises Trouble (`release_old`)."""
    if rollout is None or rollout.release == 0:
        return "the repository has opened no release yet"
    number = rollout.release
    if rollout.stopped:
        return f"release {number} was stopped: {rollout.stopped}"
    if not is_open(rollout, order.facts.robot):
        return f"release {number} is not open to the robot {order.facts.robot}"
    if number < order.highest_release:
        what = f"release {number} is open, this robot has had release {order.highest_release}"
        raise Trouble(
            what, cure="going back is a release with a new number: publish the older bundle again", code=OLDER
        )
    return ""


def _check_fits(release: Release, facts: Facts) -> None:
    reasons = misfits(release.needs, facts)
    if reasons:
        what = f"release {release.number} is not for this robot: {'; '.join(reasons)}"
        raise Trouble(what, cure="open it to other robots, or publish one for this class", code=MISFIT)


def _had(order: Order, repository: Repository, release: Release, say: Say, clock: Callable[[], int]) -> tuple[str, int]:
    """The staging folder with the verified files, empty where the bundle is held already; and how many bytes came."""
    if release.bundle in order.held:
        return "", 0
    folder = Path(order.bundles) / f".staging-{release.bundle}"
    with staging(folder) as into:
        return str(folder), _fetch(order, repository, release, say, into, clock)


def _fetch(
    order: Order, repository: Repository, release: Release, say: Say, into: Staging, clock: Callable[[], int]
) -> int:
    manifest = repository.file(release, MANIFEST)
    if manifest.length > MAX_MANIFEST_BYTES:
        raise _invalid(release, f"its manifest has {manifest.length} bytes")
    others = {name: entry.bytes for name, entry in release.files.items() if name != MANIFEST}
    whole = manifest.length + sum(others.values())
    done = 0

    def told(place: int) -> None:
        say(Progress(done=done + place, whole=whole, unit="bytes", text=f"release {release.number}"))

    fetcher = FileFetcher(repository.targets_url, into, told, clock)
    fetcher.fetch(manifest, MANIFEST)
    _check_manifest(into, release)
    done = manifest.length
    into.keep_only({MANIFEST, *others})
    _check_space(into, others, order.free_floor_bytes)
    for name in sorted(others):
        fetcher.fetch(repository.file(release, name), name)
        done += others[name]
    return fetcher.fetched_bytes


def _check_manifest(into: Staging, release: Release) -> None:
    """The manifest is the bundle that the release names, and both name the same files; names are plain names after this."""
    file = into.has(MANIFEST)
    assert file is not None  # it was fetched just now
    with file:
        data = file.read()
    if digest_of(data) != release.bundle:
        raise _invalid(release, "its manifest is that of another bundle")
    manifest = parse_manifest(data, into.folder / MANIFEST)
    if manifest.files != {name: entry for name, entry in release.files.items() if name != MANIFEST}:
        raise _invalid(release, "its files are not those of its manifest")


def _invalid(release: Release, what: str) -> Trouble:
    cure = "publish it again with `fieldgate publish`"
    return Trouble(f"release {release.number} is refused: {what}", cure=cure, code=INVALID)


def _check_space(into: Staging, files: dict[str, int], floor_bytes: int) -> None:
    needs = sum(size - into.size(name) for name, size in files.items())
    free = into.free_bytes()
    if free < needs + floor_bytes:
        what = f"{needs} bytes are to be fetched, {free} are free and {floor_bytes} are to stay free"
        raise trouble(DISK, what)
