"""Each fault of docs/faults.md's part on the checklist, caused for real: the program says the very line that the page promises.

Whoever reads the page beside a robot must find there what stands on the terminal.
"""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from console.campaigns.opening import open_campaign
from console.record.export import write_json
from console.record.record import FILE
from tests.console.checklist.campaign_world import World
from tests.console.commands.program import run
from tests.console.record.signed_campaign import PACK, Entries, Forger, copied, folder_of, head_of, signed
from tests.console.record.signers import made_key

PAGE = Path(__file__).parents[3] / "docs" / "faults.md"
PROGRAM = [sys.executable, "-c", "from console.cli import main; main()"]
SIGN_ANNA = ("--meaning", "performed", "--as", "anna", "--yes")
HOUR_NS = 3_600_000_000_000


class Done:
    """How a command ended: its code, and both streams."""

    def __init__(self, ran: subprocess.CompletedProcess[bytes]) -> None:
        self.code = ran.returncode
        self.said = " ".join((ran.stdout + ran.stderr).decode().split())
        assert "Traceback" not in self.said, self.said


def promised(fault: str) -> list[str]:
    """The lines that the page promises for a fault: `; then: ` stands between them."""
    rows = [
        line.split(" | ") for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith(f"| {fault} |")
    ]
    assert len(rows) == 1, f"the page has {len(rows)} rows for '{fault}'"
    return rows[0][1].split("; then: ")


def keeps(done: Done, fault: str) -> None:
    """AssertionError where a promised line was not said; `...` stands for anything."""
    for line in promised(fault):
        pattern = ".*?".join(re.escape(part) for part in line.split("..."))
        assert re.search(pattern, done.said), f"promised: {line}\nsaid: {done.said}"


def fieldgate(*words: object, **environment: str) -> Done:
    """The program, without a terminal."""
    return Done(run(*words, environment=environment))


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("world")
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("FIELDGATE_HOME", str(folder / "home"))
        patched.setenv("HOME", str(folder))
        patched.setenv("FIELDGATE_PERSON", "anna")
        patched.delenv("SSH_AUTH_SOCK", raising=False)
        made = World(folder)
        made.now_ns = time.time_ns()
        signed(made).close()
        ready(made, "ready")
        yield made


def ready(world: World, name: str, **other: object) -> None:
    """A campaign with everything done and nothing signed."""
    campaign = world.campaign(pack=world.folder / "signed.yaml", name=name, **other)
    campaign.confirm("fence", True, "anna")
    campaign.confirm("sheet", True, "anna")
    campaign.measure("force", 31.5, "anna")
    campaign.close()


# ------------------------------------------------------------ keys and people


def test_a_key_that_is_not_there(world: World) -> None:
    done = fieldgate("sign", "ready", *SIGN_ANNA, "--key", world.folder / "nix")
    assert done.code == 1
    keeps(done, "key file missing")


def test_no_key_of_the_person_anywhere(world: World) -> None:
    done = fieldgate("sign", "ready", *SIGN_ANNA)
    assert done.code == 1
    keeps(done, "no key of that person here")


def test_a_key_that_the_roster_does_not_know(world: World, tmp_path: Path) -> None:
    done = fieldgate("sign", "ready", *SIGN_ANNA, "--key", made_key(tmp_path, "eve"))
    assert done.code == 1
    keeps(done, "key not in the roster")


def test_the_key_of_somebody_else(world: World) -> None:
    done = fieldgate("sign", "ready", *SIGN_ANNA, "--key", world.folder / "bo")
    assert done.code == 1
    keeps(done, "key of somebody else")


def test_a_person_who_is_not_in_the_roster(world: World) -> None:
    done = fieldgate("sign", "ready", "--meaning", "performed", "--as", "eve", "--key", world.folder / "anna", "--yes")
    assert done.code == 1
    keeps(done, "person not in the roster")


