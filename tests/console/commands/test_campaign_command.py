"""`fieldgate campaign` as a person without a screen and a script meet it: words, JSON, exit codes."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

from console import people
from console.campaigns.opening import all_campaigns, open_campaign
from tests.console.checklist.bundle_files import make_bundle
from tests.console.checklist.campaign_world import World
from tests.console.checklist.given_robot import BUNDLE
from tests.console.commands.program import Fieldgate


@pytest.fixture
def begun(world: World) -> World:
    """With one campaign, `c1`, that has seen its robot."""
    import time

    campaign = world.campaign(wall_ns=time.time_ns)
    campaign.observe(world.robot(10.0).sight)
    campaign.close()
    return world


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """A bundle's folder, as far as its identity goes."""
    folder = tmp_path / "bundle"
    make_bundle(folder)
    return folder


def test_a_campaign_is_begun_listed_and_shown(fieldgate: Fieldgate, world: World, bundle: Path) -> None:
    words = [
        "--bundle",
        str(bundle),
        "--pack",
        str(world.pack),
        "--roster",
        str(world.roster),
        "--files",
        str(world.files),
    ]
    done = fieldgate("campaign", "new", "orin", *words)
    assert (done.code, done.out) == (0, "orin-small\n"), done.err
    assert "fieldgate check orin" in done.err
    listed = json.loads(fieldgate("campaign", "list", "--json").out)
    assert [(one["name"], one["robot"], one["bundle_name"]) for one in listed] == [("orin-small", "orin", "tabletop")]
    assert "orin-small" in fieldgate("campaign", "list").out
    assert open_campaign("orin").record.entry(1).person == "anna"
    again = fieldgate("campaign", "new", "orin", *words)
    assert again.code == 1
    assert "exists already" in again.err


def test_a_bundle_that_is_no_folder_is_asked_of_the_robot_and_never_guessed(fieldgate: Fieldgate, world: World) -> None:
    done = fieldgate("campaign", "new", "orinn", "--bundle", BUNDLE[:8], "--pack", str(world.pack))
    assert done.code == 1
    assert "no robot is named 'orinn'" in done.err
    assert all_campaigns() == ()


def test_show_fits_80_columns_and_says_every_state(fieldgate: Fieldgate, begun: World) -> None:
    begun.results(21, 30)
    open_campaign("c1").attempt("results", begun.offline(), "anna")
    fieldgate("campaign", "confirm", "fence")
    done = fieldgate("campaign", "show", "c1")
    assert done.code == 3
    assert max(map(len, done.out.splitlines())) <= 80
    for item in open_campaign("c1").state().items():
        assert item.item.id in done.out
    assert "✔ pass        fence" in done.out
    assert "next: " in done.out
    assert "gate shut:" in done.out


def test_show_notices_a_file_that_changed_since_yesterday(fieldgate: Fieldgate, begun: World) -> None:
    begun.results(20, 20)
    open_campaign("c1").attempt("results", begun.offline(), "anna")
    begun.results(19, 20)
    state = json.loads(fieldgate("campaign", "show", "--json").out)
    items = {item["item"]["id"]: item["state"] for stage in state["stages"] for item in stage["items"]}
    assert items["results"] == "stale"
    assert state["recheck"] == ["results"]


def test_plain_ascii_where_the_terminal_has_no_more(begun: World) -> None:
    import subprocess

    env = {**os.environ, "PYTHONIOENCODING": "ascii", "FIELDGATE_PERSON": "anna"}
    program = [sys.executable, "-c", "from console.cli import main; main()", "campaign", "show"]
    done = subprocess.run(program, capture_output=True, env=env, check=False, timeout=60)
    assert done.returncode == 3, done.stderr
    assert b"o pending" in done.stdout
    assert done.stdout.isascii()


def test_name_is_left_out_only_where_there_is_one_campaign(fieldgate: Fieldgate, begun: World) -> None:
    assert fieldgate("campaign", "note", "words of mine").code == 0
    assert fieldgate("campaign", "note", "orin", "words of mine").code == 0
    assert fieldgate("campaign", "note").code == 2
    assert fieldgate("campaign", "note", "c1", "words", "more").code == 2
    begun.campaign().close()
    done = fieldgate("campaign", "note", "words of mine")
    assert done.code == 1
    assert "there are 2 campaigns: c1, c2" in done.err


def test_a_value_decides_the_exit_code(fieldgate: Fieldgate, begun: World) -> None:
    good = fieldgate("campaign", "measure", "force", "31.5", "--note", "scale 7")
    assert (good.code, "pass" in good.out) == (0, True), good.err
    bad = fieldgate("campaign", "measure", "c1", "force", "44", "--json")
    assert (bad.code, json.loads(bad.out)["state"]) == (3, "fail")
    assert fieldgate("campaign", "measure", "drops", "--n", "20", "--successes", "1").code == 0
    assert fieldgate("campaign", "measure", "force", "heavy").code == 2
    assert fieldgate("campaign", "measure", "force", "--", "-3").code == 0


