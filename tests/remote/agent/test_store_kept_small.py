"""What nobody needs leaves the robot's store by itself, and nothing that somebody begins with is taken away beneath them."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from remote.activation import slots as slots_file
from remote.activation.slots import Slots
from remote.agent.bundles import BundleStore
from remote.agent.changing import Changing
from remote.agent.clock import Clock
from remote.agent.places import places_for
from remote.agent.settings import Settings
from remote.errors import Trouble
from remote.model_states import Slot
from remote.protocol import SetBundle
from tests.remote.agent.model_robot import push, running, stage, until
from tests.remote.agent.robot import Robot


def test_bundles_of_old_releases_and_sends_given_up_leave_the_store_and_it_is_journalled(
    make_robot: Callable[..., Robot], tmp_path: Path
) -> None:
    """A robot that takes releases for years would run out of disk, and take none any more."""
    home = places_for(tmp_path / "home").prepare()
    digests = [stage(home.state, tmp_path / f"made-{number}", score=0.5 + number / 10) for number in range(4)]
    store = BundleStore(home)
    for digest in digests[:3]:
        store.releases.stage(digest)
    given_up = home.bundles / f".staging-{digests[3]}"
    os.utime(given_up, (1, 1))
    current = Slot(digest=digests[2], name="m", origin="release", release=3)
    slots_file.save(home.slots, Slots(current=current, over_air=tuple(digests[:3])))
    robot = make_robot("real")
    console = robot.console().subscribe()
    gone = console.await_named("bundle_removed")
    assert (gone.data["bundle"], gone.data["by"]) == (digests[0], "the robot itself")
    assert console.await_named("store_swept").data["folders"] == 1
    assert not given_up.exists()
    assert store.releases.has(digests[1]), "the last one before stays"
    pushed = stage(home.state, tmp_path / "pushed", score=0.95)
    store.releases.stage(pushed)
    console, epoch = running(robot)
    console.subscribe()
    assert console.ask(SetBundle(pushed), epoch=epoch).error is None
    second = stage(home.state, tmp_path / "second", score=0.45)
    assert push(console, epoch, second).error is None
    until(console, lambda m: m.step == "idle" and m.last is not None and m.last.digest == second, "end")
    console.until(lambda: any(e.data["bundle"] == digests[1] for e in console.named("bundle_removed")), "its end")
    assert sorted(store.releases.sizes()) == sorted([digests[2], pushed, second])


async def test_nobody_begins_with_a_bundle_that_is_being_removed(tmp_path: Path) -> None:
    """It would be current, and not be there."""
    home = places_for(tmp_path / "home").prepare()
    store, digest = BundleStore(home), stage(home.state, tmp_path / "made")
    store.releases.stage(digest)
    agent = SimpleNamespace(
        bundles=store,
        places=home,
        settings=Settings(),
        clock=Clock("boot", lambda: 10**9, lambda: 10**18),
        supervisor=SimpleNamespace(wanted=False),
        shadow=SimpleNamespace(state=lambda: None),
        event=lambda *_args, **_data: None,
        changed=lambda: None,
        seeing=SimpleNamespace(end=lambda: None),
    )
    models = Changing(cast("Any", agent))
    models.change.load()
    slot, gate, really = Slot(digest=digest, name="m", origin="push"), threading.Event(), store.releases.remove

    def slowly(which: str, in_use: frozenset[str]) -> int:
        gate.wait(60)
        return really(which, in_use)

    store.releases.remove = slowly  # type: ignore[method-assign,assignment]
    removing = asyncio.create_task(models.remove(digest))
    await asyncio.sleep(0)
    with pytest.raises(Trouble) as caught:
        models.begin(slot)
    assert caught.value.code == "bundle_removed"
    gate.set()
    assert await removing > 0
    with pytest.raises(Trouble) as caught:
        models.begin(slot)
    assert caught.value.code == "unknown_bundle"
    models.trying = digest
    assert digest in models.in_use(), "a person starts it now"
