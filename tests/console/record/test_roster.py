"""The roster: whoever stands in it can sign a robot off, so nothing in it may be read in two ways."""

from __future__ import annotations

import base64
import contextlib
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.record.roster import (
    Person,
    Roster,
    allowed_signers,
    end_of,
    load_roster,
    parse_roster,
    save,
)
from console.record.ssh_keys import parse_key, read_key
from remote.errors import Trouble
from tests.console.record.signers import made_key, person, public, roster_of

DAY_NS = 86_400 * 1_000_000_000


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    folder = tmp_path_factory.mktemp("keys")
    return public(made_key(folder, "anna")), public(made_key(folder, "bo"))


def text_of(first: str, second: str) -> str:
    return f"""\
format: 1
people:
  - principal: anna
    name: Anna Berg
    roles: [safety]
    keys: ['{first}']
    until: 2027-01-31
  - principal: bo
    name: Bo Lund
    roles: [lead, engineer]
    packs: [grasping]
    keys: ['{second}']
"""


def test_people_come_back_as_they_were_written(keys: tuple[str, str], tmp_path: Path) -> None:
    roster = parse_roster(text_of(*keys), "roster.yaml")
    anna = roster.person("anna")
    assert (anna.name, anna.roles, anna.until) == ("Anna Berg", ("safety",), "2027-01-31")
    path = save(roster, tmp_path / "roster.yaml")
    assert load_roster(path) == roster
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda text, a, b: text.replace(b, a), r"line 12 \(people\[1\].keys\[0\]\): Anna Berg \(anna\) and Bo Lund \(bo\)"),
        (lambda text, a, b: text.replace("principal: bo", "principal: anna"), "line 8 .*'anna' is given twice"),
        (lambda text, a, b: text.replace("2027-01-31", "'2027-02-30'"), "line 7 .*'2027-02-30' is no day"),
        (lambda text, a, b: text.replace("2027-01-31", "'9999-12-31'"), "line 7 .* is no day"),
        (lambda text, a, b: text.replace("roles: [safety]", "rolse: [safety]"), "line 5 .*unknown key `rolse`"),
        (lambda text, a, b: text.replace("[safety]", "[]"), "line 5"),
        (lambda text, a, b: text.replace(a, a[:41]), "line 6 .*no base64"),
        (lambda text, a, b: text.replace(a, a[:40]), "line 6 .*cut short"),
        (lambda text, a, b: text.replace(a, a.replace("ed25519", "rsa", 1)), "line 6 .*another kind"),
        (lambda text, a, b: text.replace(a, "command=\"x\" " + a), "line 6 .*no public key"),
        (lambda text, a, b: text.replace("format: 1", "format: 2"), "line 1 .*format 2"),
        (lambda text, a, b: text.replace("Bo Lund", '"Bo\\nLund"'), "line 9 .*can't be printed"),
        (lambda text, a, b: text.replace("principal: bo", 'principal: "bo\\n"'), "line 8 .*line break"),
        (lambda text, a, b: text.replace("principal: bo", 'principal: "*"'), "line 8"),
        (lambda text, a, b: text.replace(f"['{b}']", f"['{b}', '{b} again']"), r"keys\[1\].*twice"),
        (lambda text, a, b: text[: len(text) // 2], "roster.yaml, line"),
        (lambda text, a, b: "[1, 2]", "line 1"),
        (lambda text, a, b: "people: &x [*x]", "alias"),
    ],
)  # fmt: skip
def test_what_could_be_read_in_two_ways_is_refused_with_its_line(
    keys: tuple[str, str], change: object, said: str
) -> None:
    assert callable(change)
    with pytest.raises(Trouble, match=said) as refused:
        parse_roster(change(text_of(*keys), *keys), "roster.yaml")
    assert refused.value.code == "bad_roster"
    assert refused.value.cure


def test_a_key_that_openssh_itself_cant_read_is_named(keys: tuple[str, str]) -> None:
    """Its first bytes are right, so only ssh-keygen notices: signatures with it could never be checked."""
    kind, body, _ = keys[0].split()
    blob = bytearray(base64.b64decode(body)[:-5])
    blob[-28] -= 5  # the length of what follows, so that the fields fill the key
    torn = base64.b64encode(blob).decode()
    with pytest.raises(Trouble, match=r"line 6 .*OpenSSH can't read this ssh-ed25519 key"):
        parse_roster(text_of(f"{kind} {torn}", keys[1]), "roster.yaml")


def test_a_nearly_right_key_gets_its_name_said() -> None:
    with pytest.raises(Trouble) as refused:
        parse_roster("peple: []", "roster.yaml")
    assert refused.value.cure == "Did you mean `people`?"


def test_the_last_day_counts_and_the_next_does_not(tmp_path: Path) -> None:
    anna = person("anna", "Anna", "safety", made_key(tmp_path, "anna"), until="2027-01-31")
    end = end_of(anna)
    assert end is not None
    last_ns = int(end.timestamp()) * 1_000_000_000 - 1
    assert anna.may("safety", "grasping", last_ns)
    assert not anna.may("safety", "grasping", last_ns + 1)
    assert "ended on 2027-01-31" in anna.why_not("safety", "grasping", last_ns + DAY_NS)


def test_a_role_and_a_pack_that_were_not_given_are_refused(tmp_path: Path) -> None:
    bo = Person(principal="bo", name="Bo", roles=("lead",), packs=("grasping",), keys=())
    assert bo.why_not("lead", "grasping", 0) == ""
    assert "has not the role 'safety'" in bo.why_not("safety", "grasping", 0)
    assert "only, not for 'aircraft'" in bo.why_not("lead", "aircraft", 0)


def test_openssh_takes_our_allowed_signers_and_finds_the_person(tmp_path: Path) -> None:
    """The dates in it too: the day before the end is good, the day after is not, by OpenSSH's own judgement."""
    key = made_key(tmp_path, "anna")
    roster = roster_of(person("anna@example.org", "Anna", "safety", key, until="2027-01-31"))
    signers, data = tmp_path / "allowed_signers", tmp_path / "data"
    signers.write_text(allowed_signers(roster))
    data.write_bytes(b"hello")
    subprocess.run(["ssh-keygen", "-Y", "sign", "-q", "-n", "fieldgate", "-f", str(key), str(data)], check=True)
    codes = {}
    for moment in ("20270131235959", "20270201000001"):
        argv = ["ssh-keygen", "-Y", "verify", "-f", str(signers), "-I", "anna@example.org", "-n", "fieldgate"]
        argv += ["-s", f"{data}.sig", "-O", f"verify-time={moment}"]
        codes[moment] = subprocess.run(argv, input=b"hello", capture_output=True, env={"TZ": "UTC", "PATH": "/usr/bin"})
    assert [one.returncode for one in codes.values()] == [0, 255], codes


def test_a_private_key_is_never_taken_for_a_public_one(tmp_path: Path) -> None:
    with pytest.raises(Trouble, match="is a private key") as refused:
        read_key(made_key(tmp_path, "anna"))
    assert refused.value.cure.endswith("anna.pub")


@given(st.text(max_size=200))
def test_no_text_is_a_key_by_luck(text: str) -> None:
    with pytest.raises(Trouble):
        parse_key(text)


@given(st.binary(max_size=300))
def test_no_bytes_crash_the_reader_of_rosters(data: bytes) -> None:
    with contextlib.suppress(Trouble):
        assert isinstance(parse_roster(data.decode("utf-8", "replace"), "x"), Roster)
