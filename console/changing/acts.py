"""The actions of the models screen, one coroutine each: dialogs here, what takes long in threads."""

from __future__ import annotations

from concurrent.futures import Future
from pathlib import Path
from typing import TYPE_CHECKING

from console.changing.reports import Said, Sending, Validated
from console.changing.view import BundleRow
from console.models.wording import look_words, named
from console.visiting import confirmed
from console.widgets.cells import clean
from remote.errors import Trouble
from remote.protocol import (
    Activate,
    CancelChange,
    Command,
    GoBack,
    RemoveBundle,
    Reply,
    Shadow,
    TakeUpdate,
    Validate,
)

if TYPE_CHECKING:
    from console.changing.desk import ModelsDesk

SHADOW_S = 60.0
VALIDATE_S = 900.0
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
    if row.stored.use == "current":
        desk.screen.say("that one runs already: nothing was asked", "info")
        return
    what = named(row.stored.digest, clean(row.stored.name))
    text = (
        f"{clean(row.robot)} verifies and tests {what}, waits until it is safe, then switches. If it does worse than the model "
        "that runs now, that one comes back by itself."
    )
    if await _confirmed(desk, f"Bring {what} into use?", text, "Bring it into use"):
        desk.app.ask(f"bring {what} into use", "the change has begun", lambda: _send(desk, Activate(row.stored.digest)))
        desk.watch_change()


async def push(desk: ModelsDesk) -> None:
    """Send a bundle of this laptop and bring it into use."""
    from console.screens.ask_text import AskTextScreen

    if not _may(desk, "push a bundle"):
        return
    text = "The folder of the bundle on this laptop. It is sent, verified, tested and brought into use step by step."
    dialog = AskTextScreen("Push a bundle", text, placeholder="path of the folder")

    async def refused(folder: str) -> Trouble | None:
        looked = desk.app.run_worker(lambda: _looked_at(desk, folder), thread=True, group="models", name="look at it")
        return await looked.wait() if folder.strip() else None

    dialog.carry, dialog.carrying = refused, "looking at the folder"
    folder = await desk.ask(dialog)
    if not folder or not folder.strip():
        return
    path, robot = _path(folder), desk.app.newest.robot
    desk.tell(Sending(f"sending {clean(path.name)}..."))
    desk.run("push the bundle", lambda: _pushed(desk, path, robot))
    desk.watch_change()


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
        desk.tell(Sending(f"sending {clean(name)}: {done / 1e6:.1f} of {whole / 1e6:.1f} MB"))

    left = ", ".join(look_at(path).unnamed)
    digest = put_bundle(Robots().get(robot), path, tick=tick)
    confirmed(_send(desk, Activate(digest)))
    more = f"; not sent, as the manifest does not name it: {clean(left)}" if left else ""
    return Said(f"sent {digest[:8]}; the change has begun and goes on without this console{more}")


async def cancel(desk: ModelsDesk) -> None:
    """Call the change off that is under way."""
    from console.screens.ask_text import AskTextScreen

    state = desk.state
    if state is None or state.step == "idle":
        desk.screen.say("no change is under way", "muted")
    elif _may(desk, "call the change off"):
        text = "Why? Before the switch nothing changes; in probation the model before comes back."
        reason = await desk.ask(AskTextScreen("Call the change off", text, placeholder="the reason"))
        if reason is not None and reason.strip():
            desk.app.ask("call the change off", "it is called off", lambda: _send(desk, CancelChange(reason.strip())))


async def back(desk: ModelsDesk) -> None:
    """Bring back the model that ran before."""
    from console.screens.ask_text import AskTextScreen

    state = desk.state
    if state is None or state.previous is None:
        desk.screen.say("no model ran before this one", "muted")
    elif _may(desk, "bring back the one before"):
        what = named(state.previous.digest, clean(state.previous.name))
        text = f"{what} comes back. Why? The reason goes into the robot's journal."
        reason = await desk.ask(AskTextScreen("Bring back the model before", text, placeholder="the reason"))
        if reason is not None and reason.strip():
            desk.app.ask(f"bring back {what}", "the change has begun", lambda: _send(desk, GoBack(reason.strip())))
            desk.watch_change()


async def shadow(desk: ModelsDesk) -> None:
    """Let the selected bundle run beside the worker, compared and not used."""
    row = _bundle(desk)
    if row is not None and _may(desk, "let it run beside"):
        what = named(row.stored.digest, clean(row.stored.name))
        command = Shadow(row.stored.digest, SHADOW_S)
        text = (
            f"{what} looks at {clean(row.robot)}'s frames for {SHADOW_S:.0f} s beside the one that runs, which may get slower. "
            "What it finds is compared, not used; it stands on this bundle's page and the robot's (Enter)."
        )
        if await _confirmed(desk, f"Let {what} run beside?", text, "Let it run beside"):
            done = f"it runs beside for {SHADOW_S:.0f} s; Enter on the bundle or the robot shows what it finds"
            desk.app.ask(f"let {what} run beside", done, lambda: _send(desk, command))


async def validate(desk: ModelsDesk) -> None:
    """Run the validation suite on the robot."""
    row = _bundle(desk)
    if row is None:
        return
    what = named(row.stored.digest, clean(row.stored.name))
    desk.tell(Sending(f"validating {what} on {clean(row.robot)}: this takes a minute or more..."))
    desk.run(f"validate {what}", lambda: _validated(desk, row.stored.digest))


def _validated(desk: ModelsDesk, digest: str) -> Validated:
    """In a thread: the profile is the robot's own."""
    from console.checklist.probes.model_validation import ask, own_profile

    session = desk.app.session
    return Validated(ask(session, Validate(digest, own_profile(session)), VALIDATE_S))


async def remove(desk: ModelsDesk) -> None:
    """Remove the selected bundle from the robot's store, after asking."""
    row = _bundle(desk)
    if row is None or not _may(desk, "remove it"):
        return
    if row.stored.use:
        desk.screen.say(f"it is in use ({row.stored.use}): it stays", "warning")
        return
    what = named(row.stored.digest, clean(row.stored.name))
    text = f"{what} is removed from {clean(row.robot)}; it can be pushed again."
    if await _confirmed(desk, f"Remove {what}?", text, "Remove it"):
        desk.run(f"remove {what}", lambda: _removed(desk, row.stored.digest, what))


def _removed(desk: ModelsDesk, digest: str, what: str) -> Said:
    confirmed(_send(desk, RemoveBundle(digest)))
    return Said(f"{what} is removed")


async def update(desk: ModelsDesk) -> None:
    """Look for a release now."""
    if _may(desk, "look for a release"):
        desk.tell(Sending("the robot looks for a release..."))
        desk.run("look for a release", lambda: _updated(desk))


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


def _may(desk: ModelsDesk, what: str) -> bool:
    return desk.app.may_command(f"to {what}")


async def _confirmed(desk: ModelsDesk, title: str, text: str, yes: str) -> bool:
    from console.screens.confirm import ConfirmScreen

    return bool(await desk.ask(ConfirmScreen(title, text, yes)))


def _send(desk: ModelsDesk, command: Command) -> Future[Reply]:
    return desk.app.session.request(command, timeout_s=CONFIRM_S)
