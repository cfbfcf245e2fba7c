"""What can be done with an item: each asks what it must, then lets the campaign do it in a thread."""

from __future__ import annotations

from collections.abc import Sequence

from console.checking.desk import Desk
from console.checking.messages import Checked
from console.checking.sights import Left
from console.checklist.states import ItemState
from console.record.entries import Meaning
from console.widgets.cells import clean
from console.widgets.item_words import do_words
from remote.errors import Trouble

SERIAL_PLACES: dict[str, str] = {
    "device-tree": "on the computer's label, or on the robot: `cat /proc/device-tree/serial-number`",
    "dmi": "on the computer's label, or on the robot: `sudo cat /sys/class/dmi/id/product_serial`",
    "machine-id": "on the robot: `cat /etc/machine-id`",
}
"""Where a person finds what the robot's agent took as its serial number, by the facts' `serial_source`."""


async def recheck(desk: Desk) -> None:
    """Look again at the selected sensed item; where it went stale, or none is selected, at everything that did."""
    item = desk.item
    again = list(desk.state.recheck)
    if item is not None and _senses(item) and item.item.id not in again:
        again = [item.item.id]
    sensed = [id for id in again if _senses(desk.state.item(id))]
    others = [desk.state.item(id) for id in again if id not in sensed]
    if sensed:
        _look(desk, sensed)
    elif others:
        desk.screen.items.select(f"item:{others[0].item.id}")
        desk.say(f"{len(others)} to re-check, each by a person: {clean(others[0].item.title)} first", "warning")


async def check_all(desk: Desk) -> None:
    """Look at every sensed item that applies."""
    _look(desk, None)


def _look(desk: Desk, ids: Sequence[str] | None) -> None:
    def tell(item: ItemState) -> None:
        if desk.leaving:
            raise Left
        desk.app.post_message(Checked(item.item.id))

    def look() -> object:
        done = desk.campaign.check(desk.sight(), desk.person, ids, tell)
        return done[0] if len(done) == 1 else _summary(done)

    desk.start(f"looking at {'all that can be sensed' if ids is None else ', '.join(ids)}", "looked", look)


def _summary(items: Sequence[ItemState]) -> str:
    states = [item.state for item in items]
    counts = [f"{states.count(state)} {state}" for state in dict.fromkeys(states)]
    return f"looked at {len(items)}: {', '.join(counts)}" if items else "nothing here can be sensed"


async def act(desk: Desk) -> None:
    """Run the item's command on the robot, after asking."""
    from console.screens.confirm import ConfirmScreen

    item = _selected(desk)
    command = item.item.act
    assert command is not None
    robot = clean(desk.campaign.robot)
    text = f"{clean(command.says)}\n\n  {clean(' '.join(command.argv))}\n\nThe probe looks afterwards what it did."
    if await desk.ask(ConfirmScreen(f"Run this on {robot}?", text, "Run it")):
        call = desk.campaign.act
        desk.start(f"running it on {robot}", "done", lambda: call(item.item.id, desk.sight(), desk.person))


async def measure(desk: Desk) -> None:
    """Enter a measured value."""
    from console.screens.enter_value import Entered, EnterValueScreen

    item = _selected(desk)

    def call(given: Entered) -> object:
        return desk.campaign.measure(
            item.item.id,
            given.value,
            desk.person,
            n=given.n,
            successes=given.successes,
            note=given.note,
            files=given.files,
            transcribed=desk.paper,
        )

    await desk.fill_in(EnterValueScreen(item, desk.app.clock), "recording the value", "recorded", call)


async def confirm(desk: Desk) -> None:
    """Vouch for the item, or say no to it."""
    await _vouch(desk, "performed")


async def witness(desk: Desk) -> None:
    """Vouch as the second person."""
    await _vouch(desk, "witnessed")


async def _vouch(desk: Desk, meaning: Meaning) -> None:
    from console.campaigns.vouching import challenge_words
    from console.screens.vouch import Vouched, VouchScreen

    item = _selected(desk)
    challenge = await desk.wait("read the robot's facts", lambda: _challenge(desk)) if challenge_words(item) else ""
    if challenge is None:
        return
    names = tuple(one.principal for one in desk.campaign.roster.people)
    dialog = VouchScreen(item, meaning, challenge, desk.app.clock, seated=desk.person, names=names)

    def call(given: Vouched) -> object:
        return desk.campaign.confirm(
            item.item.id,
            given.holds,
            given.person or desk.person,
            meaning=meaning,
            note=given.note,
            answer=given.answer,
            # On paper nobody saw this screen's statement: how long it stood there says nothing.
            looked_ms=None if desk.paper else given.looked_ms,
            files=given.files,
            transcribed=desk.paper,
        )

    await desk.fill_in(dialog, "recording the answer", "recorded", call)


def _challenge(desk: Desk) -> str:
    """Where the robot's serial number stands, as it said itself."""
    source = desk.campaign.seen_facts().get("serial_source", "")
    return SERIAL_PLACES.get(source, f"{SERIAL_PLACES['device-tree']}, else `cat /etc/machine-id`")


async def override(desk: Desk) -> None:
    """Let the item stand though it is not passed."""
    from console.screens.override_item import Overridden, OverrideScreen

    item = _selected(desk)

    def call(given: Overridden) -> object:
        return desk.campaign.override(item.item.id, given.role, given.reason, given.days, desk.person)

    await desk.fill_in(OverrideScreen(item, desk.app.clock), "recording the override", "recorded", call)


