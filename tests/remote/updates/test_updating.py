"""The agent's side of updates: its source, its clock, when it looks, and what it hands on."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from remote.agent.clock import Clock
from remote.agent.update_child import UpdateChild
from remote.agent.update_files import Trusted, UpdateFiles
from remote.agent.update_ground import not_in_use
from remote.agent.update_times import FIRST_PAUSE_S, FIRST_WITHIN_S, UpdateTimes
from remote.agent.updating import BY_ITSELF, Updating
from remote.errors import Trouble
from remote.manifest import MANIFEST, digest_of
from remote.model_states import Outcome, Progress, Slot, UpdateSource
from remote.protocol import SetUpdates
from remote.release import Needs, Release
from remote.updates.client_process import answered
from remote.updates.order import Facts, Found
from tests.file_server import Server
from tests.killing import CannotTrace
from tests.power_cut import killed_at_change
from tests.tuf_repository import Repository, bundle_files

DIGEST = digest_of(bundle_files()[MANIFEST])
DAY_NS = 86_400 * 10**9


class Ground:
    """A small agent: what was begun and what was told."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.begun, self.events = folder, [], []  # type: ignore[var-annotated]
        self.highest, self.under_way, self.whole = 0, "", True
        self.refuses: Trouble | None = None
        self.waiting: int | None = None
        self.dropped: list[str] = []
        self.held: tuple[str, ...] = ()
        self.ended = ""

    def update_facts(self, robot_class: str) -> Facts:
        return Facts(robot="orin-1", robot_class=robot_class)

    def held_bundles(self) -> tuple[str, ...]:
        return self.held

    def is_whole(self, digest: str) -> bool:
        return self.whole

    def highest_release(self) -> int:
        return self.highest

    def not_in_use(self, release: Release) -> str:
        return self.ended

    def change_under_way(self) -> str:
        return self.under_way

    def waiting_release(self) -> int | None:
        return self.waiting

    def drop_release(self, why: str) -> None:
        self.dropped.append(why)

    async def begin_release(self, slot: Slot) -> None:
        if self.refuses:
            raise self.refuses
        self.begun.append(slot)

    def event(self, name: str, severity: str, text: str, **data: Any) -> None:
        self.events.append((name, severity, text, data))

    def changed(self) -> None:
        pass

    def names(self) -> list[str]:
        return [name for name, *_ in self.events]


class Hands:
    """A clock that stands where it is put."""

    def __init__(self) -> None:
        import time

        self.mono_s, self.wall_ns = 1000.0, time.time_ns()
        self.clock = Clock("boot", lambda: int(self.mono_s * 1e9), lambda: self.wall_ns)


class Here(UpdateChild):
    """The client itself in a thread of this process: starting Python for each look would take half a second."""

    async def run(self, order: Path, say: Callable[[Progress], None]) -> Found:
        line = await asyncio.to_thread(answered, order, lambda progress: None)
        if line.error:
            raise Trouble(line.error.what, cure=line.error.cure, code=line.error.code)
        assert line.found
        return line.found


class Agent:
    def __init__(self, folder: Path) -> None:
        self.folder, self.hands, self.ground = folder, Hands(), Ground(folder)
        (folder / "bundles").mkdir(parents=True, exist_ok=True)
        self.child: UpdateChild = Here(folder)
        self.updating = self.again()

    def again(self) -> Updating:
        """The agent begins (anew)."""
        folder = self.folder / "updates"
        folder.mkdir(exist_ok=True)
        self.updating = Updating(
            folder, self.folder / "bundles", self.ground, self.hands.clock, child=self.child, draw=lambda: 0.5
        )
        self.updating.load()
        return self.updating

    async def set(self, repository: Repository, url: str, every_s: float = 3600.0, root: bytes | None = None) -> None:
        source = UpdateSource(url=url, robot_class="arm", check_every_s=every_s)
        given = repository.first_root if root is None else root
        await self.updating.set_source(SetUpdates(source, given), "anna")

    async def refused(self, folder: str | None = None) -> Trouble:
        with pytest.raises(Trouble) as raised:
            await self.updating.take(folder, "anna")
        return raised.value


@pytest.fixture
def agent(tmp_path: Path) -> Agent:
    return Agent(tmp_path / "agent")


