"""Real keys, a real SSH agent, and people who own them."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from console.record.roster import Person, Roster

PASSPHRASE = "three small words"


def made_key(folder: Path, name: str, *, passphrase: str = "", kind: str = "ed25519") -> Path:
    """A new private key in `folder`, made by ssh-keygen, with its .pub beside it."""
    path = folder / name
    argv = ["ssh-keygen", "-q", "-t", kind, "-N", passphrase, "-C", f"{name}@desk", "-f", str(path)]
    subprocess.run(argv, check=True)
    return path


def public(path: Path) -> str:
    """The one line of a private key's .pub file."""
    return path.with_name(path.name + ".pub").read_text().strip()


def person(principal: str, name: str, role: str, *keys: Path, until: str | None = None) -> Person:
    """A person with these private keys' public halves."""
    return Person(principal=principal, name=name, roles=(role,), keys=tuple(map(public, keys)), until=until)


def roster_of(*people: Person) -> Roster:
    """A roster of these people."""
    return Roster(people=people)


@contextmanager
def ssh_agent(folder: Path) -> Iterator[dict[str, str]]:
    """A real ssh-agent; yields what the environment needs to reach it."""
    said = subprocess.run(["ssh-agent", "-s", "-a", str(folder / "agent")], capture_output=True, text=True, check=True)
    found = re.search(r"SSH_AGENT_PID=(\d+)", said.stdout)
    assert found, said.stdout
    try:
        yield {"SSH_AUTH_SOCK": str(folder / "agent"), "SSH_AGENT_PID": found.group(1)}
    finally:
        os.kill(int(found.group(1)), 15)


def load_into_agent(path: Path, environment: dict[str, str], passphrase: str) -> None:
    """`ssh-add` the key, its passphrase given by an askpass program as a desktop would."""
    askpass = path.parent / "askpass"
    askpass.write_text(f"#!/bin/sh\necho '{passphrase}'\n")
    askpass.chmod(0o700)
    asked = {"SSH_ASKPASS": str(askpass), "SSH_ASKPASS_REQUIRE": "force", "DISPLAY": ":0"}
    subprocess.run(
        ["ssh-add", "-q", str(path)], env={**os.environ, **environment, **asked}, stdin=subprocess.DEVNULL, check=True
    )
