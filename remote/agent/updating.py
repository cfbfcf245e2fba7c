"""Updates over the air on the robot: the source, the looks, one at a time, and handing a verified release to the change."""

from __future__ import annotations

import asyncio
import logging
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import msgspec

from remote.agent.clock import Clock
from remote.agent.one_at_a_time import OneAtATime
from remote.agent.update_child import UpdateChild
from remote.agent.update_fetch import UpdateFetch
from remote.agent.update_files import Trusted, UpdateFiles
from remote.agent.update_memory import UpdateMemory
from remote.agent.update_source import folder_url, of_a_stick, trusted_source
from remote.agent.update_times import UpdateTimes
from remote.errors import Trouble
from remote.model_states import Progress, Slot, UpdateState
from remote.protocol import Scalar, SetUpdates, Severity
from remote.release import Release
from remote.updates.order import Facts, Found, Order
from remote.updates.trust import check_clock

UNDERWAY = "update_underway"
RUNS_ALREADY = "already_current"
ENDED = "release_ended"
BY_ITSELF = "the robot itself"
FLOOR_EVERY_S = 3600.0

log = logging.getLogger("fieldgate.agent")


class UpdateGround(Protocol):
    """What updating needs of the agent around it."""

    def update_facts(self, robot_class: str) -> Facts:
        """What releases are held against; reads files, so it is called in a thread."""

    def held_bundles(self) -> tuple[str, ...]:
        """The digests of the bundles that lie here whole; called in a thread."""

    def is_whole(self, digest: str) -> bool:
        """Whether all files of a held bundle are right; called in a thread."""

    def highest_release(self) -> int:
        """The highest release that a change here ever began with; 0 for none."""

    def not_in_use(self, release: Release) -> str:
        """Why this release, with which a change here began once, is not what runs; empty where it is."""

    def change_under_way(self) -> str:
        """What change of models is under way, in words; empty for none."""

    def waiting_release(self) -> int | None:
        """The release that is ready and waits for the robot to be idle; None where none does."""

    def drop_release(self, why: str) -> None:
        """Call that change off. Raises Trouble."""

    async def begin_release(self, slot: Slot) -> None:
        """Begin the change to this verified bundle in its staging folder, or in the store. Raises Trouble."""

    def event(self, name: str, severity: Severity, text: str, **data: Scalar) -> None:
        """Write an event into the journal."""

    def changed(self) -> None:
        """The state is another one: consoles are to be told."""