def test_people_vouch_witness_and_say_no(fieldgate: Fieldgate, begun: World) -> None:
    done = fieldgate("campaign", "confirm", "fence", "--note", "both gates")
    assert done.code == 0
    assert "The fence around the cell is shut." in done.err
    assert fieldgate("campaign", "confirm", "fence", "--no", "--note", "west gate").code == 3
    assert fieldgate("campaign", "confirm", "limits").code == 1
    assert fieldgate("campaign", "confirm", "limits", "--answer", "9A41").code == 0
    same = fieldgate("campaign", "witness", "limits", "--answer", "9A41")
    assert (same.code, "second person" in same.err) == (1, True)
    seen = fieldgate("campaign", "witness", "limits", "--answer", "9A41", "--as", "bo")
    assert (seen.code, "performed by anna, witnessed by bo, " in seen.out) == (0, True), seen.out
    assert open_campaign("c1").state().item("limits").state == "pass"


def test_paper_needs_both_who_and_when(fieldgate: Fieldgate, begun: World) -> None:
    assert fieldgate("campaign", "confirm", "fence", "--transcribed-by", "bo").code == 2
    assert fieldgate("campaign", "confirm", "fence", "--transcribed-by", "bo", "--transcribed-at", "noon").code == 2
    paper = ["--transcribed-by", "bo", "--transcribed-at", "2026-03-31T14:05"]
    assert fieldgate("campaign", "confirm", "fence", *paper).code == 0
    assert "transcribed" in open_campaign("c1").state().item("fence").flags


def test_override_defer_fix_and_withdraw(fieldgate: Fieldgate, begun: World) -> None:
    reason = ["--reason", "the supplier delivers next week"]
    role = ["--role", "lead", "--as", "cy"]
    assert fieldgate("campaign", "override", "results", *role, *reason, "--days", "2").code == 0
    seq = open_campaign("c1").record.head().seq
    assert open_campaign("c1").state().overrides == 1
    assert fieldgate("campaign", "withdraw", str(seq), *reason).code == 0
    assert open_campaign("c1").state().overrides == 0
    assert fieldgate("campaign", "withdraw", "last", *reason).code == 2
    assert fieldgate("campaign", "defer", "sheet", *role, *reason, "--until", "field", "--owner", "anna").code == 0
    assert fieldgate("campaign", "fix", "fence", "the hinge was replaced").code == 1
    fieldgate("campaign", "confirm", "fence", "--no")
    assert fieldgate("campaign", "fix", "fence", "the hinge was replaced").code == 3


def test_polls_and_a_gate_that_stays_shut(fieldgate: Fieldgate, begun: World) -> None:
    assert fieldgate("campaign", "poll", "--role", "engineer", "--go").code == 0
    assert fieldgate("campaign", "poll", "--role", "engineer").code == 2
    assert fieldgate("campaign", "poll", "--role", "safety", "--no-go").code == 1
    done = fieldgate("campaign", "pass", "--json")
    assert done.code == 3
    assert json.loads(done.out)["blocked_by"]


def test_files_and_log(fieldgate: Fieldgate, begun: World) -> None:
    done = fieldgate("campaign", "attach", "--file", str(begun.photo()), "--item", "sheet")
    assert done.code == 0
    digest = done.out.split()[0]
    assert open_campaign("c1").record.attachment(digest) == begun.photo().read_bytes()
    fieldgate("campaign", "confirm", "fence")
    text = fieldgate("campaign", "log").out.splitlines()
    assert [line.split()[4] for line in text] == ["opened", "seen", "note", "confirmation"]
    rows = [json.loads(line) for line in fieldgate("campaign", "log", "--json", "--item", "fence").out.splitlines()]
    assert [(row["person"], row["body"]["type"]) for row in rows] == [("anna", "confirmation")]
    assert fieldgate("campaign", "log", "--item", "fens").code == 1


def test_what_somebody_wrote_can_not_move_the_cursor(fieldgate: Fieldgate, begun: World) -> None:
    fieldgate("campaign", "confirm", "fence", "--no", "--note", "west\x1b[2Jgate\rall fine\u202e")
    for command in ("show", "log"):
        done = fieldgate("campaign", command)
        assert "west" in done.out
        assert not {"\x1b", "\r", "\u202e"} & set(done.out)


def test_a_revision_says_what_went_stale(fieldgate: Fieldgate, begun: World, bundle: Path) -> None:
    begun.results(20, 20)
    open_campaign("c1").attempt("results", begun.offline(), "anna")
    done = fieldgate("campaign", "revise", "--reason", "trained on more objects", "--bundle", str(bundle))
    assert done.code == 0, done.err
    assert "stale now: results" in done.err


