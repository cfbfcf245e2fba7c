"""`fieldgate publish` and `fieldgate updates` as people and scripts use them: two people, waves, a stick, exit codes."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from pathlib import Path

import click
import msgspec
import pytest
from click.testing import CliRunner, Result

from console.commands.publish import publish
from console.commands.updates import updates
from console.commands.updates_robots import _tell_taken
from console.store.store import Store
from remote.errors import Trouble
from remote.model_states import ModelsState, Outcome, Slot, UpdateSource, UpdateState
from remote.protocol import Entry, Event, raw
from tests.console.models.repo_world import write_bundle

LOCK = "five words drawn by lot"
EMBEDDED = Path(__file__).parents[3] / "remote" / "bundles" / "tabletop"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A laptop with a repository of anna, ben and cleo's open keys."""
    monkeypatch.setenv("FIELDGATE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("FIELDGATE_PERSON", "anna")
    monkeypatch.chdir(tmp_path)
    for name in ("anna", "ben", "cleo"):
        said(f"key new {name}.pem --unencrypted")
    write_bundle(tmp_path / "red", "red")
    return tmp_path


@pytest.fixture
def repo(here: Path) -> Path:
    said("init repo --key anna.pem --key ben.pem --key cleo.pem.pub --online-unencrypted")
    return here / "repo"


def run(words: str, command: click.Command = updates, keys: str = "") -> Result:
    return CliRunner().invoke(command, shlex.split(words), input=keys)


def said(words: str, command: click.Command = updates, keys: str = "") -> Result:
    result = run(words, command, keys)
    assert result.exit_code == 0, (result.output, result.exception)
    return result


def released(words: str) -> Result:
    return said(f"{words} --to repo --unchecked", publish)


def code(result: Result) -> str:
    assert isinstance(result.exception, Trouble), result.output
    return result.exception.code


def tell(robot: str, seq: int, release: int, ended: str) -> None:
    """The robot's journal, as it came to this laptop."""
    data = {"ended": ended, "release": release, "why": "p99"}
    body = Event(name="model_change_ended", severity="info", text="a change ended", data=data)  # type: ignore[arg-type]
    store = Store()
    store.add(store.journal(robot, "j").id, [Entry(seq, "boot", seq, seq, raw(body))])
    store.close()


def test_two_people_with_passphrases_publish_a_release(here: Path) -> None:
    for name in ("dora", "emil"):
        assert "New passphrase" in said(f"key new {name}.pem", keys=f"{LOCK}\n{LOCK}\n").stderr
    came = said("init repo --key dora.pem --key emil.pem.pub", keys=f"{LOCK}\nonline words\nonline words\n")
    assert "no key is to spare" in came.stderr
    assert "fieldgate updates sign repo --key FILE" in came.stderr
    assert not (here / "repo" / "metadata").exists()
    assert code(run("sign repo --yes --key emil.pem", keys="wrong\n\n")) == "bad_passphrase"
    assert "not published yet" in said("sign repo --yes --key emil.pem", keys=f"{LOCK}\nwrong\n").stderr
    said("refresh repo", keys="online words\n")
    assert "version 1" in said("show repo").stdout
    result = said("red --to repo --unchecked --key dora.pem --json", publish, f"{LOCK}\n")
    assert json.loads(result.stdout)["outcome"] == "waits"
    assert "waits: release 1: red" in said("show repo").stdout
    said("sign repo --yes --key emil.pem", keys=f"{LOCK}\nonline words\n")
    assert [one["number"] for one in json.loads(said("show repo --json").stdout)["releases"]] == [1]
    for path in (here / "home").rglob("*"):
        assert not path.is_file() or (
            LOCK.encode() not in path.read_bytes() and b"online words" not in path.read_bytes()
        )
    for path in (here / "home").rglob("*.pem"):
        assert b"ENCRYPTED" in path.read_bytes()
        assert path.stat().st_mode & 0o777 == 0o600


def test_a_release_says_for_whom_it_is_and_that_nobody_takes_it_yet(repo: Path) -> None:
    result = released("red --class gripper --l4t 36.4 --tensorrt 10.3 --notes 'sees cups' --key anna.pem --key ben.pem")
    assert "no robot takes it yet" in result.stderr
    shown = said("show repo").stdout
    assert "for class gripper, L4T 36.4, TensorRT 10.3  sees cups" in shown
    assert "no release is open to anyone" in shown
    assert code(run("red --to repo --unchecked --key anna.pem", publish)) == "released_before"
    assert "release 2" in released("red --again --key anna.pem --key ben.pem").stderr


@pytest.mark.parametrize("words", [f"--notes {'x' * 4001}", "--class ''"], ids=["long notes", "no class"])
def test_what_no_robot_could_read_does_not_wait_for_signatures(repo: Path, words: str) -> None:
    """Else it is in the way of the next release until somebody throws it away."""
    assert code(run(f"red --to repo --unchecked --key anna.pem {words}", publish)) == "release_invalid"
    assert "release 1" in released("red --key anna.pem --key ben.pem").stderr


def test_what_its_maker_found_wrong_is_told_before_it_is_signed(repo: Path, here: Path) -> None:
    measured = [{"name": "agreement", "verdict": "fail", "text": "12 of 40 boxes"}]
    (here / "red" / "provenance.json").write_text(json.dumps({"measured": measured}))
    told = run("red --to repo --unchecked --key anna.pem", publish).stderr
    assert "red: its maker measured a failure: agreement: 12 of 40 boxes" in told


def test_a_new_repository_goes_on_above_the_numbers_that_robots_have_taken(here: Path) -> None:
    """Else robots that are enrolled anew, because too many keys were stolen, would take nothing for ever."""
    said("init repo --key anna.pem --key ben.pem --online-unencrypted --releases-above 41")
    assert "release 42" in released("red --key anna.pem --key ben.pem").stderr


def test_a_bundle_that_does_not_load_is_not_released(repo: Path) -> None:
    assert code(run("red --to repo --key anna.pem", publish)) == "bad_bundle"
    assert (
        "published: release 1: tabletop" in said(f"{EMBEDDED} --to repo --key anna.pem --key ben.pem", publish).stderr
    )


def test_waves_follow_the_journals_and_a_watch_stops_what_does_badly(repo: Path) -> None:
    (repo / "fleet.yaml").write_text("robots: [a, b, c, d]\nwaves: [[a], [b, c], rest]\n")
    released("red --wave first --key anna.pem --key ben.pem")
    waits = run("wave repo --json")
    assert (waits.exit_code, json.loads(waits.stdout)["unknown"]) == (7, ["a"])
    assert code(run("wave repo --next")) == "wave_waits"
    tell("a", 1, 1, "committed")
    assert "opens wave 2" in said("wave repo").stderr
    second = said("wave repo --next")
    assert "release 1 is open to a, b, c" in second.stderr
    tell("b", 1, 1, "committed")
    tell("c", 1, 1, "returned")
    watched = run("wave repo --watch --next --for 1ms")
    assert watched.exit_code == 7, "one of three: a person decides"
    assert "needs a person" in watched.stdout
    tell("b", 2, 1, "returned")
    stopped = run("wave repo --watch --for 1ms")
    assert stopped.exit_code == 3
    assert "STOPPED" in said("show repo").stdout
    assert code(run("wave repo --next")) == "wave_stopped"
    released("red --again --key anna.pem --key ben.pem")
    assert "release 2 is open to a" in run("wave repo --next").stderr, "the next release begins with the first wave"
    unknown = run("wave repo --watch --for 1ms")
    assert "a: unknown: no robot is named 'a'" in unknown.stderr
    assert unknown.exit_code == 7


def test_a_person_stops_a_release_and_the_audit_says_who_and_why(repo: Path) -> None:
    (repo / "fleet.yaml").write_text("waves: [[a], everyone]\n")
    released("red --wave everyone --key anna.pem --key ben.pem")
    assert "open to everyone" in said("show repo").stdout
    said("wave repo --stop 'it drops cups' --as cleo")
    assert "STOPPED: it drops cups" in said("show repo").stdout
    assert "cleo  stop: release 1: it drops cups" in said("audit repo").stdout
    assert said("verify repo").exit_code == 0


def test_the_release_that_was_named_is_stopped_and_no_other(repo: Path) -> None:
    (repo / "fleet.yaml").write_text("waves: [[a], everyone]\n")
    released("red --wave first --key anna.pem --key ben.pem")
    released("red --again --wave first --key anna.pem --key ben.pem")
    refused = run("wave repo --release 1 --stop 'it drops cups'")
    assert code(refused) == "nothing_open"
    assert "release 2 is open to a" in said("show repo").stdout
    said("wave repo --release 2 --stop 'it drops cups'")
    assert "release 2 is STOPPED" in said("show repo").stdout


def test_a_stolen_key_is_taken_out_by_the_others(repo: Path) -> None:
    said("key new dora.pem --unencrypted")
    said("revoke repo ben --replace-with dora.pem.pub --key anna.pem")
    assert "waits: root 2: without ben, with dora" in said("show repo").stdout
    said("sign repo --yes --key cleo.pem")
    roles = {one["role"]: one["holders"] for one in json.loads(said("show repo --json").stdout)["roles"]}
    assert roles["root"] == roles["targets"] == ["anna", "cleo", "dora"]
    said("rotate repo --online --online-unencrypted --key anna.pem --key dora.pem")
    said("rotate repo --threshold 3 --key anna.pem --key dora.pem --key cleo.pem")
    said("refresh repo")
    assert {one["verdict"] for one in json.loads(said("verify repo --json").stdout)["checks"]} == {"pass"}


def test_a_copy_is_verified_and_a_damaged_one_ends_with_3(repo: Path, here: Path) -> None:
    released("red --key anna.pem --key ben.pem")
    assert "robots will not take release 1" in said("copy repo usb --release 1").stderr
    [model] = (here / "usb").rglob("*.model.onnx")
    model.write_bytes(bytes(model.stat().st_size))
    assert run("copy repo usb").exit_code == 3
    (repo / "audit.jsonl").write_bytes((repo / "audit.jsonl").read_bytes().replace(b"anna", b"emil"))
    failed = run("verify repo")
    assert failed.exit_code == 3
    assert "FAIL     audit" in failed.stdout


@pytest.mark.parametrize(
    ("words", "command", "wanted"),
    [
        ("sign repo --key anna.pem", updates, "nothing_waits"),
        ("discard repo", updates, "nothing_waits"),
        ("discard nowhere", updates, "no_repository"),
        ("sign repo --key anna.pem.pub", updates, "bad_key"),
        ("init repo --key anna.pem --key ben.pem --online-unencrypted", updates, "repository_exists"),
        ("init other --key anna.pem --online-unencrypted", updates, "bad_threshold"),
        ("show nowhere", updates, "no_repository"),
        ("verify nowhere", updates, "no_repository"),
        ("wave repo", updates, "bad_fleet"),
        ("wave nowhere", updates, "no_repository"),
        ("copy repo usb --release 3", updates, "unknown_release"),
        ("key new anna.pem --unencrypted", updates, "key_exists"),
        ("enrol orin --repo nowhere --url https://updates.example --class gripper", updates, "no_repository"),
        ("red --to nowhere --unchecked", publish, "no_repository"),
    ],
    ids=lambda one: one if isinstance(one, str) else "",
)
def test_what_can_not_be_done_is_said_with_its_code(
    repo: Path, words: str, command: click.Command, wanted: str
) -> None:
    assert code(run(words, command)) == wanted


def test_a_copy_is_no_forgery_and_a_repository_without_its_audit_is(
    repo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    released("red --key anna.pem --key ben.pem")
    copied = said("copy repo usb").stderr
    assert all(copied.count(line) == 1 for line in copied.splitlines()), "each file once, by its bundle"
    assert "SKIPPED  audit: this is a copy; no audit goes along" in said("verify usb").stdout
    (repo / "audit.jsonl").unlink()
    gone = run("verify repo")
    assert gone.exit_code == 3
    assert "FAIL     audit" in gone.stdout
    monkeypatch.setenv("FIELDGATE_HOME", str(repo.parent / "another laptop"))
    assert "say --copy if it is one" in run("verify usb").stdout
    assert "SKIPPED  audit" in said("verify usb --copy").stdout


def test_what_can_not_be_begun_is_said_before_a_passphrase_is_asked(here: Path) -> None:
    for name in ("dora", "emil"):
        said(f"key new {name}.pem", keys=f"{LOCK}\n{LOCK}\n")
    said("init repo --key dora.pem --key emil.pem", keys=f"{LOCK}\nonline words\nonline words\n")
    came = said("red --to repo --unchecked --key dora.pem --key emil.pem", publish, f"{LOCK}\nwrong\n")
    assert "not published yet" in came.stderr
    again = run("red --to repo --unchecked --again --key dora.pem", publish)
    assert code(again) == "change_waits"
    assert "`fieldgate updates refresh repo` publishes it" in str(again.exception)
    assert code(run("revoke repo emil --key dora.pem")) == "change_waits"
    said("refresh repo", keys="online words\n")
    assert code(run("init repo --key dora.pem --key emil.pem")) == "repository_exists"


def test_without_a_terminal_a_passphrase_is_not_waited_for(here: Path) -> None:
    said("key new dora.pem", keys=f"{LOCK}\n{LOCK}\n")
    asked = run("init repo --key dora.pem --key anna.pem --online-unencrypted")
    assert code(asked) == "no_terminal"
    assert code(run("key new emil.pem")) == "no_terminal"


def test_each_passphrase_is_asked_once_and_says_which_key_it_opens(here: Path) -> None:
    said("init repo --key anna.pem --key ben.pem", keys="online words\nonline words\n")
    came = said("red --to repo --unchecked --wave everyone --key anna.pem --key ben.pem", publish, "online words\n")
    assert came.stderr.count("Passphrase") == 1
    assert "this laptop's own online key, which signs timestamps (online-1.pem)" in came.stderr
    assert "open to everyone" in came.stderr


def test_whoever_signs_reads_whom_the_release_is_opened_to(repo: Path) -> None:
    (repo / "fleet.yaml").write_text("robots: [demo, orin]\nwaves: [[demo], rest]\n")
    opens = "as soon as it is published it opens to wave 1: demo"
    assert opens in released("red --wave first --key anna.pem").stderr
    signed = said("sign repo --yes --key ben.pem").stderr
    assert opens in signed
    assert "release 1 is open to demo" in signed


def test_a_wave_that_could_not_be_opened_is_said_beside_what_was_published(repo: Path) -> None:
    (repo / "fleet.yaml").write_text("robots: [demo]\nwaves: [[demo]]\n")
    released("red --wave first --key anna.pem")
    (repo / "fleet.yaml").unlink()
    failed = run("sign repo --yes --key ben.pem")
    assert code(failed) == "bad_fleet"
    assert "release 1 is published, and no wave of it is open" in failed.stderr
    assert "waves: [[orin-1], rest]" in str(failed.exception)


def test_who_is_still_to_sign_a_new_root_is_told_for_the_old_and_the_new_keys(repo: Path) -> None:
    said("key new dora.pem --unencrypted")
    came = said("revoke repo ben --replace-with dora.pem.pub --key anna.pem").stderr
    assert "root, by the old keys: 1 of 2 signatures (anna), 1 more of cleo\n" in came, "not of ben, who is taken out"
    assert "root, by the new keys: 1 of 2 signatures (anna), 1 more of cleo, dora\n" in came


def test_a_release_that_a_person_called_off_is_not_a_robot_that_is_silent(repo: Path) -> None:
    (repo / "fleet.yaml").write_text("robots: [a, b, c]\nwaves: [[a, b, c]]\n")
    released("red --wave first --key anna.pem --key ben.pem")
    tell("a", 1, 1, "cancelled")
    tell("b", 1, 1, "went_back")
    told = run("wave repo").stdout
    assert "waits: 1 robot has not reported yet, called off by a person on 2 robots, 0 reported" in told
    assert "called off by person   2  a, b" in told
    assert "not reported yet       1  c" in told


@pytest.mark.parametrize(
    "words",
    [
        "wave repo --stop x --next",
        "wave repo --anyway x",
        "enrol orin --url https://updates.example --class gripper",
        "enrol orin --url ftp://x --class gripper",
        "sign repo",
    ],
)
def test_a_command_line_that_can_not_be_meant_is_usage(repo: Path, words: str) -> None:
    assert run(words).exit_code == 2


def test_take_says_how_far_it_is_and_ends_with_3_where_it_was_refused_meanwhile(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Else a script goes on as if the new model ran."""
    source = UpdateSource(url="file:///up", robot_class="gripper")
    took = UpdateState(source=source, says="took release 1, red", release=1)
    candidate = Slot(digest="a" * 64, name="red", origin="release", release=1)
    began = ModelsState(candidate=candidate, step="verified", updates=took)
    waits = msgspec.structs.replace(began, step="waiting_for_safe", waits_for="the arm moves")
    _tell_taken("demo", began, waits)
    told = capsys.readouterr()
    assert "demo: took release 1, red; it is being brought into use: " in told.out
    assert "the arm moves" in told.out
    assert "`fieldgate model list demo`" in told.err
    last = Outcome(digest="a" * 64, name="red", ended="refused", why="slow", step="self_test", wall_ns=1, release=1)
    with pytest.raises(click.exceptions.Exit) as ended:
        _tell_taken("demo", began, ModelsState(last=last, updates=took))
    assert ended.value.exit_code == 3
    assert "took release 1, red; red aaaaaaaa (release 1) was refused" in capsys.readouterr().out


def test_help_and_listing_load_no_cryptography() -> None:
    """Else each `--help` of the program takes longer."""
    look = "import console.commands.publish, console.commands.updates_made, console.commands.updates_shown"
    look += ", console.commands.updates_wave, console.models.acting, console.models.waves, sys"
    script = (
        f"{look}; print([name for name in ('tuf', 'cryptography', 'securesystemslib', 'scipy') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
