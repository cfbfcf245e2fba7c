"""`fieldgate sign`: sign a stage of a campaign with the person's own SSH key."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from remote.errors import Trouble

if TYPE_CHECKING:
    from console.campaigns.campaign import Campaign
    from console.record.entries import Meaning
    from console.record.signing import KeyChoice

_MEANINGS = ("performed", "witnessed", "reviewed", "approved")


@click.command()
@click.argument("campaign")
@click.option("--stage", help="The stage's id; default: the first whose gate is not open.")
@click.option("--meaning", type=click.Choice(_MEANINGS), required=True, help="What the signature means.")
@click.option("--as", "principal", metavar="PERSON", help="Who you are; else $FIELDGATE_PERSON or your login.")
@click.option(
    "--key", type=click.Path(path_type=Path), help="Your key file, private or .pub; default: found by itself."
)
@click.option("--agent-key", metavar="FINGERPRINT", help="The key of the SSH agent with this SHA256 fingerprint.")
@click.option("--yes", is_flag=True, help="Do not ask; you have read the statement elsewhere.")
def sign(
    campaign: str,
    stage: str | None,
    meaning: Meaning,
    principal: str | None,
    key: Path | None,
    agent_key: str | None,
    yes: bool,
) -> None:
    """Show what would be signed at a stage's gate of CAMPAIGN, ask, and sign it with your SSH key.

    `ssh-keygen` signs: it asks for a passphrase itself, uses the SSH agent, and waits for the touch of a security key.
    """
    from console.campaigns.opening import open_campaign
    from console.people import who

    if key is not None and agent_key is not None:
        raise click.UsageError("Give --key or --agent-key, not both.")
    opened = open_campaign(campaign)
    try:
        person = who(principal)
        _sign(opened, stage or opened.state().stage, meaning, person, _choice(opened, person, key, agent_key), yes)
    finally:
        opened.close()


def _choice(campaign: Campaign, principal: str, key: Path | None, agent_key: str | None) -> KeyChoice:
    from console.record.signing import AgentKey, KeyFile, default_key

    if key is not None:
        return KeyFile(key)
    return AgentKey(agent_key) if agent_key is not None else default_key(campaign.roster.person(principal))


def _sign(campaign: Campaign, stage: str, meaning: Meaning, principal: str, key: KeyChoice, yes: bool) -> None:
    from console.record.signing import check_key, check_ssh_keygen, public_half

    check_ssh_keygen()
    check_key(campaign.roster, principal, public_half(key))
    shown = campaign.statement(stage, meaning, principal, key)
    encoding = sys.stdout.encoding or "ascii"
    click.echo(shown.decode().encode(encoding, "backslashreplace").decode(encoding), nl=False)
    _warn(campaign, stage)
    if not yes and not _confirmed():
        raise Trouble("nothing was signed", code="not_confirmed")
    given = campaign.sign(stage, meaning, principal, key, shown=shown, tell=lambda words: click.echo(words, err=True))
    signature = given.signature
    statement = campaign.folder / "attachments" / signature.statement.digest
    click.echo(
        f"signed: entry {given.seq}, {signature.meaning} by {signature.name} as {signature.role} with {signature.key}\n"
        f"the statement is {statement}\n"
        f"check it with `fieldgate verify {campaign.name}`, or with OpenSSH alone as docs/record.md says",
        err=True,
    )


def _warn(campaign: Campaign, stage: str) -> None:
    """Say what besides signatures keeps the gate shut: whoever signs too early may have to sign again."""
    from console.printing import in_line

    blocked_by = campaign.stage_state(stage).gate.blocked_by
    for why in (one for one in blocked_by if not one.startswith("signature missing")):
        click.echo(in_line(f"warning: the gate of '{stage}' can't open as things are: {why}"), err=True)


def _confirmed() -> bool:
    try:
        return click.confirm("\nSign this?", err=True)
    except click.Abort as abort:
        if sys.stdin.isatty():
            raise  # Ctrl+C, Ctrl+D
        what, cure = "there is no terminal to ask on; nothing was signed", "read the statement, then add --yes"
        raise Trouble(what, cure=cure, code="not_confirmed") from abort
