"""Real agent, real socket: what a console may rely on."""

from __future__ import annotations

import itertools
import random
import signal
import time
from collections.abc import Callable

import msgspec
import pytest

from remote.protocol import (
    AgentHello,
    AgentState,
    Drill,
    Entries,
    Event,
    Expected,
    Failure,
    GetChoices,
    GetFrame,
    GetPicture,
    GetState,
    Host,
    Mark,
    Ping,
    Pong,
    Refusal,
    ReleaseLease,
    RenewLease,
    Reply,
    Request,
    Sample,
    SetBundle,
    SetSource,
    Start,
    Stop,
    Subscribe,
    TakeLease,
    Window,
)
from tests.remote.agent.robot import Console, Robot, hello_of


def test_the_agent_speaks_first_and_shows_its_state(idle: Robot) -> None:
    console = idle.console()
    assert isinstance(console.messages[0], AgentHello)
    assert console.hello.journal == console.state.journal.id
    assert "anna@laptop" in console.state.consoles


@pytest.mark.parametrize(
    ("protocol", "oldest", "who"), [(0, 0, "the console is too old"), (9, 9, "this agent is too old")]
)
def test_versions_that_do_not_fit_say_which_side_is_too_old(idle: Robot, protocol: int, oldest: int, who: str) -> None:
    console = idle.console(hello=False)
    console.send(hello_of("old", "old", protocol, oldest))
    refusal = console.first(Refusal)
    assert refusal.error.code == "too_old"
    assert who in refusal.error.what
    assert console.gone()


def test_a_newer_console_that_still_speaks_ours_is_welcome(idle: Robot) -> None:
    console = idle.console(hello=False)
    console.send(hello_of("new", "new", protocol=9, oldest=1))
    assert console.first(AgentState)


def test_a_command_before_the_hello_is_refused_and_the_line_closed(idle: Robot) -> None:
    console = idle.console(hello=False)
    console.send(Request(id="1", command=Stop()))
    assert console.first(Refusal).error.code == "no_hello"
    assert console.gone()


@pytest.mark.parametrize(
    "junk",
    [b"hello\n", b'{"type":"fly"}\n', b"[" * 9000 + b"\n", b"\xff\xfe\x00\n", b'{"type":"ping"}\n', b"null\n"],
    ids=["text", "unknown", "deep", "no utf-8", "field missing", "null"],
)
def test_a_line_that_is_no_message_is_answered_and_the_connection_lives_on(idle: Robot, junk: bytes) -> None:
    console = idle.console()
    console.send(junk)
    assert console.first(Refusal).error.code == "bad_message"
    console.send(Ping(7))
    assert console.first(Pong).id == 7


def test_unknown_fields_are_ignored_so_that_a_newer_console_can_talk(idle: Robot) -> None:
    console = idle.console()
    console.send(b'{"type":"ping","id":3,"from_the_future":{"a":[1]}}\n')
    assert console.first(Pong).id == 3


@pytest.mark.parametrize("after_hello", [True, False])
def test_an_endless_line_is_refused_before_it_eats_the_memory(idle: Robot, after_hello: bool) -> None:
    console = idle.console(hello=after_hello)
    with pytest.raises((BrokenPipeError, ConnectionResetError, TimeoutError)):
        console.door.sendall(b"x" * 32_000_000)
    assert console.first(Refusal).error.code == "too_long"
    assert idle.console("next").state


def test_entries_come_in_order_without_holes_and_windows_carry_the_workers_numbers(robot: Robot) -> None:
    console = robot.console().subscribe()
    epoch = console.take_lease()
    assert console.ask(Start(), epoch=epoch).error is None
    console.until(lambda: [b for b in console.bodies() if isinstance(b, Window)], "window")
    console.until(lambda: [b for b in console.bodies() if isinstance(b, Host)], "host")
    assert [entry.seq for entry in console.entries] == list(range(1, len(console.entries) + 1))
    assert {entry.boot_id for entry in console.entries} == {console.hello.boot_id}
    assert console.named("agent_started")
    assert console.named("worker_started")
    assert console.named("lease_taken")


