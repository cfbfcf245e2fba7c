"""Signing with real keys through ssh-keygen, and every way in which it goes wrong: the person must be told which."""

from __future__ import annotations

import base64
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.record import signing
from console.record.roster import Roster
from console.record.signing import AgentKey, KeyFile, check_key, default_key, keys_of, public_half, sign, verify
from console.record.ssh_keys import agent_keys, read_key
from console.record.sshsig import read_armored
from remote.errors import Trouble
from tests.console.record.signers import PASSPHRASE, load_into_agent, made_key, person, roster_of, ssh_agent
from tests.terminal import Terminal

DATA = b"fieldgate statement\nI have reviewed it.\n"
NOW_NS = 1_790_000_000 * 1_000_000_000
HERE = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Keys: anna, bo, locked (with a passphrase)."""
    folder = tmp_path_factory.mktemp("desk")
    made_key(folder, "anna")
    made_key(folder, "bo")
    made_key(folder, "locked", passphrase=PASSPHRASE)
    return folder


@pytest.fixture
def no_agent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)


@pytest.fixture
def socket_folder() -> Iterator[Path]:
    """A folder whose name leaves room for a socket's: the kernel takes 108 characters."""
    with tempfile.TemporaryDirectory(prefix="fg-") as folder:
        yield Path(folder)


def people(desk: Path, until: str | None = None) -> Roster:
    anna = person("anna", "Anna Berg", "safety", desk / "anna", desk / "locked", until=until)
    return roster_of(anna, person("bo", "Bo Lund", "lead", desk / "bo"))


def quiet(path: Path) -> KeyFile:
    return KeyFile(path, may_ask=False)


# ------------------------------------------------------------ good signatures


def test_a_signature_by_a_key_file_is_good_for_its_owner_only(desk: Path) -> None:
    armored = sign(DATA, quiet(desk / "anna"))
    assert verify(DATA, armored, people(desk), "anna", NOW_NS) == ""
    assert "belongs to Anna Berg (anna), not to Bo Lund (bo)" in verify(DATA, armored, people(desk), "bo", NOW_NS)


@pytest.mark.parametrize("kind", ["ecdsa", "rsa"])
def test_other_kinds_of_keys_sign_too(kind: str, tmp_path: Path) -> None:
    key = made_key(tmp_path, "cy", kind=kind)
    roster = roster_of(person("cy", "Cy", "lead", key))
    assert verify(DATA, sign(DATA, quiet(key)), roster, "cy", NOW_NS) == ""


