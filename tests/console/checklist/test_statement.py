"""What people sign: if its text could be forged, left open or read in two ways, a signature would mean nothing."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from console.campaigns.statement import SENTENCES, covers_of, statement_of
from console.checklist.pack import Gate, Item, Signing, Stage
from console.checklist.signatories import role_for, same_name, same_person, why_not_sign, why_not_witness
from console.checklist.states import Basis, ChecklistState, GateState, ItemState, SignatureState, StageState
from console.fieldtest.criteria import Judgement, Rate
from console.record.entries import Attachment, Confirmation, Evidence, Meaning, Moment, Override, Signature
from console.record.roster import Person, Roster
from console.record.statements import plain, read_statement
from remote.errors import Trouble

AT_NS = 1_790_000_000 * 1_000_000_000
LOCAL = "2026-09-21T15:33:20+02:00"
KEY = "SHA256:anna"
ANNA = Person(principal="anna", name="Anna Berg", roles=("safety",))
BO = Person(principal="bo", name="Bo Lund", roles=("lead", "engineer"))
GATE = Gate(
    signatures=(
        Signing(meaning="performed", roles=("engineer",)),
        Signing(meaning="reviewed", roles=("safety", "lead")),
        Signing(meaning="approved", roles=("lead",)),
    )
)


def item(id: str = "success", *, title: str = "Success in simulation", **parts: Any) -> ItemState:
    given: dict[str, Any] = {"item": Item(id=id, title=title, kind="sensed"), "stage": "bench", "state": "pass"}
    return ItemState(**{**given, **parts})


def measured(seq: int = 4, why: str = "26 of 30, at least 72.0 %") -> Basis:
    judgement = Judgement(verdict="pass", value=86.7, lower=72.0, n=30, why=why)
    evidence = Evidence(
        source="success_table",
        measurement=Rate(26, 30),
        judgement=judgement,
        limit="rate > 70 %, n >= 30",
        moment=Moment(wall_ns=1),
        rule="r" * 64,
    )
    return Basis(seq=seq, digest="4" * 64, wall_ns=1, person="bo", evidence=evidence)


def vouched(note: str = "") -> Basis:
    said = Confirmation(
        item="fence", meaning="performed", holds=True, statement="The fence is shut.", note=note, rule="r"
    )
    return Basis(seq=5, digest="5" * 64, wall_ns=1, person="bo", confirmation=said)


def state(*items: ItemState, given: tuple[SignatureState, ...] = (), **parts: Any) -> ChecklistState:
    stage = Stage(id="bench", title="Bench", items=tuple(one.item for one in items), gate=GATE)
    gate = GateState(signatures=given, basis="b" * 64)
    fields: dict[str, Any] = {
        "campaign": "kitchen", "robot": "orin", "bundle": "3f2a" * 16, "bundle_name": "tabletop", "revision": "e" * 64,
        "wall_ns": AT_NS, "stages": (StageState(stage=stage, items=items, gate=gate),), "stage": "bench", "next_item": None,
        "recheck": (), "overrides": 0, "deferrals": 0, "fingerprints": {}, "entries": 9, "head": "9" * 64, "pack": "grasping",
    }  # fmt: skip
    return ChecklistState(**{**fields, **parts})


def text(now: ChecklistState, meaning: Meaning = "reviewed", person: Person = ANNA) -> str:
    return statement_of(now, "bench", meaning, person, KEY, AT_NS, LOCAL).decode()


def stage_of(*items: ItemState, given: tuple[SignatureState, ...] = ()) -> StageState:
    return state(*items, given=given).stages[0]


def signature(person: Person, meaning: Meaning = "performed", key: str = "SHA256:k", void: str = "") -> SignatureState:
    made = Signature(
        stage="bench", meaning=meaning, principal=person.principal, name=person.name, role=person.roles[0], key=key,
        statement=Attachment(digest="a" * 64, name="s", media="text/plain", bytes=1), armored="", covers={}, head=1,
        local_time=LOCAL,
    )  # fmt: skip
    return SignatureState(seq=7, wall_ns=1, signature=made, void=void)


# ------------------------------------------------------------ the text


def test_a_person_finds_everything_that_they_sign_in_it() -> None:
    override = Override(
        item="force", role="lead", reason="the cell is fenced", expires_wall_ns=AT_NS + 86_400_000_000_000
    )
    said = text(
        state(
            item(basis=measured(), performers=("bo",), reason="26 of 30"),
            item("fence", title="The fence", state="marginal", basis=vouched("north side"), flags=("too quick",)),
            item("force", title="Force", state="overridden", below="fail", override=override, reason="overridden"),
            item("permit", title="Permit", state="deferred", owner="Cy Carl", reason="comes with the field stage"),
            overrides=1,
            deferrals=1,
            warnings=("the pack was edited",),
        )
    )
    for line in (
        "campaign      kitchen",
        "robot         orin",
        f"bundle        tabletop, sha256 {'3f2a' * 16}",
        "pack          grasping",
        f"record        entry 9, sha256 {'9' * 64}",
        "meaning       reviewed",
        f"that is       {SENTENCES['reviewed']}",
        "name          Anna Berg",
        "principal     anna",
        "role          safety",
        f"key           {KEY}",
        "time UTC      2026-09-21T14:13:20Z",
        f"time local    {LOCAL}",
        "items         4: 1 deferred, 1 marginal, 1 overridden, 1 pass",
        "in force      overrides 1, deferrals 1 (whole checklist)",
        "warnings      the pack was edited",
        "item          success",
        "  state       pass",
        "  found       26 of 30, at least 72.0 %",
        "  limit       rate > 70 %, n >= 30",
        "  n           30",
        f"  evidence    entry 4, sha256 {'4' * 64}",
        "  done by     bo",
        "  found       yes: The fence is shut. (north side)",
        "  marks       too quick",
        "  state       overridden (below it: fail)",
        "  override    as lead until 2026-09-22T14:13:20Z: the cell is fenced",
        "  deferral    Cy Carl answers for it: comes with the field stage",
    ):
        assert f"\n{line}\n" in said, line


def test_the_same_state_gives_the_same_bytes_and_any_change_gives_others() -> None:
    now = state(item(basis=measured()))
    assert text(now) == text(now)
    others = (
        state(item(basis=measured(seq=5))),
        state(item(basis=measured(why="27 of 30"))),
        state(item(basis=measured(), state="marginal")),
        state(item(basis=measured()), head="8" * 64),
        state(item(basis=measured()), bundle="91bc" * 16),
        state(item(basis=measured()), revision="f" * 64),
    )
    assert len({text(one) for one in (now, *others)}) == 7


def test_it_is_read_back_as_it_was_written() -> None:
    now = state(item(basis=measured()), item("permit", state="pending"))
    said = read_statement(text(now).encode())
    assert said.head_entry() == (9, "9" * 64)
    assert said.covers() == covers_of(now, "bench") == {"success": "4" * 64, "permit": ""}
    assert (said.name, said.role, said.meaning) == ("Anna Berg", "safety", "reviewed")


FORGED_LINES = (
    "ok\nitem          brake\n  state       pass\r\n\x1b[2Kname          Boss\u202e\u2028key           SHA256:x"
)


@pytest.mark.parametrize("where", ["title", "reason", "note", "why", "name", "campaign", "owner"])
def test_text_of_others_can_t_put_a_line_into_it(where: str) -> None:
    """A pack's title, a note or a name that brings its own line `state pass` must not look like one."""
    person, campaign = ANNA, "kitchen"
    bad = item(state="fail", basis=measured())
    if where == "title":
        bad = item(title=FORGED_LINES, state="fail")
    elif where == "reason":
        bad = item(state="fail", reason=FORGED_LINES)
    elif where == "note":
        bad = item(state="fail", basis=vouched(FORGED_LINES))
    elif where == "why":
        bad = item(state="fail", basis=measured(why=FORGED_LINES))
    elif where == "owner":
        bad = item(state="deferred", owner=FORGED_LINES)
    elif where == "name":
        person = msgspec.structs.replace(ANNA, name=FORGED_LINES)
    else:
        campaign = FORGED_LINES
    said = text(state(bad, campaign=campaign), person=person)
    plainly = text(state(item(state=bad.state, owner="x" if where == "owner" else "")))
    assert said.count("\nitem ") == 1
    assert said.count("\n  state ") == plainly.count("\n  state ") == 1
    assert said.count("\nname ") == said.count("\nkey ") == 1
    assert "\x1b" not in said
    assert "\u202e" not in said
    assert len(read_statement(said.encode()).items) == 1


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=60), st.text(max_size=60), st.text(max_size=60))
def test_no_text_at_all_changes_what_is_read_back(title: str, reason: str, name: str) -> None:
    person = Person(principal="anna", name=name, roles=("safety",))
    said = text(state(item(title=title, reason=reason, basis=measured()), item("other", state="fail")), person=person)
    back = read_statement(said.encode())
    assert [one.item for one in back.items] == ["success", "other"]
    assert [one.state for one in back.items] == ["pass", "fail"]
    assert (back.name, back.items[0].title, back.items[0].because) == (plain(name), plain(title), plain(reason))


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_a_changed_byte_is_read_as_changed_or_refused(data: st.DataObject) -> None:
    original = text(state(item(basis=measured()), item("other", state="fail"))).encode()
    at = data.draw(st.integers(0, len(original) - 1))
    changed = bytearray(original)
    changed[at] = data.draw(st.integers(0, 255).filter(lambda byte: byte != original[at]))
    try:
        assert read_statement(bytes(changed)) != read_statement(original)
    except Trouble as trouble:
        assert trouble.code == "bad_statement"  # noqa: PT017  (either answer is right)