def test_samples_come_at_the_rate_asked_for_and_stop_when_unwanted(robot: Robot) -> None:
    console = robot.console().subscribe(samples_per_s=5)
    console.ask(Start(), epoch=console.take_lease())
    console.until(lambda: len(console.all(Sample)) >= 5, "5 samples")
    watched = console.all(Sample)
    spans = [(b.capture_mono_ns - a.capture_mono_ns) / 1e9 for a, b in itertools.pairwise(watched)]
    assert sum(spans) / len(spans) > 0.15  # the worker sends ten a second
    console.send(Subscribe(0, 0.0))
    console.send(Ping(1))
    console.first(Pong)
    before = len(console.all(Sample))
    console.next(Entries)
    assert len(console.all(Sample)) == before
    assert [entry.seq for entry in console.entries] == list(range(1, len(console.entries) + 1))


def test_resume_gives_exactly_what_follows(robot: Robot) -> None:
    first = robot.console().subscribe()
    first.until(lambda: len(first.entries) >= 4, "4 entries")
    second = robot.console("ben@laptop").subscribe(after_seq=2)
    second.until(lambda: len(second.entries) >= 2, "2 entries")
    assert [entry.seq for entry in second.entries][:2] == [3, 4]
    assert bytes(second.entries[0].body) == bytes(first.entries[2].body)


def test_a_number_beyond_the_journal_is_refused_because_it_belongs_to_another_one(idle: Robot) -> None:
    console = idle.console().subscribe(after_seq=10**9)
    assert console.first(Refusal).error.code == "beyond_journal"


def test_starting_and_stopping_is_confirmed_by_the_state_in_the_reply(robot: Robot) -> None:
    console = robot.console()
    epoch = console.take_lease()
    started = console.ask(Start(), epoch=epoch).state
    assert started is not None
    assert started.worker.phase == "running"
    assert started.worker.pid is not None
    assert started.worker.run == 1
    stopped = console.ask(Stop(), epoch=epoch).state
    assert stopped is not None
    assert (stopped.worker.phase, stopped.worker.pid, stopped.worker.last_exit) == ("stopped", None, "exit status 0")


def test_both_consoles_see_a_change_and_a_takeover_names_both(robot: Robot) -> None:
    anna, ben = robot.console("anna").subscribe(), robot.console("ben").subscribe()
    epoch = anna.take_lease()
    held = ben.ask(TakeLease())
    assert held.error is not None
    assert held.error.code == "lease_held"
    stale = ben.ask(TakeLease(over=epoch - 1))
    assert stale.error is not None
    assert stale.error.code == "lease_held"
    newer = ben.take_lease(over=epoch)
    assert newer == epoch + 1
    event = anna.until(
        lambda: [e for e in anna.named("lease_taken") if e.data.get("taken_from") == "anna"], "lease_taken from anna"
    )[0]
    assert event.data["holder"] == "ben"
    anna.until(lambda: anna.state.lease and anna.state.lease.holder == "ben", "state with ben")
    assert anna.state.lease is not None
    assert anna.state.lease.last_taken_from == "anna"
    lost = anna.ask(Start(), epoch=epoch)
    assert lost.error is not None
    assert lost.error.code == "lease_lost"


def test_commands_without_the_lease_are_refused_and_looking_needs_none(idle: Robot) -> None:
    console = idle.console()
    for command in (Start(), Stop(), SetSource("scene:"), SetBundle("b" * 64), RenewLease(), ReleaseLease()):
        error = console.ask(command).error
        assert error is not None
        assert error.code == "no_lease"
    assert console.ask(GetState()).error is None
    assert "scene:" in [choice.value for choice in console.ask(GetChoices("sources")).choices]


def test_the_same_laptop_on_a_second_connection_does_not_command_beside_the_first(robot: Robot) -> None:
    first, second = robot.console("anna", "laptop"), robot.console("anna", "laptop")
    first.take_lease()
    error = second.ask(TakeLease()).error
    assert error is not None
    assert error.code == "lease_held"


def test_a_laptop_that_reconnects_gets_its_lease_back(robot: Robot) -> None:
    first = robot.console("anna", "laptop")
    epoch = first.take_lease()
    first.close()
    again = robot.console("anna", "laptop")
    assert again.ask(RenewLease(), epoch=epoch).error is None
    again.close()
    third = robot.console("anna", "laptop")
    third.until(lambda: len(third.state.consoles) == 1, "the old connection gone")
    assert third.take_lease() == epoch + 1


def test_a_command_from_a_frozen_link_is_never_carried_out(robot: Robot) -> None:
    console = robot.console()
    epoch = console.take_lease()
    for late in ({"deadline_mono_ns": console.hello.mono_ns - 1}, {"boot_id": "another boot"}):
        error = console.ask(Start(), epoch=epoch, **late).error
        assert error is not None
        assert error.code == "expired"
    assert console.ask(GetState()).state.worker.phase == "stopped"  # type: ignore[union-attr]
    in_time = {"deadline_mono_ns": console.hello.mono_ns + 60 * 10**9, "boot_id": console.hello.boot_id}
    assert console.ask(Start(), epoch=epoch, **in_time).error is None


