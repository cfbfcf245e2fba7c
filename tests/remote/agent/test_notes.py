"""Notes: words in the robot's journal that are there when the robot says so, and not there when it says that they are not."""

from __future__ import annotations

import signal
import threading
from pathlib import Path

import pytest

from remote.agent.actions import NOTE_LIMIT
from remote.agent.clock import system_clock
from remote.agent.journal import Journal
from remote.agent.settings import Limits
from remote.agent.writer import JournalWriter
from remote.errors import Trouble
from remote.protocol import Event, GetState, Note
from tests.remote.agent.robot import Console, Robot
from tests.remote.agent.test_agent_disk import fill, small_disk, wait_for

__all__ = ["small_disk"]


def seq_of(console: Console, text: str, **conditions: str) -> int:
    reply = console.ask(Note(text), **conditions)
    assert reply.error is None, reply.error
    assert reply.seq is not None
    return reply.seq


def texts(console: Console) -> list[str]:
    return [note.text for note in console.named("note")]


def test_a_note_gets_the_number_under_which_it_can_be_read(idle: Robot) -> None:
    console = idle.console().subscribe()
    seq = seq_of(console, "table moved by 10 cm, ä中\n")
    console.until(lambda: [one for one in console.entries if one.seq == seq], "the entry")
    note = console.await_named("note")
    assert isinstance(note, Event)
    assert (note.text, note.severity, note.data["by"]) == ("table moved by 10 cm, ä中\n", "info", "anna@laptop")
    assert [one.seq for one in console.entries if b'"note"' in bytes(one.body)] == [seq]


def test_a_note_survives_the_agents_death_right_after_the_answer(robot: Robot) -> None:
    """The record says `journalled as entry N`: a power cut a moment later must not make that a lie."""
    console = robot.console()
    seqs = [seq_of(console, f"note {i}") for i in range(5)]
    robot.end(signal.SIGKILL)
    again = robot.start().console().subscribe()
    again.until(lambda: len(again.named("note")) == 5, "all five")
    found = {one.seq: body for one, body in zip(again.entries, again.bodies(), strict=True)}
    assert [getattr(found[seq], "text", "") for seq in seqs] == [f"note {i}" for i in range(5)]


def test_a_note_that_is_asked_twice_after_a_broken_link_is_written_once(idle: Robot) -> None:
    console = idle.console("twice").subscribe()
    assert seq_of(console, "only once", id="n-1") == seq_of(console, "only once", id="n-1")
    seq_of(console, "the last")
    console.until(lambda: "the last" in texts(console), "the last")
    assert texts(console).count("only once") == 1


@pytest.mark.parametrize(("length", "taken"), [(0, False), (1, True), (NOTE_LIMIT, True), (NOTE_LIMIT + 1, False)])
def test_a_note_is_taken_whole_or_not_at_all(idle: Robot, length: int, taken: bool) -> None:
    reply = idle.console().ask(Note("x" * length))
    assert (reply.error is None) == taken
    assert (reply.seq is not None) == taken
    assert reply.error is None or (reply.error.code, bool(reply.error.cure)) == ("bad_note", True)


def test_a_full_disk_is_said_and_the_note_never_appears_afterwards(small_disk: Path) -> None:
    """A canary that was refused and turns up later would be evidence that nobody asked for."""
    (small_disk / "settings.yaml").write_text("limits: {disk_free_floor_bytes: 0}\n")
    robot = Robot(small_disk).start()
    try:
        console = robot.console().subscribe()
        seq_of(console, "before")
        ballast = fill(small_disk)
        refused = next(  # the log's own room is used up first
            error for i in range(200) if (error := console.ask(Note(f"{i} " + "x" * 1900)).error) is not None
        )
        assert refused.code == "not_journalled"
        assert "disk" in refused.cure
        at_once = console.ask(Note("while the disk is known to be full")).error
        assert at_once is not None
        assert at_once.code == "not_journalled"
        assert console.ask(GetState()).error is None
        ballast.unlink()
        wait_for(console, False)
        seq = seq_of(console, "after")
        console.until(lambda: "after" in texts(console), "the note after")
        assert "while the disk is known to be full" not in texts(console)
        assert [one.seq for one in console.entries] == list(range(1, seq + 1))
    finally:
        robot.end()


# ------------------------------------------------------------ the writer


def a_writer(tmp_path: Path, journal: Journal | None = None) -> JournalWriter:
    clock = system_clock()
    return JournalWriter(journal or Journal(tmp_path / "j.db", clock.boot_id), clock, Limits(), group_s=0.01)


def note(text: str) -> Event:
    return Event(name="note", severity="info", text=text)


def test_each_of_many_writers_gets_the_number_of_its_own_entry(tmp_path: Path) -> None:
    writer = a_writer(tmp_path)
    promised: dict[str, int] = {}

    def write(name: str) -> None:
        for i in range(50):
            writer.append(note("beside"))
            promised[f"{name} {i}"] = writer.append_durably(note(f"{name} {i}")).result(10)

    threads = [threading.Thread(target=write, args=(name,)) for name in "abc"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    writer.close()
    journal = Journal(tmp_path / "j.db", system_clock().boot_id)
    rows = dict(journal.connection.execute("SELECT seq, body FROM entries"))
    journal.close()
    assert len(promised) == 150
    assert all(f'"{text}"'.encode() in rows[seq] for text, seq in promised.items())


def test_who_waits_learns_that_the_agent_ends(tmp_path: Path) -> None:
    writer = a_writer(tmp_path)
    writer.close()
    with pytest.raises(Trouble, match="the agent ends"):
        writer.append_durably(note("too late")).result(1)


class Broken(Journal):
    """A journal whose commit fails in a way that nobody has foreseen."""

    broken = False

    def append(self, drafts):  # type: ignore[no-untyped-def]
        if self.broken:
            raise ValueError("unforeseen")
        return super().append(drafts)


def test_who_waits_is_told_of_a_fault_that_nobody_has_foreseen(tmp_path: Path) -> None:
    journal = Broken(tmp_path / "j.db", system_clock().boot_id)
    writer = a_writer(tmp_path, journal)
    assert writer.append_durably(note("well")).result(5) == 1
    journal.broken = True
    with pytest.raises(Trouble, match="unforeseen"):
        writer.append_durably(note("lost")).result(5)
    writer.close()
