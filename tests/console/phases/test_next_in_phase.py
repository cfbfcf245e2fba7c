"""Whoever asks what comes next is sent to the phase that the gate waits for, by a command that exists."""

from __future__ import annotations

from click.testing import CliRunner

from console.campaigns.next_step import next_step
from console.cli import cli
from console.phases.schema import Stop
from tests.console.phases.phase_book import FieldBook, pack, phase


def test_the_next_command_follows_the_phase() -> None:
    stop = Stop(id="row", title="Enough", count="failures_in_a_row", at=2)
    book = FieldBook(pack(phase("lab", stop=(stop,))))
    book.say("ready")
    assert next_step(book.state()) == "fieldgate phase begin kitchen lab"
    book.begin(sit=False)
    assert next_step(book.state()) == "fieldgate session begin kitchen"
    book.sit()
    assert next_step(book.state()) == "fieldgate trial log kitchen OUTCOME"
    book.trials("--")
    assert next_step(book.state()) == "fieldgate phase lift kitchen row --phase lab --reason TEXT"
    book.lift("row")
    book.trials("-" * 6)
    assert next_step(book.state()) == "fieldgate phase show kitchen --phase lab"
    book.begin()
    book.trials("+" * 13)
    assert next_step(book.state()) == "fieldgate campaign pass kitchen"


def test_these_commands_exist() -> None:
    for words in (["phase", "begin"], ["phase", "lift"], ["phase", "show"], ["session", "begin"], ["trial", "log"]):
        assert CliRunner().invoke(cli, [*words, "--help"]).exit_code == 0
