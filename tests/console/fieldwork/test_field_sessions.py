"""Sessions on a robot: nobody tests where what must hold does not, and a session that lost it stops taking trials by itself."""

from __future__ import annotations

import msgspec
import pytest

from console.fieldwork.field_test import FieldTest
from console.record.entries import SessionBegun, SessionPaused
from remote.errors import Trouble
from remote.protocol import Expectation, SetWatch, Watch
from tests.console.checklist.campaign_world import kinds, last
from tests.console.checklist.given_robot import BUNDLE
from tests.console.fieldwork.field_world import PACK, FieldRobot, FieldWorld

OTHER = "91bc" * 16


def _refused(world: FieldWorld, robot: FieldRobot | None, code: str, **conditions: str) -> Trouble:
    field = world.field()
    field.campaign.confirm("fence", True, "anna")
    field.begin_phase("lab", "anna")
    with pytest.raises(Trouble) as refused:
        field.begin_session(robot.sight if robot else None, "anna", conditions)
    assert refused.value.code == code, refused.value
    assert "session_begun" not in kinds(field.campaign)
    return refused.value


def test_a_phase_begins_only_when_its_entry_conditions_are_met(world: FieldWorld) -> None:
    field = world.field()
    with pytest.raises(Trouble) as unmet:
        field.begin_phase("lab", "anna")
    assert unmet.value.code == "entry_unmet"
    assert "fence is pending" in unmet.value.what
    assert "fence" in unmet.value.cure
    field.campaign.confirm("fence", True, "anna")
    assert field.begin_phase("lab", "anna").status == "testing"
    with pytest.raises(Trouble) as unknown:
        field.begin_phase("labs", "anna")
    assert "lab" in unknown.value.cure


def test_going_back_or_beginning_anew_needs_a_reason(world: FieldWorld) -> None:
    field = world.field()
    field.campaign.confirm("fence", True, "anna")
    field.begin_phase("lab", "anna")
    field.begin_phase("bench_trials", "anna")
    for phase in ("lab", "bench_trials"):
        with pytest.raises(Trouble) as reasonless:
            field.begin_phase(phase, "anna", "because")
        assert reasonless.value.code == "no_reason"
    field.begin_phase("lab", "anna", "the gripper was changed")
    begun = last(field.campaign, "phase_begun")
    assert (begun.back_from, begun.reason) == ("bench_trials", "the gripper was changed")


def test_a_session_notes_the_robot_its_journal_and_that_all_holds(world: FieldWorld) -> None:
    robot = FieldRobot(world)
    field = world.in_lab(robot)
    begun = last(field.campaign, "session_begun")
    assert isinstance(begun, SessionBegun)
    assert (begun.journal, begun.phase, begun.conditions) == ("journal-1", "lab", {"light": "bright"})
    assert begun.first_seq > 41
    assert [one.met for one in begun.holding] == [True, True, True]
    assert begun.fingerprints["bundle"] == BUNDLE
    assert begun.fingerprints["robot"]
    state = field.state().session
    assert state is not None
    assert state.counts, state.why_not


def test_the_robot_is_told_the_conditions_where_nobody_else_commands_it(world: FieldWorld) -> None:
    robot = FieldRobot(world)
    robot.watch = Watch(low_confidence=0.4)
    field = world.in_lab(robot)
    assert robot.watch == Watch(conditions={"phase": "lab", "light": "bright"}, low_confidence=0.4)
    assert not robot.mine
    field.set_conditions({"light": "DIM"}, "anna", robot.sight)
    assert robot.watch.conditions == {"phase": "lab", "light": "dim"}
    field.log_trial("success", "anna", conditions={"light": "bright"}, sight=robot.sight)
    assert robot.watch.conditions == {"phase": "lab", "light": "bright"}
    robot.watch = msgspec.structs.replace(
        robot.watch, expected=(Expectation(label="cup"),), complete=True, own_truth=True
    )
    field.end_session("anna", robot.sight)
    assert robot.watch == Watch(low_confidence=0.4)
    assert world.tells == []


def test_where_another_one_commands_the_session_begins_all_the_same_and_says_so(world: FieldWorld) -> None:
    robot = FieldRobot(world)
    robot.holder = "bo@laptop"
    field = world.in_lab(robot)
    assert field.state().session is not None
    assert not any(isinstance(command, SetWatch) for command in robot.asked)
    assert "bo@laptop" in world.tells[0]
    assert "not told" in world.tells[0]