def test_a_command_given_for_another_state_is_refused(robot: Robot) -> None:
    console = robot.console()
    epoch = console.take_lease()
    error = console.ask(Stop(), epoch=epoch, expected=Expected(worker="running")).error
    assert error is not None
    assert error.code == "state_changed"
    assert console.ask(Start(), epoch=epoch, expected=Expected(worker="stopped", source="scene:")).error is None


def test_a_repeated_id_gets_the_first_answer_and_is_not_done_twice(robot: Robot) -> None:
    console = robot.console()
    epoch = console.take_lease()
    first = console.ask(Start(), epoch=epoch, id="same")
    stop = console.ask(Stop(), epoch=epoch)
    again = console.ask(Start(), epoch=epoch, id="same")
    assert again == first
    assert stop.state is not None
    assert console.ask(GetState()).state.worker.phase == "stopped"  # type: ignore[union-attr]


def test_a_crash_is_recorded_with_its_last_words_and_the_worker_comes_back(make_robot: Callable[..., Robot]) -> None:
    console = make_robot("crash_later").console().subscribe()
    console.ask(Start(), epoch=console.take_lease())
    failure = console.await_named("worker_crash")
    assert isinstance(failure, Failure)
    assert failure.data["exit"] == "exit status 7"
    assert "later words" in str(failure.data["last_words"])
    console.until(lambda: console.state.worker.run >= 2, "second run")
    assert console.state.worker.restarts >= 1
    assert console.state.worker.last_exit == "exit status 7"


def test_a_hanging_worker_is_killed_and_recorded(make_robot: Callable[..., Robot]) -> None:
    console = make_robot("hang").console().subscribe()
    console.ask(Start(), epoch=console.take_lease())
    failure = console.await_named("worker_hang")
    assert failure.data["exit"] == "killed by SIGKILL"
    console.until(lambda: console.state.worker.run >= 2, "second run")


def test_a_worker_that_is_unable_says_why_and_is_not_tried_again(make_robot: Callable[..., Robot]) -> None:
    console = make_robot("unable").console().subscribe()
    reply = console.ask(Start(), epoch=console.take_lease())
    assert reply.error is not None
    assert (reply.error.code, reply.error.cure) == ("bundle_changed", "make it anew")
    assert reply.state is not None
    assert reply.state.worker.phase == "stopped"
    assert console.await_named("worker_unable")
    assert not console.named("worker_crash")


def test_a_source_that_fails_to_start_leaves_the_old_one_running(robot: Robot) -> None:
    console = robot.console().subscribe()
    epoch = console.take_lease()
    console.ask(Start(), epoch=epoch)
    good = console.ask(SetSource("scene:7"), epoch=epoch)
    assert good.error is None
    assert good.state is not None
    assert (good.state.worker.phase, good.state.source, good.state.worker.run) == ("running", "scene:7", 2)
    bad = console.ask(SetSource("scene:13"), epoch=epoch)
    assert bad.error is not None
    assert "used before" in bad.error.what
    assert bad.state is not None
    assert (bad.state.worker.phase, bad.state.source) == ("running", "scene:7")
    assert console.await_named("source_set").data["source"] == "scene:7"


def test_a_chosen_source_survives_the_agent_but_the_worker_does_not_start_by_itself(robot: Robot) -> None:
    console = robot.console()
    console.ask(Start(), epoch=console.take_lease())
    assert console.ask(SetSource("scene:5"), epoch=console.state.epoch).error is None
    robot.end()
    again = robot.start().console()
    assert (again.state.source, again.state.worker.phase) == ("scene:5", "stopped")
    assert again.state.epoch == console.state.epoch  # an old command can't fit a new lease


def test_a_source_that_is_not_there_is_refused_before_anything_is_stopped(robot: Robot) -> None:
    console = robot.console()
    epoch = console.take_lease()
    run = console.ask(Start(), epoch=epoch).state.worker.run  # type: ignore[union-attr]
    for source in ("folder:/nowhere", "gopher:x", "v4l2:/dev/video99", "video:/nowhere.mp4", "folder:"):
        reply = console.ask(SetSource(source), epoch=epoch)
        assert reply.error is not None
        assert reply.error.code == "bad_source"
        assert reply.state is not None
        assert (reply.state.worker.phase, reply.state.worker.run) == ("running", run)
    unknown = console.ask(SetBundle("0" * 64), epoch=epoch).error
    assert unknown is not None
    assert unknown.code == "unknown_bundle"


