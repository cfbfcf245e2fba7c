"""SSH configuration, known_hosts, pins and lines: files that others write, hostile ones among them."""

from __future__ import annotations

import base64
import contextlib
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.link import known_hosts
from console.link.pins import chosen, parse, shipped_requirements
from console.link.ssh_config import Target, resolve, split_address
from console.link.transport import Lines
from remote.errors import Trouble
from tests.sshd import make_key

KEY = b"\x00\x00\x00\x0bssh-ed25519" + b"\x00\x00\x00\x20" + bytes(32)
OTHER = b"\x00\x00\x00\x0bssh-ed25519" + b"\x00\x00\x00\x20" + bytes(31) + b"\x01"


def b64(key: bytes) -> str:
    return base64.b64encode(key).decode()


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / ".ssh").mkdir()
    return tmp_path


def target(home: Path, text: str, address: str = "orin") -> Target:
    (home / ".ssh/config").write_text(text)
    return resolve(address, home=home, system=home / "none")


def openssh(home: Path, address: str) -> dict[str, str]:
    """What OpenSSH itself makes of the same file."""
    words = ["ssh", "-G", "-F", str(home / ".ssh/config"), address]
    lines = subprocess.run(words, check=True, capture_output=True, text=True).stdout.splitlines()
    return dict(line.split(" ", 1) for line in reversed(lines) if " " in line)


CONFIGS = [
    "Host orin\n HostName 10.0.0.1\n User nvidia\n Port 2222\nHost *\n User other\n Port 1\n",
    'Host=orin\n\tHostName = "10.0.0.2"\n  # comment\n   USER  a\n',
    "Host * !orin\n User wrong\nHost or?n\n User right\n",
    "User first\nHost orin\n User second\n",
    "Match host orin\n User m\nMatch all\n Port 44\n",
    "Match originalhost orin user root\n Port 45\nMatch !host orin\n Port 46\n",
    "Host orin\n HostName %h.local\n HostKeyAlias robot-7\n",
    "Host other\n HostName 1.2.3.4\n",
]


@pytest.mark.parametrize("text", CONFIGS)
def test_the_configuration_means_what_openssh_makes_of_it(home: Path, text: str) -> None:
    mine, theirs = target(home, text), openssh(home, "orin")
    assert (mine.host, mine.user, str(mine.port)) == (theirs["hostname"], theirs["user"], theirs["port"])
    assert mine.known_as in (theirs.get("hostkeyalias"), mine.host, f"[{mine.host}]:{mine.port}")


def test_an_include_that_leads_to_itself_is_said(home: Path) -> None:
    with pytest.raises(Trouble) as caught:
        target(home, "Include config\n")
    assert caught.value.code == "bad_ssh_config"


def test_an_include_in_a_block_counts_for_that_block_only(home: Path) -> None:
    (home / ".ssh/part").write_text("User inner\nHost *\n Port 77\n")
    text = "Host nano\n Include part\nHost *\n User outer\n"
    assert (target(home, text).user, target(home, text).port) == ("outer", 22)
    assert (target(home, text, "nano").user, target(home, text, "nano").port) == ("inner", 77)


def test_match_exec_is_not_run(home: Path) -> None:
    assert target(home, f'Match exec "touch {home}/ran"\n User evil\n').user != "evil"
    assert not (home / "ran").exists()


def test_tokens_and_the_home_folder_are_filled_in(home: Path) -> None:
    made = target(
        home,
        "Host orin\n HostName h\n User u\n IdentityFile ~/.ssh/%r-%h\n IdentityFile %d/k\n ProxyCommand nc %h %p\n",
    )
    assert made.identity_files == (home / ".ssh/u-h", home / "k")
    assert made.proxy_command == "nc h 22"
    assert target(home, "Host orin\n ProxyJump none\n ProxyCommand none\n").proxy_command is None


@given(st.text(max_size=300))
def test_no_configuration_is_a_traceback(text: str) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / ".ssh").mkdir()
        with contextlib.suppress(Trouble):
            assert target(Path(folder), text.replace("nclude", "")).port > 0


@pytest.mark.parametrize(
    ("address", "parts"),
    [
        ("orin", (None, "orin", None)),
        ("u@h:22", ("u", "h", 22)),
        ("u@[::1]:22", ("u", "::1", 22)),
        ("a@b@h", ("a@b", "h", None)),
    ],
)
def test_addresses_are_split(address: str, parts: tuple[str | None, str, int | None]) -> None:
    assert split_address(address) == parts


def finding(tmp_path: Path, text: str, host: str = "orin", key: bytes = KEY) -> str:
    file = tmp_path / "known_hosts"
    file.write_text(text)
    return known_hosts.lookup([file, tmp_path / "missing"], host, "ssh-ed25519", key).finding


