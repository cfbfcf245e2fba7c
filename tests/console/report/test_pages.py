"""The report: what a reviewer reads is all of the record, as it is, and nothing that a record holds may act in a browser."""

from __future__ import annotations

import base64
import re
from html.parser import HTMLParser
from pathlib import Path

import msgspec
import pytest

from console.checklist.pack import Checklist, Gate, Item, Pack, Signing, Stage
from console.checklist.states import (
    Basis,
    ChecklistState,
    GateState,
    ItemState,
    PollState,
    SignatureState,
    StageState,
)
from console.fieldtest.criteria import Criterion, Rate
from console.fieldtest.judging import judge, limit_words
from console.record.entries import Attempt, Confirmation, Evidence, Fix, Moment, Note, Override, Signature
from console.record.record import Record
from console.report.pages import report_html, signoff_html
from console.report.paper import paper_form
from console.report.sheet import Sheet
from console.report.writing import sheet_of_record, write_pages
from remote.errors import Trouble

HOSTILE = "<script>alert(1)</script>\x1b[31m \"'&`"
WALL_NS = 1_700_000_000_000_000_000
RATE = Criterion(metric="success_rate", statistic="rate", comparison=">", threshold=30, unit="%", n_min=5)
ITEM = Item(
    id="real_trials",
    title=f"Real trials {HOSTILE}",
    kind="sensed",
    criterion=RATE,
    critical=True,
    hazard="HAZ-3",
    requirement="S2R-03",
    cure="grip lower",
)
PERSON = Item(id="insured", title="Insurance", kind="confirmed", statement="The robot is insured.", hazard="HAZ-9")
STAGE = Stage(
    id="bench",
    title="Bench",
    purpose="On the table.",
    items=(ITEM, PERSON),
    gate=Gate(poll=("engineer",), signatures=(Signing(meaning="reviewed", roles=("safety",)),)),
)
PACK = Pack(format=1, name="grasping", title="Grasping", version="1", roles={"engineer": "E"}, stages=(STAGE,))
CHECKLIST = Checklist(PACK, "ab" * 32, {}, ())


def evidence(successes: int, n: int) -> Evidence:
    rate = Rate(successes, n)
    return Evidence(
        source="success_table",
        measurement=rate,
        judgement=judge(RATE, rate),
        limit=limit_words(RATE),
        moment=Moment(wall_ns=WALL_NS, robot_wall_ns=WALL_NS, clock_offset_ms=12.0, link_age_ms=40.0),
        fingerprints={"bundle": "3f2a" * 16},
        rule="cd" * 32,
        details={"file": "real_trials.csv"},
    )


@pytest.fixture
def record(tmp_path: Path) -> Record:
    record = Record.create(tmp_path / "campaign", wall_ns=lambda: WALL_NS)
    picture = record.attach(b"\xff\xd8\xff picture", "gripper.jpg", "image/jpeg")
    statement = record.attach("I have reviewed é.\n".encode(), "statement.txt", "text/plain")
    record.append("ada", Attempt(item="real_trials", evidence=evidence(0, 9)))
    record.append("ada", Fix(item="real_trials", failure_seq=1, text="gripped lower"))
    record.append("ada", Attempt(item="real_trials", evidence=evidence(4, 5)))
    record.append("ada", Note(item="real_trials", text=HOSTILE))
    confirmation = Confirmation(
        item="insured", meaning="performed", holds=True, statement="It is.", rule="ef" * 32, attachments=(picture,)
    )
    record.append("ada", confirmation)
    signature = Signature(
        stage="bench",
        meaning="reviewed",
        principal="grace@example.org",
        name="Grace",
        role="safety",
        key="SHA256:abc",
        statement=statement,
        armored="-----BEGIN SSH SIGNATURE-----\nx\n-----END SSH SIGNATURE-----\n",
        covers={},
        head=5,
        local_time="2023-11-14T23:13:20+01:00",
    )
    record.append("grace", signature)
    return record


def state_of(record: Record) -> ChecklistState:
    rows = {row.seq: row for row in record.rows()}
    tried, said, signed = record.entry(3).body, record.entry(5).body, record.entry(6).body
    assert isinstance(tried, Attempt)
    assert isinstance(said, Confirmation)
    assert isinstance(signed, Signature)
    common = {"wall_ns": WALL_NS, "person": "ada"}
    first = ItemState(
        item=ITEM,
        stage="bench",
        state="overridden",
        below="stale",
        reason="bundle 3f2a -> 91bc",
        basis=Basis(seq=3, digest=rows[3].digest, evidence=tried.evidence, **common),  # type: ignore[arg-type]
        override=Override(item="real_trials", role="safety", reason=HOSTILE, expires_wall_ns=WALL_NS),
        performers=("ada",),
    )
    second = ItemState(
        item=PERSON,
        stage="bench",
        state="pass",
        basis=Basis(seq=5, digest=rows[5].digest, confirmation=said, attachments=said.attachments, **common),  # type: ignore[arg-type]
        performers=("ada",),
        flags=("too quick",),
    )
    gate = GateState(
        poll=(PollState(role="engineer", reset="the bundle changed"),),
        signatures=(SignatureState(seq=6, wall_ns=WALL_NS, signature=signed, void="real_trials went stale"),),
        blocked_by=("real_trials is overridden",),
        basis="00" * 32,
    )
    head = record.head()
    return ChecklistState(
        campaign="orin",
        robot="orin",
        bundle="3f2a" * 16,
        bundle_name="tabletop",
        revision=CHECKLIST.revision,
        wall_ns=WALL_NS,
        stages=(StageState(stage=STAGE, items=(first, second), gate=gate),),
        stage="bench",
        next_item="real_trials",
        recheck=("real_trials",),
        overrides=1,
        deferrals=0,
        fingerprints={},
        entries=head.seq,
        head=head.digest,
        warnings=("the clock was set back",),
    )


