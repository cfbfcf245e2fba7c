"""Every way to forge a signed record that we could think of, each tried on a real one: `verify` must find it, and say where.

Where a forgery can't be found from the record alone, the test says so and finds it with what is known elsewhere.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from console.campaigns.opening import open_campaign
from console.campaigns.statement import covers_of
from console.record.roster import Roster, load_roster
from console.record.rows import Head
from console.record.signing import KeyFile, sign
from console.record.statements import read_statement, write_statement
from console.record.verify import Report, sentences, verify_record
from remote.errors import Trouble
from tests.console.checklist.campaign_world import World
from tests.console.record.signed_campaign import (
    PERFORMED,
    REVIEWED,
    Entries,
    Forger,
    changed,
    copied,
    digest_as_stored,
    folder_of,
    head_of,
    signed,
)
from tests.console.record.signers import made_key, public


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """One laptop with one signed campaign for all forgeries, each of which gets a copy."""
    folder = tmp_path_factory.mktemp("world")
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("FIELDGATE_HOME", str(folder / "home"))
        made = World(folder)
        signed(made).close()
        signed(made, name="other").close()
        yield made


@pytest.fixture(params=["folder", "json"])
def forger(world: World, tmp_path: Path, request: pytest.FixtureRequest) -> Forger:
    return Forger(copied(folder_of("signed"), tmp_path / "forged"), as_json=request.param == "json")


def body(entries: Entries, seq: int) -> dict[str, Any]:
    found: dict[str, Any] = entries[seq - 1]["body"]
    return found


def note(text: str, wall_ns: int) -> dict[str, Any]:
    said = {"type": "note", "item": "", "text": text, "attachments": []}
    return {"seq": 0, "prev": "", "wall_ns": wall_ns, "clock_back_ms": 0.0, "person": "eve", "body": said}


def add(entries: Entries, before: int) -> None:
    entries.insert(before - 1, note("added", entries[before - 2]["wall_ns"]))


def swap(entries: Entries, one: int, other: int) -> None:
    entries[one - 1], entries[other - 1] = entries[other - 1], entries[one - 1]


def drop(entries: Entries, seq: int) -> None:
    del entries[seq - 1]


# ------------------------------------------------------------ what is found in the record itself


FOUND: list[tuple[str, Callable[[Entries], object], bool, str]] = [
    ("changed", lambda e: body(e, 4)["evidence"]["measurement"].update(value=1.0), False, "entry 5: .*changed"),
    ("changed and chained anew", lambda e: body(e, 4)["evidence"]["judgement"].update(verdict="pass", why="ok"), True,
     "entry 6: .*NOT GOOD: the record was changed after it was signed"),
    ("person changed", lambda e: e[1].update(person="bo"), True, "entry 6: .*changed after it was signed"),
    ("time changed", lambda e: e[1].update(clock_back_ms=5.0), True, "NOT GOOD"),
    ("dropped", lambda e: drop(e, 3), False, "entry 4: entry 3 before it is missing"),
    ("dropped and chained anew", lambda e: drop(e, 3), True, "some of them are missing here|not what was signed"),
    ("first dropped", lambda e: drop(e, 1), True, "entry 1: .*not the opening"),
    ("signature dropped", lambda e: drop(e, PERFORMED), True, "entry 7: .*NOT GOOD"),
    ("swapped", lambda e: swap(e, 2, 3), False, "entry [23]: "),
    ("swapped and chained anew", lambda e: swap(e, 2, 3), True, "changed after it was signed"),
    ("swapped signatures", lambda e: swap(e, PERFORMED, REVIEWED), True, "NOT GOOD"),
    ("added in the middle", lambda e: add(e, 3), False, "entry (0|3): "),
    ("added in the middle and chained anew", lambda e: add(e, 3), True, "entries were put between|not what was signed"),
    ("added before a signature", lambda e: add(e, REVIEWED), True, "entry 9: .*entries were put between or taken out"),
    ("added at the end, unchained", lambda e: e.append({**note("added", e[-1]["wall_ns"]), "seq": 11}), False,
     "entry 11: it was not written behind"),
    ("time set back behind the signatures", lambda e: e[9].update(wall_ns=5), True, "entry 10: its time lies before"),
    ("pack exchanged", lambda e: body(e, 1).update(pack_name="other"), True, "changed after it was signed"),
    ("bundle exchanged", lambda e: body(e, 1).update(bundle="9" * 64), True, "given for the bundle"),
    ("campaign renamed", lambda e: body(e, 1).update(campaign="another"), True, "given for the campaign 'signed'"),
    ("meaning changed", lambda e: body(e, REVIEWED).update(meaning="approved"), True, "says meaning 'approved'"),
    ("stage changed", lambda e: body(e, REVIEWED).update(stage="field"), True, "says stage 'field'"),
    ("name changed", lambda e: body(e, REVIEWED).update(name="Boss"), True, "says name 'Boss'"),
    ("signer changed", lambda e: body(e, REVIEWED).update(principal="anna", name="Anna Alm"), True, "says name 'Anna Alm'"),
    ("role changed", lambda e: body(e, REVIEWED).update(role="lead"), True, "says role 'lead'"),
    ("key changed", lambda e: body(e, REVIEWED).update(key="SHA256:x"), True, "says key 'SHA256:x'"),
    ("time of signing changed", lambda e: body(e, REVIEWED).update(local_time="2027-01-01T00:00:00+00:00"), True,
     "says local time 2027-01-01"),
    ("coverage changed", lambda e: body(e, REVIEWED)["covers"].update(fence="1" * 64), True, "covers other evidence"),
    ("head changed", lambda e: body(e, REVIEWED).update(head=3), True, "says that it stands on entry 3"),
    ("signature repeated", lambda e: e.append({**e[REVIEWED - 1]}), True, "entry 11: .*entries were put between"),
    ("signature exchanged", lambda e: body(e, REVIEWED).update(armored=body(e, PERFORMED)["armored"]), True,
     "the signature was given with another one"),
    ("signature emptied", lambda e: body(e, REVIEWED).update(armored=""), True, "can't be read"),
    ("attachment made longer", lambda e: body(e, 5)["attachments"][0].update(bytes=1), True, "the entry says 1"),
    ("attachment named away", lambda e: body(e, 5)["attachments"][0].update(digest="7" * 64), True, "7777"),
    ("path for an attachment", lambda e: body(e, 5)["attachments"][0].update(digest="../record.db"), True,
     r"attachment \.\./record\.db is not in"),
    ("opened twice", lambda e: e.append({**e[0], "wall_ns": e[-1]["wall_ns"]}), True, "opened a second time"),
    ("unknown kind", lambda e: e[9].update(body={"type": "pardon", "item": "force"}), True, "does not know"),
    ("no entry at all", lambda e: e[9].update(body={"type": "note"}), True, "entry 10"),
    ("withdraws what never was", lambda e: e[9].update(body={"type": "withdrawal", "seq": 77, "reason": "x"}), True,
     "withdraws entry 77"),
    ("gate opened without signatures", lambda e: e[9].update(
        body={"type": "gate_passed", "stage": "bench", "signatures": [5]}), True, "rests on entry 5"),
    ("emptied", lambda e: e.clear(), True, "holds no entry"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "chain", "said"), [row[1:] for row in FOUND], ids=[row[0] for row in FOUND])
def test_a_forgery_is_found_and_said(
    forger: Forger, change: Callable[[Entries], object], chain: bool, said: str
) -> None:
    report = verify_record(forger.store(changed(change)(forger.entries()), chain=chain))
    assert not report.intact
    assert re.search(said, "\n".join(sentences(report))), sentences(report)


def test_the_record_as_it_was_is_intact(forger: Forger) -> None:
    """Else every test here would find something in a record that nobody touched."""
    report = verify_record(forger.store(forger.entries(), chain=True))
    assert report.intact, sentences(report)
    assert [(one.seq, one.principal, one.meaning) for one in report.signatures] == [
        (PERFORMED, "anna", "performed"),
        (REVIEWED, "bo", "reviewed"),
    ]
    assert (report.entries, report.protected_to, report.campaign) == (10, REVIEWED, "signed")


def test_verifying_writes_nothing(world: World, tmp_path: Path) -> None:
    folder = copied(folder_of("signed"), tmp_path / "copy")
    before = {path: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}
    verify_record(Forger(folder, as_json=False).opened())
    assert all(path.read_bytes() == data for path, data in before.items())


# ------------------------------------------------------------ attachments, statements, rosters


@pytest.mark.parametrize("which", ["photo", "statement", "roster", "pack"])
@pytest.mark.parametrize("how", ["replaced", "removed", "shortened"])
def test_an_attachment_that_is_not_what_was_attached_is_found(
    world: World, tmp_path: Path, which: str, how: str
) -> None:
    forger = Forger(copied(folder_of("signed"), tmp_path / "forged"), as_json=False)
    entries = forger.entries()
    named = {
        "photo": body(entries, 5)["attachments"][0],
        "statement": body(entries, REVIEWED)["statement"],
        "roster": body(entries, 1)["roster"],
        "pack": body(entries, 1)["pack"],
    }[which]
    path = forger.folder / "attachments" / named["digest"]
    if how == "removed":
        path.unlink()
    else:
        data = path.read_bytes()
        path.write_bytes(data[:-1] + b"?" if how == "replaced" else data[: len(data) // 2])
    report = verify_record(forger.opened())
    assert any(named["name"] in problem.what for problem in report.problems), report.problems


def test_a_statement_that_is_put_in_the_place_of_the_signed_one_is_found(forger: Forger) -> None:
    entries = forger.entries()
    path = forger.folder / "attachments" / body(entries, REVIEWED)["statement"]["digest"]
    said = msgspec.structs.replace(read_statement(path.read_bytes()), counts="3: 3 pass, much better")
    body(entries, REVIEWED)["statement"] = forger.attach(write_statement(said))
    report = verify_record(forger.store(entries, chain=True))
    assert "does not fit the statement" in report.signatures[1].bad
    assert not report.signatures[0].bad


def test_a_statement_that_is_no_statement_is_found_even_if_somebody_signed_it(forger: Forger, world: World) -> None:
    entries = forger.entries()
    data = b"I owe you a beer.\n"
    body(entries, REVIEWED).update(statement=forger.attach(data), armored=sign(data, world.key("bo")))
    report = verify_record(forger.store(entries, chain=True))
    assert "not written as fieldgate writes them" in report.signatures[1].bad


def _eves_roster(folder: Path) -> tuple[Path, str]:
    key = made_key(folder, "eve")
    text = f"people: [{{principal: bo, name: Bo Berg, roles: [safety], keys: ['{public(key)}']}}]\n"
    return key, text


def test_a_roster_that_is_swapped_under_the_signatures_is_found(forger: Forger, tmp_path: Path) -> None:
    entries = forger.entries()
    body(entries, 1)["roster"] = forger.attach(_eves_roster(tmp_path)[1].encode())
    report = verify_record(forger.store(entries, chain=True))
    assert "'anna' is not in the roster" in report.signatures[0].bad or "changed after" in report.signatures[0].bad
    assert report.signatures[1].bad


def _made_anew_by_eve(forger: Forger, tmp_path: Path) -> Report:
    """Eve drops Anna's signature, writes her own roster with Bo's name on her key, and signs a statement that fits."""
    key, text = _eves_roster(tmp_path)
    entries = [one for number, one in enumerate(forger.entries(), 1) if number not in (PERFORMED, 7)]
    body(entries, 1)["roster"] = forger.attach(text.encode())
    body(entries, 4)["evidence"]["measurement"]["value"] = 12.0
    chained = {row.seq: row for row in forger.store(entries[:5], chain=True).rows()}
    path = forger.folder / "attachments" / body(entries, 6)["statement"]["digest"]
    said = read_statement(path.read_bytes())
    items = [
        msgspec.structs.replace(one, evidence=f"entry {seq}, sha256 {chained[seq].digest}")
        for one, seq in zip(said.items, (2, 3, 4), strict=True)
    ]
    fingerprint = re.findall(r"SHA256:\S+", _fingerprint(key))[0]
    head = f"entry 5, sha256 {chained[5].digest}"
    data = write_statement(msgspec.structs.replace(said, items=tuple(items), head=head, key=fingerprint))
    covers = {one.item: chained[seq].digest for one, seq in zip(said.items, (2, 3, 4), strict=True)}
    body(entries, 6).update(
        statement=forger.attach(data), armored=sign(data, KeyFile(key, may_ask=False)), key=fingerprint, head=5
    )
    body(entries, 6)["covers"] = covers
    return verify_record(forger.store(entries, chain=True))


def _fingerprint(key: Path) -> str:
    return subprocess.run(["ssh-keygen", "-l", "-f", str(key)], capture_output=True, text=True, check=True).stdout


def test_a_whole_record_made_anew_is_found_only_with_a_roster_from_elsewhere(
    forger: Forger, world: World, tmp_path: Path
) -> None:
    """The limit of any such record, said in every report: who brings the roster with the record can bring any."""
    alone = _made_anew_by_eve(forger, tmp_path)
    assert alone.intact, sentences(alone)
    assert any("give one that you trust with --roster" in one for one in sentences(alone))
    found = verify_record(forger.opened(), load_roster(world.roster))
    assert not found.intact
    assert "is not in the roster" in found.signatures[0].distrusted
    assert found.protected_to == 0


def test_a_trusted_roster_takes_the_true_record(forger: Forger, world: World) -> None:
    report = verify_record(forger.opened(), load_roster(world.roster))
    assert report.intact
    assert report.trusted
    assert not any("--roster" in one for one in sentences(report))


def test_a_trusted_roster_that_took_a_role_away_makes_the_signature_bad(forger: Forger, world: World) -> None:
    roster = load_roster(world.roster)
    lowered = tuple(
        msgspec.structs.replace(one, roles=("guest",)) if one.principal == "bo" else one for one in roster.people
    )
    report = verify_record(forger.opened(), Roster(people=lowered))
    assert "has not the role 'safety'" in report.signatures[1].distrusted
    assert not report.signatures[1].bad


def test_an_ended_roster_entry_counts_by_the_time_of_signing(forger: Forger, world: World) -> None:
    """Not by today: else every signature would go bad on the day that its owner leaves."""
    roster = load_roster(world.roster)
    for until, bad in (("2026-12-31", True), ("2027-01-15", False)):  # signed on 2027-01-15
        ended = tuple(msgspec.structs.replace(one, until=until) for one in roster.people)
        report = verify_record(forger.opened(), Roster(people=ended))
        assert bool(report.signatures[0].distrusted) is bad, until


def test_a_signature_of_one_campaign_is_worth_nothing_in_another(forger: Forger, world: World) -> None:
    entries = forger.entries()
    other = Forger(folder_of("other"), as_json=False)
    theirs = other.entries()[REVIEWED - 1]
    digest = theirs["body"]["statement"]["digest"]
    forger.attach((other.folder / "attachments" / digest).read_bytes())
    entries[REVIEWED - 1] = theirs
    report = verify_record(forger.store(entries, chain=True))
    assert "given for the campaign 'other'" in report.signatures[1].bad


# ------------------------------------------------------------ ends: what only a signature or a noted head protects


@pytest.mark.parametrize("left", [9, REVIEWED, 7, 5])
def test_a_record_cut_short_is_found_by_a_head_that_was_written_down(forger: Forger, left: int) -> None:
    noted = head_of(forger.folder)
    cut = forger.store(forger.entries()[:left], chain=True)
    alone = verify_record(cut)
    assert alone.intact  # nothing in what is left can know what came after it
    assert any("taken away, unseen" in one for one in sentences(alone)) or left == REVIEWED
    found = verify_record(cut, known=[noted])
    assert [problem.what.partition(":")[0] for problem in found.problems] == ["it was cut short"]


def test_a_json_record_cut_short_is_found_by_its_own_head(world: World, tmp_path: Path) -> None:
    forger = Forger(copied(folder_of("signed"), tmp_path / "forged"), as_json=True)
    forger.opened()
    path = forger.folder / "forged.json"
    document = msgspec.json.decode(path.read_bytes())
    document["lines"] = document["lines"][:9]
    path.write_bytes(msgspec.json.encode(document))
    from console.record.export import read_json

    report = verify_record(read_json(path))
    assert any("it ends with entry 10, here it ends with 9" in problem.what for problem in report.problems)


def test_entries_added_at_the_end_are_said_to_be_protected_by_nothing(forger: Forger) -> None:
    noted = head_of(forger.folder)
    entries = forger.entries()
    entries.append(note("added", entries[-1]["wall_ns"]))
    report = verify_record(forger.store(entries, chain=True), known=[noted])
    said = "\n".join(sentences(report))
    assert report.intact  # whoever holds the record may always write on: that is what it is for
    assert "entry 10 is the one that was written down; 1 entry was added since" in said
    assert "entry 11 is protected by no signature: it could be made anew" in said
    assert "normal" not in said, "a note behind the signatures is what a forger adds"


def test_a_gate_that_was_passed_behind_its_signatures_is_called_normal(forger: Forger) -> None:
    entries = forger.entries()[:REVIEWED]
    passed = note("", entries[-1]["wall_ns"])
    passed["body"] = {"type": "gate_passed", "stage": "bench", "signatures": [PERFORMED, REVIEWED]}
    report = verify_record(forger.store([*entries, passed], chain=True))
    assert "entry 9 is protected by no signature: it could be" in "\n".join(sentences(report))
    assert "this is normal after `campaign pass`" in "\n".join(sentences(report))
    again = verify_record(forger.store([*entries, passed, {**passed}], chain=True))
    assert "entries 9 to 10 are protected by no signature: they could" in "\n".join(sentences(again))


def test_a_changed_entry_behind_the_signatures_is_found_by_a_noted_head(forger: Forger) -> None:
    noted = head_of(forger.folder)
    entries = forger.entries()
    body(entries, 9)["text"] = "never switched on"
    changed_record = forger.store(entries, chain=True)
    assert verify_record(changed_record).intact
    found = verify_record(changed_record, known=[noted])
    assert "it is not the entry that was written down" in found.problems[0].what
    assert not verify_record(changed_record, known=[Head(10, "0" * 64)]).intact


# ------------------------------------------------------------ what is no forgery


def test_a_signature_that_was_taken_back_is_said_and_is_no_forgery(forger: Forger) -> None:
    entries = forger.entries()
    withdrawal = {"type": "withdrawal", "seq": REVIEWED, "reason": "signed the wrong stage"}
    entries.append({**note("", entries[-1]["wall_ns"]), "body": withdrawal})
    report = verify_record(forger.store(entries, chain=True))
    assert report.intact
    assert report.signatures[1].withdrawn == "withdrawn in entry 11: signed the wrong stage"


def test_a_clock_set_back_is_noted_and_is_no_forgery(forger: Forger) -> None:
    entries = forger.entries()
    entries[9]["clock_back_ms"] = 7_200_000.0
    report = verify_record(forger.store(entries, chain=True), wall_ns=0)
    assert report.intact
    assert "set back by 7200 s before entry 10" in report.notes[0]
    assert "in the future" in report.notes[1]


def test_an_entry_of_another_program_while_somebody_signs_makes_no_forged_signature(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would stand between the statement's head and the signature for ever; instead the person signs again."""
    campaign = signed(world, name="crowded")
    campaign.withdraw(REVIEWED, "to be signed once more", "bo")
    other = open_campaign("crowded", wall_ns=world.clock)
    head = campaign.record.head()

    def meanwhile(*given: Any) -> dict[str, str]:
        other.note("from another program", "cy")
        return covers_of(*given)

    monkeypatch.setattr("console.campaigns.gates.covers_of", meanwhile)  # the moment before the entry is written
    with pytest.raises(Trouble) as refused:
        campaign.sign("bench", "reviewed", "bo", world.key("bo"))
    assert refused.value.code == "record_went_on"
    monkeypatch.undo()
    assert campaign.record.head().seq == head.seq + 1
    campaign.sign("bench", "reviewed", "bo", world.key("bo"))  # nothing is in the way now
    assert verify_record(campaign.record).intact
    other.close()
    campaign.close()


