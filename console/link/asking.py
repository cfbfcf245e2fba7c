"""The questions that a connection may have for a person."""

from __future__ import annotations

import sys
from typing import Protocol

import click


class Asker(Protocol):
    """Answers for a person. May be called from the link's thread; blocking there is fine."""

    def ask_passphrase(self, key_file: str, again: bool) -> str | None:
        """The passphrase of a private key; None to do without that key. `again`: the last answer was wrong."""
        ...

    def confirm_host_key(self, host: str, key_type: str, fingerprint: str) -> bool:
        """Whether to trust a host key never seen before. `fingerprint` is written as OpenSSH does, `SHA256:...`."""
        ...


class RefusingAsker:
    """For pipes, cron and `--no-input`: no passphrase, no new host key."""

    def ask_passphrase(self, key_file: str, again: bool) -> str | None:
        """None."""
        return None

    def confirm_host_key(self, host: str, key_type: str, fingerprint: str) -> bool:
        """False."""
        return False


class AcceptingNewAsker:
    """`--accept-new`: trusts keys never seen before and says so; asks `other` for the rest. A changed key is never asked."""

    def __init__(self, other: Asker) -> None:
        self._other = other

    def ask_passphrase(self, key_file: str, again: bool) -> str | None:
        """See Asker."""
        return self._other.ask_passphrase(key_file, again)

    def confirm_host_key(self, host: str, key_type: str, fingerprint: str) -> bool:
        """True, with a line on stderr."""
        click.echo(f"accepting the new {key_type} key of {host}: {fingerprint}", err=True)
        return True


class TerminalAsker:
    """Asks on stderr, reads from the terminal."""

    def ask_passphrase(self, key_file: str, again: bool) -> str | None:
        """Empty input does without the key."""
        if again:
            click.echo("That passphrase does not open the key.", err=True)
        text: str = click.prompt(
            f"Passphrase for {key_file} (empty: skip this key)",
            hide_input=True,
            default="",
            show_default=False,
            err=True,
        )
        return text or None

    def confirm_host_key(self, host: str, key_type: str, fingerprint: str) -> bool:
        """The safe answer, no, is the default."""
        click.echo(f"The host key of {host} has not been seen before.\n  {key_type} {fingerprint}", err=True)
        click.echo("Compare it with `ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub` on the robot.", err=True)
        return click.confirm("Trust this key and remember it?", default=False, err=True)


class BeforehandAsker:
    """Passes questions on to `other` until `hush`: a full-screen program owns the terminal then, and nothing may ask on it."""

    def __init__(self, other: Asker) -> None:
        self.other: Asker = other

    def hush(self) -> None:
        """From now on nobody is asked."""
        self.other = RefusingAsker()

    def ask_passphrase(self, key_file: str, again: bool) -> str | None:
        """See Asker."""
        return self.other.ask_passphrase(key_file, again)

    def confirm_host_key(self, host: str, key_type: str, fingerprint: str) -> bool:
        """See Asker."""
        return self.other.confirm_host_key(host, key_type, fingerprint)


def asker_for_terminal(*, no_input: bool = False, accept_new: bool = False) -> Asker:
    """Who answers: the terminal where there is one and `no_input` is not set, nobody otherwise."""
    terminal = sys.stdin.isatty() and sys.stderr.isatty() and not no_input
    asker: Asker = TerminalAsker() if terminal else RefusingAsker()
    return AcceptingNewAsker(asker) if accept_new else asker