async def test_a_release_is_fetched_in_a_child_and_handed_to_the_change(
    agent: Agent, repository: Repository, server: Server
) -> None:
    agent.child = UpdateChild(agent.folder)
    agent.again()
    await agent.set(repository, server.url)
    said = await agent.updating.take(None, "anna")
    assert said == "took release 1, tiny"
    (slot,) = agent.ground.begun
    assert (slot.digest, slot.origin, slot.release, slot.by) == (DIGEST, "release", 1, "anna")
    assert (agent.folder / "bundles" / f".staging-{DIGEST}" / MANIFEST).exists()
    state = agent.updating.state()
    assert state is not None
    assert (state.release, state.code, state.says) == (1, "", "took release 1, tiny")
    assert agent.ground.names() == ["updates_set", "update_taken"]


async def test_a_release_that_was_called_off_is_not_said_to_be_had(
    agent: Agent, repository: Repository, server: Server
) -> None:
    """Else a person believes that the new model runs, and it is the old one."""
    await agent.set(repository, server.url)
    await agent.updating.take(None, "anna")
    agent.ground.highest = 1
    assert "this robot has it" in await agent.updating.take(None, "anna")
    agent.ground.ended = "release 1 was called off here (not now): desk 0123 runs"
    with pytest.raises(Trouble) as raised:
        await agent.updating.take(None, "anna")
    assert (raised.value.code, raised.value.what) == ("release_ended", agent.ground.ended)
    state = agent.updating.state()
    assert state is not None
    assert (state.code, state.says) == ("release_ended", agent.ground.ended)
    agent.hands.mono_s += 2 * 3600
    before = agent.ground.names()
    agent.updating.tick()
    assert agent.updating._look is not None
    await agent.updating._look
    assert agent.ground.names() == before, "its own looks do not say it again each hour"


def test_why_a_release_does_not_run_is_told_by_how_it_ended() -> None:
    release = Release(number=3, name="red", bundle="a" * 64, files={}, needs=Needs(), notes="")
    runs = Slot(digest="b" * 64, name="blue", origin="push", by="anna", since_wall_ns=0)
    last = Outcome(
        digest="a" * 64, name="red", ended="cancelled", why="not now", step="waiting_for_safe", wall_ns=0, release=3
    )
    told = "release 3 was called off here (not now): blue bbbbbbbb runs, and it is not taken again by itself"
    assert not_in_use(release, runs, last) == told
    assert "newest and was here before: blue" in not_in_use(release, runs, None)
    pushed = Slot(digest="a" * 64, name="red", origin="push", by="anna", since_wall_ns=0)
    assert not_in_use(release, pushed, last) == "", "a person has pushed its bundle since"


def test_the_agent_loads_no_client_and_no_cryptography() -> None:
    code = "import sys, remote.agent.serve; print([name for name in sys.modules if name in ('tuf', 'cryptography')])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout == b"[]\n"


async def test_what_was_set_and_seen_is_there_after_a_restart(
    agent: Agent, repository: Repository, server: Server
) -> None:
    await agent.set(repository, server.url)
    await agent.updating.take(None, "anna")
    before = agent.updating.state()
    agent.again()
    assert agent.updating.state() == before


async def test_a_stick_brings_a_release_without_a_network(agent: Agent, repository: Repository) -> None:
    await agent.set(repository, "http://127.0.0.1:1")
    await agent.updating.take(str(repository.folder), "anna")
    assert agent.ground.begun[0].origin == "usb"
    trouble = await agent.refused("/nowhere")
    assert trouble.code == "bad_source"


async def test_without_a_source_nothing_is_taken(agent: Agent, repository: Repository) -> None:
    assert (await agent.refused()).code == "no_update_source"
    assert (await agent.refused(str(repository.folder))).code == "no_update_source"


@pytest.mark.parametrize("url", ["ftp://x/y", "/home/x", "http://", "nonsense"])
async def test_an_address_of_nothing_is_refused_at_once(agent: Agent, repository: Repository, url: str) -> None:
    with pytest.raises(Trouble) as raised:
        await agent.set(repository, url)
    assert raised.value.code == "bad_source"


async def test_a_root_that_is_none_is_refused_and_the_one_before_stays(
    agent: Agent, repository: Repository, server: Server
) -> None:
    await agent.set(repository, server.url)
    torn = json.loads(repository.first_root)
    torn["signed"]["version"] = 7
    timestamp = (repository.folder / "metadata" / "timestamp.json").read_bytes()
    for root in (b"{}", b"\xff\xff", timestamp, json.dumps(torn).encode(), b"x" * 300_000):
        with pytest.raises(Trouble):
            await agent.set(repository, "http://evil", root=root)
    state = agent.updating.state()
    assert state is not None
    assert state.source.url == server.url
    assert (await agent.updating.take(None, "anna")).startswith("took")