def test_signatures_stay_good_under_the_roster_and_bundle_they_were_given_on(world: World, tmp_path: Path) -> None:
    """A revision later changes what counts, never who signed what: else a new model would make every old record forged."""
    campaign = signed(world, name="revised")
    key = made_key(tmp_path, "dora")
    text = f"people: [{{principal: dora, name: Dora Dahl, roles: [engineer, safety], keys: ['{public(key)}']}}]\n"
    (tmp_path / "new.yaml").write_text(text)
    campaign.revise("a new model and new people", "anna", bundle="91bc" * 16, roster=tmp_path / "new.yaml")
    campaign.sign("bench", "reviewed", "dora", KeyFile(key, may_ask=False))
    report = verify_record(campaign.record)
    campaign.close()
    assert report.intact, sentences(report)
    assert [one.principal for one in report.signatures] == ["anna", "bo", "dora"]
    assert report.signatures[0].roster != report.signatures[2].roster
    assert report.bundle == "91bc" * 16


def test_who_is_in_the_roster_no_more_can_sign_no_more(world: World, tmp_path: Path) -> None:
    """Bo's signature from before the revision, moved behind it: he is not in force there."""
    campaign = signed(world, name="left")
    (tmp_path / "new.yaml").write_text("people: []\n")
    campaign.revise("everybody has left", "anna", roster=tmp_path / "new.yaml")
    campaign.close()
    forger = Forger(copied(folder_of("left"), tmp_path / "copy"), as_json=False)
    entries = forger.entries()
    data = (forger.folder / "attachments" / body(entries, REVIEWED)["statement"]["digest"]).read_bytes()
    head = entries[-1]
    said = msgspec.structs.replace(read_statement(data), head=f"entry 11, sha256 {digest_as_stored(head)}")
    moved = {**entries[REVIEWED - 1], "wall_ns": head["wall_ns"], "body": dict(body(entries, REVIEWED))}
    text = write_statement(said)
    moved["body"].update(statement=forger.attach(text), armored=sign(text, world.key("bo")), head=11)
    entries.append(moved)
    report = verify_record(forger.store(entries, chain=True))
    assert report.signatures[2].bad == "'bo' is not in the roster"
    assert not report.signatures[1].bad


