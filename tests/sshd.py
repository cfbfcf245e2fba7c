"""A real OpenSSH server on loopback for tests, and a laptop's home folder that knows it."""

from __future__ import annotations

import atexit
import contextlib
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pytest

from tests.waiting import wait_until

SSHD = shutil.which("sshd") or next((p for p in ("/usr/sbin/sshd", "/usr/local/sbin/sshd") if Path(p).exists()), None)
needs_sshd = pytest.mark.skipif(SSHD is None, reason="no sshd here (install openssh-server)")
_PORTS = range(20_000, 32_000)
REPOSITORY = Path(__file__).resolve().parent.parent


def make_key(path: Path, passphrase: str = "") -> Path:
    """A new ed25519 key pair."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", passphrase, "-C", "test", "-f", str(path)]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
    return path


def free_port() -> int:
    """A port that is free, below those from which the kernel takes one for whoever connects or asks for any."""
    for port in random.SystemRandom().sample(_PORTS, 100):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise AssertionError("no port is free")


@dataclass
class Sshd:
    """One server. `home` is the home folder of those who log in: `$HOME` and the XDG folders of their sessions.

    `address` is where it listens, `inside` the words before its command (`ip netns exec NAME`).
    """

    folder: Path
    port: int = field(default_factory=free_port)
    environment: dict[str, str] = field(default_factory=dict)
    address: str = "127.0.0.1"
    inside: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.home = self.folder / "home"
        # Short, whatever the test's own folder is called: a Unix socket's path may have 107 bytes.
        self.runtime = Path(tempfile.mkdtemp(prefix="fieldgate-"))
        atexit.register(shutil.rmtree, self.runtime, ignore_errors=True)
        self.home.mkdir(exist_ok=True)
        self.host_key = make_key(self.folder / "host_key")
        self.authorized_keys = self.folder / "authorized_keys"
        self.authorized_keys.touch(mode=0o600)
        self.log = self.folder / "log"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Listen; returns when connections are taken."""
        if os.getuid() == 0:
            Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
        config = self.folder / "sshd_config"
        config.write_text(self._config())
        assert SSHD is not None
        self._process = subprocess.Popen(
            [*self.inside, SSHD, "-D", "-f", str(config), "-E", str(self.log)], start_new_session=True
        )
        wait_until(self._listens, 10, f"sshd to listen (see {self.log})")

    def stop(self) -> None:
        """End the server and every session."""
        if self._process is None:
            return
        self.cut()
        self._process.terminate()
        self._process.wait(60)
        self._process = None

    def allow(self, key: Path) -> None:
        """Let the holder of `key` (its private file; `.pub` beside it) log in."""
        with self.authorized_keys.open("a") as file:
            file.write(key.with_name(key.name + ".pub").read_text())

    def new_host_key(self) -> None:
        """Set the machine up anew, as far as its visitors can see."""
        self.stop()
        self.host_key.unlink()
        make_key(self.host_key)
        self.start()

    def cut(self) -> int:
        """Kill every session's sshd, as a cable pulled on a robot that is reset; how many there were."""
        return self._signal(signal.SIGKILL)

    def freeze(self) -> int:
        """Stop every session's sshd: the connections stay, nothing comes."""
        return self._signal(signal.SIGSTOP)

    def thaw(self) -> int:
        """Let them go on."""
        return self._signal(signal.SIGCONT)

    def end_agents(self, program: Path) -> None:
        """End what the sessions started in the background."""
        subprocess.run([program, "stop"], env=self.session_environment(), capture_output=True, timeout=30, check=False)

    def session_environment(self) -> dict[str, str]:
        """What a session sees of HOME and the XDG folders, for looking at the robot's side from a test."""
        return {**os.environ, **self._environment()}

    @property
    def public_host_key(self) -> str:
        """`ssh-ed25519 AAAA...`."""
        return " ".join(self.host_key.with_name("host_key.pub").read_text().split()[:2])

    def _signal(self, number: int) -> int:
        if self._process is None or self._process.poll() is not None:
            return 0
        hit = 0
        for child in psutil.Process(self._process.pid).children(recursive=True):
            with contextlib.suppress(psutil.NoSuchProcess):
                if child.name().startswith("sshd"):
                    child.send_signal(number)
                    hit += 1
        return hit

    def _listens(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, self.log.read_text()
        with socket.socket() as probe:
            return probe.connect_ex((self.address, self.port)) == 0

    def _environment(self) -> dict[str, str]:
        return {
            "HOME": str(self.home),
            "XDG_RUNTIME_DIR": str(self.runtime),
            "XDG_DATA_HOME": str(self.home / ".local/share"),
            "XDG_STATE_HOME": str(self.home / ".local/state"),
            "XDG_CONFIG_HOME": str(self.home / ".config"),
            "XDG_CACHE_HOME": str(self.home / ".cache"),
            **self.environment,
        }

    def _config(self) -> str:
        environment = self._environment()
        return f"""Port {self.port}
ListenAddress {self.address}
HostKey {self.host_key}
AuthorizedKeysFile {self.authorized_keys}
PidFile {self.folder}/pid
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
MaxStartups 100
Subsystem sftp internal-sftp
SetEnv {" ".join(f'"{name}={value}"' for name, value in environment.items())}
"""


@dataclass
class Laptop:
    """A home folder with `.ssh` and a FIELDGATE_HOME."""

    home: Path

    def __post_init__(self) -> None:
        self.ssh = self.home / ".ssh"
        self.ssh.mkdir(mode=0o700, parents=True)
        self.fieldgate = self.home / "fieldgate"
        self.key = make_key(self.ssh / "id_ed25519")
        self.known_hosts = self.ssh / "known_hosts"
        self.config = self.ssh / "config"

    def knows(self, server: Sshd) -> None:
        """Note the server's host key."""
        with self.known_hosts.open("a") as file:
            file.write(f"[{server.address}]:{server.port} {server.public_host_key}\n")

    def use(self, patch: pytest.MonkeyPatch) -> None:
        """Make it this process's home, without any SSH agent; `ssh` itself is told to look there too."""
        patch.setenv("HOME", str(self.home))
        patch.setenv("FIELDGATE_HOME", str(self.fieldgate))
        patch.delenv("SSH_AUTH_SOCK", raising=False)
        real = shutil.which("ssh")
        programs = self.home / "bin"
        programs.mkdir()
        wrapper = programs / "ssh"
        # ssh takes its home from the password file, whatever $HOME says.
        wrapper.write_text(
            f'#!/bin/sh\ntouch "{self.config}"\n'
            f'exec {real} -F "{self.config}" -o UserKnownHostsFile="{self.known_hosts}" -i "{self.key}" "$@"\n'
        )
        wrapper.chmod(0o755)
        patch.setenv("PATH", f"{programs}:{os.environ['PATH']}")


def install_checkout(server: Sshd, root: str = ".local/share/fieldgate") -> Path:
    """Put `current/bin/fieldgate-agent` into the server's home that runs this checkout; for tests that don't deploy."""
    program = server.home / root / "current" / "bin" / "fieldgate-agent"
    program.parent.mkdir(parents=True)
    program.write_text(f'#!/bin/sh\nPYTHONPATH={REPOSITORY} exec {sys.executable} -m remote "$@"\n')
    program.chmod(0o755)
    return program


@contextlib.contextmanager
def running(server: Sshd) -> Iterator[Sshd]:
    """The server, started and stopped."""
    server.start()
    try:
        yield server
    finally:
        server.stop()