def test_another_bundle_no_robot_or_a_slow_one_is_refused_with_the_cure(world: FieldWorld) -> None:
    assert "91bc" in _refused(world, FieldRobot(world, bundle=OTHER), "holding_unmet").what
    assert "no robot" in _refused(world, None, "holding_unmet").what
    assert _refused(world, FieldRobot(world, ms=250.0), "holding_unmet").cure == "Cool it down."


def test_another_bundle_is_refused_also_where_the_phase_does_not_ask_for_it(world: FieldWorld) -> None:
    field = world.field()
    field.begin_phase("bench_trials", "anna")
    with pytest.raises(Trouble) as refused:
        field.begin_session(FieldRobot(world, bundle=OTHER).sight, "anna")
    assert refused.value.code == "wrong_bundle"


def test_conditions_that_the_phase_does_not_know_are_told_with_the_nearest(world: FieldWorld) -> None:
    assert "light" in _refused(world, FieldRobot(world), "unknown_condition", ligth="dim").cure
    assert "bright" in _refused(world, FieldRobot(world), "unknown_condition", light="brigt").cure


def test_no_trial_without_a_required_condition(world: FieldWorld) -> None:
    robot = FieldRobot(world)
    field = world.in_lab(robot)
    field.set_conditions({"light": ""}, "anna")
    with pytest.raises(Trouble) as refused:
        field.log_trial("success", "anna", sight=robot.sight)
    assert refused.value.code == "condition_missing"
    logged = field.log_trial("success", "anna", conditions={"light": "dim", "place": "aisle 3"}, sight=robot.sight)
    assert logged.conditions == {"light": "dim", "place": "aisle 3"}
    assert field.log_trial("success", "anna", sight=robot.sight).conditions == logged.conditions


def test_a_condition_that_is_left_for_long_enough_pauses_the_session_and_only_a_person_resumes_it(
    world: FieldWorld,
) -> None:
    robot = FieldRobot(world)
    field = world.in_lab(robot)
    for _ in range(3):
        robot.second(ms=250.0)
        assert not _paused(field.look(robot.sight))
    robot.second(ms=250.0)
    assert "It is quick enough" in _paused(field.look(robot.sight))
    paused = last(field.campaign, "session_paused")
    assert isinstance(paused, SessionPaused)
    assert paused.condition == "latency"
    with pytest.raises(Trouble) as refused:
        field.log_trial("success", "anna", sight=robot.sight)
    assert refused.value.code == "session_paused"
    with pytest.raises(Trouble) as unmet:
        field.resume(robot.sight, "anna")
    assert unmet.value.code == "holding_unmet"
    robot.second()
    assert _paused(field.look(robot.sight))
    assert field.resume(robot.sight, "anna", "a fan").paused == ""
    field.log_trial("success", "anna", sight=robot.sight)
    assert kinds(field.campaign).count("session_paused") == 1


def test_a_session_that_another_program_resumed_is_paused_again_when_it_must(world: FieldWorld) -> None:
    robot = FieldRobot(world)
    field = world.in_lab(robot)
    for _ in range(5):
        robot.second(ms=250.0)
        field.look(robot.sight)
    robot.second()
    world.of(field.campaign).resume(robot.sight, "bo")
    robot.second(ms=250.0)
    assert not _paused(field.look(robot.sight))
    for _ in range(3):
        robot.second(ms=250.0)
        field.look(robot.sight)
    assert "It is quick enough" in _paused(field.state())
    assert kinds(field.campaign).count("session_paused") == 2


def test_a_moment_that_is_too_slow_pauses_nothing(world: FieldWorld) -> None:
    robot = FieldRobot(world)
    field = world.in_lab(robot)
    for ms in (250.0, 250.0, 20.0, 250.0, 250.0, 20.0):
        robot.second(ms=ms)
        assert not _paused(field.look(robot.sight))