@pytest.mark.parametrize(
    ("line", "host", "expected"),
    [
        (f"orin ssh-ed25519 {b64(KEY)}", "orin", "known"),
        (f"a,orin,b ssh-ed25519 {b64(KEY)} comment", "orin", "known"),
        (f"ORIN ssh-ed25519 {b64(KEY)}", "orin", "known"),
        (f"*.local ssh-ed25519 {b64(KEY)}", "orin.local", "known"),
        (f"*,!orin ssh-ed25519 {b64(KEY)}", "orin", "unknown"),
        (f"orin ssh-ed25519 {b64(OTHER)}", "orin", "changed"),
        (f"orin ssh-rsa {b64(KEY)}", "orin", "changed"),
        (f"[orin]:2222 ssh-ed25519 {b64(KEY)}", "orin", "unknown"),
        (f"[orin]:2222 ssh-ed25519 {b64(KEY)}", "[orin]:2222", "known"),
        (f"orin ssh-ed25519 {b64(OTHER)}\norin ssh-ed25519 {b64(KEY)}", "orin", "known"),
        (f"orin ssh-ed25519 {b64(KEY)}\n@revoked orin ssh-ed25519 {b64(KEY)}", "orin", "revoked"),
        (f"@revoked other ssh-ed25519 {b64(KEY)}", "orin", "unknown"),
        (f"@cert-authority * ssh-ed25519 {b64(KEY)}", "orin", "unknown"),
        ("orin ssh-ed25519 !!!notbase64", "orin", "unknown"),
        (f"#orin ssh-ed25519 {b64(KEY)}", "orin", "unknown"),
        (f"|1|bad|worse ssh-ed25519 {b64(KEY)}", "orin", "unknown"),
        ("", "orin", "unknown"),
    ],
)
def test_a_line_of_known_hosts_means_what_sshd_8_says(tmp_path: Path, line: str, host: str, expected: str) -> None:
    assert finding(tmp_path, line + "\n", host) == expected


def test_hashed_hosts_and_fingerprints_are_those_of_ssh_keygen(tmp_path: Path) -> None:
    key = make_key(tmp_path / "key")
    kind, text = key.with_name("key.pub").read_text().split()[:2]
    file = tmp_path / "known_hosts"
    file.write_text(f"[orin]:2222 {kind} {text}\n")
    subprocess.run(["ssh-keygen", "-q", "-H", "-f", str(file)], check=True, capture_output=True)
    blob = base64.b64decode(text)
    assert known_hosts.lookup([file], "[orin]:2222", kind, blob).finding == "known"
    assert known_hosts.lookup([file], "[orin]:2223", kind, blob).finding == "unknown"
    shown = subprocess.run(["ssh-keygen", "-lf", str(key)], check=True, capture_output=True, text=True).stdout
    assert known_hosts.fingerprint(blob) == shown.split()[1]


@given(st.binary(max_size=400))
def test_no_known_hosts_file_is_a_traceback_or_trusts_anybody(data: bytes) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "known_hosts"
        file.write_bytes(data)
        assert known_hosts.lookup([file], "orin", "ssh-ed25519", KEY).finding == "unknown"


def test_a_key_is_remembered_even_after_a_file_without_a_last_newline(tmp_path: Path) -> None:
    file = tmp_path / "new" / "known_hosts"
    known_hosts.remember(file, "orin", "ssh-ed25519", KEY)
    file.write_text(file.read_text().rstrip("\n"))
    known_hosts.remember(file, "nano", "ssh-ed25519", OTHER)
    assert known_hosts.lookup([file], "orin", "ssh-ed25519", KEY).finding == "known"
    assert known_hosts.lookup([file], "nano", "ssh-ed25519", OTHER).finding == "known"


def test_the_robots_python_decides_which_pins_count() -> None:
    """pip would take the laptop's Python, and the robot would get wheels that it can't load."""
    pins = parse(shipped_requirements())
    old = {pin.name: pin.version for pin in chosen(pins, "3.10.12", "aarch64")}
    new = {pin.name: pin.version for pin in chosen(pins, "3.12.3", "aarch64")}
    assert old["numpy"].startswith("2.2.")
    assert old["onnxruntime"].startswith("1.23.")
    assert new["numpy"] > old["numpy"]
    assert set(old) >= {"click", "msgspec", "pyyaml", "psutil", "opencv-python-headless"}
    assert len(old) == len([pin for pin in chosen(pins, "3.10.12", "aarch64")])


@pytest.mark.parametrize(
    "text",
    [
        "click==8.0",
        "click>=8 --hash=sha256:" + "0" * 64,
        "-e .",
        "--index-url http://x",
        f"click==8 ; os.system('x') --hash=sha256:{'0' * 64}",
    ],
)
def test_a_list_with_anything_unpinned_is_refused(text: str) -> None:
    with pytest.raises(Trouble):
        chosen(parse(text + "\n"), "3.10.12", "aarch64")


class Pieces:
    """A Channel that gives what it was made with, piece by piece."""

    def __init__(self, pieces: list[bytes | None]) -> None:
        self.pieces = pieces

    def receive(self, timeout_s: float) -> bytes | None:
        return self.pieces.pop(0) if self.pieces else b""

    def send(self, data: bytes) -> None: ...

    def close(self) -> None: ...

    def last_words(self) -> str:
        return ""


@given(st.lists(st.binary(max_size=20).filter(lambda line: b"\n" not in line), max_size=20), st.randoms())
def test_lines_come_out_as_they_went_in_however_they_were_cut(lines: list[bytes], random: object) -> None:
    data = b"".join(line + b"\n" for line in lines)
    pieces: list[bytes | None] = []
    while data:
        size = random.randint(1, 30)  # type: ignore[attr-defined]
        pieces += [data[:size], None]
        data = data[size:]
    reader, found = Lines(Pieces(pieces)), []
    while not reader.ended:
        line = reader.next(0.0)
        found += [line] if line is not None else []
    assert found == [line + b"\n" for line in lines]


def test_an_endless_line_is_refused_before_it_fills_the_memory() -> None:
    reader = Lines(Pieces([b"x" * 60, b"x" * 60, b"\n"]), limit_bytes=100)
    with pytest.raises(Trouble) as caught:
        list(iter(lambda: reader.next(0.0), b"never"))
    assert caught.value.code == "too_long"
    assert Lines(Pieces([b"x" * 100, b"\n"]), limit_bytes=100).next(0.0) == b"x" * 100 + b"\n"