def test_a_roster_entry_that_ended(world: World, tmp_path: Path) -> None:
    roster = tmp_path / "roster.yaml"
    roster.write_text(world.roster.read_text().replace("roles: [safety]", "roles: [safety], until: 2026-01-31"))
    ready(world, "ended", roster=roster)
    done = fieldgate("sign", "ended", "--meaning", "reviewed", "--as", "bo", "--key", world.folder / "bo", "--yes")
    assert done.code == 1
    keeps(done, "roster entry expired")
    again = fieldgate("verify", "signed", "--roster", roster)
    assert again.code == 8
    keeps(again, "signature of an expired entry")


def test_two_people_with_one_key(world: World, tmp_path: Path) -> None:
    roster = tmp_path / "roster.yaml"
    roster.write_text(world.roster.read_text())
    words = ("--name", "Cy Two", "--role", "safety", "--key", world.folder / "bo.pub", "--file", roster)
    done = fieldgate("roster", "add", "cy2", *words)
    assert done.code == 1
    keeps(done, "two people with one key")


def test_one_person_for_both_signatures(world: World) -> None:
    """Bo may give either, but not both."""
    roster = world.folder / "both.yaml"
    roster.write_text(world.roster.read_text().replace("roles: [safety]", "roles: [safety, engineer]"))
    ready(world, "both", roster=roster)
    first = fieldgate("sign", "both", "--meaning", "performed", "--as", "bo", "--key", world.folder / "bo", "--yes")
    assert first.code == 0, first.said
    done = fieldgate("sign", "both", "--meaning", "reviewed", "--as", "bo", "--key", world.folder / "bo", "--yes")
    assert done.code == 1
    keeps(done, "one person for both signatures")


def test_ssh_keygen_is_missing(world: World, tmp_path: Path) -> None:
    for words in (("sign", "ready", *SIGN_ANNA, "--key", world.folder / "anna"), ("verify", "signed")):
        done = fieldgate(*words, PATH=str(tmp_path))
        assert done.code == 1
        keeps(done, "ssh-keygen missing")


def test_no_room_for_the_signature(world: World) -> None:
    """The kernel refuses to write more than 10 bytes into any file: neither record nor signature takes anything."""
    limited = (
        "import resource, signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (10, 10));"
    )
    argv = [
        sys.executable,
        "-c",
        limited + PROGRAM[2],
        "sign",
        "ready",
        *SIGN_ANNA,
        "--key",
        str(world.folder / "anna"),
    ]
    before = head_of(folder_of("ready"))
    done = Done(subprocess.run(argv, capture_output=True, stdin=subprocess.DEVNULL, check=False))
    assert done.code == 1
    keeps(done, "disk full while signing")
    assert head_of(folder_of("ready")) == before
    assert fieldgate("verify", "ready").code == 3  # intact, and not signed


# ------------------------------------------------------------ forgeries


def _change(entries: Entries) -> None:
    entries[3]["body"]["evidence"]["measurement"]["value"] = 1.0


def _drop(entries: Entries) -> None:
    del entries[2]


def _swap(entries: Entries) -> None:
    entries[1], entries[2] = entries[2], entries[1]


def _add(entries: Entries) -> None:
    entries.insert(2, {**entries[6], "seq": 3, "wall_ns": entries[1]["wall_ns"]})


@pytest.mark.parametrize(
    ("fault", "forge"),
    [("entry changed", _change), ("entry dropped", _drop), ("entries swapped", _swap), ("entry added", _add)],
)
def test_a_forged_record(world: World, tmp_path: Path, fault: str, forge: object) -> None:
    assert callable(forge)
    for chain, told in ((False, fault), (True, f"{fault}, chain made anew")):
        forger = Forger(copied(folder_of("signed"), tmp_path / str(chain)), as_json=False)
        entries = forger.entries()
        forge(entries)
        forger.store(entries, chain=chain)
        done = fieldgate("verify", forger.folder)
        assert done.code == 8
        keeps(done, told)