def test_a_link_that_is_gone_pauses_the_session_and_loses_nothing(world: FieldWorld) -> None:
    robot = FieldRobot(world)
    field = world.in_lab(robot)
    field.log_trial("success", "anna", sight=robot.sight)
    robot.cut()
    for _ in range(7):
        world.pass_time(1.0)
        field.look(robot.sight)
    world.pass_time(3600.0)
    assert "the link is down" in _paused(field.look(robot.sight))
    robot.mend()
    field.resume(robot.sight, "anna")
    state = field.state().session
    assert state is not None
    assert (state.trials, state.paused) == (1, "")


def test_a_stop_rule_ends_the_session_with_the_trial_that_reaches_it(world: FieldWorld) -> None:
    robot = FieldRobot(world)
    field = world.in_lab(robot)
    for outcome in ("failure", "failure", "success", "failure", "aborted"):
        field.log_trial(outcome, "anna", sight=robot.sight)
    assert field.state().session is not None
    field.log_trial("failure", "anna", sight=robot.sight)
    assert last(field.campaign, "session_ended").stop == "row"
    assert field.state().session is None
    assert [stop.reached for stop in field.state().phase("lab").stops] == [True, False]
    with pytest.raises(Trouble) as stopped:
        field.begin_session(robot.sight, "anna", {"light": "dim"})
    assert stopped.value.code == "phase_stopped"
    assert "Find out why." in stopped.value.cure
    field.lift_stop("lab", "row", "the lens was dirty, it is clean", "anna")
    assert field.begin_session(robot.sight, "anna", {"light": "dim"}).seq


def test_a_mistyped_trial_that_ended_the_session_can_be_undone(world: FieldWorld) -> None:
    robot = FieldRobot(world)
    field = world.in_lab(robot)
    for _ in range(3):
        field.log_trial("failure", "anna", sight=robot.sight)
    undone = field.undo("anna")
    assert undone is not None
    assert field.state().phase("lab").status == "testing"
    assert field.begin_session(robot.sight, "anna", {"light": "dim"}).seq


def test_interventions_count_towards_their_stop_rule_within_trials_and_beside_them(world: FieldWorld) -> None:
    robot = FieldRobot(world)
    field = world.in_lab(robot)
    for _ in range(2):
        field.log_trial("success", "anna", intervened=True, sight=robot.sight)
        field.intervene("anna", "pushed it back", robot.sight)
    assert field.state().session is not None
    field.intervene("anna")
    assert last(field.campaign, "session_ended").stop == "help"


def test_the_worker_crashed_is_known_only_where_the_journal_says_it(world: FieldWorld) -> None:
    robot = FieldRobot(world)
    field = world.in_lab(robot)
    robot.second()
    assert field.log_trial("success", "anna", sight=robot.sight).crashed is False
    robot.second()
    robot.fail("worker_crash")
    robot.second()
    assert field.log_trial("failure", "anna", sight=robot.sight).crashed is True
    robot.second()
    assert field.log_trial("success", "anna", sight=robot.sight).crashed is False
    robot.cut()
    assert field.log_trial("success", "anna", sight=robot.sight).crashed is None
    assert field.log_trial("success", "anna").crashed is None
    robot.mend()
    robot.boot_id = "boot-2"
    assert field.log_trial("success", "anna", sight=robot.sight).crashed is None


def test_a_trial_that_was_begun_knows_how_long_it_took_and_its_crash(world: FieldWorld) -> None:
    robot = FieldRobot(world)
    field = world.in_lab(robot)
    robot.fail("worker_hang")
    robot.second()
    begun = field.begin_trial("anna")
    with pytest.raises(Trouble) as twice:
        field.begin_trial("anna")
    assert twice.value.code == "trial_open"
    session = field.state().session
    assert session is not None
    assert session.open_trial == begun
    robot.second()
    robot.second()
    logged = field.log_trial("success", "anna", measures={"force_n": 3}, sight=robot.sight)
    assert (logged.measures, logged.crashed) == ({"took_s": 2.0, "force_n": 3.0}, False)


def test_another_bundle_in_the_middle_of_a_session_takes_no_trial(world: FieldWorld) -> None:
    robot = FieldRobot(world)
    field = world.in_lab(robot)
    robot.bundle = OTHER
    with pytest.raises(Trouble) as wrong:
        field.log_trial("success", "anna", sight=robot.sight)
    assert wrong.value.code == "wrong_bundle"
    field.campaign.revise("the new model is better", "anna", bundle=OTHER)
    with pytest.raises(Trouble) as changed:
        field.log_trial("success", "anna", sight=robot.sight)
    assert changed.value.code == "bundle_changed"
    field.end_session("anna", robot.sight)
    field.begin_session(robot.sight, "anna", {"light": "dim"})
    assert field.log_trial("success", "anna", sight=robot.sight).counts