@pytest.mark.parametrize("data", [b"", b"fieldgate statement 1\n", b"\xff\xfe", b"x" * 100, b"end\n"])
def test_what_is_no_statement_is_refused(data: bytes) -> None:
    with pytest.raises(Trouble):
        read_statement(data)


def test_a_statement_cut_short_or_with_more_behind_it_is_refused() -> None:
    original = text(state(item(basis=measured()))).encode()
    for data in (original[:-1], original[:-5], original + b"\n", original + b"item          more\n", original * 2):
        with pytest.raises(Trouble):
            read_statement(data)


def test_an_empty_record_can_t_be_signed() -> None:
    with pytest.raises(Trouble, match="no entry 0"):
        text(state(item(), entries=0, head="0" * 64))


def test_an_unknown_stage_is_named_with_those_there_are() -> None:
    with pytest.raises(Trouble) as refused:
        statement_of(state(item()), "lunch", "reviewed", ANNA, KEY, AT_NS, LOCAL)
    assert refused.value.cure == "its stages are: bench"


# ------------------------------------------------------------ who may sign


def test_a_role_that_the_gate_wants_may_sign_and_no_other() -> None:
    stage = stage_of(item())
    assert role_for(stage, "reviewed", ANNA) == "safety"
    assert role_for(stage, "approved", BO) == "lead"
    with pytest.raises(Trouble, match="may not sign 'approved' at 'bench': it wants lead"):
        role_for(stage, "approved", ANNA)
    with pytest.raises(Trouble, match="asks for no signature 'witnessed'"):
        role_for(stage, "witnessed", ANNA)


