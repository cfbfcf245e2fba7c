"""`fieldgate robot`: the robots of this laptop."""

from __future__ import annotations

import json

import click
import msgspec

from console.robots import DEFAULT_ROOT, Robot, Robots, Settings
from remote.errors import Trouble

_JSON = click.option("--json", "as_json", is_flag=True, help="One JSON value on stdout.")


@click.group()
def robot() -> None:
    """The robots of this laptop: their names and how to reach them."""


@robot.command()
@click.argument("name")
@click.argument("address")
@click.option(
    "--transport",
    type=click.Choice(["paramiko", "openssh"]),
    default="paramiko",
    show_default=True,
    help="The way there.",
)
@click.option("--root", default=DEFAULT_ROOT, show_default=True, help="Folder on the robot for fieldgate's versions.")
@click.option("--home", help="The agent's own folder on the robot, instead of the user's state directory.")
@click.option("--start-agent", is_flag=True, help="Attaching starts an agent where none runs.")
@click.option("--replace", is_flag=True, help="Overwrite a robot of that name.")
def add(name: str, address: str, transport: str, root: str, home: str | None, start_agent: bool, replace: bool) -> None:
    """Add a robot. ADDRESS is user@host, user@host:port or an alias of ~/.ssh/config."""
    made = Robot(
        name=name,
        address=address,
        transport="openssh" if transport == "openssh" else "paramiko",
        root=root,
        home=home,
        settings=Settings(start_agent=start_agent),
    )
    robots = Robots()
    robots.add(made, replace=replace)
    click.echo(f"added '{name}' to {robots.path}; next: `fieldgate deploy {name}`", err=True)


@robot.command("list")
@_JSON
def list_robots(as_json: bool) -> None:
    """List the robots: name, transport, address."""
    known = Robots().all()
    if as_json:
        click.echo(json.dumps([_plain(one) for one in known]))
        return
    width = max(len(one.name) for one in known)
    for one in known:
        click.echo(f"{one.name:<{width}}  {one.transport:<8}  {one.address or 'this machine'}")


@robot.command()
@click.argument("name")
@_JSON
def show(name: str, as_json: bool) -> None:
    """Show one robot, and what the SSH configuration makes of its address."""
    one = Robots().get(name)
    fields = {**_plain(one), **_resolved(one)}
    if as_json:
        click.echo(json.dumps(fields))
        return
    for key, value in fields.items():
        click.echo(f"{key:<16} {value if not isinstance(value, dict) else json.dumps(value)}")


@robot.command()
@click.argument("name")
@click.option("--yes", is_flag=True, help="Do not ask.")
def remove(name: str, yes: bool) -> None:
    """Forget a robot. What the store holds of it stays; nothing is done on the robot."""
    robots = Robots()
    robots.get(name)
    if not yes and not click.confirm(f"Forget the robot '{name}'?", err=True):
        raise Trouble("nothing was changed", code="not_confirmed")
    robots.remove(name)
    click.echo(f"removed '{name}'", err=True)


def _plain(one: Robot) -> dict[str, object]:
    return {"name": one.name, **msgspec.structs.asdict(one), "settings": msgspec.structs.asdict(one.settings)}


def _resolved(one: Robot) -> dict[str, object]:
    if one.transport == "local":
        return {}
    from console.link.ssh_config import resolve

    target = resolve(one.address)
    return {
        "host": target.host,
        "port": target.port,
        "user": target.user,
        "identity_files": [str(path) for path in target.identity_files],
        "proxy_jump": ",".join(target.proxy_jump),
    }
