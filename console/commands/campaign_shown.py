"""`fieldgate campaign list`, `show` and `log`: what there is, how it stands, what was written."""

from __future__ import annotations

import sys

import click
import msgspec

from console import exits
from console.commands.campaign_words import as_json, named, opened, print_json, words

FORMAT = 1
"""Of what `show --json` prints; docs/campaign.md lists the fields."""


@click.command("list")
@as_json
def list_campaigns(as_json: bool) -> None:
    """The campaigns of this laptop, also those that can't be opened, with the reason."""
    from console.campaigns.opening import all_campaigns
    from console.printing import in_line

    known = all_campaigns()
    if as_json:
        return print_json([{**one._asdict(), "folder": str(one.folder)} for one in known])
    for one in known:
        told = f"{one.robot}  {one.pack_name}  {one.bundle_name or one.bundle[:12]}  {one.entries} entries"
        click.echo(f"{one.name:<20}  {in_line(one.trouble or told)}")
    if not known:
        click.echo("no campaign yet: `fieldgate campaign new ROBOT --bundle B --pack P` makes one", err=True)
    return None


@click.command()
@words("")
@as_json
def show(words: tuple[str, ...], as_json: bool) -> None:
    """The checklist now: every item with its state, value, limit, age and reason.

    Ends with 0 where every gate is open, which needs every item settled; with 3 else.
    """
    from console.campaigns.state_text import charset_for, state_text
    from console.looking import OfflineSight

    name, _ = named(words, 0)
    with opened(name) as campaign:
        campaign.observe(OfflineSight(campaign.files, campaign.bundle))  # a file may have changed since
        state = campaign.state()
    if as_json:
        print_json({"format": FORMAT, **msgspec.to_builtins(state)})
    else:
        click.echo(state_text(state, charset_for(sys.stdout.encoding)), nl=False)
    if not all(stage.gate.open for stage in state.stages):
        raise click.exceptions.Exit(exits.ALARM)


@click.command()
@words("")
@click.option("--item", help="Only entries about this item.")
@as_json
def log(words: tuple[str, ...], item: str | None, as_json: bool) -> None:
    """Every entry of the record, the oldest first; --json gives the stored lines themselves."""
    from console.campaigns.state_text import entry_line

    name, _ = named(words, 0)
    with opened(name, read_only=True) as campaign:
        if item is not None:
            campaign.item_state(item)
        rows = [row for row in campaign.record.rows() if item in (None, row.item)]
        for row in rows:
            click.echo(row.line if as_json else entry_line(campaign.record.entry(row.seq)))