def test_a_robot_that_is_not_looked_through_any_more_pauses_the_session(world: FieldWorld) -> None:
    field = world.in_lab(FieldRobot(world))
    for _ in range(8):
        world.pass_time(1.0)
        field.look(None)
    assert "no robot is looked at" in _paused(field.state())


def test_a_crash_before_another_persons_trial_is_not_counted_for_the_next_one(world: FieldWorld) -> None:
    robot = FieldRobot(world)
    field = world.in_lab(robot)
    field.log_trial("success", "anna", sight=robot.sight)
    robot.fail("worker_crash")
    robot.second()
    assert world.of(field.campaign).log_trial("success", "bo", sight=robot.sight).crashed is True
    robot.second()
    assert field.log_trial("success", "anna", sight=robot.sight).crashed is False


def test_a_revised_phase_must_be_begun_anew(world: FieldWorld) -> None:
    robot = FieldRobot(world)
    field = world.in_lab(robot)
    world.pack.write_text(PACK.replace("threshold: 80", "threshold: 60"))
    field.campaign.revise("eighty was a mistake", "anna", pack=world.pack)
    with pytest.raises(Trouble) as changed:
        field.log_trial("success", "anna", sight=robot.sight)
    assert changed.value.code == "phase_changed"


def test_a_clock_that_jumps_back_loses_no_trial_and_invents_no_time(world: FieldWorld) -> None:
    robot = FieldRobot(world)
    field = world.in_lab(robot)
    field.begin_trial("anna")
    world.now_ns -= 3600 * 10**9
    logged = field.log_trial("success", "anna", sight=robot.sight)
    assert logged.measures == {"took_s": 0.0}
    assert field.state().phase("lab").trials == 1
    FieldTest(field.campaign).begin_trial("bo")
    world.now_ns -= 3600 * 10**9
    assert FieldTest(field.campaign).log_trial("success", "bo").measures == {}
    assert field.state().trials[-1].wall_ns >= field.state().sessions[-1].began_wall_ns


def _paused(state: object) -> str:
    session = state.session  # type: ignore[attr-defined]
    return session.paused if session is not None else "ended"


def test_a_first_look_that_takes_an_entry_condition_away_begins_no_session(world: FieldWorld) -> None:
    """An item confirmed before any robot was seen rests on none: trials behind it would stand on nothing."""
    fence = "statement: The fence is shut.}"
    field = world.field(PACK.replace(fence, "statement: The fence is shut., rests_on: [robot]}"))
    field.campaign.confirm("fence", True, "anna")
    field.begin_phase("lab", "anna")
    robot = FieldRobot(world)
    with pytest.raises(Trouble) as refused:
        field.begin_session(robot.sight, "anna", {"light": "bright"})
    assert (refused.value.code, "fence is stale" in refused.value.what) == ("entry_unmet", True)
    assert "confirm fence" in refused.value.cure
    assert kinds(field.campaign)[-2:] == ["phase_begun", "seen"]
    field.campaign.confirm("fence", True, "anna")
    assert field.begin_session(robot.sight, "anna", {"light": "bright"}).phase == "lab"


def test_a_session_that_nobody_looks_for_and_one_that_can_not_be_measured_say_what_to_do(world: FieldWorld) -> None:
    field = world.field(
        PACK.replace("metric: end_to_end_ms, statistic: p95", "metric: temp_max_c").replace("ms}", "°C}")
    )
    field.campaign.confirm("fence", True, "anna")
    field.begin_phase("lab", "anna")
    with pytest.raises(Trouble) as unseen:
        field.begin_session(None, "anna")
    assert "leave out --no-robot" in unseen.value.cure
    robot = FieldRobot(world)
    robot.sight._pause = lambda seconds: robot.second()
    with pytest.raises(Trouble) as unmeasured:
        field.begin_session(robot.sight, "anna")
    assert "overlay" in unmeasured.value.cure
