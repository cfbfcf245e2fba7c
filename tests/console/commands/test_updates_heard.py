"""What `fieldgate updates wave --watch` says of the robots while it waits: each thing once, and nothing that contradicts it."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from console.commands import updates_wave
from console.commands.updates_heard import Heard, heard_of
from console.models.wording import origin_words
from remote.model_states import ModelsState, Progress, Slot, UpdateSource, UpdateState
from tests.console.commands.test_updates_command import released, run, said, tell
from tests.console.models.repo_world import write_bundle

SOURCE = UpdateState(source=UpdateSource(url="file:///up", robot_class="gripper"), says="opened no release yet")
TAKEN = Slot(digest="a" * 64, name="red", origin="release", release=1)
FAR = Progress(done=90, whole=120, unit="frames")
PROBATION = ModelsState(updates=SOURCE, candidate=TAKEN, step="probation", progress=FAR)


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A laptop with a release and a fleet of robots that it does not all have."""
    monkeypatch.setenv("FIELDGATE_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    for name in ("anna", "ben"):
        said(f"key new {name}.pem --unencrypted")
    write_bundle(tmp_path / "red", "red")
    said("init repo --key anna.pem --key ben.pem --online-unencrypted")
    (tmp_path / "repo" / "fleet.yaml").write_text("robots: [demo, martian]\nwaves: [[demo], [martian]]\n")
    return tmp_path / "repo"


def test_a_watch_says_what_changed_and_nothing_twice(repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else `heard` and `not heard of` stand below each other, again with every look."""
    looks: list[str] = []

    def hear(robot: str, release: int) -> Heard:
        looks.append(robot)
        if len(looks) == 6:
            tell("demo", 1, release, "committed")
        done = msgspec.structs.replace(FAR, done=10.0 * len(looks))
        state = PROBATION if len(looks) > 3 else msgspec.structs.replace(PROBATION, step="waiting_for_safe")
        return heard_of(msgspec.structs.replace(state, progress=done), release)

    monkeypatch.setattr(updates_wave, "hear", hear)
    released("red --wave first --key anna.pem --key ben.pem")
    told = said("wave repo --watch --every 1ms --for 60s").stderr.splitlines()
    assert looks == ["demo"] * 6
    assert told[:6] == [
        "  demo: attached; waiting for safe, to switch to red aaaaaaaa, 10 of 120 frames",
        "wait: 1 robot has not reported yet, 0 reported",
        "  demo: attached; probation of red aaaaaaaa, 40 of 120 frames",
        "  demo: reported: kept",
        "go on: the one robot reported, none returned or refused",
        "`fieldgate updates wave repo --next` opens wave 2",
    ]


def test_a_robot_that_this_laptop_does_not_have_is_warned_of_when_its_wave_opens(repo: Path) -> None:
    """Else the wave waits for it for ever, and only a watch would tell."""
    first = released("red --wave first --key anna.pem --key ben.pem")
    assert "warning" not in first.stderr, "demo is built in"
    tell("demo", 1, 1, "committed")
    told = said("wave repo --next").stderr
    assert "warning: this laptop has no robot named martian: it can't hear how it does, and the wave waits" in told
    assert "`fieldgate robot add NAME USER@HOST` adds one" in told
    (repo / "fleet.yaml").write_text("robots: [martian]\nwaves: [[martian]]\n")
    assert "no robot named martian" in released("red --again --wave first --key anna.pem --key ben.pem").stderr


@pytest.mark.parametrize(
    ("models", "words"),
    [
        (None, "attached; it takes releases from nowhere yet"),
        (ModelsState(), "attached; it takes releases from nowhere yet"),
        (ModelsState(updates=SOURCE), "attached; it does nothing with release 1 now: opened no release yet"),
        (PROBATION, "attached; probation of red aaaaaaaa, 90 of 120 frames"),
        (
            msgspec.structs.replace(PROBATION, candidate=msgspec.structs.replace(TAKEN, origin="push", release=None)),
            "attached; another change is under way, probation of red aaaaaaaa",
        ),
    ],
    ids=["no models", "not enrolled", "nothing taken", "takes it", "another change"],
)
def test_what_an_attached_robot_does_with_the_release_is_told(models: ModelsState | None, words: str) -> None:
    assert heard_of(models, 1).words.startswith(words)


def test_shares_and_counts_are_said_as_everywhere_else(repo: Path) -> None:
    released("red --wave first --key anna.pem --key ben.pem")
    tell("demo", 1, 1, "committed")
    told = run("wave repo").stdout
    assert "may go on: the one robot reported, none returned or refused" in told
    assert "share of mishaps     below 95.0 %, with 95 % confidence, n = 1; one robot alone tells little\n" in told
    (repo / "fleet.yaml").write_text("robots: [demo, b, c]\nwaves: [[demo, b, c]]\nstop: {first_wave_mishaps: 3}\n")
    said("wave repo --next")
    tell("b", 1, 1, "committed")
    tell("c", 1, 1, "returned")
    told = run("wave repo").stdout
    assert "above 1.7 % and below 86.5 %, each with 95 % confidence, n = 3\n" in told
    assert "1 of 3 robots returned or refused: above 10.0 %, too few to prove it with 95 % confidence" in told


def test_a_release_is_not_said_to_be_by_whoever_enrolled_the_robot() -> None:
    """Two others signed it."""
    assert origin_words(msgspec.structs.replace(TAKEN, by="root@vm")) == "release 1"
    assert origin_words(msgspec.structs.replace(TAKEN, by="root@vm", origin="usb")) == "from a stick, release 1"
    assert origin_words(msgspec.structs.replace(TAKEN, by="ann@vm", origin="push", release=None)) == "pushed by ann@vm"
