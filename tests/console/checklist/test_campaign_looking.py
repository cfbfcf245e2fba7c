"""Attempts of a campaign: what a probe saw is what stands in the record, and what it could not see is no tick."""

from __future__ import annotations

import threading

import msgspec
import pytest

from console.fieldtest.criteria import Number, Rate
from console.link.transport import Ran
from console.record.entries import Transcribed
from remote.errors import Trouble
from tests.console.checklist.campaign_world import FACTS, SERIAL, World, kinds, last
from tests.console.checklist.given_robot import BUNDLE, S

OTHER = "91bc" * 16


def test_an_attempt_says_value_limit_clocks_and_what_it_rests_on(world: World) -> None:
    campaign = world.campaign()
    state = campaign.attempt("clock", world.robot(-300.0, heard_ns=99 * S).sight, "anna")
    assert state.state == "pass"
    evidence = last(campaign, "attempt").evidence
    assert evidence.source == "clock"
    assert evidence.measurement == Number(0.3, "s")
    assert evidence.judgement.value == 0.3
    assert "< 2 s" in evidence.limit
    assert evidence.moment.clock_offset_ms == -300.0
    assert evidence.moment.robot_wall_ns == evidence.moment.wall_ns - 300_000_000
    assert evidence.moment.link_age_ms == 1000.0
    assert evidence.fingerprints == {"bundle": BUNDLE}
    assert evidence.rule == campaign.checklist.rules["clock"]
    assert evidence.details["robot_is"] == "behind"


def test_a_value_beyond_the_limit_fails_and_one_close_to_it_is_marginal(world: World) -> None:
    campaign = world.campaign()
    assert campaign.attempt("clock", world.robot(1400.0).sight, "anna").state == "pass"
    assert campaign.attempt("clock", world.robot(1800.0).sight, "anna").state == "marginal"
    failed = campaign.attempt("clock", world.robot(2500.0).sight, "anna")
    assert (failed.state, failed.cure) == ("fail", "Set the clock.")
    assert failed.attempts == 3


def test_a_look_that_saw_nothing_takes_the_tick_away(world: World) -> None:
    campaign = world.campaign()
    assert campaign.attempt("clock", world.robot(10.0).sight, "anna").state == "pass"
    state = campaign.attempt("clock", world.offline(), "anna")
    assert state.state == "unavailable"
    assert "the robot is not connected" in state.reason
    assert "fieldgate watch orin" in state.cure


def test_a_link_that_is_down_is_told_with_its_reason_and_cure(world: World) -> None:
    campaign = world.campaign()
    state = campaign.attempt("clock", world.robot(None).sight, "anna")
    assert (state.state, state.reason, state.cure) == ("unavailable", "the cable is out", "plug it in")


def test_trouble_in_a_probe_is_its_words_not_a_verdict(world: World) -> None:
    (world.files / "results.csv").write_text("success\nperhaps\n")
    state = world.campaign().attempt("results", world.offline(), "anna")
    assert state.state == "unavailable"
    assert "results.csv" in state.reason


@pytest.mark.parametrize("runs", [OTHER, ""])
def test_evidence_about_another_bundle_is_none(world: World, runs: str) -> None:
    campaign = world.campaign()
    world.facts = msgspec.structs.replace(FACTS, bundle=runs)
    state = campaign.attempt("clock", world.robot(10.0).sight, "anna")
    assert state.state == "unavailable"
    assert BUNDLE[:12] in state.reason
    assert (runs[:12] or "no bundle") in state.reason
    assert state.cure.startswith(f"run `fieldgate start orin --bundle {BUNDLE[:12]}")


def test_another_robot_at_the_other_end_leaves_nothing_in_the_record(world: World) -> None:
    campaign = world.campaign()
    robot = world.robot(10.0)
    robot.session.show(msgspec.structs.replace(robot.session.snapshot, robot="hopper"))
    with pytest.raises(Trouble) as caught:
        campaign.attempt("clock", robot.sight, "anna")
    assert caught.value.code == "other_robot"
    assert kinds(campaign) == ["opened"]