def stopping_on_link_loss(robot: Robot) -> Robot:
    """The same robot, started anew with that setting."""
    robot.end()
    (robot.home / "settings.yaml").write_text("on_link_loss: stop\n")
    return robot.start()


def test_the_link_dies_and_the_policy_stops_the_worker_for_good(make_robot: Callable[..., Robot]) -> None:
    robot = stopping_on_link_loss(make_robot(lease_s=0.5))
    watcher, holder = robot.console("watcher").subscribe(), robot.console("holder")
    holder.ask(Start(), epoch=holder.take_lease())
    holder.close()
    assert watcher.await_named("link_loss_stop")
    watcher.until(lambda: watcher.state.worker.phase == "stopped", "stopped worker")
    assert watcher.state.lease is None
    back = robot.console("holder")
    back.take_lease()
    assert back.ask(GetState()).state.worker.phase == "stopped"  # type: ignore[union-attr]


def test_the_link_dies_and_the_worker_is_stopped_though_another_console_asks_all_the_time(
    make_robot: Callable[..., Robot],
) -> None:
    """Whose request comes first after the lease ended must not be the only one who knows of it."""
    robot = stopping_on_link_loss(make_robot(lease_s=0.5))
    watcher, holder = robot.console("watcher").subscribe(), robot.console("holder")
    holder.ask(Start(), epoch=holder.take_lease())
    holder.close()

    def stopped() -> bool:
        state = watcher.ask(GetState()).state
        return state is not None and state.worker.phase == "stopped"

    watcher.until(stopped, "stopped worker")
    assert watcher.await_named("link_loss_stop")


def test_the_link_dies_while_the_worker_is_restarted_and_it_is_not_started_again(
    make_robot: Callable[..., Robot],
) -> None:
    """A worker that is slow to end stands still for a while when its source is changed: it would run on with nobody there."""
    robot = stopping_on_link_loss(make_robot("deaf", lease_s=8.0))
    watcher, holder = robot.console("watcher").subscribe(), robot.console("holder")
    epoch = holder.take_lease()
    assert holder.ask(Start(), epoch=epoch).error is None
    begun = time.monotonic()
    assert holder.ask(RenewLease(), epoch=epoch).error is None
    time.sleep(max(0.0, 7.5 - (time.monotonic() - begun)))
    holder.send(Request(id="last", command=SetSource("scene:7"), epoch=epoch))
    watcher.until(lambda: watcher.state.worker.phase == "stopping", "the restart")
    watcher.until(lambda: watcher.ask(GetState()).state.lease is None, "the end of the lease")  # type: ignore[union-attr]
    assert holder.until(lambda: [one for one in holder.all(Reply) if one.id == "last"], "answer")[0].error is not None
    assert watcher.ask(GetState()).state.worker.phase == "stopped"  # type: ignore[union-attr]
    assert watcher.await_named("link_loss_stop")


def test_the_link_dies_and_by_default_the_worker_goes_on(make_robot: Callable[..., Robot]) -> None:
    robot = make_robot(lease_s=0.3)
    watcher, holder = robot.console("watcher").subscribe(), robot.console("holder")
    holder.ask(Start(), epoch=holder.take_lease())
    holder.close()
    assert watcher.await_named("lease_expired")
    assert watcher.ask(GetState()).state.worker.phase == "running"  # type: ignore[union-attr]


def test_frames_pictures_and_marks(robot: Robot) -> None:
    console = robot.console().subscribe()
    nothing = console.ask(GetFrame()).error
    assert nothing is not None
    assert nothing.code == "not_running"
    assert console.ask(Mark("gripper open?")).error is None
    assert console.await_named("operator_mark").text == "gripper open?"
    console.ask(Start(), epoch=console.take_lease())
    picture = console.ask(GetFrame()).picture
    assert picture is not None
    assert picture.width == 64
    assert console.ask(Mark("again")).error is None
    console.until(lambda: len(console.named("operator_mark")) == 2, "second mark")
    for digest, code in (("../../etc/passwd", "bad_digest"), ("0" * 64, "no_picture")):
        error = console.ask(GetPicture(digest)).error
        assert error is not None
        assert error.code == code