async def defer(desk: Desk) -> None:
    """Put the item off to a later stage."""
    from console.screens.defer_item import Deferred, DeferScreen

    item = _selected(desk)
    stages = [stage.stage for stage in desk.state.stages]
    later = stages[[stage.id for stage in stages].index(item.stage) + 1 :]
    if not later:
        desk.say("not done: its stage is the last one - settle the item", "warning")
        return

    def call(given: Deferred) -> object:
        until, owner = given.until_stage, given.owner
        return desk.campaign.defer(item.item.id, given.role, until, owner, given.reason, desk.person)

    dialog = DeferScreen(item, later, desk.person, desk.app.clock)
    await desk.fill_in(dialog, "recording the deferral", "recorded", call)


async def fix(desk: Desk) -> None:
    """Write down what was done about the last failure."""
    from console.screens.ask_text import AskTextScreen

    item = _selected(desk)
    text = f"What was done about the failure (entry #{item.last_failure_seq})? Look again afterwards."
    dialog = AskTextScreen(f"Fix: {clean(item.item.title)}", text)

    def call(said: str) -> str:
        again = do_words(desk.campaign.fix(item.item.id, said, desk.person))
        return f"the fix is recorded; now: {again}" if again else "the fix is recorded"

    await desk.fill_in(dialog, "recording the fix", "recorded", call)


async def note(desk: Desk) -> None:
    """Write a note on the item, or on the campaign where none is selected."""
    from console.screens.ask_text import AskTextScreen

    item = desk.item
    about, id = (clean(item.item.title), item.item.id) if item else ("the campaign", "")
    dialog = AskTextScreen(f"Note on {about}", "It is kept in the record with your name.")
    call = desk.campaign.note
    await desk.fill_in(
        dialog, "recording the note", "noted", lambda said: "noted" if call(said, desk.person, id) else ""
    )


async def withdraw(desk: Desk) -> None:
    """Take back something that was said: choose it, say why."""
    from console.checking.withdrawing import withdrawable
    from console.screens.ask_text import AskTextScreen
    from console.screens.choose import ChooseScreen

    entry = desk.screen.items.selected
    item = entry.item.item.id if entry is not None and entry.item is not None else ""
    stage = desk.stage.id
    found = await desk.wait("read what was said", lambda: withdrawable(desk.campaign.record, item, stage))
    if not found:
        desk.say("nothing was said here that could be taken back", "muted")
        return
    chosen: str | None = await desk.ask(ChooseScreen("Take back what?", found, None))
    if chosen is None:
        return
    seq = int(chosen.removeprefix("#"))
    dialog = AskTextScreen("Take it back", "Why? It stays in the record, and counts no more.")
    call = desk.campaign.withdraw
    await desk.fill_in(dialog, "taking it back", "taken back", lambda said: call(seq, said, desk.person))


async def next_open(desk: Desk) -> None:
    """Go to the next item that needs something."""
    if not desk.screen.items.next_open():
        desk.say("nothing is open", "ok")


async def from_paper(desk: Desk) -> None:
    """Begin to copy from paper, or end it."""
    from console.screens.paper_source import PaperSourceScreen

    if desk.paper is not None:
        desk.paper = None
        desk.say("no longer copying from paper", "info")
    else:
        desk.paper = await desk.ask(PaperSourceScreen(desk.person, desk.app.clock))
    desk.show()


async def person(desk: Desk) -> None:
    """Another person sits down: their name goes into what is entered from now on."""
    from console.people import who
    from console.screens.ask_text import AskTextScreen

    names = [one.principal for one in desk.campaign.roster.people]
    known = f", as in the roster: {', '.join(names)}" if names else ""
    text = f"Your short name{known}. It is a claim, which a signature proves."
    taken: list[str] = []

    def call(said: str) -> None:
        try:
            taken.append(who(said.strip() or desk.person))
        except Trouble as trouble:
            raise Trouble(f"'{said.strip()}' can't be a person's short name", code=trouble.code) from trouble

    dialog = AskTextScreen("Who sits at the keyboard now?", clean(text), value=desk.person)
    await desk.tried(dialog, "take that name", call, lambda outcome, trouble: None)
    if not taken or not await _is_meant(desk, taken[-1], names):
        return
    desk.person = taken[-1]
    desk.say(f"what is entered from now on is {desk.person}'s word, by their own claim", "muted")
    desk.show()


async def _is_meant(desk: Desk, name: str, names: Sequence[str]) -> bool:
    """Whether a name that the roster has not is meant all the same; who would mistype their own finds out here."""
    from console.screens.confirm import ConfirmScreen

    if name in names:
        return True
    text = f"{name} is not in this campaign's roster: cannot sign, poll, override or defer."
    text += " The name is a claim, which only a signature proves, and nobody of that name can give one here."
    return bool(await desk.ask(ConfirmScreen(f"Go on as {name}?", text, f"I am {name}", "Another name")))


async def reconnect(desk: Desk) -> None:
    """Try to reach the robot now."""
    desk.app.action_retry()


def _senses(item: ItemState) -> bool:
    return item.item.kind == "sensed" and item.item.act is None


def _selected(desk: Desk) -> ItemState:
    item = desk.item
    if item is None:
        raise Trouble("no item is selected", cure="move the cursor onto one", code="no_item")
    return item