# ------------------------------------------------------------ hold


def test_a_held_item_passes_only_after_the_whole_time(world: World) -> None:
    campaign = world.campaign()
    robot = world.robot(10.0)
    state = campaign.attempt("steady", robot.sight, "anna")
    assert state.state == "pass"
    assert last(campaign, "attempt").evidence.details["looks"] == 6
    assert last(campaign, "attempt").evidence.took_ms >= 5000


def test_a_held_item_that_breaks_fails_and_says_how_long_it_held(world: World) -> None:
    campaign = world.campaign()
    # 50 ms between two snapshots: the clock jumps after 2.5 s
    state = campaign.attempt("steady", world.robot(*([10.0] * 50), 5000.0).sight, "anna")
    assert state.state == "fail"
    assert "held 3.0 of 5 s" in state.reason


def test_a_held_item_is_as_good_as_its_worst_look(world: World) -> None:
    campaign = world.campaign()
    state = campaign.attempt("steady", world.robot(*([10.0] * 50), *([1900.0] * 20), 10.0).sight, "anna")
    assert state.state == "marginal"


def test_a_robot_that_goes_in_the_middle_of_a_hold_is_no_pass(world: World) -> None:
    campaign = world.campaign()
    state = campaign.attempt("steady", world.robot(*([10.0] * 50), None).sight, "anna")
    assert state.state == "unavailable"
    assert "of 5 s" in state.reason


# ------------------------------------------------------------ what it rests on


def test_a_changed_file_makes_its_item_stale_and_the_old_file_makes_it_count_again(world: World) -> None:
    campaign = world.campaign()
    world.results(20, 20)
    assert campaign.attempt("results", world.offline(), "anna").state == "pass"
    assert not campaign.observe(world.offline())
    world.results(19, 20)
    assert campaign.observe(world.offline())
    state = campaign.state().item("results")
    assert state.state == "stale"
    assert "results.csv" in state.reason
    world.results(20, 20)
    assert campaign.observe(world.offline())
    assert campaign.state().item("results").state == "pass"


def test_a_file_that_is_gone_makes_its_item_stale(world: World) -> None:
    campaign = world.campaign()
    world.results(20, 20)
    campaign.attempt("results", world.offline(), "anna")
    (world.files / "results.csv").unlink()
    campaign.observe(world.offline())
    assert "gone" in campaign.state().item("results").reason


def test_another_bundle_on_the_robot_makes_items_stale_and_says_which(world: World) -> None:
    campaign = world.campaign()
    campaign.attempt("clock", world.robot(10.0).sight, "anna")
    world.facts = msgspec.structs.replace(FACTS, bundle=OTHER)
    assert campaign.observe(world.robot(10.0).sight)
    assert campaign.state().item("clock").state == "stale"
    assert campaign.state().item("clock").reason == "bundle 3f2a -> 91bc"


def test_nothing_is_written_while_nothing_changes(world: World) -> None:
    campaign = world.campaign()
    assert campaign.observe(world.robot(10.0).sight)
    assert not campaign.observe(world.robot(10.0).sight)
    assert not campaign.observe(world.robot(None).sight)
    assert not campaign.observe(world.offline())
    assert kinds(campaign) == ["opened", "seen"]
    assert campaign.seen_facts()["serial"] == SERIAL


def test_a_pass_ends_with_its_time_without_a_new_entry(world: World) -> None:
    campaign = world.campaign()
    world.results(20, 20)
    campaign.attempt("results", world.offline(), "anna")
    world.now_ns += 30 * 86_400 * S
    assert campaign.state().item("results").state == "stale"


# ------------------------------------------------------------ check


