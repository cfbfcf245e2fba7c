"""The actions of the models screen, one coroutine each: dialogs here, what takes long in threads."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import TYPE_CHECKING

from console.changing.reports import Said, Sending
from console.changing.view import BundleRow
from console.link.snapshot import CONNECTED
from console.models.wording import STEP_WORDS, bytes_words, look_words, named
from console.visiting import confirmed
from console.widgets.cells import clean
from remote.errors import Trouble
from remote.model_states import ModelsState
from remote.protocol import (
    Activate,
    CancelChange,
    Command,
    GoBack,
    RemoveBundle,
    Reply,
    Shadow,
    TakeUpdate,
)

if TYPE_CHECKING:
    from console.changing.desk import ModelsDesk

SHADOW_S = 60.0
UPDATE_S = 600.0
CONFIRM_S = 60.0
GRACE_S = 5.0


async def lease(desk: ModelsDesk) -> None:
    """Take the right to command."""
    desk.gives_lease_back = desk.app.session.holds_lease
    desk.app.action_lease()


async def retry(desk: ModelsDesk) -> None:
    """Try to reach the robot now instead of waiting."""
    desk.app.action_retry()


async def activate(desk: ModelsDesk) -> None:
    """Bring the selected bundle into use, after asking."""
    row = _bundle(desk)
    if row is None or not _may(desk, "bring it into use"):
        return
    what, robot = _named(row), clean(row.robot)
    if row.stored.use == "current":
        desk.screen.say(f"{robot} runs {what} already: nothing was asked", "info")
        return
    text = (
        f"{robot} verifies and tests {what}, waits until it is safe, then switches. If it does worse than the model "
        "that runs now, that one comes back by itself."
    )
    if await _confirmed(desk, f"Bring {what} into use?", text, "Bring it into use"):
        asked = f"bring {what} into use on {robot}"
        desk.app.ask(asked, f"the change to {what} has begun", lambda: _send(desk, Activate(row.stored.digest)))


async def push(desk: ModelsDesk) -> None:
    """Send a bundle of this laptop and bring it into use."""
    from console.screens.ask_text import AskTextScreen

    if not _may(desk, "push a bundle"):
        return
    name = desk.app.newest.robot
    robot = clean(name)
    text = (
        f"The folder of the bundle on this laptop. It is sent to {robot}, verified, tested and brought into use there "
        "step by step."
    )
    dialog = AskTextScreen(f"Push a bundle to {robot}", text, placeholder="path of the folder")

    async def refused(folder: str) -> Trouble | None:
        if not folder.strip():
            return Trouble("a folder is needed", cure="type its path, or Esc leaves", code="no_folder")
        looked = desk.app.run_worker(lambda: _looked_at(desk, folder), thread=True, group="models", name="look at it")
        return await looked.wait()

    dialog.carry, dialog.carrying = refused, "looking at the folder"
    folder = await desk.ask(dialog)
    if folder:
        path = _path(folder)
        desk.tell(Sending(f"sending {clean(path.name)} to {robot}..."))
        desk.run(f"push {clean(path.name)} to {robot}", lambda: _pushed(desk, path, name))


def _path(folder: str) -> Path:
    return Path(folder.strip()).expanduser()


def _looked_at(desk: ModelsDesk, folder: str) -> Trouble | None:
    """In a thread: why that folder can't be pushed."""
    from console.link.bundle_send import look_at

    try:
        digest = look_at(_path(folder)).digest
    except Trouble as trouble:
        return trouble
    runs = desk.state.current if desk.state is not None else None
    if runs is not None and runs.digest == digest:
        return Trouble(f"{named(digest, clean(runs.name))} runs already", cure="Esc leaves", code="already_current")
    return None


def _pushed(desk: ModelsDesk, path: Path, robot: str) -> Said:
    """In a thread: send it, then ask for the change."""
    from console.link.bundle_send import look_at, put_bundle
    from console.robots import Robots

    def tick(name: str, done: int, whole: int) -> None:
        desk.tell(Sending(f"sending {clean(name)}: {bytes_words(done, whole)}"))

    left = ", ".join(look_at(path).unnamed)
    digest = put_bundle(Robots().get(robot), path, tick=tick)
    confirmed(_send(desk, Activate(digest)))
    more = f"; not sent, as the manifest does not name it: {clean(left)}" if left else ""
    return Said(f"sent {digest[:8]} to {clean(robot)}; the change has begun and goes on without this console{more}")


async def cancel(desk: ModelsDesk) -> None:
    """Call the change off that is under way."""
    state, robot = _known(desk), clean(desk.app.newest.robot)
    if state is None:
        return
    if state.step == "idle":
        desk.screen.say(f"no change is under way on {robot}", "muted")
    elif _may(desk, "call the change off"):
        slot = state.candidate
        what = f" to {named(slot.digest, clean(slot.name))}" if slot is not None else ""
        text = (
            f"{robot}: {STEP_WORDS[state.step]}. Why? Before the switch nothing changes; in probation the model before "
            "comes back."
        )
        title, asked = f"Call off the change{what}", f"call off the change{what} on {robot}"
        await _with_reason(desk, (title, text), asked, "it is called off", CancelChange)