@pytest.fixture
def sheet(record: Record) -> Sheet:
    checks = ("the chain holds: 6 entries",)
    return sheet_of_record(
        state_of(record), CHECKLIST, record, allowed_signers="grace ssh-ed25519 AAAA\n", checks=checks
    )


class _Page(HTMLParser):
    """Collects tags, attributes that fetch or act, and the text that a person reads."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []
        self.handlers: list[str] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [value or "" for name, value in attrs if name in ("src", "href", "action", "srcset")]
        self.handlers += [name for name, _ in attrs if name.startswith("on")]

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.mark.parametrize("make", [report_html, signoff_html])
def test_nothing_in_a_page_acts_or_fetches(sheet: Sheet, make: object) -> None:
    assert callable(make)
    page = _Page(make(sheet))
    assert not {"script", "iframe", "object", "link", "form"} & set(page.tags)
    assert not page.handlers
    assert all(link.startswith(("data:", "#")) for link in page.links)
    assert "alert(1)" in page.text  # it is shown, as text


def test_the_report_holds_values_limits_people_and_every_attempt(sheet: Sheet) -> None:
    text = re.sub(r"\s+", " ", _Page(report_html(sheet)).text)
    for wanted in (
        "4 of 5 = 80 %",
        "> 30 %, lower bound at 95 %, n >= 5",
        "bundle 3f2a -> 91bc",
        "0 of 9 = 0 %",  # the failed attempt is kept
        "of entry 1: gripped lower",  # and the fix names it
        "HAZ-3",
        "2023-11-14 22:13:20Z",
        "offset 12 ms",
        "void: real_trials went stale",
        "no answer (the bundle changed)",
        "too quick",
        "the clock was set back",
        "the chain holds: 6 entries",
        "ssh-keygen -Y verify -f allowed_signers -I grace@example.org -n fieldgate -s statement-6.txt.sig",
    ):
        assert wanted in text, wanted


def test_overrides_stand_on_page_one_before_any_item(sheet: Sheet) -> None:
    for page in (report_html(sheet), signoff_html(sheet)):
        assert page.index("overridden: <b>") < page.index("<h2>Bench")


def test_an_empty_list_of_overrides_is_said_too(sheet: Sheet) -> None:
    assert "None." in report_html(msgspec.structs.replace(sheet, overrides=()))


def test_the_statement_to_download_is_byte_for_byte_the_signed_one(sheet: Sheet, record: Record) -> None:
    page = _Page(report_html(sheet))
    body = record.entry(6).body
    assert isinstance(body, Signature)
    wanted = base64.b64encode(record.attachment(body.statement.digest)).decode()
    assert f"data:text/plain;base64,{wanted}" in page.links


def test_the_folder_holds_what_openssh_needs(sheet: Sheet, record: Record, tmp_path: Path) -> None:
    out = tmp_path / "out"
    names = {path.name for path in write_pages(sheet, out)}
    assert names == {"report.html", "signoff.html", "allowed_signers", "statement-6.txt", "statement-6.txt.sig"}
    body = record.entry(6).body
    assert isinstance(body, Signature)
    assert (out / "statement-6.txt").read_bytes() == record.attachment(body.statement.digest)


def test_a_signature_that_was_replaced_is_history_and_no_alarm(record: Record) -> None:
    state = state_of(record)
    gate = state.stages[0].gate
    old = msgspec.structs.replace(gate.signatures[0], history="replaced by entry 9")
    stage = msgspec.structs.replace(state.stages[0], gate=msgspec.structs.replace(gate, signatures=(old,)))
    state = msgspec.structs.replace(state, stages=(stage,))
    sheet = sheet_of_record(state, CHECKLIST, record, allowed_signers="")
    for page in (report_html(sheet), signoff_html(sheet)):
        assert "replaced by entry 9" in page
        assert "void: real_trials" not in page


def test_a_folder_that_cannot_be_written_is_told(sheet: Sheet, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(Trouble) as caught:
        write_pages(sheet, tmp_path / "taken")
    assert caught.value.code == "report_unwritten"


def test_a_missing_attachment_is_told_and_not_left_out(record: Record) -> None:
    state = state_of(record)
    digest = next(iter(state.item("insured").basis.attachments)).digest  # type: ignore[union-attr]
    (record.folder / "attachments" / digest).unlink()
    with pytest.raises(Trouble) as caught:
        sheet_of_record(state, CHECKLIST, record, allowed_signers="")
    assert caught.value.code == "attachment_missing"


def test_the_paper_form_asks_for_everything_and_escapes_it() -> None:
    page = _Page(paper_form(CHECKLIST))
    for wanted in (
        "Insurance",
        "The robot is insured.",
        "HAZ-9",
        "> 30 %",
        "engineer: GO / NO GO",
        "reviewed by (safety)",
    ):
        assert wanted in page.text, wanted
    assert "script" not in page.tags
    assert CHECKLIST.revision in page.text
