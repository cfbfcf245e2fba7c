"""What somebody with the file, or a key of their own, can do so that a record or `verify` lets pass what is not true."""

from __future__ import annotations

import base64
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from console.record.attachments import Attachments
from console.record.entries import Note
from console.record.record import FILE, Record
from console.record.roster import parse_roster
from console.record.verify import sentences, verify_record
from remote.errors import Trouble
from tests.console.checklist.campaign_world import World
from tests.console.record.signed_campaign import Forger, copied, folder_of, signed
from tests.console.record.signers import made_key, public


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("world")
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("FIELDGATE_HOME", str(folder / "home"))
        made = World(folder)
        signed(made).close()
        yield made


@pytest.fixture
def forger(world: World, tmp_path: Path) -> Forger:
    return Forger(copied(folder_of("signed"), tmp_path / "forged"), as_json=False)


# ------------------------------------------------------------ the database itself


SWALLOWING = (
    "CREATE TRIGGER deaf BEFORE INSERT ON entries WHEN NEW.kind = 'note' BEGIN SELECT RAISE(IGNORE); END",
    "CREATE TRIGGER deaf AFTER INSERT ON entries WHEN NEW.kind = 'note' "
    "BEGIN UPDATE entries SET item = 'x' WHERE seq = NEW.seq; END",
)


@pytest.mark.parametrize("trigger", SWALLOWING)
def test_a_record_that_drops_what_is_written_into_it_is_not_opened(forger: Forger, trigger: str) -> None:
    """A no-go that was acknowledged and is not there: the gate would open over it."""
    with sqlite3.connect(forger.folder / FILE) as connection:
        connection.execute(trigger)
    connection.close()
    with pytest.raises(Trouble) as refused:
        Record.open(forger.folder).append("anna", Note(text="no"))
    assert refused.value.code == "record_damaged"
    assert "deaf" in refused.value.what


def test_a_table_that_answers_two_readers_differently_is_not_opened(forger: Forger) -> None:
    """`verify` reads the entries for the chain and once more for the checklist: both must be the same."""
    path = forger.folder / FILE
    connection = sqlite3.connect(path)
    connection.executescript(
        """
        ALTER TABLE entries RENAME TO kept;
        CREATE VIEW entries AS SELECT seq, kind, item, digest, line FROM kept WHERE abs(random()) % 2 = 0;
        PRAGMA writable_schema = ON;
        UPDATE sqlite_master SET type = 'table' WHERE name = 'entries';
        """
    )
    connection.commit()
    connection.close()
    with pytest.raises(Trouble) as refused:
        verify_record(Record.open(forger.folder, read_only=True))
    assert refused.value.code == "record_damaged"


@pytest.mark.parametrize("harmless", ["ANALYZE", "CREATE INDEX by_kind ON entries (kind)", "DROP TRIGGER entries_keep"])
def test_what_cannot_change_an_entry_keeps_nobody_from_reading_it(forger: Forger, harmless: str) -> None:
    connection = sqlite3.connect(forger.folder / FILE)
    connection.execute(harmless)
    connection.commit()
    connection.close()
    record = Record.open(forger.folder, read_only=True)
    assert verify_record(record).intact
    record.close()


# ------------------------------------------------------------ attachments


def test_a_pipe_in_an_attachments_place_keeps_nobody_waiting(tmp_path: Path) -> None:
    """Else whoever can write the folder can keep every auditor from an answer."""
    digest = "a" * 64
    os.mkfifo(tmp_path / digest)
    argv = [
        sys.executable,
        "-c",
        "import sys; from pathlib import Path; from console.record.attachments import Attachments\n"
        f"Attachments(Path({str(tmp_path)!r})).get({digest!r})",
    ]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=20, check=False)
    assert "is not in" in done.stderr