async def test_another_root_is_journalled_with_both_digests_and_begins_anew(
    agent: Agent, repository: Repository, server: Server, tmp_path: Path
) -> None:
    await agent.set(repository, server.url)
    await agent.updating.take(None, "anna")
    other = Repository(tmp_path / "other")
    other.release(5)
    other.open(5, everyone=True)
    other.publish(bump=True)
    await agent.set(other, other.url)
    name, severity, text, data = agent.ground.events[-1]
    assert (name, severity) == ("updates_set", "warning")
    assert data["root"] != data["root_before"]
    assert data["root"][:12] in text
    assert len(list((agent.folder / "updates").glob("metadata-*"))) == 0
    await agent.updating.take(None, "anna")
    assert len(list((agent.folder / "updates").glob("metadata-*"))) == 1
    assert agent.ground.begun[-1].release == 5


async def test_the_source_can_be_changed_without_its_root_and_taken_away(
    agent: Agent, repository: Repository, server: Server
) -> None:
    with pytest.raises(Trouble) as raised:
        await agent.set(repository, server.url, root=b"")
    assert raised.value.code == "no_root"
    await agent.set(repository, "http://127.0.0.1:1")
    await agent.set(repository, server.url, root=b"")
    assert (await agent.updating.take(None, "anna")).startswith("took")
    await agent.updating.set_source(SetUpdates(None), "anna")
    assert agent.updating.state() is None
    assert agent.again().state() is None


def test_a_source_that_was_taken_away_stays_away_after_a_power_cut(tmp_path: Path) -> None:
    """Somebody does not trust it any more; the robot must not go on taking what it gives."""
    files = UpdateFiles(tmp_path / "updates")
    files.save(Trusted(source=UpdateSource(url="http://127.0.0.1:1", robot_class="arm"), root=b"{}"))
    try:
        ran = killed_at_change(files.forget_source, files.folder, None)
    except CannotTrace as reason:
        pytest.skip(str(reason))
    assert ran.end == 0
    ran.disk.cut()
    assert files.trusted() is None


# ------------------------------------------------------------------ the clock


async def test_a_clock_that_was_set_back_is_refused_without_asking_anybody(
    agent: Agent, repository: Repository, server: Server
) -> None:
    """A robot without a clock battery boots in the past: expired metadata would look fresh."""
    await agent.set(repository, server.url)
    agent.updating.tick()
    agent.again()
    agent.hands.wall_ns -= DAY_NS
    server.sent.clear()
    trouble = await agent.refused()
    assert trouble.code == "time_untrusted"
    assert "timedatectl" in trouble.cure
    assert not server.sent
    state = agent.updating.state()
    assert state is not None
    assert state.code == "time_untrusted"


async def test_a_small_correction_of_the_clock_is_no_reason(
    agent: Agent, repository: Repository, server: Server
) -> None:
    await agent.set(repository, server.url)
    agent.updating.tick()
    agent.hands.wall_ns -= 60 * 10**9
    assert (await agent.updating.take(None, "anna")).startswith("took")


async def test_a_floor_from_a_clock_that_was_ahead_is_forgotten_with_the_lease(
    agent: Agent, repository: Repository, server: Server
) -> None:
    await agent.set(repository, server.url)
    agent.hands.wall_ns += 3650 * DAY_NS
    agent.updating.tick()
    agent.hands.wall_ns -= 3650 * DAY_NS
    assert (await agent.refused()).code == "time_untrusted"
    await agent.set(repository, server.url)
    assert (await agent.updating.take(None, "anna")).startswith("took")


async def test_metadata_from_the_future_says_that_this_clock_is_behind(
    agent: Agent, repository: Repository, server: Server
) -> None:
    from datetime import timedelta

    repository.signed_at += timedelta(days=3)
    repository.publish(bump=True)
    await agent.set(repository, server.url)
    assert (await agent.refused()).code == "time_untrusted"


# ------------------------------------------------------------------ one at a time, and what was refused


async def test_a_second_look_and_a_look_during_a_change_are_refused(
    agent: Agent, repository: Repository, server: Server
) -> None:
    await agent.set(repository, server.url)
    first = asyncio.ensure_future(agent.updating.take(None, "anna"))
    await asyncio.sleep(0)
    assert (await agent.refused()).code == "update_underway"
    await first
    agent.ground.under_way = "probation of tiny"
    assert (await agent.refused()).code == "update_underway"