def test_a_drill_kills_the_worker_and_it_comes_back(robot: Robot) -> None:
    console = robot.console().subscribe()
    epoch = console.take_lease()
    console.ask(Start(), epoch=epoch)
    assert console.ask(Drill("worker_crash"), epoch=epoch).error is None
    assert console.await_named("worker_crash").data["exit"] == "killed by SIGKILL"
    console.until(lambda: console.state.worker.run == 2 and console.state.worker.phase == "running", "second run")


def test_stop_ends_a_start_that_waits_for_ever(make_robot: Callable[..., Robot]) -> None:
    console = make_robot("never_ready").console()
    epoch = console.take_lease()
    console.send(Request(id="start", command=Start(), epoch=epoch))
    console.until(lambda: console.state.worker.phase == "starting" and console.state.worker.pid, "starting")
    assert console.ask(Stop(), epoch=epoch).error is None
    replies = console.until(lambda: [r for r in console.all(Reply) if r.id == "start"], "reply to start")
    assert replies[0].error is not None
    assert replies[0].error.code == "stopped"


def test_sigterm_ends_worker_journal_and_socket_cleanly(robot: Robot) -> None:
    console = robot.console().subscribe()
    console.ask(Start(), epoch=console.take_lease())
    assert robot.end(signal.SIGTERM) == 0
    assert console.gone()
    assert console.named("agent_stopping")
    assert not (robot.home / "agent.sock").exists()
    last = max(entry.seq for entry in console.entries)
    again = robot.start().console().subscribe(after_seq=last)
    again.await_named("agent_started")
    assert not [b for b in again.bodies() if isinstance(b, Failure)]


def test_kill_9_loses_no_entry_that_a_console_has_seen(robot: Robot) -> None:
    console = robot.console().subscribe()
    console.ask(Start(), epoch=console.take_lease())
    console.until(lambda: len([b for b in console.bodies() if isinstance(b, Window)]) >= 2, "windows")
    worker = console.state.worker.pid
    robot.end(signal.SIGKILL)
    assert console.gone()
    again = robot.start().console().subscribe()
    again.until(lambda: len(again.entries) > len(console.entries), "entries")
    assert [bytes(e.body) for e in again.entries[: len(console.entries)]] == [bytes(e.body) for e in console.entries]
    assert again.hello.journal == console.hello.journal
    assert worker is not None
    again.until(lambda: not _lives(worker), "end of the orphaned worker")


def _lives(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat") as file:  # noqa: PTH123
            return file.read().split(")")[1].split()[0] != "Z"
    except OSError:
        return False


def test_a_console_that_does_not_read_costs_no_memory_and_holds_nobody_up(idle: Robot) -> None:
    frozen: Console = idle.console("frozen").subscribe(samples_per_s=30)
    for number in range(3000):
        try:
            frozen.send(Ping(number))
        except TimeoutError:
            break
    lively = idle.console("lively")
    begin = time.monotonic()
    lively.send(Ping(1))
    lively.first(Pong)
    assert time.monotonic() - begin < 10


def test_the_hello_is_one_line_of_json_for_clients_in_other_languages(idle: Robot) -> None:
    console = idle.console(hello=False)
    console.door.settimeout(5)
    raw = console.door.recv(65536)
    assert raw.endswith(b"\n")
    assert msgspec.json.decode(raw)["type"] == "agent_hello"


def test_consoles_come_and_go_by_name(robot: Robot) -> None:
    anna = robot.console("anna").subscribe()
    robot.console("ben").close()
    event = anna.await_named("console_detached")
    assert isinstance(event, Event)
    assert event.data["console"] == "ben"
    anna.until(lambda: anna.state.consoles == ("anna",), "anna alone")


def test_fifty_cuts_leave_no_hole_and_no_double_in_the_laptops_copy(robot: Robot) -> None:
    draw = random.Random(7)
    watcher = robot.console("starter")
    watcher.ask(Start(), epoch=watcher.take_lease())
    copy: list[bytes] = []
    for _ in range(50):
        console = robot.console("laptop").subscribe(after_seq=len(copy), samples_per_s=10)
        for _ in range(draw.randrange(4)):
            console.read()
        assert [entry.seq for entry in console.entries] == list(
            range(len(copy) + 1, len(copy) + len(console.entries) + 1)
        )
        copy += [bytes(entry.body) for entry in console.entries]
        console.close()
    whole = robot.console("auditor").subscribe()
    whole.until(lambda: len(whole.entries) >= len(copy) and whole.named("console_detached")[40:], "the whole journal")
    assert copy == [bytes(entry.body) for entry in whole.entries[: len(copy)]]
    assert len(copy) > 50
