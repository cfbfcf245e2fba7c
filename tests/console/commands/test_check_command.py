"""`fieldgate check` as a job meets it: what it prints, what it records, and above all the code that it ends with."""

from __future__ import annotations

import json
import re
import tempfile
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import msgspec
import pytest

from console import exits
from console.campaigns.checked import CheckedItem, CheckReport
from console.campaigns.limited_sight import LimitedSight
from console.campaigns.opening import all_campaigns, open_campaign
from console.commands.check import run
from console.commands.check_text import WIDTH, report_text
from console.marks import ASCII, UNICODE
from console.record.entries import Attempt
from console.robots import Robot, Robots
from remote.errors import Trouble
from tests.console.checklist.campaign_world import World, last
from tests.console.checklist.given_robot import GivenRobot, S
from tests.console.commands.program import Fieldgate

DOCS = Path(__file__).parents[3] / "docs"
ONLY_FILES = """\
format: 1
name: files
title: What lies on the laptop
version: "1"
roles: {lead: answers for it}
stages:
  - id: bench
    title: On the bench
    items:
      - id: results
        title: Success in simulation
        kind: sensed
        probe: {name: success_table, parameters: {file: results.csv}}
        criterion: {metric: success_rate, statistic: rate, comparison: ">", threshold: 70, unit: "%", n_min: 10}
      - id: said
        title: A person says so
        kind: confirmed
        statement: It is so.
"""


@pytest.fixture
def fieldgate(fieldgate: Fieldgate, world: World) -> Fieldgate:
    """With a robot `gone` on which no agent runs."""
    Robots().add(Robot(name="gone", transport="local", home=str(world.folder / "nothing")))
    return fieldgate


def checked(world: World, robot: GivenRobot, *items: str, successes: int = 60, **other: Any) -> CheckReport:
    world.results(successes, 60)
    campaign = world.campaign()
    try:
        return run(campaign, robot.sight, "anna", items, **other)
    finally:
        campaign.close()


def outcomes(report: CheckReport) -> dict[str, str]:
    return {item.id: item.outcome for item in report.items}


def one(report: CheckReport, id: str) -> CheckedItem:
    return next(item for item in report.items if item.id == id)


# ---------------------------------------------------------------- the code that a job goes by


def test_all_sensed_items_passed_is_zero(world: World) -> None:
    report = checked(world, world.robot(10.0))
    assert report.exit == exits.OK
    found = outcomes(report)
    assert {id for id, outcome in found.items() if outcome == "pass"} == {"results", "clock", "steady"}
    assert {id for id, outcome in found.items() if outcome == "skipped"} == set(found) - {"results", "clock", "steady"}
    assert report.counts == {"pass": 3, "fail": 0, "undecided": 0, "skipped": len(found) - 3}


def test_marginal_is_passed_and_says_so(world: World) -> None:
    report = checked(world, world.robot(1600.0), "clock")
    assert (report.exit, one(report, "clock").state, one(report, "clock").outcome) == (exits.OK, "marginal", "pass")


def test_one_failure_is_three_whatever_else_is_undecided(world: World) -> None:
    report = checked(world, world.robot(None), successes=10)
    assert one(report, "results").outcome == "fail"
    assert one(report, "clock").outcome == "undecided"
    assert report.exit == exits.ALARM


@pytest.mark.parametrize("successes", [60, 0])
def test_no_failure_but_something_unseen_is_seven(world: World, successes: int) -> None:
    report = checked(world, world.robot(None), "clock", successes=successes)
    assert one(report, "clock").state == "unavailable"
    assert "the cable is out" in one(report, "clock").why
    assert report.exit == exits.NO_DATA


def test_too_few_trials_are_undecided_with_how_many_more(world: World) -> None:
    world.results(5, 5)
    campaign = world.campaign()
    report = run(campaign, world.offline(), "anna", ("results",))
    campaign.close()
    found = one(report, "results")
    assert (found.outcome, found.state, found.verdict, report.exit) == ("undecided", "pending", "inconclusive", 7)
    assert found.more is not None
    assert found.more >= 5
    assert (found.successes, found.n, found.value) == (5, 5, 100.0)


def test_where_nothing_was_looked_at_nothing_has_passed(world: World) -> None:
    assert checked(world, world.robot(10.0), "fence").exit == exits.NO_DATA