def test_check_looks_at_every_sensed_item_and_runs_no_command(world: World) -> None:
    campaign = world.campaign()
    world.results(20, 20)
    robot = world.robot(10.0)
    told: list[tuple[str, str]] = []
    done = campaign.check(robot.sight, "anna", progress=lambda item: told.append((item.item.id, item.state)))
    assert [(item.item.id, item.state) for item in done] == [(id, "pass") for id in ("results", "clock", "steady")]
    assert told[:2] == [("results", "running"), ("results", "pass")]
    assert robot.transport.commands == []


def test_check_of_some_items_touches_no_other(world: World) -> None:
    campaign = world.campaign()
    done = campaign.check(world.robot(10.0).sight, "anna", ["clock"])
    assert [item.item.id for item in done] == ["clock"]
    assert [row.item for row in campaign.record.rows() if row.kind == "attempt"] == ["clock"]
    with pytest.raises(Trouble, match="clok"):
        campaign.check(world.robot(10.0).sight, "anna", ["clok"])


def test_a_robot_that_goes_during_a_check_leaves_the_rest_unavailable(world: World) -> None:
    campaign = world.campaign()
    world.results(20, 20)
    robot = world.robot(10.0)

    def cut(item: object) -> None:
        if campaign.state().item("clock").state == "pass":
            robot.session.show(world.robot(None).session.snapshot)

    done = campaign.check(robot.sight, "anna", progress=cut)
    assert [item.state for item in done] == ["pass", "pass", "unavailable"]


def test_two_looks_at_one_item_at_once_are_one(world: World) -> None:
    campaign = world.campaign()
    robot = world.robot(10.0)
    inside, leave = threading.Event(), threading.Event()
    real = robot.session.request

    def slow(*given: object, **named: object) -> object:
        inside.set()
        assert leave.wait(10)
        return real(*given, **named)  # type: ignore[arg-type]

    robot.session.request = slow  # type: ignore[method-assign, assignment]
    thread = threading.Thread(target=lambda: campaign.attempt("clock", robot.sight, "anna"))
    thread.start()
    assert inside.wait(10)
    assert campaign.state().item("clock").state == "running"
    with pytest.raises(Trouble) as caught:
        campaign.attempt("clock", world.robot(10.0).sight, "anna")
    leave.set()
    thread.join(10)
    assert caught.value.code == "already_running"
    assert campaign.state().item("clock").state == "pass"
    assert kinds(campaign).count("attempt") == 1


# ------------------------------------------------------------ commands


def test_a_command_is_run_then_its_effect_is_looked_at(world: World) -> None:
    campaign = world.campaign()
    robot = world.robot(10.0, ran=Ran(0, b"engaged\n", b""))
    with pytest.raises(Trouble) as caught:
        campaign.attempt("brake", robot.sight, "anna")
    assert caught.value.code == "act_first"
    state = campaign.act("brake", robot.sight, "anna")
    assert state.state == "pass"
    ran = robot.transport.commands
    assert [words.split("exec brake ")[-1] for words in ran] == ["engage 'now, please'", "state"]
    assert last(campaign, "act").exit == 0


def test_a_kill_while_a_command_runs_leaves_it_in_the_record(world: World) -> None:
    campaign = world.campaign()
    robot = world.robot(10.0)

    def killed(*given: object, **named: object) -> Ran:
        raise KeyboardInterrupt

    robot.transport.run = killed  # type: ignore[method-assign]
    with pytest.raises(KeyboardInterrupt):
        campaign.act("brake", robot.sight, "anna")
    assert last(campaign, "act").command == "brake engage 'now, please'"
    state = campaign.state().item("brake")
    assert (state.state, state.need) == ("pending", "command")


def test_a_command_that_ends_wrongly_is_a_failure_and_nothing_is_verified(world: World) -> None:
    campaign = world.campaign()
    robot = world.robot(10.0, ran=Ran(3, b"", b"no pressure"))
    state = campaign.act("brake", robot.sight, "anna")
    assert state.state == "fail"
    assert "ended with 3" in state.reason
    assert len(robot.transport.commands) == 1
    assert last(campaign, "act").output == "no pressure"