class Updating:
    """The agent's updates. Lives in the loop's thread.

    Args:
        folder: the agent's folder of updates.
        bundles: the folder of the store, in which staging folders lie.
        free_floor_bytes: what must stay free on the disk.
        child: runs the client.
        draw: numbers from 0 to 1 by chance, which spread the looks of many robots.
    """

    def __init__(
        self,
        folder: Path,
        bundles: Path,
        ground: UpdateGround,
        clock: Clock,
        *,
        free_floor_bytes: int = 0,
        child: UpdateChild | None = None,
        draw: Callable[[], float] = random.random,
    ) -> None:
        self._files, self._bundles, self._ground, self._clock = UpdateFiles(folder), bundles, ground, clock
        self._free_floor_bytes = free_floor_bytes
        self._child = child or UpdateChild(folder)
        self._fetch = UpdateFetch(self._child, self._files)
        self._memory = UpdateMemory(self._files, clock)
        self._times = UpdateTimes(draw)
        self._trusted: Trusted | None = None
        self._one = OneAtATime("a look for a release is under way", cure="wait until it has ended", code=UNDERWAY)
        self._floor_due_s = 0.0
        self._look: asyncio.Task[None] | None = None
        self.progress: Progress | None = None
        """How far a download is; None while none is under way."""

    def load(self) -> None:
        """Take up what was set before; damaged files are told by an event and mean no source."""
        try:
            self._trusted = self._files.trusted()
            self._memory.load()
        except Trouble as trouble:
            self._trusted = None
            self._ground.event("updates_unusable", "error", trouble.what, cure=trouble.cure, code=trouble.code)
        self._begin()

    def state(self) -> UpdateState | None:
        """What consoles are told; None without a source."""
        if self._trusted is None:
            return None
        seen = self._memory.seen
        release = max(seen.release, self._ground.highest_release()) or None
        return UpdateState(
            source=self._trusted.source,
            looked_wall_ns=seen.looked_wall_ns,
            says=seen.says,
            code=seen.code,
            release=release,
        )

    # ------------------------------------------------------------ the source

    async def set_source(self, command: SetUpdates, by: str) -> None:
        """Trust this source and root from now on; without a root the one before stays. It forgets the time that was seen.

        A look that is under way is called off: whoever makes it slow must not keep a robot from another source.

        Raises Trouble: `bad_source`, `no_root`, `update_underway`, what is wrong with the root, `updates_unwritable`.
        """
        await self._fetch.call_off(by)
        with self._one:
            before = self._trusted
            if command.source is None:
                self._files.forget_source()
                self._trusted = None
            else:
                trusted = trusted_source(command.source, command.root, before)
                await self._check_root(trusted)
                self._files.save(trusted)
                self._trusted = trusted
            self._memory.forget()
            await asyncio.to_thread(self._forget_caches)
            self._tell_source(before, by)
        self._begin()
        self._ground.changed()

    async def _check_root(self, trusted: Trusted) -> None:
        facts = Facts(robot="", robot_class=trusted.source.robot_class)
        order = Order(url="", cache="", root=trusted.root, bundles="", facts=facts, only_root=True)
        await self._child.run(self._files.write_order(msgspec.json.encode(order)), lambda progress: None)

    def _forget_caches(self) -> None:
        kept = self._files.cache(self._trusted).name if self._trusted else ""
        for folder in self._files.folder.glob("metadata-*"):
            if folder.name != kept:
                shutil.rmtree(folder, ignore_errors=True)

    def _tell_source(self, before: Trusted | None, by: str) -> None:
        now = self._trusted
        digests = {"root": now.digest if now else "", "root_before": before.digest if before else ""}
        if now is None:
            self._ground.event("updates_set", "info", f"{by} set that updates come from nowhere", by=by, **digests)
            return
        other = before is not None and before.digest != now.digest
        text = f"{by} set that updates come from {now.source.url}, for the class {now.source.robot_class}"
        if other:
            text += f"; another root is trusted now: {digests['root'][:12]} instead of {digests['root_before'][:12]}"
        severity: Severity = "warning" if other else "info"
        robot_class, url = now.source.robot_class, now.source.url
        self._ground.event("updates_set", severity, text, by=by, url=url, robot_class=robot_class, **digests)

    # ------------------------------------------------------------ looking

    def tick(self) -> None:
        """Called about once a second: looks when it is time, remembers the time that it surely is."""
        if self._trusted is None:
            return
        now_s = self._now_s()
        if now_s >= self._floor_due_s and not self._one.busy:
            self._floor_due_s = now_s + FLOOR_EVERY_S
            self._memory.raise_floor(None)
        if not self._times.is_due(now_s):
            return
        waits = self._ground.waiting_release() is not None
        if self._one.busy or (self._ground.change_under_way() and not waits):
            self._times.later(now_s)
            return
        self._look = asyncio.get_running_loop().create_task(self._by_itself())

    async def end(self) -> None:
        """End a look that is under way; what was fetched stays."""
        if self._look is not None:
            self._look.cancel()
            await asyncio.gather(self._look, return_exceptions=True)

    async def _by_itself(self) -> None:
        try:
            waiting = self._ground.waiting_release()
            if waiting is not None:
                await self._look_if_stopped(waiting)
                return
            await self._looked(None, BY_ITSELF, max(self._memory.seen.release, self._ground.highest_release()))
        except Trouble as trouble:
            log.info("a look for a release ended: %s", trouble.what)
        except Exception:  # the task's outer catch: the next look is another one
            log.exception("a look for a release failed")

    async def _look_if_stopped(self, number: int) -> None:
        """A release that was fetched and waits for the robot to be idle is dropped where it has been stopped meanwhile."""
        trusted = self._trusted
        assert trusted is not None  # tick has looked
        with self._one:
            found = None
            try:
                check_clock(self._clock.wall_ns(), self._memory.seen.floor_wall_ns)
                order = await asyncio.to_thread(self._order, trusted, None, number)
                found = await self._found(msgspec.structs.replace(order, only_rollout=True), BY_ITSELF)
            finally:
                self.progress = None
                self._times.looked(self._now_s(), trusted.source.check_every_s, well=found is not None)
        if found.stopped == number == self._ground.waiting_release():
            self._memory.remember(found.text)
            self._ground.drop_release(found.text)

    async def take(self, folder: str | None, by: str) -> str:
        """Look now, in `folder` or over the network; what came of it, in words. A look of the robot's own gives way.

        Raises Trouble: `no_update_source`, `update_underway`, `bad_source`, what the client refused, what the change refused.
        """
        if self._fetch.by == BY_ITSELF:
            await self._fetch.call_off(by)
        return await self._looked(folder, by, self._ground.highest_release())

    async def _looked(self, folder: str | None, by: str, highest: int) -> str:
        trusted = self._trusted
        if trusted is None:
            cure = "enrol it with `fieldgate updates enrol`"
            raise Trouble("this robot has no source of updates", cure=cure, code="no_update_source")
        under_way = self._ground.change_under_way()
        if under_way:
            raise Trouble(f"a change is under way: {under_way}", cure="wait until it has ended", code=UNDERWAY)
        with self._one:
            well = False
            try:
                said = await self._look_and_hand_on(trusted, folder, by, highest)
                well = True
                return said
            except Trouble as trouble:
                told = trouble if folder is None else of_a_stick(trouble, folder)
                self._refused(told, by)
                raise told from trouble
            finally:
                self.progress = None
                self._times.looked(self._now_s(), trusted.source.check_every_s, well=well)
                self._ground.changed()

    async def _look_and_hand_on(self, trusted: Trusted, folder: str | None, by: str, highest: int) -> str:
        check_clock(self._clock.wall_ns(), self._memory.seen.floor_wall_ns)
        order = await asyncio.to_thread(self._order, trusted, folder, highest)
        found = await self._found(order, by)
        held = found.release.bundle if found.release and found.outcome == "taken" and not found.folder else ""
        if held and not await asyncio.to_thread(self._ground.is_whole, held):
            found = await self._found(msgspec.structs.replace(order, held=()), by)
        release = found.release
        if release is None or found.outcome == "nothing":
            return self._nothing(found, by)
        origin = "usb" if folder is not None else "release"
        now_ns = self._clock.wall_ns()
        slot = Slot(
            digest=release.bundle,
            name=release.name,
            origin=origin,  # type: ignore[arg-type]
            by=by,
            release=release.number,
            since_wall_ns=now_ns,
        )
        try:
            await self._ground.begin_release(slot)
        except Trouble as trouble:
            if trouble.code != RUNS_ALREADY:
                raise
            said = f"{found.text} is what runs here"
            self._memory.remember(said, release=release.number)
            return said
        self._taken(found, slot)
        return f"took {found.text}"

    async def _found(self, order: Order, by: str) -> Found:
        found = await self._fetch.run(order, by, self._progressed)
        self._memory.raise_floor(found.signed_wall_ns)
        return found

    def _order(self, trusted: Trusted, folder: str | None, highest: int) -> Order:
        return Order(
            url=trusted.source.url if folder is None else folder_url(folder),
            cache=str(self._files.cache(trusted)),
            root=trusted.root,
            bundles=str(self._bundles),
            facts=self._ground.update_facts(trusted.source.robot_class),
            highest_release=highest,
            held=self._ground.held_bundles(),
            floor_wall_ns=self._memory.seen.floor_wall_ns,
            free_floor_bytes=self._free_floor_bytes,
        )

    def _progressed(self, progress: Progress) -> None:
        self.progress = progress
        self._ground.changed()

    # ------------------------------------------------------------ what came of it

    def _taken(self, found: Found, slot: Slot) -> None:
        self._memory.remember(f"took {found.text}", release=slot.release or 0)
        text = f"{found.text} was fetched ({found.fetched_bytes} bytes) and verified"
        data: dict[str, Scalar] = {"release": slot.release or 0, "digest": slot.digest, "origin": slot.origin}
        self._ground.event("update_taken", "info", text, by=slot.by, fetched_bytes=found.fetched_bytes, **data)

    def _nothing(self, found: Found, by: str) -> str:
        """Nothing new. To a person it is a refusal where the newest release was here and does not run."""
        ended = self._ground.not_in_use(found.release) if found.release else ""
        if ended:
            cure = "push its bundle, or release it once more: `fieldgate publish BUNDLE --to REPO --again`"
            trouble = Trouble(ended, cure=cure, code=ENDED)
            if by != BY_ITSELF:
                raise trouble
            self._refused(trouble, by)
        elif self._memory.remember(found.text):
            self._ground.event("update_looked", "info", f"looked for a release: {found.text}")
        return ended or found.text

    def _refused(self, trouble: Trouble, by: str) -> None:
        news = self._memory.remember(trouble.what, code=trouble.code)
        if news or by != BY_ITSELF:
            self._ground.event("update_refused", "warning", trouble.what, code=trouble.code, cure=trouble.cure, by=by)

    def _begin(self) -> None:
        self._times.begin(self._now_s(), self._trusted.source.check_every_s if self._trusted else 0.0)

    def _now_s(self) -> float:
        return self._clock.mono_ns() / 1e9