def test_an_overridden_failure_is_skipped_in_plain_sight(world: World) -> None:
    world.results(10, 60)
    campaign = world.campaign()
    run(campaign, world.offline(), "anna", ("results",))
    campaign.override("results", "lead", "agreed with the customer for the demo", 3, "cy")
    report = run(campaign, world.robot(10.0).sight, "anna", ("results", "clock"))
    campaign.close()
    assert (one(report, "results").state, one(report, "results").outcome) == ("overridden", "skipped")
    assert report.exit == exits.OK
    assert "overridden" in report_text(report, UNICODE)


# ---------------------------------------------------------------- what is recorded and told


def test_each_look_is_recorded_with_what_the_report_says(world: World) -> None:
    world.results(60, 60)
    campaign = world.campaign()
    report = run(campaign, world.robot(10.0).sight, "anna", ("clock",))
    entry = last(campaign, "attempt")
    assert isinstance(entry, Attempt)
    found = one(report, "clock")
    assert (entry.item, entry.evidence.judgement.value if entry.evidence.judgement else None) == ("clock", found.value)
    assert found.seq is not None
    assert campaign.record.entry(found.seq).body == entry
    assert (found.metric, found.comparison, found.threshold, found.unit, found.n) == (
        "clock_offset_s",
        "<",
        2.0,
        "s",
        1,
    )
    assert found.took_ms is not None
    assert report.campaign == campaign.name
    campaign.close()


def test_the_time_that_is_over_is_told_and_nobody_claims_to_have_looked(world: World) -> None:
    world.results(60, 60)
    campaign = world.campaign()
    report = run(campaign, world.robot(10.0).sight, "anna", timeout_s=3.0)
    # `steady` holds 5 s: its look is cut off; nothing comes after it.
    assert one(report, "clock").outcome == "pass"
    assert one(report, "steady").state == "unavailable"
    assert "the time of 3 s for this check is over" in one(report, "steady").why
    assert report.exit == exits.NO_DATA
    entries = campaign.record.head().seq
    again = run(campaign, world.robot(10.0).sight, "anna", ("clock",), timeout_s=0.0)
    assert (one(again, "clock").outcome, one(again, "clock").why) == (
        "undecided",
        "not looked at in this run: its time was over",
    )
    assert campaign.record.head().seq == entries
    campaign.close()


@pytest.mark.parametrize(("after_s", "over"), [(2.999, False), (3.0, True)])
def test_a_limited_sight_ends_at_its_limit(after_s: float, over: bool) -> None:
    robot = GivenRobot()
    limited = LimitedSight(robot.sight, bundle="b", limit_s=3.0)
    robot.now_ns += round(after_s * S)
    assert limited.over is over
    assert limited.bundle == "b"
    if over:
        with pytest.raises(Trouble) as caught:
            limited.run(("true",), 1.0)
        assert caught.value.code == "time_over"
    else:
        assert limited.run(("true",), 1.0).exit == 0


def test_a_wait_that_ends_by_itself_is_no_lack_of_time() -> None:
    robot = GivenRobot()
    limited = LimitedSight(robot.sight, bundle="", limit_s=3.0)
    assert limited.wait(lambda _: False, 1.0) is None
    assert limited.wait(lambda _: True, 1.0) is not None
    with pytest.raises(Trouble, match="time of 3 s"):
        limited.wait(lambda _: False, 60.0)
    assert robot.now_ns == pytest.approx(103 * S)
    assert LimitedSight(robot.sight, bundle="", limit_s=None).wait(lambda _: False, 1.0) is None


# ---------------------------------------------------------------- the command


def test_a_robot_that_is_away_is_four_and_recorded(world: World, fieldgate: Fieldgate) -> None:
    world.results(60, 60)
    world.campaign(robot="gone", name="away").close()
    done = fieldgate("check", "gone")
    assert done.code == exits.UNREACHABLE
    assert "fieldgate: " in done.err
    assert "->" in done.err
    assert "Traceback" not in done.err
    campaign = open_campaign("away", read_only=True)
    state = campaign.item_state("clock")
    rows = [row for row in campaign.record.rows() if (row.kind, row.item) == ("attempt", "clock")]
    attempt = campaign.record.entry(rows[-1].seq).body
    assert (state.state, campaign.item_state("results").state) == ("unavailable", "pass")
    campaign.close()
    assert "exit 4" in done.out
    assert isinstance(attempt, Attempt)
    told = f"fieldgate: {attempt.evidence.unavailable}\n  -> {attempt.evidence.details['cure']}"
    assert told in done.err, "the record says why in the very words that the person at the terminal read"
    assert "gone" in state.reason