@pytest.mark.parametrize(
    ("evidence", "said"),
    [
        (lambda rows: f"entry 3, sha256 {rows[3]}", "'fence' was signed on entry 3, which is about 'sheet'"),
        (lambda rows: f"entry 2, sha256 {rows[3]}", "'fence' was signed on entry 2, which is not the same any more"),
        (lambda rows: f"entry 2, sha256 {'1' * 64}", "'fence' was signed on entry 2, which is not the same any more"),
        (lambda rows: f"entry 99, sha256 {rows[3]}", "'fence' was signed on entry 99, which is not the same any more"),
    ],
)
def test_a_signer_who_signs_other_evidence_than_the_record_holds_is_found(
    forger: Forger, world: World, evidence: Callable[[dict[int, str]], str], said: str
) -> None:
    """Bo himself signs a statement of his own making: the signature is his, what it says of the record is not true."""
    entries = forger.entries()
    rows = {number: digest_as_stored(entry) for number, entry in enumerate(entries, 1)}
    data = (forger.folder / "attachments" / body(entries, REVIEWED)["statement"]["digest"]).read_bytes()
    true = read_statement(data)
    items = (msgspec.structs.replace(true.items[0], evidence=evidence(rows)), *true.items[1:])
    lie = msgspec.structs.replace(true, items=items)
    text = write_statement(lie)
    signature = body(entries, REVIEWED)
    signature.update(statement=forger.attach(text), armored=sign(text, world.key("bo")), covers=lie.covers())
    assert verify_record(forger.store(entries, chain=True)).signatures[1].bad == said


@pytest.mark.parametrize(("stage", "intact"), [("bench", True), ("field", False)])
def test_a_gate_is_opened_by_signatures_on_its_own_stage_only(forger: Forger, stage: str, intact: bool) -> None:
    entries = forger.entries()
    entries[9]["body"] = {"type": "gate_passed", "stage": stage, "signatures": [PERFORMED, REVIEWED]}
    report = verify_record(forger.store(entries, chain=True))
    assert report.intact is intact
    assert intact or f"no signature on '{stage}' before it" in report.problems[0].what