def test_a_bundle_with_a_file_that_is_not_the_manifests_is_refused(
    fieldgate: Fieldgate, begun: World, bundle: Path
) -> None:
    """Else the campaign is about weights that nobody has."""
    (bundle / "model.onnx").write_bytes(b"THE weights")
    words = ("--bundle", str(bundle), "--reason", "trained on more objects")
    done = fieldgate("campaign", "revise", *words)
    assert (done.code, "model.onnx is not the file of the manifest" in done.err) == (1, True), done.err
    done = fieldgate("campaign", "new", "orin", *words[:2], "--pack", str(begun.pack), "--name", "other")
    assert (done.code, "bundle check" in done.err) == (1, True), done.err
    assert [one.name for one in all_campaigns()] == ["c1"]


def test_the_same_bundle_again_is_said(fieldgate: Fieldgate, begun: World, bundle: Path) -> None:
    words = ("campaign", "revise", "--bundle", str(bundle), "--reason", "trained on more objects")
    assert fieldgate(*words).code == 0
    again = fieldgate(*words)
    assert (again.code, "the same bundle as before" in again.err) == (1, True), again.err
    with_more = fieldgate(*words, "--roster", str(begun.roster))
    assert (with_more.code, "the same bundle as before" in with_more.err) == (0, True), with_more.err


def test_nothing_there_yet_says_how_to_begin(fieldgate: Fieldgate) -> None:
    assert "campaign new" in fieldgate("campaign", "list").err
    done = fieldgate("campaign", "show")
    assert (done.code, "campaign new" in done.err) == (1, True)


# ------------------------------------------------------------ who


def test_who_speaks_is_said_in_this_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "person.yaml"
    monkeypatch.delenv(people.VARIABLE, raising=False)
    monkeypatch.setenv("LOGNAME", "login")
    assert people.who(None, file) == "login"
    file.write_text("person: kept\n")
    assert people.who(None, file) == "kept"
    monkeypatch.setenv(people.VARIABLE, "said")
    assert people.who(None, file) == "said"
    assert people.who("given", file) == "given"


@pytest.mark.parametrize("name", ["a b", "-x", "x" * 65, "a\nb", "ü\u202e"])
def test_a_name_that_no_roster_could_hold_is_refused(name: str, tmp_path: Path) -> None:
    from remote.errors import Trouble

    with pytest.raises(Trouble, match="short name"):
        people.who(name, tmp_path / "none.yaml")


def test_a_broken_person_file_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from remote.errors import Trouble

    monkeypatch.delenv(people.VARIABLE, raising=False)
    file = tmp_path / "person.yaml"
    file.write_text("persn: anna\n")
    with pytest.raises(Trouble, match=r"person\.yaml"):
        people.who(None, file)


# ------------------------------------------------------------ what to do next


def test_a_campaign_without_a_roster_says_what_that_costs(fieldgate: Fieldgate, world: World, bundle: Path) -> None:
    begin = ("campaign", "new", "orin", "--bundle", str(bundle), "--pack", str(world.pack), "--name")
    done = fieldgate(*begin, "alone")
    assert done.code == 0
    assert "warning: the campaign has no roster: nobody can answer a poll" in done.err
    assert "fieldgate campaign revise alone --roster " in done.err
    assert "warning" not in fieldgate(*begin, "listed", "--roster", str(world.roster)).err


def test_the_statement_is_told_once_it_is_recorded_and_not_before(fieldgate: Fieldgate, begun: World) -> None:
    """Else a refused yes reads like a given one."""
    refused = fieldgate("campaign", "confirm", "limits", "--answer", "0000")
    assert (refused.code, "statement" in refused.err) == (1, False), refused.err
    done = fieldgate("campaign", "confirm", "fence")
    seq = open_campaign("c1").record.head().seq
    assert f"recorded: entry {seq}, yes to the statement: The fence around the cell is shut." in done.err


def test_what_can_be_withdrawn_says_its_number(fieldgate: Fieldgate, begun: World) -> None:
    reason = ("--reason", "the supplier delivers next week")
    lead = ("--role", "lead", "--as", "cy", *reason)
    for words in (
        ("confirm", "fence"),
        ("override", "results", *lead, "--days", "2"),
        ("defer", "sheet", *lead, "--until", "field", "--owner", "anna"),
        ("poll", "--role", "engineer", "--go"),
    ):
        done = fieldgate("campaign", *words)
        seq = done.err.split("recorded: entry ")[1].split()[0].rstrip(",")
        assert fieldgate("campaign", "withdraw", seq, *reason).code == 0, done.err