class Drips(UpdateChild):
    """A client whose server sends just enough, for a day, as long as it is not asked for a folder or a root."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.quick, self.drips = Here(folder), asyncio.Event()

    async def run(self, order: Path, say: Callable[[Progress], None]) -> Found:
        if b'"url":"http' in order.read_bytes():
            self.drips.set()
            await asyncio.sleep(86_400)
        return await self.quick.run(order, say)


async def test_a_slow_server_keeps_no_person_from_the_stick_or_from_another_source(
    agent: Agent, repository: Repository, server: Server
) -> None:
    """Else whoever sits on the network keeps a robot from every other way to a release, a day at a time."""
    agent.child = drips = Drips(agent.folder)
    agent.again()
    await agent.set(repository, server.url, every_s=60.0)
    agent.hands.mono_s += 4000
    agent.updating.tick()
    await drips.drips.wait()
    assert (await agent.updating.take(str(repository.folder), "anna")).startswith("took release")
    assert (agent.ground.begun[-1].origin, agent.ground.begun[-1].by) == ("usb", "anna")
    drips.drips.clear()
    slow = asyncio.ensure_future(agent.updating.take(None, "anna"))
    await drips.drips.wait()
    assert (await agent.refused()).code == "update_underway", "another person's look is no reason"
    await agent.set(repository, "http://127.0.0.1:1", every_s=0)
    with pytest.raises(Trouble) as raised:
        await slow
    assert raised.value.code == "update_called_off"
    agent.hands.mono_s += 4000
    agent.updating.tick()
    await agent.updating.end()


async def test_a_stick_that_is_older_than_what_was_seen_is_to_be_copied_again(
    agent: Agent, repository: Repository, server: Server, tmp_path: Path
) -> None:
    """Else whoever holds the stick publishes again and again, and copies nothing."""
    stick = tmp_path / "stick"
    shutil.copytree(repository.folder, stick)
    repository.publish(bump=True)
    await agent.set(repository, server.url)
    await agent.updating.take(None, "anna")
    with pytest.raises(Trouble) as raised:
        await agent.updating.take(str(stick), "anna")
    assert raised.value.code == "metadata_rollback"
    assert "is older than what this robot has seen" in raised.value.what
    assert "updates copy" in raised.value.cure


@pytest.mark.parametrize(
    "url",
    [
        "http://[::1",
        "http://a:99999/",
        "http://anna:secret@host/r",
        "http://host/\nx",
        "http://host/\x1b[2J",
        "ftp://a/b",
        "",
    ],
)
async def test_an_address_that_is_none_or_holds_a_password_is_refused(
    agent: Agent, repository: Repository, url: str
) -> None:
    with pytest.raises(Trouble) as raised:
        await agent.set(repository, url)
    assert raised.value.code == "bad_source"
    assert "secret" not in str(raised.value)
    assert agent.updating.state() is None


async def test_a_release_that_waits_for_an_idle_robot_is_dropped_when_it_is_stopped(
    agent: Agent, repository: Repository, server: Server
) -> None:
    """A wave that does badly stops the rest, also those that have it already and only wait to be switched."""
    await agent.set(repository, server.url, every_s=60.0)
    await agent.updating.take(None, BY_ITSELF)
    [taken] = agent.ground.begun
    agent.ground.under_way, agent.ground.waiting = "waiting_for_safe of tiny", taken.release

    async def look() -> None:
        agent.hands.mono_s += 4000
        agent.updating.tick()
        assert agent.updating._look is not None
        await agent.updating._look

    await look()
    assert not agent.ground.dropped, "it is open still"
    repository.open(taken.release, everyone=True, stopped="two robots went back")
    repository.publish(bump=True)
    await look()
    assert agent.ground.dropped == [f"release {taken.release} was stopped: two robots went back"]
    agent.ground.waiting = taken.release + 1
    await look()
    assert len(agent.ground.dropped) == 1, "another one waits"
    assert len(agent.ground.begun) == 1


async def test_what_was_refused_is_told_once_when_it_looks_by_itself(
    agent: Agent, repository: Repository, server: Server
) -> None:
    await agent.set(repository, "http://127.0.0.1:1", every_s=60.0)
    for _ in range(3):
        agent.hands.mono_s += 4000
        agent.updating.tick()
        assert agent.updating._look is not None
        await agent.updating._look
    assert agent.ground.names() == ["updates_set", "update_refused"]
    state = agent.updating.state()
    assert state is not None
    assert state.code == "repository_unreachable"


async def test_it_looks_by_itself_when_it_is_time_and_never_during_a_change(
    agent: Agent, repository: Repository, server: Server
) -> None:
    await agent.set(repository, server.url)
    agent.updating.tick()
    assert agent.updating._look is None
    agent.hands.mono_s += FIRST_WITHIN_S
    agent.ground.under_way = "probation of tiny"
    agent.updating.tick()
    assert agent.updating._look is None
    agent.ground.under_way = ""
    agent.hands.mono_s += FIRST_PAUSE_S
    agent.updating.tick()
    assert agent.updating._look is not None
    await agent.updating._look
    assert [slot.by for slot in agent.ground.begun] == [BY_ITSELF]


async def test_a_release_that_was_handed_on_is_not_taken_again_by_itself(
    agent: Agent, repository: Repository, server: Server
) -> None:
    """A release that was refused before the switch would else come back every hour for ever."""
    await agent.set(repository, server.url)
    await agent.updating.take(None, "anna")
    agent.hands.mono_s += 4000
    agent.updating.tick()
    assert agent.updating._look is not None
    await agent.updating._look
    assert len(agent.ground.begun) == 1


async def test_what_the_change_refuses_is_told_and_can_be_tried_again(
    agent: Agent, repository: Repository, server: Server
) -> None:
    await agent.set(repository, server.url)
    agent.ground.refuses = Trouble("a person is choosing", cure="wait", code="update_underway")
    assert (await agent.refused()).code == "update_underway"
    agent.ground.refuses = Trouble("it is in use", code="already_current")
    assert (await agent.updating.take(None, "anna")).endswith("is what runs here")


async def test_a_held_bundle_that_rotted_is_fetched_again(agent: Agent, repository: Repository, server: Server) -> None:
    await agent.set(repository, server.url)
    agent.ground.held = (DIGEST,)
    await agent.updating.take(None, "anna")
    assert not server.bytes_of("model.onnx")
    agent.ground.whole = False
    await agent.updating.take(None, "anna")
    assert server.bytes_of("model.onnx")


# ------------------------------------------------------------------ damage, and children that end


FAR = b'{"floor_wall_ns": 1%s}' % (b"0" * 30)  # no date can show it


@pytest.mark.parametrize("data", [b"", b"{", b"\xff", b'{"source": 3}', b"[" * 10_000, b"x" * 600_000, FAR], ids=len)
@pytest.mark.parametrize("name", ["source.json", "seen.json"])
async def test_damaged_files_mean_no_source_and_are_told(
    agent: Agent, repository: Repository, server: Server, name: str, data: bytes
) -> None:
    await agent.set(repository, server.url)
    (agent.folder / "updates" / name).write_bytes(data)
    assert agent.again().state() is None
    assert agent.ground.names()[-1] == "updates_unusable"
    await agent.set(repository, server.url)
    assert agent.again().state() is not None


CHILDREN = {
    "dies": ("import os; os.kill(os.getpid(), 9)", "update_client_ended"),
    "says-nonsense": ("print('nonsense')", "update_client_ended"),
    "hangs": ("import sys; sys.stdin.read()", "update_client_silent"),
}


@pytest.mark.parametrize("name", CHILDREN)
async def test_a_client_that_ends_badly_is_a_refusal_and_no_fault_of_the_agent(tmp_path: Path, name: str) -> None:
    code, expected = CHILDREN[name]
    child = UpdateChild(tmp_path, silent_s=0.05 if name == "hangs" else 60, command=(sys.executable, "-c", code))
    with pytest.raises(Trouble) as raised:
        await child.run(tmp_path / "order", lambda progress: None)
    assert raised.value.code == expected


# ------------------------------------------------------------------ when


def test_many_robots_do_not_look_at_the_same_moment() -> None:
    moments = []
    for draw in (0.0, 0.25, 0.5, 1.0):
        times = UpdateTimes(lambda draw=draw: draw)  # type: ignore[misc]
        times.begin(0.0, 3600.0)
        moments.append(next(second for second in range(4000) if times.is_due(float(second))))
    assert moments == [0, 75, 150, 300]


def test_failures_wait_twice_as_long_each_time_up_to_the_period() -> None:
    times = UpdateTimes(lambda: 0.5)
    times.begin(0.0, 3600.0)
    pauses = []
    for _ in range(9):
        times.looked(0.0, 3600.0, well=False)
        pauses.append(next(second for second in range(4000) if times.is_due(float(second))))
    assert pauses == [60, 120, 240, 480, 960, 1920, 3600, 3600, 3600]
    times.looked(0.0, 3600.0, well=True)
    assert not times.is_due(3599.0)
    assert times.is_due(3600.0)


def test_a_period_of_nothing_means_only_when_told() -> None:
    times = UpdateTimes(lambda: 0.5)
    times.begin(0.0, 0.0)
    times.looked(0.0, 0.0, well=True)
    times.later(0.0)
    assert not times.is_due(1e12)