def test_a_key_with_a_passphrase_signs_through_the_agent(
    desk: Path, socket_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ssh_agent(socket_folder) as environment:
        load_into_agent(desk / "locked", environment, PASSPHRASE)
        monkeypatch.setenv("SSH_AUTH_SOCK", environment["SSH_AUTH_SOCK"])
        fingerprint = read_key(desk / "locked.pub").fingerprint
        assert [key.fingerprint for key in agent_keys()] == [fingerprint]
        for choice in (AgentKey(fingerprint), quiet(desk / "locked.pub"), quiet(desk / "locked")):
            assert verify(DATA, sign(DATA, choice), people(desk), "anna", NOW_NS) == "", choice
        assert default_key(people(desk).person("anna")) == AgentKey(fingerprint)


def test_the_passphrase_is_asked_for_on_the_terminal_by_ssh_keygen_itself(desk: Path) -> None:
    code, said = _at_a_terminal(desk / "locked", PASSPHRASE)
    assert code == 0, said
    assert PASSPHRASE not in said
    armored = re.search(r"-----BEGIN.*END SSH SIGNATURE-----", said.replace("\r\n", "\n"), re.DOTALL)
    assert armored
    assert verify(DATA, armored.group(0), people(desk), "anna", NOW_NS) == ""


def test_a_wrong_passphrase_is_called_that(desk: Path) -> None:
    code, said = _at_a_terminal(desk / "locked", "a wrong one")
    assert code == 1
    assert "wrong_passphrase" in said


def test_the_key_of_the_person_is_found_in_the_home_folder(
    desk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, no_agent: None
) -> None:
    (tmp_path / ".ssh").mkdir()
    for name in ("anna", "bo"):
        shutil.copy2(desk / name, tmp_path / ".ssh" / name)
        shutil.copy2(desk / f"{name}.pub", tmp_path / ".ssh" / f"{name}.pub")
    (tmp_path / ".ssh" / "old.pub").write_text("rubbish\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    found = default_key(people(desk).person("bo"))
    assert found == KeyFile(tmp_path / ".ssh" / "bo")
    assert list(keys_of(people(desk).person("bo"))) == [public_half(found).fingerprint]


# ------------------------------------------------------------ bad signatures


def test_each_kind_of_bad_signature_is_told_apart(desk: Path, tmp_path: Path) -> None:
    roster, armored = people(desk), sign(DATA, quiet(desk / "anna"))
    assert "does not fit the statement" in verify(DATA + b"!", armored, roster, "anna", NOW_NS)
    assert "'cy' is not in the roster" in verify(DATA, armored, roster, "cy", NOW_NS)
    assert "is not in the roster" in verify(DATA, sign(DATA, quiet(made_key(tmp_path, "eve"))), roster, "anna", NOW_NS)
    assert "ended on 2020-01-31" in verify(DATA, armored, people(desk, until="2020-01-31"), "anna", NOW_NS)
    assert "can't be read" in verify(DATA, armored[:200], roster, "anna", NOW_NS)
    assert "outside of the calendar" in verify(DATA, armored, roster, "anna", 10**30)


def test_a_signature_given_for_something_else_is_no_sign_off(desk: Path, tmp_path: Path) -> None:
    (tmp_path / "mail").write_bytes(DATA)
    argv = ["ssh-keygen", "-Y", "sign", "-q", "-n", "email", "-f", str(desk / "anna"), str(tmp_path / "mail")]
    subprocess.run(argv, check=True)
    armored = (tmp_path / "mail.sig").read_text()
    assert "given for 'email', not for 'fieldgate'" in verify(DATA, armored, people(desk), "anna", NOW_NS)


def test_a_bit_changed_anywhere_in_the_signature_makes_it_bad(desk: Path) -> None:
    armored = sign(DATA, quiet(desk / "anna"))
    body = "".join(armored.split("\n")[1:-2])
    raw = bytearray(base64.b64decode(body))
    for at in range(0, len(raw), 9):
        changed = bytearray(raw)
        changed[at] ^= 1
        text = base64.b64encode(bytes(changed)).decode()
        lines = "\n".join(text[i : i + 70] for i in range(0, len(text), 70))
        forged = f"-----BEGIN SSH SIGNATURE-----\n{lines}\n-----END SSH SIGNATURE-----\n"
        assert verify(DATA, forged, people(desk), "anna", NOW_NS) != "", at


def test_without_dates_in_openssh_an_ended_entry_is_still_refused(desk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """OpenSSH before 8.7 knows no valid-before: our own look at the date must not depend on it."""
    monkeypatch.setattr(signing, "_openssh", lambda: (8, 2))
    armored = sign(DATA, quiet(desk / "anna"))
    assert verify(DATA, armored, people(desk, until="2099-01-31"), "anna", NOW_NS) == ""
    assert "ended on" in verify(DATA, armored, people(desk, until="2020-01-31"), "anna", NOW_NS)


@given(st.text(max_size=300))
def test_no_text_passes_for_a_signature(text: str) -> None:
    for shape in (text, f"-----BEGIN SSH SIGNATURE-----{text}-----END SSH SIGNATURE-----"):
        with pytest.raises(Trouble):
            read_armored(shape)


# ------------------------------------------------------------ what stands in the way


def test_a_key_that_is_not_there_is_named(tmp_path: Path) -> None:
    _refused(lambda: sign(DATA, quiet(tmp_path / "nix")), "key_missing", "nix")


def test_a_public_half_that_is_not_there_is_named_with_the_command_that_makes_it(desk: Path, tmp_path: Path) -> None:
    shutil.copy2(desk / "anna", tmp_path / "anna")
    trouble = _refused(lambda: sign(DATA, quiet(tmp_path / "anna")), "key_missing", "anna.pub")
    assert "ssh-keygen -y -f" in trouble.cure


def test_a_key_of_which_only_the_public_half_is_here(desk: Path, tmp_path: Path, no_agent: None) -> None:
    shutil.copy2(desk / "anna.pub", tmp_path / "anna.pub")
    _refused(lambda: sign(DATA, quiet(tmp_path / "anna.pub")), "key_not_in_agent", "neither beside it nor in the SSH")


def test_an_agent_that_does_not_hold_the_key(desk: Path, socket_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with ssh_agent(socket_folder) as environment:
        monkeypatch.setenv("SSH_AUTH_SOCK", environment["SSH_AUTH_SOCK"])
        _refused(lambda: sign(DATA, AgentKey("SHA256:nobody")), "key_not_in_agent", "SHA256:nobody")


def test_no_agent_at_all(no_agent: None) -> None:
    _refused(lambda: sign(DATA, AgentKey("SHA256:nobody")), "no_agent_keys", "no SSH agent is running")


def test_an_agent_that_is_gone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SSH_AUTH_SOCK", str(tmp_path / "gone"))
    _refused(lambda: sign(DATA, AgentKey("SHA256:nobody")), "no_agent_keys", "does not answer")


def test_a_passphrase_that_can_t_be_asked_for(desk: Path, no_agent: None) -> None:
    trouble = _refused(lambda: sign(DATA, quiet(desk / "locked")), "passphrase_needed", "needs its passphrase")
    assert "ssh-add" in trouble.cure


def test_a_private_key_that_others_can_read(desk: Path, tmp_path: Path, no_agent: None) -> None:
    shutil.copy2(desk / "anna.pub", tmp_path / "anna.pub")
    shutil.copyfile(desk / "anna", tmp_path / "anna")
    (tmp_path / "anna").chmod(0o644)
    trouble = _refused(lambda: sign(DATA, quiet(tmp_path / "anna")), "key_unprotected", "others can read")
    assert trouble.cure == f"`chmod 600 {tmp_path / 'anna'}`"


def test_a_public_half_that_belongs_to_another_key(desk: Path, tmp_path: Path, no_agent: None) -> None:
    """Else the record would name a key that did not sign."""
    shutil.copy2(desk / "anna", tmp_path / "mixed")
    shutil.copy2(desk / "bo.pub", tmp_path / "mixed.pub")
    _refused(lambda: sign(DATA, quiet(tmp_path / "mixed")), "sign_failed", "")


def test_ssh_keygen_that_is_not_installed(desk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    armored = sign(DATA, quiet(desk / "anna"))
    monkeypatch.setenv("PATH", str(tmp_path))
    _refused(lambda: sign(DATA, quiet(desk / "anna")), "no_ssh_keygen", "`ssh-keygen` is not installed")
    _refused(lambda: verify(DATA, armored, people(desk), "anna", NOW_NS), "no_ssh_keygen", "not installed")


def test_a_full_disk_while_signing(desk: Path) -> None:
    """The kernel itself refuses to write more: nothing is signed, and the person is told why."""
    script = f"""
import resource, signal, sys
from pathlib import Path
from console.record.signing import KeyFile, sign
from remote.errors import Trouble
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (10, 10))
try:
    sign({DATA!r}, KeyFile(Path({str(desk / "anna")!r}), may_ask=False))
except Trouble as trouble:
    print(trouble.code, trouble.what)
"""
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=HERE)
    assert ran.stdout.startswith("disk_full the disk is full; nothing was signed"), (ran.stdout, ran.stderr)


def test_keys_of_others_and_of_nobody_are_told_apart(desk: Path, tmp_path: Path) -> None:
    roster = people(desk)
    assert check_key(roster, "anna", read_key(desk / "anna.pub")).name == "Anna Berg"
    other = _refused(lambda: check_key(roster, "anna", read_key(desk / "bo.pub")), "key_of_other", "belongs to Bo Lund")
    assert "--as bo" in other.cure
    nobody = read_key(made_key(tmp_path, "eve").with_suffix(".pub"))
    _refused(lambda: check_key(roster, "anna", nobody), "key_not_in_roster", "is not in the roster")
    near = _refused(lambda: check_key(roster, "ana", nobody), "not_in_roster", "'ana' is not in the roster")
    assert "did you mean 'anna'?" in near.cure


def test_no_key_of_the_person_is_here(
    desk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, no_agent: None
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    _refused(lambda: default_key(people(desk).person("bo")), "no_key", "no key of Bo Lund")


# ------------------------------------------------------------ a security key that nobody touches


def test_a_touch_that_does_not_come_ends_the_wait_and_says_what_was_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, no_agent: None
) -> None:
    """OpenSSH's own helper for security keys is replaced by one that never answers, as a key does that nobody touches."""
    key = _hardware_key(tmp_path)
    helper = tmp_path / "helper"
    helper.write_text(f"#!/bin/sh\necho $$ > {tmp_path}/pid\nexec sleep 60\n")
    helper.chmod(0o700)
    monkeypatch.setenv("SSH_SK_HELPER", str(helper))
    told: list[str] = []
    begun = time.monotonic()
    trouble = _refused(
        lambda: sign(DATA, quiet(key), timeout_s=1.0, tell=told.append), "sign_timeout", "was not touched within 1 s"
    )
    assert time.monotonic() - begun < 10
    assert "touch it when it blinks" in trouble.cure
    assert len(told) == 1
    assert told[0].startswith("touch the security key that holds SHA256:")
    os.kill(int((tmp_path / "pid").read_text()), 9)


def _hardware_key(folder: Path) -> Path:
    """A key file as `ssh-keygen -t ed25519-sk` writes it: a handle without a secret. OpenSSH's PROTOCOL.key has the format."""

    def string(data: bytes) -> bytes:
        return len(data).to_bytes(4, "big") + data

    kind = b"sk-ssh-ed25519@openssh.com"
    blob = string(kind) + string(b"\x07" * 32) + string(b"ssh:")
    private = b"\x01\x02\x03\x04" * 2 + blob + b"\x01" + string(b"handle") + string(b"") + string(b"token")
    private += bytes(range(1, 8 - len(private) % 8 + 1)) if len(private) % 8 else b""
    whole = b"openssh-key-v1\0" + string(b"none") + string(b"none") + string(b"") + (1).to_bytes(4, "big")
    text = base64.encodebytes(whole + string(blob) + string(private)).decode()
    path = folder / "token"
    path.write_text(f"-----BEGIN OPENSSH PRIVATE KEY-----\n{text}-----END OPENSSH PRIVATE KEY-----\n")
    path.chmod(0o600)
    path.with_suffix(".pub").write_text(f"{kind.decode()} {base64.b64encode(blob).decode()} token\n")
    return path


# ------------------------------------------------------------ helpers


def _refused(act: Callable[[], object], code: str, said: str) -> Trouble:
    with pytest.raises(Trouble) as refused:
        act()
    assert refused.value.code == code, refused.value
    assert said in refused.value.what
    assert refused.value.cure
    return refused.value


def _at_a_terminal(key: Path, typed: str) -> tuple[int, str]:
    """Sign in a process that has a terminal of its own, and type there when asked; its exit code and all that was shown."""
    script = f"""
import sys
from pathlib import Path
from console.record.signing import KeyFile, sign
from remote.errors import Trouble
try:
    print(sign({DATA!r}, KeyFile(Path({str(key)!r}))))
except Trouble as trouble:
    print(trouble.code)
    sys.exit(1)
"""
    environment = {name: value for name, value in os.environ.items() if name not in ("SSH_AUTH_SOCK", "DISPLAY")}
    with Terminal([sys.executable, "-c", script], environment) as terminal:
        terminal.until(b"Enter passphrase")
        terminal.press(typed.encode() + b"\n")
        return terminal.end(), terminal.seen.decode()