def test_a_robot_that_goes_during_a_command_leaves_no_verdict(world: World) -> None:
    campaign = world.campaign()
    robot = world.robot(10.0, ran=Trouble("the link broke", code="unreachable"))
    state = campaign.act("brake", robot.sight, "anna")
    assert state.state == "unavailable"
    assert last(campaign, "act").exit is None


def test_a_latched_failure_stays_until_a_fix_and_a_new_pass(world: World) -> None:
    campaign = world.campaign()
    good = world.robot(10.0, ran=Ran(0, b"engaged", b""))
    campaign.act("brake", world.robot(10.0, ran=Ran(0, b"loose", b"")).sight, "anna")
    assert campaign.act("brake", good.sight, "anna").state == "fail"
    with pytest.raises(Trouble, match="no description of a fix"):
        campaign.fix("brake", "done", "anna")
    assert campaign.fix("brake", "replaced the valve of the brake", "anna").state == "fail"
    assert campaign.act("brake", good.sight, "anna").state == "pass"


def test_a_fix_needs_a_failure(world: World) -> None:
    with pytest.raises(Trouble) as caught:
        world.campaign().fix("brake", "replaced the valve of the brake", "anna")
    assert caught.value.code == "no_failure"


# ------------------------------------------------------------ values


def test_a_value_is_judged_and_kept_with_who_entered_it(world: World) -> None:
    campaign = world.campaign()
    state = campaign.measure("force", 31.5, "bo", n=3, note="scale 7", files=[world.photo()])
    assert state.state == "pass"
    evidence = last(campaign, "attempt").evidence
    assert (evidence.source, evidence.measurement) == ("person", Number(31.5, "N", 3))
    assert evidence.details["note"] == "scale 7"
    assert campaign.record.attachment(evidence.attachments[0].digest) == world.photo().read_bytes()
    assert campaign.measure("force", 41.0, "bo").state == "fail"


def test_a_rate_is_entered_as_a_count(world: World) -> None:
    campaign = world.campaign()
    campaign.measure("drops", None, "bo", n=20, successes=1)
    assert last(campaign, "attempt").evidence.measurement == Rate(1, 20)
    assert campaign.state().item("drops").state == "pass"
    for wrong in ({"value": 5.0}, {"n": 3, "successes": 4}, {"n": 0, "successes": 0}):
        with pytest.raises(Trouble) as caught:
            campaign.measure("drops", **{"value": None, "person": "bo", **wrong})  # type: ignore[arg-type]
        assert caught.value.code == "bad_value"


@pytest.mark.parametrize("value", [float("nan"), float("inf"), None])
def test_what_is_no_number_is_never_a_value(world: World, value: float | None) -> None:
    campaign = world.campaign()
    with pytest.raises(Trouble) as caught:
        campaign.measure("force", value, "bo")
    assert caught.value.code == "bad_value"
    assert kinds(campaign) == ["opened"]


def test_a_value_from_paper_is_marked(world: World) -> None:
    campaign = world.campaign()
    state = campaign.measure("force", 31.5, "bo", transcribed=Transcribed("cy", "2026-03-31T14:05"))
    assert "transcribed" in state.flags


def test_nobody_enters_what_a_probe_senses_or_a_person_confirms(world: World) -> None:
    campaign = world.campaign()
    for item in ("clock", "fence"):
        with pytest.raises(Trouble) as caught:
            campaign.measure(item, 1.0, "bo")
        assert caught.value.code == "not_measured"


def test_a_value_goes_stale_when_the_robot_that_was_not_seen_before_is_seen(world: World) -> None:
    campaign = world.campaign()
    campaign.measure("force", 31.5, "bo")
    campaign.observe(world.robot(10.0).sight)
    assert campaign.state().item("force").state == "stale"
