"""A click group that imports a command's module only when that command is called."""

from __future__ import annotations

import importlib

import click


class LazyGroup(click.Group):
    """Maps each command's name to `(module, attribute, one-line help)`; `--help` imports none of them."""

    def __init__(self, *args: object, lazy: dict[str, tuple[str, str, str]] | None = None, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        self.lazy = lazy or {}

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Every command's name, in the table's order."""
        return [*self.lazy, *super().list_commands(ctx)]

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """Import and return the command; None where there is none of that name."""
        if name not in self.lazy:
            return super().get_command(ctx, name)
        module, attribute, _ = self.lazy[name]
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands with the table's help texts."""
        rows = [(name, text) for name, (_, _, text) in self.lazy.items()]
        with formatter.section("Commands"):
            formatter.write_dl(rows)