def test_who_performed_an_item_can_t_review_or_approve_it() -> None:
    done_by_bo = stage_of(item(performers=("bo",)))
    assert why_not_sign(done_by_bo, "performed", BO, KEY, "grasping", AT_NS) == ""
    assert "Bo Lund performed success" in why_not_sign(done_by_bo, "approved", BO, KEY, "grasping", AT_NS)
    assert why_not_sign(done_by_bo, "reviewed", ANNA, KEY, "grasping", AT_NS) == ""


def test_a_second_account_of_the_same_person_is_no_second_person() -> None:
    """Two principals, one printed name: the roster tells that the performer is the same human being."""
    double = Person(principal="bo.work", name="bo  LUND", roles=("engineer",))
    roster = Roster(people=(ANNA, BO, double))
    stage = stage_of(item(performers=("bo.work",)))
    assert "performed success" in why_not_sign(stage, "approved", BO, KEY, "grasping", AT_NS, roster)
    assert why_not_sign(stage, "approved", BO, KEY, "grasping", AT_NS, Roster(people=(BO,))) == ""


def test_one_person_can_t_give_two_signatures_of_a_gate() -> None:
    given = stage_of(item(), given=(signature(BO, key="SHA256:bo"),))
    assert "has signed here already" in why_not_sign(given, "approved", BO, "SHA256:other", "grasping", AT_NS)
    assert why_not_sign(given, "reviewed", ANNA, KEY, "grasping", AT_NS) == ""