def test_a_record_whose_end_is_cut_off(world: World, tmp_path: Path) -> None:
    forger = Forger(copied(folder_of("signed"), tmp_path / "copy"), as_json=False)
    head = head_of(forger.folder)
    forger.store(forger.entries()[:8], chain=True)
    assert fieldgate("verify", forger.folder).code == 0  # nothing within the record can know it
    done = fieldgate("verify", forger.folder, "--head", f"{head.seq}:{head.digest}")
    assert done.code == 8
    keeps(done, "record's end cut off")


def test_a_file_of_the_record_that_is_cut_short(world: World, tmp_path: Path) -> None:
    folder = copied(folder_of("signed"), tmp_path / "copy")
    for log in (f"{FILE}-wal", f"{FILE}-shm"):
        (folder / log).unlink(missing_ok=True)
    whole = (folder / FILE).read_bytes()
    (folder / FILE).write_bytes(whole[: int(len(whole) * 0.9)])
    done = fieldgate("verify", folder)
    assert done.code == 8
    keeps(done, "record cut short")
    campaign = open_campaign("signed", read_only=True)
    write_json(campaign.record, tmp_path / "record.json")
    campaign.close()
    (tmp_path / "record.json").write_bytes((tmp_path / "record.json").read_bytes()[:3000])
    done = fieldgate("verify", tmp_path / "record.json")
    assert done.code == 8
    keeps(done, "JSON record cut short")


def test_an_attachment_that_was_replaced_or_removed(world: World, tmp_path: Path) -> None:
    folder = copied(folder_of("signed"), tmp_path / "copy")
    photo = next(path for path in (folder / "attachments").iterdir() if path.read_bytes().startswith(b"\xff\xd8"))
    photo.write_bytes(b"\xff\xd8\xff\xe0 a pixture")
    done = fieldgate("verify", folder)
    assert done.code == 8
    keeps(done, "attachment replaced")
    photo.unlink()
    done = fieldgate("verify", folder)
    assert done.code == 8
    keeps(done, "attachment removed")


def test_a_whole_record_made_anew(world: World, tmp_path: Path) -> None:
    """With a roster and keys of the forger's own the record is whole; only a roster from elsewhere tells."""
    mine = tmp_path / "mine.yaml"
    key = made_key(tmp_path, "eve").with_suffix(".pub")
    fieldgate("roster", "add", "bo", "--name", "Bo Berg", "--role", "safety", "--key", key, "--file", mine)
    done = fieldgate("verify", "signed", "--roster", mine)
    assert done.code == 8
    keeps(done, "whole record made anew")


# ------------------------------------------------------------ what changes under a campaign


def test_a_pack_that_is_edited_under_a_running_campaign(world: World) -> None:
    pack = world.folder / "edited.yaml"
    pack.write_text(PACK)
    campaign = world.campaign(pack=pack, name="edited")
    campaign.measure("force", 31.5, "anna")
    campaign.close()
    pack.write_text(PACK.replace("threshold: 40", "threshold: 30"))
    done = fieldgate("campaign", "show", "edited")
    keeps(done, "pack edited under a running campaign")
    assert "✔ pass force" in done.said  # its own text still judges
    revised = fieldgate("campaign", "revise", "edited", "--reason", "a softer object", "--pack", pack)
    keeps(revised, "pack revised")
    assert "stale force" in fieldgate("campaign", "show", "edited").said


def test_a_clock_that_was_set_back(world: World) -> None:
    campaign = world.campaign(
        pack=world.folder / "signed.yaml", name="back", wall_ns=lambda: time.time_ns() + 2 * HOUR_NS
    )
    campaign.confirm("fence", True, "anna")
    campaign.close()
    assert fieldgate("campaign", "confirm", "back", "sheet").code == 0
    shown = fieldgate("campaign", "show", "back")
    keeps(shown, "laptop's clock set back")
    assert "[time untrusted]" in shown.said
    keeps(fieldgate("verify", "back"), "record with a clock set back")
