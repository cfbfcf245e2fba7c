"""KPIs of a campaign: a figure that counts what was done with another model is worse than none."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from console.campaigns.standing import Standing
from console.commands.kpis import kpis
from console.fieldtest.running import Measured, Running
from console.fieldwork.evaluating import Score, record_score
from console.fieldwork.figures import Figure, figures, kpis_in_force, kpis_of_robot, with_reasons
from console.phases.counting import NOT_REPORTED
from console.record.entries import Evaluated, FrameScored, Moment, SessionMeasured
from remote.errors import Trouble
from remote.histogram import Histogram
from tests.console.checklist.given_robot import BUNDLE
from tests.console.fieldwork.field_world import FieldWorld

TEXT = (Path(__file__).parents[3] / "checklists" / "perception" / "kpis.yaml").read_text()


def figure(id: str, criterion: str) -> str:
    return f"  - {{id: {id}, title: {id.title()}, cure: Look., criterion: {{{criterion}}}}}\n"


OWN = "format: 2\nkpis:\n" + "".join(
    (
        figure("success", 'metric: success_rate, statistic: rate, comparison: ">", threshold: 50, unit: "%"'),
        figure("uptime", 'metric: uptime, comparison: ">", threshold: 95, unit: "%"'),
        figure("mtbf", 'metric: mtbf_h, comparison: ">", threshold: 24, unit: h'),
        figure("slow", 'metric: inference_ms, statistic: p95, comparison: "<", threshold: 50, unit: ms'),
        figure("map", 'metric: map_50, comparison: ">=", threshold: 50, unit: "%"'),
        figure("wrong", 'metric: false_positive_rate, comparison: "<", threshold: 5, unit: "%"'),
    )
)


def by_id(campaign: Standing, session: int | None = None) -> dict[str, Figure]:
    return {one.kpi.id: one for one in figures(campaign, session)}


def test_what_nothing_was_counted_for_is_not_decided_and_says_why(world: FieldWorld) -> None:
    (world.folder / "kpis.yaml").write_text(OWN)
    found = by_id(world.field().campaign)
    assert {one.state.judgement.verdict for one in found.values()} == {"inconclusive"}
    assert found["success"].state.words == "no trials yet"
    assert found["map"].state.words == "this bundle has not been scored on labelled pictures"


def test_each_figure_is_judged_by_its_bound(world: FieldWorld) -> None:
    (world.folder / "kpis.yaml").write_text(OWN)
    field = world.unlinked()
    for _ in range(9):
        field.log_trial("success", "anna")
    field.log_trial("aborted", "anna")
    campaign = field.campaign
    session = field.state().session
    assert session is not None
    running = Running(wanted_s=360_000, known_s=360_000, up_s=359_000, frames=1)
    world.pass_time(360_000)
    spreads = {"inference_ms": Histogram.of([20.0] * 400)}
    moment = Moment(wall_ns=world.now_ns)
    measured = SessionMeasured(session=session.seq, measured=Measured(running=running, spreads=spreads), moment=moment)
    campaign.record.append("anna", measured)
    campaign.record.append(
        "anna", Evaluated(bundle=BUNDLE, figures={"map_50": 61.0}, pictures=64, labels="l", method="m")
    )
    found = by_id(campaign)
    words = {id: one.state.words for id, one in found.items()}
    assert {id: one.state.judgement.verdict for id, one in found.items() if id != "wrong"} == {
        "success": "pass",
        "uptime": "pass",
        "mtbf": "pass",
        "slow": "pass",
        "map": "pass",
    }
    assert "9 of 10" in words["success"]  # the aborted one is a failure here
    assert by_id(campaign, session.seq)["uptime"].state.judgement.verdict == "pass"
    with pytest.raises(Trouble) as caught:
        figures(campaign, 1)
    assert caught.value.code == "unknown_session"
    assert str(session.seq) in caught.value.cure


def test_another_bundle_begins_with_nothing_but_its_old_sessions_stay_readable(world: FieldWorld) -> None:
    (world.folder / "kpis.yaml").write_text(OWN)
    field = world.unlinked()
    for _ in range(9):
        field.log_trial("success", "anna")
    session = field.state().session
    assert session is not None
    field.campaign.revise("a new model", "anna", bundle="f" * 64)
    assert by_id(field.campaign)["success"].state.words == "no trials yet"
    assert by_id(field.campaign, session.seq)["success"].state.judgement.verdict == "pass"


def test_boxes_are_weighed_by_frames(world: FieldWorld) -> None:
    (world.folder / "kpis.yaml").write_text(OWN)
    field = world.unlinked()
    session = field.state().session
    assert session is not None
    for frame in range(30):
        scored = FrameScored(
            session=session.seq, phase="bench_trials", by="person", frame=frame, right=4, wrong=int(frame == 0), missed=0,
            fingerprints=dict(field.campaign.state().fingerprints), moment=Moment(wall_ns=world.now_ns),
        )  # fmt: skip
        field.campaign.record.append("anna", scored)
    judgement = by_id(field.campaign, session.seq)["wrong"].state.judgement
    assert judgement.value == pytest.approx(100 / 121)
    assert judgement.verdict == "inconclusive"  # one wrong frame of thirty does not prove fewer than 5 %


def test_a_robot_is_watched_by_its_campaign_and_without_one_by_the_shipped_figures(world: FieldWorld) -> None:
    assert kpis_of_robot("nobody").limit_of("inference_ms") is not None
    (world.folder / "kpis.yaml").write_text(
        TEXT.replace("threshold: 50\n      unit: ms", "threshold: 46\n      unit: ms")
    )
    campaign = world.field().campaign
    robot = campaign.robot
    campaign.close()
    limit = kpis_of_robot(robot).limit_of("inference_ms")
    assert limit is not None
    assert limit.criterion.threshold == 46


def test_the_command_says_each_figure_and_ends_as_it_stands(world: FieldWorld) -> None:
    (world.folder / "kpis.yaml").write_text(OWN)
    field = world.unlinked()
    for _ in range(12):
        field.log_trial("failure", "anna")
    assert kpis_in_force(field.campaign).kpis[0].id == "success"
    name = field.campaign.name
    done = CliRunner().invoke(kpis, [name])
    assert done.exit_code == 3, done.output
    assert "Success: FAIL" in done.output
    assert "0 of 12" in done.output
    found = json.loads(CliRunner().invoke(kpis, [name, "--json"]).stdout)
    assert {row["id"]: row["verdict"] for row in found["kpis"]}["uptime"] == "inconclusive"
    assert CliRunner().invoke(kpis, [name, "--live", "--session", "3"]).exit_code == 2


def test_a_score_is_kept_with_its_pictures_and_only_of_the_campaign_s_bundle(world: FieldWorld, tmp_path: Path) -> None:
    (world.folder / "kpis.yaml").write_text(OWN)
    campaign = world.field().campaign
    images = tmp_path / "images"
    images.mkdir()
    (images / "a.jpg").write_bytes(b"a")
    with pytest.raises(Trouble) as caught:
        record_score(campaign, Score("0" * 64, 0.5, 0.6, 1), images, images, "anna")
    assert caught.value.code == "other_bundle"
    record_score(campaign, Score(BUNDLE, 0.41, 0.4999, 1), images, images, "anna")
    assert by_id(campaign)["map"].state.judgement.verdict == "fail"
    record_score(campaign, Score(BUNDLE, 0.41, 0.5, 1), images, images, "anna")
    assert by_id(campaign)["map"].state.judgement.verdict == "pass"


def test_frames_are_counted_by_the_second_known_and_what_the_robot_can_not_tell_says_why(world: FieldWorld) -> None:
    """A robot without a GPU has no GPU load that was forgotten; and its frames were counted all the time."""
    (world.folder / "kpis.yaml").write_text(TEXT)
    field = world.unlinked()
    session = field.state().session
    assert session is not None
    running = Running(wanted_s=100, known_s=100, up_s=90, frames=900, failed_frames=1, dropped_frames=250)
    measured = Measured(running=running, means={"cpu_percent": 20.0}, readings={"cpu_percent": 100})
    world.pass_time(100)
    moment = Moment(wall_ns=world.now_ns)
    field.campaign.record.append("anna", SessionMeasured(session=session.seq, measured=measured, moment=moment))
    told = with_reasons(figures(field.campaign), {"gpu_percent": "not a Jetson", "cpu_percent": "never asked"})
    found = {one.kpi.id: one.state for one in told}
    assert found["fps"].words == "9 a second (n 100) against mean > 5 a second: pass"
    assert found["dropped"].words == "2.5 frames (n 100) against mean < 5 frames: pass"
    assert found["failed"].judgement.verdict == "fail"
    assert found["gpu"].words == "unavailable: not a Jetson"
    assert found["temperature"].words == NOT_REPORTED
    assert found["cpu"].words.startswith("20 %")
    assert found["mtbf"].words.startswith("no breakdown in 0.028 h; above 0.009 h at 95 % against > 24 h")
    assert found["crashes"].words.startswith("0 a day (less than 1 hour) [0.0, 2,588.")