def test_one_key_can_t_give_two_signatures_of_a_gate() -> None:
    given = stage_of(item(), given=(signature(BO, key=KEY),))
    assert f"the key {KEY} has signed here already, for Bo Lund" in why_not_sign(
        given, "reviewed", ANNA, KEY, "grasping", AT_NS
    )


def test_a_void_signature_is_no_obstacle_to_signing_anew() -> None:
    given = stage_of(item(), given=(signature(ANNA, "reviewed", KEY, void="success went stale"),))
    assert why_not_sign(given, "reviewed", ANNA, KEY, "grasping", AT_NS) == ""


def test_an_ended_roster_entry_and_another_pack_are_refused() -> None:
    stage = stage_of(item())
    ended = msgspec.structs.replace(ANNA, until="2026-01-31")
    assert "ended on 2026-01-31" in why_not_sign(stage, "reviewed", ended, KEY, "grasping", AT_NS)
    scoped = msgspec.structs.replace(ANNA, packs=("aircraft",))
    assert "only, not for 'grasping'" in why_not_sign(stage, "reviewed", scoped, KEY, "grasping", AT_NS)


def test_a_witness_is_somebody_else() -> None:
    roster = Roster(people=(ANNA, BO))
    assert "did this" in why_not_witness(ANNA, "anna", roster)
    assert "did this" in why_not_witness("Anna", "ANNA", roster)
    assert why_not_witness(ANNA, "bo", roster) == ""


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Anna Berg", "anna  berg", True),
        ("Anna Berg", " ANNA BERG ", True),
        ("Zoé", "Zoe\u0301", True),
        ("STRASSE", "straße", True),
        ("Anna Berg", "Anna Bergh", False),
        ("Anna", "Hanna", False),
    ],
)
def test_names_are_the_same_to_a_reader(one: str, other: str, same: bool) -> None:
    assert same_name(one, other) is same
    assert (
        same_person(Person(principal="a", name=one, roles=("x",)), Person(principal="b", name=other, roles=("x",)))
        is same
    )


def test_somebody_with_two_roles_signs_in_the_one_that_is_still_missing() -> None:
    """Else the gate would get the same role twice and stay shut, though everybody has signed."""
    both = Person(principal="di", name="Di", roles=("safety", "lead"))
    assert role_for(stage_of(item()), "reviewed", both) == "safety"
    assert role_for(stage_of(item(), given=(signature(ANNA, "reviewed"),)), "reviewed", both) == "lead"
    assert role_for(stage_of(item(), given=(signature(ANNA, "approved"),)), "reviewed", both) == "safety"


@pytest.mark.parametrize("changed", [{"principal": "bo.two"}, {"name": "Somebody Else"}])
def test_one_half_of_an_identity_is_enough_to_be_the_same_signer(changed: dict[str, str]) -> None:
    given = stage_of(item(), given=(signature(BO, key="SHA256:bo"),))
    double = msgspec.structs.replace(BO, **changed)
    assert "has signed here already" in why_not_sign(given, "approved", double, "SHA256:x", "grasping", AT_NS)


def test_a_refusal_names_what_was_performed_and_what_the_gate_asks_for() -> None:
    many = stage_of(*(item(name, performers=("bo",)) for name in ("one", "two", "three", "four", "five")))
    assert "performed one, two, three and 2 more;" in why_not_sign(many, "approved", BO, KEY, "grasping", AT_NS)
    one = why_not_sign(stage_of(item("one", performers=("bo",))), "approved", BO, KEY, "grasping", AT_NS)
    assert "performed one;" in one
    with pytest.raises(Trouble) as refused:
        role_for(stage_of(item()), "witnessed", BO)
    assert refused.value.cure == "it asks for: performed, reviewed, approved"
