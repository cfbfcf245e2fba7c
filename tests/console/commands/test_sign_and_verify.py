"""`fieldgate sign`, `verify` and `roster` as people and jobs meet them: what is asked, what is said, how they end."""

from __future__ import annotations

import json
import random
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from console.campaigns.opening import open_campaign
from console.record.export import write_json
from console.record.record import FILE
from console.robots import Robot, Robots
from tests.console.checklist.campaign_world import World
from tests.console.commands.program import run
from tests.console.record.signed_campaign import Forger, copied, folder_of, head_of, signed
from tests.console.record.signers import made_key


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("world")
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("FIELDGATE_HOME", str(folder / "home"))
        patched.delenv("SSH_AUTH_SOCK", raising=False)
        made = World(folder)
        made.now_ns = time.time_ns()
        signed(made).close()
        yield made


@pytest.fixture
def forger(world: World, tmp_path: Path) -> Forger:
    return Forger(copied(folder_of("signed"), tmp_path / "copy"), as_json=False)


def fieldgate(*words: object, typed: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
    """The program; no traceback, whatever happens."""
    ran = run(*words, typed=typed, environment=environment)
    done = subprocess.CompletedProcess(ran.args, ran.returncode, ran.stdout.decode(), ran.stderr.decode())
    assert "Traceback" not in done.stderr, done.stderr
    return done


# ------------------------------------------------------------ verify


def test_a_signed_record_ends_with_0_by_name_folder_database_and_file(world: World, tmp_path: Path) -> None:
    campaign = open_campaign("signed", read_only=True)
    write_json(campaign.record, tmp_path / "record.json")
    campaign.close()
    for given in ("signed", folder_of("signed"), folder_of("signed") / FILE, tmp_path / "record.json", tmp_path):
        done = fieldgate("verify", given)
        assert (done.returncode, done.stdout.splitlines()[0]) == (0, "INTACT"), (given, done.stdout, done.stderr)
    assert "by Bo Berg (bo) as safety" in done.stdout
    counting, _, ending = done.stdout.partition("Counts for now, ends:")
    assert "force counts until" in ending
    assert counting.rstrip().endswith("Everything in it counts")
    assert "only record.json was checked; the pages beside it" in done.stdout
    assert "are for reading" in done.stdout
    assert "robot and files were not looked at again: as of entry 10, 20" in done.stdout
    assert "`fieldgate campaign show signed` looks at the files" in done.stdout


def test_a_robots_name_means_its_campaign_where_it_has_one(world: World) -> None:
    Robots().add(Robot(name="lone", address="anna@10.0.0.8"))
    world.campaign(robot="lone", pack=world.folder / "signed.yaml", name="first").close()
    assert "campaign first, robot lone" in fieldgate("verify", "lone").stdout
    world.campaign(robot="lone", pack=world.folder / "signed.yaml", name="second").close()
    done = fieldgate("verify", "lone")
    assert done.returncode == 1
    assert "'lone' has 2 campaigns: first, second" in done.stderr


def test_a_forged_record_ends_with_8_and_says_where(forger: Forger) -> None:
    entries = forger.entries()
    entries[3]["body"]["evidence"]["measurement"]["value"] = 1.0
    forger.store(entries, chain=True)
    done = fieldgate("verify", forger.folder)
    assert done.returncode == 8
    assert done.stdout.startswith("FORGED")
    assert "the record was changed after it was signed" in done.stdout
    assert ": good" not in done.stdout
    assert "robot and files" not in done.stdout


def test_in_a_forged_record_an_untouched_signature_is_good_in_itself_only(forger: Forger) -> None:
    entries = forger.entries()
    entries[8]["body"]["text"] = "unpacked"
    forger.store(entries, chain=False)
    said = fieldgate("verify", forger.folder).stdout
    assert said.startswith("FORGED")
    assert said.count(": the signature itself is good\n") == 2


def test_signatures_that_were_given_anew_leave_the_old_ones_as_history(world: World) -> None:
    """Who mends and signs again has mended it: the job that runs `verify` must see 0."""
    campaign = signed(world, name="again")
    campaign.measure("force", 30.5, "anna")
    campaign.sign("bench", "performed", "anna", world.key("anna"))
    campaign.close()
    done = fieldgate("verify", "again")
    assert done.returncode == 3
    assert "no longer counts: replaced by entry 12 (force rests on other evidence now)" in done.stdout
    assert "the signature in entry 6 " not in done.stdout
    assert "the signature in entry 8 (reviewed by Bo Berg) no longer counts" in done.stdout
    campaign = open_campaign("again", wall_ns=world.clock)
    campaign.withdraw(12, "the wrong key", "anna")
    newest = campaign.sign("bench", "performed", "anna", world.key("anna")).seq
    campaign.sign("bench", "reviewed", "bo", world.key("bo"))
    campaign.close()
    done = fieldgate("verify", "again")
    assert done.returncode == 0, done.stdout
    assert f"no longer counts: replaced by entry {newest} (" in done.stdout
    assert "no longer counts: withdrawn in entry 13: the wrong key" in done.stdout


def test_what_went_stale_ends_with_3_and_says_since_when_and_whose_signature_it_took(world: World) -> None:
    campaign = signed(world, name="voided")
    campaign.confirm("fence", False, "anna")
    campaign.close()
    done = fieldgate("verify", "voided")
    assert done.returncode == 3
    assert "INTACT" in done.stdout
    assert "fence is fail since 20" in done.stdout
    assert "(reviewed by Bo Berg) no longer counts, and no other stands in its place" in done.stdout
    assert done.stdout.count("the signature itself is good, but it no longer counts: ") == 2
    assert ": good" not in done.stdout, "one line must not call good what another calls void"
    assert "the gate of 'bench' is not signed 'reviewed' by safety" in done.stdout


def test_an_override_ends_with_3_and_is_said_with_its_reason(world: World) -> None:
    campaign = signed(world, name="let")
    campaign.measure("force", 99.0, "anna")
    campaign.override("force", "lead", "the gripper is fenced in", 3, "cy")
    campaign.close()
    done = fieldgate("verify", "let")
    assert done.returncode == 3
    assert "force is overridden until 20" in done.stdout
    assert "as lead: the gripper is fenced in" in done.stdout


def test_an_unsigned_gate_ends_with_3(world: World) -> None:
    campaign = world.campaign(pack=world.folder / "signed.yaml", name="begun")
    campaign.close()
    done = fieldgate("verify", "begun")
    assert done.returncode == 3
    assert "is not signed 'performed' by engineer" in done.stdout


def test_json_holds_the_same_and_stays_ascii(world: World) -> None:
    done = fieldgate("verify", "signed", "--json", "--roster", world.roster, PYTHONIOENCODING="ascii")
    said = json.loads(done.stdout)
    assert done.returncode == 0, done.stdout
    assert (said["intact"], said["now"]["counts"], said["record"]["trusted"]) == (True, True, True)
    assert said["record"]["head"] == head_of(folder_of("signed"))._asdict()
    assert [one["principal"] for one in said["record"]["signatures"]] == ["anna", "bo"]


def test_a_roster_from_elsewhere_decides(world: World, tmp_path: Path) -> None:
    key = made_key(tmp_path, "eve").with_suffix(".pub")
    mine = tmp_path / "mine.yaml"
    added = fieldgate("roster", "add", "bo", "--name", "Bo Berg", "--role", "safety", "--key", key, "--file", mine)
    assert added.returncode == 0, added.stderr
    assert fieldgate("verify", "signed", "--roster", mine).returncode == 8
    assert fieldgate("verify", "signed", "--roster", world.roster).returncode == 0
    assert fieldgate("verify", "signed", "--roster", tmp_path / "none.yaml").returncode == 1


def test_a_noted_head_finds_the_end_that_was_cut_off(forger: Forger) -> None:
    head = head_of(forger.folder)
    forger.store(forger.entries()[:8], chain=True)
    assert fieldgate("verify", forger.folder).returncode == 0
    done = fieldgate("verify", forger.folder, "--head", f"{head.seq}:{head.digest}")
    assert done.returncode == 8
    assert "it was cut short: it once had an entry 10" in done.stdout


@pytest.mark.parametrize(
    "head", ["10", "x:" + "0" * 64, "10:abc", "-1:" + "0" * 64, "9" * 40 + ":" + "0" * 64, "²:" + "0" * 64]
)
def test_a_head_that_is_none_is_refused_as_usage(world: World, head: str) -> None:
    assert fieldgate("verify", "signed", "--head", head).returncode == 2


def test_an_unknown_record_is_named_with_the_campaigns_there_are(world: World) -> None:
    done = fieldgate("verify", "sigend")
    assert done.returncode == 1
    assert "'sigend' is neither a campaign of this laptop nor a file" in done.stderr
    assert "signed" in done.stderr


@pytest.mark.parametrize("size", [0, 10, 2000])
def test_a_json_record_cut_short_ends_with_8(world: World, tmp_path: Path, size: int) -> None:
    campaign = open_campaign("signed", read_only=True)
    write_json(campaign.record, tmp_path / "record.json")
    campaign.close()
    path = tmp_path / "record.json"
    path.write_bytes(path.read_bytes()[:size])
    done = fieldgate("verify", path)
    assert done.returncode == 8
    assert done.stdout.startswith(f"DAMAGED: {path}: the file ends in the middle, at byte {size:,}\n  -> get it again")


def test_a_changed_entry_of_a_file_is_named_before_the_one_behind_it(world: World, tmp_path: Path) -> None:
    campaign = open_campaign("signed", read_only=True)
    write_json(campaign.record, tmp_path / "record.json")
    campaign.close()
    path = tmp_path / "record.json"
    text = path.read_text()
    assert text.count("31.5") >= 1
    path.write_text(text.replace("31.5", "30.5", 1))
    done = fieldgate("verify", path)
    assert done.returncode == 8
    assert done.stdout.splitlines()[2].startswith("- entry 4: force was changed"), done.stdout


def test_a_database_with_bytes_changed_at_random_never_ends_in_a_traceback(world: World, tmp_path: Path) -> None:
    """In this process, twenty times: whatever SQLite or the decoder make of it, a code comes out."""
    from click.testing import CliRunner

    from console.cli import cli

    rng = random.Random(7)
    with sqlite3.connect(folder_of("signed") / FILE) as whole:
        whole.execute("VACUUM INTO ?", (str(tmp_path / "whole.db"),))
    original = (tmp_path / "whole.db").read_bytes()
    found = []
    for number in range(20):
        folder = copied(folder_of("signed"), tmp_path / str(number))
        for name in (f"{FILE}-wal", f"{FILE}-shm"):
            (folder / name).unlink(missing_ok=True)
        data = bytearray(original)
        for _ in range(rng.choice((1, 5, 200))):
            data[rng.randrange(100, len(data))] = rng.randrange(256)
        (folder / FILE).write_bytes(bytes(data))
        result = CliRunner().invoke(cli, ["verify", str(folder)])
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            from remote.errors import Trouble

            assert isinstance(result.exception, Trouble), result.exception
            continue
        found.append(result.exit_code)
    assert set(found) <= {0, 3, 8}, found  # 0: the byte lay in a page that holds nothing
    assert 8 in found


HOSTILE = {
    "wall_ns beyond the calendar": lambda e: e[9].update(wall_ns=10**25),
    "wall_ns negative": lambda e: e[0].update(wall_ns=-5),
    "escape codes in a name": lambda e: e[0]["body"].update(robot="\x1b[2J\nINTACT"),
    "another alphabet": lambda e: e[0]["body"].update(robot="機器人"),
    "an override without end": lambda e: e[9].update(
        body={"type": "override", "item": "force", "role": "lead", "reason": "\x1b[2J", "expires_wall_ns": 2**62}
    ),
    "an end beyond the calendar": lambda e: e[9].update(
        body={"type": "override", "item": "force", "role": "lead", "reason": "x", "expires_wall_ns": 10**25}
    ),
    "no pack": lambda e: e[0]["body"].update(pack=e[0]["body"]["roster"]),
    "an item that is none": lambda e: e[1]["body"].update(item="nothing"),
    "a head of its own": lambda e: e[7]["body"].update(head=-3),
}


@pytest.mark.parametrize("what", HOSTILE)
def test_hostile_content_gets_a_code_and_no_control_of_the_terminal(forger: Forger, what: str) -> None:
    entries = forger.entries()
    HOSTILE[what](entries)
    forger.store(entries, chain=True)
    for extra in ([], ["--json"]):
        done = fieldgate("verify", forger.folder, *extra, PYTHONIOENCODING="ascii")
        assert done.returncode in (3, 8), (done.stdout, done.stderr)
        assert "\x1b" not in done.stdout
        assert "\nINTACT" not in done.stdout


def test_verify_says_that_ssh_keygen_is_missing(world: World, tmp_path: Path) -> None:
    done = fieldgate("verify", "signed", PATH=str(tmp_path))
    assert done.returncode == 1
    assert "`ssh-keygen` is not installed" in done.stderr


# ------------------------------------------------------------ sign


@pytest.fixture
def ready(world: World, request: pytest.FixtureRequest) -> str:
    """A campaign with everything done and nothing signed; its name."""
    name = f"ready-{time.monotonic_ns()}"
    campaign = world.campaign(pack=world.folder / "signed.yaml", name=name)
    campaign.confirm("fence", True, "anna")
    campaign.confirm("sheet", True, "anna")
    campaign.measure("force", 31.5, "anna")
    campaign.close()
    return name


def test_two_people_sign_and_verify_says_so(world: World, ready: str) -> None:
    for principal, meaning in (("anna", "performed"), ("bo", "reviewed")):
        argv = (
            "sign",
            ready,
            "--stage",
            "bench",
            "--meaning",
            meaning,
            "--as",
            principal,
            "--key",
            world.folder / principal,
        )
        done = fieldgate(*argv, typed="y\n")
        assert done.returncode == 0, done.stderr
        assert done.stdout.startswith("fieldgate statement 1\n")
        assert "Sign this?" in done.stderr
        assert f"{meaning} by" in done.stderr
    assert fieldgate("verify", ready).returncode == 0


def test_no_is_an_answer_and_nothing_is_signed(world: World, ready: str) -> None:
    argv = ("sign", ready, "--stage", "bench", "--meaning", "performed", "--as", "anna", "--key", world.folder / "anna")
    done = fieldgate(*argv, typed="\n")
    assert done.returncode == 1
    assert "nothing was signed" in done.stderr
    assert json.loads(fieldgate("verify", ready, "--json").stdout)["record"]["signatures"] == []


def test_without_a_terminal_the_way_on_is_told(world: World, ready: str) -> None:
    argv = ("sign", ready, "--meaning", "performed", "--as", "anna", "--key", world.folder / "anna")
    done = fieldgate(*argv)
    assert done.returncode == 1
    assert "there is no terminal to ask on; nothing was signed\n  -> read the statement, then add --yes" in done.stderr
    assert done.stdout.startswith("fieldgate statement 1\n")
    assert "warning" not in done.stderr
    assert fieldgate(*argv, "--yes").returncode == 0


def test_who_signs_too_early_is_warned_before_they_are_asked(world: World, ready: str) -> None:
    campaign = open_campaign(ready, wall_ns=world.clock)
    campaign.measure("force", 99.0, "anna")
    campaign.close()
    done = fieldgate(
        "sign", ready, "--meaning", "performed", "--as", "anna", "--key", world.folder / "anna", typed="n\n"
    )
    warned = done.stderr.partition("Sign this?")[0]
    assert "warning: the gate of 'bench' can't open as things are: not settled: force (fail)" in warned
    assert "signature missing" not in warned


def test_a_missing_ssh_keygen_is_said_before_the_statement(world: World, ready: str, tmp_path: Path) -> None:
    argv = ("sign", ready, "--meaning", "performed", "--as", "anna", "--key", world.folder / "anna")
    done = fieldgate(*argv, PATH=str(tmp_path))
    assert (done.returncode, done.stdout) == (1, "")
    assert "`ssh-keygen` is not installed" in done.stderr


@pytest.mark.parametrize(
    ("principal", "key", "meaning", "said"),
    [
        ("anna", "bo", "performed", "belongs to Bo Berg (bo), not to Anna Alm"),
        ("anna", "anna", "reviewed", "may not sign 'reviewed'"),
        ("cy", "cy", "reviewed", "may not sign 'reviewed'"),
        ("eve", "anna", "performed", "'eve' is not in the roster"),
        ("anna", "nix", "performed", "there is no key"),
    ],
)
def test_who_may_not_sign_is_told_why(
    world: World, ready: str, principal: str, key: str, meaning: str, said: str
) -> None:
    argv = (
        "sign",
        ready,
        "--stage",
        "bench",
        "--meaning",
        meaning,
        "--as",
        principal,
        "--key",
        world.folder / key,
        "--yes",
    )
    done = fieldgate(*argv)
    assert done.returncode == 1
    assert said in done.stderr


# ------------------------------------------------------------ roster


def test_a_roster_is_made_shown_and_emptied_from_the_command_line(tmp_path: Path) -> None:
    home = {"FIELDGATE_HOME": str(tmp_path / "home")}
    key = made_key(tmp_path, "anna").with_suffix(".pub")
    add = ("roster", "add", "anna", "--name", "Anna Alm", "--role", "engineer", "--key", key, "--until", "2030-01-31")
    assert fieldgate(*add, **home).returncode == 0
    assert "is in the roster already" in fieldgate(*add, **home).stderr
    assert fieldgate(*add, "--replace", **home).returncode == 0
    shown = json.loads(fieldgate("roster", "list", "--json", **home).stdout)
    assert [(one["principal"], one["until"]) for one in shown] == [("anna", "2030-01-31")]
    assert "anna  Anna Alm  engineer  until 2030-01-31" in fieldgate("roster", "list", **home).stdout
    signers = fieldgate("roster", "allowed-signers", **home).stdout
    assert signers.startswith('anna namespaces="fieldgate",valid-before="20300201000000" ssh-ed25519 AAAA')
    other = fieldgate("roster", "add", "bo", "--name", "Bo", "--role", "lead", "--key", key, **home)
    assert other.returncode == 1
    assert "Anna Alm (anna) and Bo (bo) have the same key" in other.stderr
    assert fieldgate("roster", "remove", "anna", "--yes", **home).returncode == 0
    assert json.loads(fieldgate("roster", "list", "--json", **home).stdout) == []


@pytest.fixture
def adding(tmp_path: Path) -> tuple[object, ...]:
    """`roster add anna` with all that it needs, into a roster of its own."""
    key = made_key(tmp_path, "anna").with_suffix(".pub")
    return ("roster", "add", "anna", "--name", "Anna Alm", "--key", key, "--file", tmp_path / "people.yaml")


@pytest.mark.parametrize(
    ("given", "cure"),
    [
        ("31.3.2026", "write 2026-03-31"),
        ("2026/3/31", "write 2026-03-31"),
        ("20260331", "write 2026-03-31"),
        ("2026-02-31", "write year-month-day"),
        ("31.2.2026", "write year-month-day"),
        ("3/4/2026", "write year-month-day"),
        ("soon", "write year-month-day"),
        ("", "write year-month-day"),
    ],
)
def test_a_last_day_that_is_none_is_told_as_it_should_be_written(
    adding: tuple[object, ...], given: str, cure: str
) -> None:
    done = fieldgate(*adding, "--role", "safety", "--until", given)
    assert done.returncode == 1
    assert f"--until {given} is no date\n  -> {cure}" in done.stderr


def test_an_entry_that_ended_is_warned_of_and_marked(adding: tuple[object, ...], tmp_path: Path) -> None:
    done = fieldgate(*adding, "--role", "safety", "--until", "2020-01-31")
    assert done.returncode == 0
    assert "warning: the last day 2020-01-31 is over" in done.stderr
    listed = ("roster", "list", "--file", tmp_path / "people.yaml")
    assert "until 2020-01-31 (ended)" in fieldgate(*listed).stdout
    assert json.loads(fieldgate(*listed, "--json").stdout)[0]["ended"] is True
    assert "warning" not in fieldgate(*adding, "--replace", "--until", "2999-01-31").stderr
    assert "until 2999-01-31\n" in fieldgate(*listed).stdout


def test_a_role_that_no_shipped_pack_knows_is_warned_of_with_the_nearest(adding: tuple[object, ...]) -> None:
    done = fieldgate(*adding, "--role", "saftey", "--role", "engineer")
    assert done.returncode == 0, "a pack of one's own may have other roles"
    assert "warning: no shipped pack knows the role 'saftey' (they know: engineer, lead, operator" in done.stderr
    assert "did you mean 'safety'?" in done.stderr
    assert "'engineer'" not in done.stderr


def test_replace_keeps_what_is_not_given_and_says_so(adding: tuple[object, ...], tmp_path: Path) -> None:
    """A person whose last day is moved must not lose their keys."""
    assert fieldgate(*adding, "--role", "safety", "--until", "2999-01-31", "--pack", "grasping").returncode == 0
    file = ("--file", tmp_path / "people.yaml")
    before = json.loads(fieldgate("roster", "list", "--json", *file).stdout)[0]
    done = fieldgate("roster", "add", "anna", "--replace", "--role", "lead", *file)
    assert (done.returncode, "replaced Anna Alm (anna) in" in done.stderr) == (0, True)
    after = json.loads(fieldgate("roster", "list", "--json", *file).stdout)[0]
    assert after == {**before, "roles": ["lead"]}
    assert fieldgate("roster", "add", "anna", "--replace", "--until", "never", *file).returncode == 0
    assert json.loads(fieldgate("roster", "list", "--json", *file).stdout)[0] == {**after, "until": None}
    assert fieldgate("roster", "add", "bo", "--replace", "--role", "lead", *file).returncode == 2


def test_a_forged_record_in_json_says_broken(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_bytes(msgspec.json.encode({"lines": []}))
    done = fieldgate("verify", tmp_path / "x.json", "--json")
    assert done.returncode == 8
    assert json.loads(done.stdout)["intact"] is False
