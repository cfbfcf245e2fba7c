"""What the commands around a model say: which bundle was meant, what was ended, who wanted it, and all of it as JSON."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from console import exits
from console.robots import Robot as RobotEntry
from console.robots import Robots
from console.store.identity import console_name
from remote.protocol import AgentState, ReleaseLease
from tests.console.commands.program import Fieldgate
from tests.remote.agent.model_robot import LONG, models, push, running, stage, until
from tests.remote.agent.robot import Console, Robot
from tests.tiny_models import tiny_bundle


class Bench:
    """A real robot known here as `orin`, and a console of its own there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.robot = Robot(folder / "robot", "real").start()
        self.watcher, self.epoch = running(self.robot)
        self.free()

    def free(self) -> None:
        assert self.watcher.ask(ReleaseLease(), epoch=self.epoch).error is None

    def begin_change(self, name: str, score: float) -> str:
        """A change that goes on until it is called off."""
        digest = stage(self.robot.home, self.folder / name, score=score)
        self.epoch = self.watcher.take_lease()
        assert push(self.watcher, self.epoch, digest, LONG).error is None
        self.free()
        return digest


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    made = Bench(tmp_path_factory.mktemp("bench"))
    yield made
    made.robot.end(signal.SIGKILL)


@pytest.fixture
def orin(bench: Bench, fieldgate: Fieldgate) -> Fieldgate:
    Robots().add(RobotEntry(name="orin", transport="local", home=str(bench.robot.home)))
    return fieldgate


def idle(console: Console) -> None:
    until(console, lambda m: m.step == "idle", "the end of the change")


@pytest.mark.parametrize(
    "words",
    [
        ("model", "validate", "12345678", "--on", "orin"),
        ("model", "shadow", "12345678", "orin"),
        ("start", "orin", "--bundle", "12345678"),
    ],
    ids=["validate", "shadow", "start"],
)
def test_a_digest_that_the_robot_lacks_is_answered_with_those_that_it_has(
    orin: Fieldgate, words: tuple[str, ...]
) -> None:
    """`choose one of those listed` sent people to a list that was not there, after the start had been announced."""
    done = orin(*words)
    assert done.code == exits.TROUBLE, done
    assert "orin has no bundle 12345678\n" in done.err
    assert "there are tabletop dab13482" in done.err
    assert "validates" not in done.err


def test_calling_off_says_what_ended_who_wanted_it_and_what_stays(orin: Fieldgate, bench: Bench) -> None:
    nothing = orin("model", "cancel", "orin")
    assert nothing.code == exits.TROUBLE
    assert [line[:5] for line in nothing.err.splitlines()][-2:] == ["field", "  -> "], nothing.err
    digest = bench.begin_change("first", 0.8)
    until(bench.watcher, lambda m: m.step == "probation", "probation")
    done = orin("model", "cancel", "orin", "--as", "ben")
    assert done.code == exits.OK, done
    assert f"m {digest[:8]}" in done.out
    assert "tabletop dab13482" in done.out
    assert done.out.startswith(("orin: called off: ", "orin: going back from "))
    idle(bench.watcher)
    last = models(bench.watcher).last
    assert last is not None
    assert last.why == f"ben ({console_name()}) called it off"


def test_calling_off_as_json_is_the_state_of_the_models(orin: Fieldgate, bench: Bench) -> None:
    digest = bench.begin_change("second", 0.7)
    until(bench.watcher, lambda m: m.step != "idle", "the change")
    done = orin("model", "cancel", "orin", "--json")
    assert done.code == exits.OK, done
    told = json.loads(done.out)
    assert set(told) >= {"current", "previous", "candidate", "step", "last"}
    assert digest in (told["last"]["digest"], (told["candidate"] or {}).get("digest"))
    idle(bench.watcher)
    last = models(bench.watcher).last
    assert last is not None
    assert last.why.startswith(f"anna ({console_name()})"), "the person whom $FIELDGATE_PERSON names"


def test_a_way_back_during_a_change_names_the_robot_in_its_cure(orin: Fieldgate, bench: Bench) -> None:
    bench.begin_change("third", 0.65)
    done = orin("model", "back", "orin")
    until(bench.watcher, lambda m: m.step == "probation" or m.step == "idle", "probation")
    assert done.code == exits.REFUSED, done
    assert "or `fieldgate model cancel orin`" in done.err
    assert orin("model", "cancel", "orin").code == exits.OK
    idle(bench.watcher)


def test_what_was_removed_started_and_stopped_is_told_as_json_too(orin: Fieldgate, bench: Bench) -> None:
    digest = bench.begin_change("fourth", 0.6)
    until(bench.watcher, lambda m: m.step == "probation", "probation")
    orin("model", "cancel", "orin")
    idle(bench.watcher)
    listed = orin("model", "list", "orin").out
    assert "tabletop, 1.3 MB, came with the agent" in listed or "tabletop, 1.3 MB, current" in listed
    removed = orin("model", "remove", digest[:12], "orin", "--json")
    assert (removed.code, json.loads(removed.out)["digest"]) == (exits.OK, digest), removed
    stopped = json.loads(orin("stop", "orin", "--json").out)
    assert set(stopped) == {"type", *AgentState.__struct_fields__}
    assert stopped["worker"]["phase"] == "stopped"
    assert json.loads(orin("start", "orin", "--json").out)["worker"]["phase"] == "running"


@pytest.mark.parametrize(
    "words",
    [
        ("model", "push", "nothere", "orin"),
        ("bundle", "send", "nothere", "orin"),
        ("bundle", "check", "nothere"),
        ("model", "validate", "nothere"),
        ("model", "compare", "nothere", "nothere"),
        ("publish", "nothere", "--to", "updates"),
    ],
    ids=["push", "send", "check", "validate", "compare", "publish"],
)
def test_a_bundle_that_is_not_there_ends_every_command_alike(orin: Fieldgate, words: tuple[str, ...]) -> None:
    """2 here and 1 there: a script could not tell its own mistake from a folder that is made later."""
    done = orin(*words)
    assert done.code == exits.TROUBLE, done
    assert "nothere" in done.err
    assert "  -> " in done.err


def test_a_bundle_that_is_there_already_is_said_to_be(orin: Fieldgate, tmp_path: Path) -> None:
    made = tiny_bundle(tmp_path)
    first, second = (orin("bundle", "send", str(made.path), "orin") for _ in range(2))
    assert (first.out, second.out) == (f"{made.digest}\n", f"{made.digest}\n")
    assert "nothing was sent" not in first.err
    assert f"{made.digest[:12]} is on 'orin' already: nothing was sent" in second.err