def test_a_link_to_another_file_counts_by_its_content(tmp_path: Path) -> None:
    kept = Attachments(tmp_path / "attachments").put(b"sheet", "sheet.txt")
    path = tmp_path / "attachments" / kept.digest
    (tmp_path / "elsewhere").write_bytes(b"another")
    path.unlink()
    path.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(Trouble) as refused:
        Attachments(tmp_path / "attachments").get(kept.digest)
    assert refused.value.code == "attachment_damaged"


# ------------------------------------------------------------ who signs


def _padded(line: str) -> str:
    """The same RSA key spelt otherwise: a zero byte more before its modulus."""
    kind, data, *_ = line.split()
    blob = base64.b64decode(data)
    parts, at = [], 0
    while at < len(blob):
        size = int.from_bytes(blob[at : at + 4], "big")
        parts.append(blob[at + 4 : at + 4 + size])
        at += 4 + size
    parts[-1] = b"\0" + parts[-1]
    packed = b"".join(len(part).to_bytes(4, "big") + part for part in parts)
    return f"{kind} {base64.b64encode(packed).decode()}"


def test_two_people_cannot_share_one_key_by_spelling_it_twice(tmp_path: Path) -> None:
    """OpenSSH takes both spellings for the same key: one person could sign as two."""
    key = public(made_key(tmp_path, "anna", kind="rsa"))
    text = (
        "people:\n"
        f"  - {{principal: anna, name: Anna Alm, roles: [engineer], keys: ['{key}']}}\n"
        f"  - {{principal: bo, name: Bo Berg, roles: [safety], keys: ['{_padded(key)}']}}\n"
    )
    with pytest.raises(Trouble) as refused:
        parse_roster(text, "roster.yaml")
    assert refused.value.code == "bad_roster"


@pytest.mark.parametrize(
    "name", ["Anna Alm\ufe0f", "Anna\u034f Alm", "Anna\u3164Alm", "Anna Alm\u2800", "\u0410nna Alm", "Ann\u03b1 Alm"]
)
def test_a_name_that_only_looks_like_another_is_refused(tmp_path: Path, name: str) -> None:
    """The second person is told by another name; nobody reading the report could tell these two."""
    keys = [public(made_key(tmp_path, one)) for one in ("anna", "bo")]
    text = (
        "people:\n"
        f"  - {{principal: anna, name: Anna Alm, roles: [engineer], keys: ['{keys[0]}']}}\n"
        f"  - {{principal: bo, name: \"{name}\", roles: [safety], keys: ['{keys[1]}']}}\n"
    )
    with pytest.raises(Trouble) as refused:
        parse_roster(text, "roster.yaml")
    assert "people[1].name" in refused.value.what


@pytest.mark.parametrize(
    "name", ["Анна Альм", "Åsa Öberg", "李 雷", "Άννα", "Jean-Luc O'Neil", "王 Li", "นภา", "Zoë (QA)"]
)
def test_names_of_all_peoples_are_taken(tmp_path: Path, name: str) -> None:
    key = public(made_key(tmp_path, "anna"))
    text = f"people:\n  - {{principal: anna, name: \"{name}\", roles: [engineer], keys: ['{key}']}}\n"
    assert parse_roster(text, "roster.yaml").people[0].name == name


def test_another_roster_put_in_force_is_said(world: World, tmp_path: Path) -> None:
    """Whoever may write can put a roster in force in which Bo's key is theirs; an auditor must not have to guess."""
    campaign = signed(world, name="eves")
    key = made_key(tmp_path, "eve")
    (tmp_path / "eve.yaml").write_text(
        f"people: [{{principal: bo, name: Bo Berg, roles: [safety], keys: ['{public(key)}']}}]\n"
    )
    campaign.revise("somebody left us", "eve", roster=tmp_path / "eve.yaml")
    report = verify_record(campaign.record)
    campaign.close()
    said = "\n".join(sentences(report))
    assert "entry 11" in said
    assert "eve put another roster in force: somebody left us" in said
    assert "bo (Bo Berg) has other keys" in said
    assert "anna (Anna Alm) is not in it any more" in said
