"""A terminal whose locale knows only ASCII gets ASCII without being told."""

from __future__ import annotations

import click
import pytest
from click.testing import CliRunner

from console.commands.live import screen_options


@click.command()
@screen_options
def shown(ascii: bool, **_: object) -> None:
    click.echo(f"ascii {ascii}")


@pytest.mark.parametrize(
    ("locale", "arguments", "ascii"),
    [
        ("", [], False),
        ("C.UTF-8", [], False),
        ("de_DE.UTF-8", [], False),
        ("C", [], True),
        ("POSIX", [], True),
        ("C.UTF-8", ["--ascii"], True),
    ],
)
def test_lc_all_c_draws_in_ascii(locale: str, arguments: list[str], ascii: bool) -> None:
    assert CliRunner().invoke(shown, arguments, env={"LC_ALL": locale}).output == f"ascii {ascii}\n"