async def back(desk: ModelsDesk) -> None:
    """Bring back the model that ran before."""
    state, robot = _known(desk), clean(desk.app.newest.robot)
    if state is None:
        return
    if state.previous is None:
        desk.screen.say(f"no model ran on {robot} before this one", "muted")
    elif _may(desk, "bring back the one before"):
        what = named(state.previous.digest, clean(state.previous.name))
        text = f"{what} comes back on {robot}. Why? The reason goes into the robot's journal."
        title, asked = f"Bring back the model before on {robot}", f"bring back {what} on {robot}"
        await _with_reason(desk, (title, text), asked, f"the change back to {what} has begun", GoBack)


async def shadow(desk: ModelsDesk) -> None:
    """Let the selected bundle run beside the worker, compared and not used."""
    row = _bundle(desk)
    if row is None or not _may(desk, "let it run beside"):
        return
    what, robot, command = _named(row), clean(row.robot), Shadow(row.stored.digest, SHADOW_S)
    if row.stored.use == "current":
        desk.screen.say(f"{robot} runs {what} itself: there is nothing to compare it with", "info")
        return
    text = (
        f"{what} looks at {robot}'s frames for {SHADOW_S:.0f} s beside the one that runs, which may get slower. "
        "What it finds is compared, not used; it stands on this bundle's page and the robot's (Enter)."
    )
    if await _confirmed(desk, f"Let {what} run beside?", text, "Let it run beside"):
        done = f"{what} runs beside for {SHADOW_S:.0f} s; Enter on the bundle or the robot shows what it finds"
        desk.app.ask(f"let {what} run beside on {robot}", done, lambda: _send(desk, command))


async def validate(desk: ModelsDesk) -> None:
    """Run the validation suite on the robot."""
    row = _bundle(desk)
    if row is not None and _reached(desk):
        desk.validate(row.stored.digest, _named(row))


async def remove(desk: ModelsDesk) -> None:
    """Remove the selected bundle from the robot's store, after asking."""
    row = _bundle(desk)
    if row is None or not _may(desk, "remove it"):
        return
    what, robot = _named(row), clean(row.robot)
    if row.stored.use:
        desk.screen.say(f"{what} is in use on {robot} ({row.stored.use}): it stays", "warning")
        return
    text = f"{what} is removed from {robot}; it can be pushed again."
    if await _confirmed(desk, f"Remove {what}?", text, "Remove it"):
        removed = f"{what} is removed from {robot}"
        desk.run(f"remove {what} from {robot}", lambda: _removed(desk, row.stored.digest, removed))


def _removed(desk: ModelsDesk, digest: str, said: str) -> Said:
    confirmed(_send(desk, RemoveBundle(digest)))
    return Said(said)


async def update(desk: ModelsDesk) -> None:
    """Look for a release now."""
    if _may(desk, "look for a release"):
        robot = clean(desk.app.newest.robot)
        desk.tell(Sending(f"{robot} looks for a release..."))
        desk.run(f"look for a release on {robot}", lambda: _updated(desk))


def _updated(desk: ModelsDesk) -> Said:
    reply = confirmed(desk.app.session.request(TakeUpdate(), timeout_s=UPDATE_S), UPDATE_S + GRACE_S)
    return Said(look_words(reply.state.models if reply.state is not None else None))


# ------------------------------------------------------------ what they share


def _bundle(desk: ModelsDesk) -> BundleRow | None:
    row = desk.screen.items.selected
    if isinstance(row, BundleRow):
        return row
    desk.screen.say("select a bundle first: they stand below the robot", "warning")
    return None


def _named(row: BundleRow) -> str:
    return named(row.stored.digest, clean(row.stored.name))


def _known(desk: ModelsDesk) -> ModelsState | None:
    if desk.state is None and _reached(desk):
        desk.screen.say(f"the agent of {clean(desk.app.newest.robot)} tells nothing of its models", "warning")
    return desk.state


def _reached(desk: ModelsDesk) -> bool:
    """Whether the robot is there to be asked; if not, the message line says why: nobody types a reason for nothing."""
    link, robot = desk.app.newest.link, clean(desk.app.newest.robot)
    if link.phase in CONNECTED:
        return True
    why = f": {clean(link.reason)}" if link.reason else ""
    cure = f" - {clean(link.cure)}" if link.cure else ""
    desk.screen.say(f"not asked: {robot} can't be reached now{why}{cure}", "warning")
    return False


def _may(desk: ModelsDesk, what: str) -> bool:
    return _reached(desk) and desk.app.may_command(f"to {what}")


async def _with_reason(
    desk: ModelsDesk, says: tuple[str, str], asked: str, done: str, command: Callable[[str], Command]
) -> None:
    """Ask for a reason and give the command with it; what is refused stands in the dialog, which keeps what was typed."""
    from console.screens.ask_text import AskTextScreen

    dialog = AskTextScreen(*says, placeholder="the reason")

    async def carry(reason: str) -> Trouble | None:
        if not reason.strip():
            return Trouble("a reason is needed", cure="type it, or Esc leaves", code="reason_needed")
        return await desk.app.ask_within(dialog, asked, done, lambda: _send(desk, command(reason.strip())))

    dialog.carry, dialog.carrying = carry, "asking the robot"
    await desk.ask(dialog)


async def _confirmed(desk: ModelsDesk, title: str, text: str, yes: str) -> bool:
    from console.screens.confirm import ConfirmScreen

    return bool(await desk.ask(ConfirmScreen(title, text, yes)))


def _send(desk: ModelsDesk, command: Command) -> Future[Reply]:
    return desk.app.session.request(command, timeout_s=CONFIRM_S)