def test_json_is_one_object_with_the_documented_fields(world: World, fieldgate: Fieldgate, tmp_path: Path) -> None:
    world.results(60, 60)
    world.campaign(robot="gone", name="away").close()
    done = fieldgate("check", "gone", "--json", "--junit", str(tmp_path / "j.xml"), "--item", "results")
    said = json.loads(done.out)
    assert (said["exit"], said["trouble"]["code"], said["campaign"]) == (4, "no_agent", "away")
    assert [item["id"] for item in said["items"]] == ["results"]
    page = (DOCS / "check.md").read_text(encoding="utf-8")
    documented = {
        name for row in re.findall(r"^\| (`.*?) \|", page, re.MULTILINE) for name in re.findall(r"`(\w+)`", row)
    }
    assert documented == set(CheckReport.__struct_fields__) | set(CheckedItem.__struct_fields__)
    assert set(said) == set(CheckReport.__struct_fields__)
    suite = ElementTree.parse(tmp_path / "j.xml").getroot().find("testsuite")
    assert suite is not None
    assert suite.attrib["tests"] == "1"


def test_with_a_pack_nothing_is_recorded_and_nothing_is_left(
    world: World, fieldgate: Fieldgate, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    world.results(60, 60)
    pack = tmp_path / "files.yaml"
    pack.write_text(ONLY_FILES)
    done = fieldgate("check", "gone", "--pack", str(pack), "--files", str(world.files), "--json")
    said = json.loads(done.out)
    assert (said["campaign"], said["pack"], said["items"][0]["outcome"], said["items"][0]["seq"]) == (
        None,
        "files",
        "pass",
        None,
    )
    assert done.code == exits.UNREACHABLE
    assert all_campaigns() == ()
    assert not any((tmp_path / "tmp").iterdir())


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("nobody",), 1, "nobody"),
        (("orin",), 1, "'orin' has no campaign"),
        (("orin", "--pack", "grasping", "--campaign", "c"), 2, "exclude each other"),
        (("orin", "--files", "."), 2, "belong to --pack"),
        (("orin", "--bundle", "x"), 2, "belong to --pack"),
        (("orin", "--pack", "no-such-pack"), 1, "no-such-pack"),
        (("orin", "--campaign", "away"), 1, "is about 'gone', not 'orin'"),
        (("gone", "--item", "clok"), 1, "clok"),
        (("gone", "--pack", "grasping", "--bundle", "3f2a"), 1, "names no bundle"),
        (("gone", "--item", "results", "--junit", "/nowhere/at/all.xml"), 1, "can't be written"),
    ],
)
def test_a_command_line_that_makes_no_sense_is_told(
    world: World, fieldgate: Fieldgate, words: tuple[str, ...], code: int, said: str
) -> None:
    world.campaign(robot="gone", name="away").close()
    done = fieldgate("check", *words)
    assert said in done.err
    assert "Traceback" not in done.err
    assert done.code == code


def test_of_several_campaigns_one_must_be_named(world: World, fieldgate: Fieldgate) -> None:
    world.results(60, 60)
    world.campaign(robot="gone", name="one").close()
    world.campaign(robot="gone", name="two").close()
    assert "has 2 campaigns" in fieldgate("check", "gone").err
    assert fieldgate("check", "gone", "--campaign", "two", "--item", "results").code == exits.UNREACHABLE


# ---------------------------------------------------------------- the table


def test_the_table_fits_80_columns_and_shows_no_control_characters(world: World) -> None:
    report = checked(world, world.robot(None), successes=45)
    nasty = msgspec.structs.replace(one(report, "clock"), why="\x1b[2Jwide " + "x" * 200, cure="do\x00 it")
    report = msgspec.structs.replace(report, items=(*report.items, nasty))
    for charset in (UNICODE, ASCII):
        text = report_text(report, charset)
        assert max(map(len, text.splitlines())) <= WIDTH
        assert "\x1b" not in text
        assert "\x00" not in text
        assert text.isascii() or charset is UNICODE
        assert "do it" in text


def test_a_row_has_mark_value_limit_and_n(world: World) -> None:
    rows = report_text(checked(world, world.robot(10.0)), UNICODE).splitlines()
    row = next(row for row in rows if " results " in row)
    assert row.split() == ["✔", "results", "60", "of", "60", "=", "100", "%", ">", "70", "%", "n", "60", "pass"]
