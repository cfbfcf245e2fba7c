"""What can be done with a stage: the poll, signatures, its gate, and handing out what the record says."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from console.checking.desk import Desk
from console.checklist.states import SignatureState, StageState
from console.record.entries import Meaning
from console.widgets.cells import clean
from console.widgets.checklist_rows import named

if TYPE_CHECKING:
    from console.record.signing import KeyChoice
    from console.screens.sign_as import SignAs
    from remote.protocol import Choice


def _stage(desk: Desk) -> StageState:
    return desk.view().stage(desk.stage.id)


async def poll(desk: Desk) -> None:
    """Answer go or no-go."""
    from console.screens.answer_poll import AnswerPollScreen, PollAnswer

    stage = _stage(desk)

    def call(given: PollAnswer) -> str:
        desk.campaign.poll(stage.stage.id, given.role, given.go, desk.person, given.note)
        return f"{given.role} says {'GO' if given.go else 'NO-GO'}"

    await desk.fill_in(AnswerPollScreen(stage, desk.app.clock), "recording the answer", "recorded", call)


async def sign(desk: Desk) -> None:
    """Sign the stage's statement: who and how, then the text, then ssh-keygen."""
    from console.screens.sign_as import SignAsScreen
    from console.screens.sign_statement import SignStatementScreen

    stage = _stage(desk)
    dialog = SignAsScreen(stage, desk.campaign.roster.people, desk.person, desk.app.clock)
    id = stage.stage.id
    made: list[tuple[SignAs, KeyChoice, bytes]] = []

    def call(given: SignAs) -> None:
        made.append((given, *_statement(desk, id, given)))

    await desk.tried(dialog, "make the statement", call, lambda outcome, trouble: None)
    if not made:
        return
    given, key, statement = made[-1]
    if await desk.ask(SignStatementScreen(statement, given.principal, desk.app.clock)):
        _sign(desk, id, given.meaning, given.principal, key, statement)


def _statement(desk: Desk, stage: str, given: SignAs) -> tuple[KeyChoice, bytes]:
    from console.record.signing import KeyFile, default_key

    person = desk.campaign.roster.person(given.principal)
    key = KeyFile(Path(given.key).expanduser()) if given.key else default_key(person)
    return key, desk.campaign.statement(stage, given.meaning, given.principal, key)


def _sign(desk: Desk, stage: str, meaning: Meaning, principal: str, key: KeyChoice, statement: bytes) -> None:
    from console.record.signing import KeyFile, public_half

    def call() -> SignatureState:
        return desk.campaign.sign(stage, meaning, principal, key, shown=statement, tell=desk.app.tell_plainly)

    done = f"signed as {clean(principal)}: {meaning}"
    if isinstance(key, KeyFile) or public_half(key).on_hardware:
        # Passphrase and touch are asked for by ssh-keygen itself, on the plain terminal.
        desk.start_on_terminal("sign", done, call, f"ssh-keygen signs with {_key_words(key)} and asks here:")
    else:
        desk.start("waiting for the SSH agent to sign", done, call)


def _key_words(key: KeyChoice) -> str:
    from console.record.signing import KeyFile

    return clean(str(key.path) if isinstance(key, KeyFile) else key.fingerprint)


async def pass_gate(desk: Desk) -> None:
    """Open the gate, after asking."""
    from console.screens.confirm import ConfirmScreen

    stage = _stage(desk)
    title = clean(stage.stage.title)
    if stage.gate.blocked_by:
        desk.say(
            f"the gate stays shut: {clean('; '.join(named(stage, one) for one in stage.gate.blocked_by))}", "warning"
        )
        return
    text = "Nothing is missing. Opening the gate is written into the record with your name."
    if await desk.ask(ConfirmScreen(f"Open the gate of {title}?", text, "Open it")):
        id = stage.stage.id
        desk.start("opening the gate", f"the gate of {title} is open", lambda: desk.campaign.pass_gate(id, desk.person))


async def export(desk: Desk) -> None:
    """Write the report, the record or the paper form."""
    from console.checking.exporting import choices, export_as
    from console.screens.choose import ChooseScreen

    folder = desk.app.report_folder()
    offered: tuple[Choice, ...] = choices(desk.campaign.name)
    chosen: str | None = await desk.ask(ChooseScreen(f"Write into {folder}", offered, None))
    if chosen is not None:
        desk.start("writing", "written", lambda: export_as(desk.campaign, chosen, folder))