def test_show_names_the_next_command_until_every_gate_is_open(fieldgate: Fieldgate, begun: World) -> None:
    """`next:` was silent once the items were settled, and the exit code was 0 with every gate shut."""
    from tests.console.checklist.test_campaign_gates import settle

    campaign = open_campaign("c1")

    def next_command() -> tuple[str, int]:
        done = fieldgate("campaign", "show", "c1")
        return " ".join(done.out.split("next: ")[1].split()), done.code

    assert next_command() == ("fieldgate check orin --campaign c1 --item results", 3)
    settle(campaign, begun)
    polls = [row.seq for row in campaign.record.rows() if row.kind == "poll"]
    campaign.withdraw(polls[0], "said too early", "anna")
    assert next_command() == ("fieldgate campaign poll c1 --role engineer --go", 3)
    campaign.poll("bench", "engineer", True, "anna")
    assert next_command() == ("fieldgate sign c1 --meaning performed", 3)
    campaign.sign("bench", "performed", "anna", begun.key("anna"))
    assert next_command() == ("fieldgate sign c1 --meaning reviewed", 3)
    campaign.sign("bench", "reviewed", "bo", begun.key("bo"))
    assert next_command() == ("fieldgate campaign pass c1", 3)
    campaign.pass_gate("bench", "anna")
    assert next_command() == ("fieldgate campaign confirm c1 permit", 3)
    campaign.confirm("permit", True, "anna")
    assert next_command() == ("fieldgate campaign pass c1", 3)
    campaign.pass_gate("field", "anna")
    assert next_command() == ("fieldgate report c1", 0)


def test_the_next_command_fits_what_the_item_asks_for(begun: World) -> None:
    from console.campaigns.next_step import next_step
    from console.checklist.states import ChecklistState

    campaign = open_campaign("c1")

    def at(item: str) -> ChecklistState:
        import msgspec

        return msgspec.structs.replace(campaign.state(), next_item=item)

    said = {item: next_step(at(item)) for item in ("brake", "force", "drops", "fence", "limits", "sheet")}
    assert said == {
        "brake": "fieldgate campaign act c1 brake",
        "force": "fieldgate campaign measure c1 force VALUE",
        "drops": "fieldgate campaign measure c1 drops --successes K --n N",
        "fence": "fieldgate campaign confirm c1 fence",
        "limits": "fieldgate campaign confirm c1 limits --answer SERIAL-END",
        "sheet": "fieldgate campaign confirm c1 sheet --file PHOTO",
    }
    campaign.confirm("limits", True, "anna", answer="9A41")
    assert next_step(at("limits")) == "fieldgate campaign witness c1 limits --answer SERIAL-END --as PERSON"
    campaign.confirm("limits", False, "anna", note="it went through the fence")
    assert next_step(at("limits")) == "fieldgate campaign fix c1 limits TEXT"
    campaign.override("results", "lead", "the supplier delivers next week", 2, "cy")
    import msgspec

    settled = msgspec.structs.replace(campaign.state(), next_item=None)
    assert next_step(settled) == "fieldgate campaign log c1 --item results"


def test_show_says_the_bound_that_decided_and_why_something_does_not_apply(fieldgate: Fieldgate, world: World) -> None:
    text = world.pack.read_text()
    statement = "        statement: The fence around the cell is shut."
    world.pack.write_text(text.replace(statement, f"{statement}\n        not_applicable: no fence at this site"))
    campaign = world.campaign()
    world.results(52, 60)
    campaign.attempt("results", world.offline(), "anna")
    said = " ".join(fieldgate("campaign", "show").out.split())
    assert "52 of 60 = 86.7 %, lower bound 77.2 % (> 70 %" in said
    assert "no fence at this site" in said
    failed = campaign.measure("drops", None, "anna", n=20, successes=19)
    from console.checklist.wording import bound_words

    assert (failed.state, bound_words(failed)) == ("fail", ", lower bound 78.4 %")
    assert bound_words(campaign.measure("force", 31.5, "anna")) == ""


def test_the_page_lists_every_field_of_show_json(fieldgate: Fieldgate, begun: World) -> None:
    """A script reads the JSON by this page."""
    import msgspec

    from console.checklist import states

    state = json.loads(fieldgate("campaign", "show", "--json").out)
    assert state["format"] == 1
    page = (Path(__file__).parents[3] / "docs" / "campaign.md").read_text()
    rows = [line.split("|") for line in page.splitlines() if line.startswith("| **")]
    listed = {row[1].strip(" *"): set(row[2].replace("`", " ").split()) for row in rows}
    parts: dict[str, type[msgspec.Struct]] = {
        "stages": states.StageState,
        "items": states.ItemState,
        "basis": states.Basis,
        "gate": states.GateState,
        "poll": states.PollState,
        "signatures": states.SignatureState,
    }
    wanted = {name: {field.name for field in msgspec.structs.fields(struct)} for name, struct in parts.items()}
    assert listed == {"(top)": set(state), **wanted}
