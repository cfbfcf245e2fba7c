"""`fieldgate-agent model validate BUNDLE`: the suite on this machine. stdout is the result, stderr what is done."""

from __future__ import annotations

from pathlib import Path
from typing import Optional

import click
import msgspec

from remote.protocol import Constraints
from remote.verdict_text import EXIT, limits_of, refuse_unwritable, report_text, terminal_width, write_junit

_FILE = click.Path(path_type=Path)


@click.command()
@click.argument("folder", metavar="BUNDLE", type=_FILE)
@click.option(
    "--profile", type=click.Choice(["jetson", "x86"]), help="Whose limits: this machine's own where none is named."
)
@click.option("--limit", "limits", metavar="NAME=NUMBER", multiple=True, help="Instead of the profile's; repeatable.")
@click.option(
    "--runs", default=299, show_default=True, type=click.IntRange(1, 1_000_000), help="Timed runs of each kind."
)
@click.option("--threads", default=1, show_default=True, type=click.IntRange(1, 64), help="Threads of the engine.")
@click.option("--pictures", type=_FILE, help="Recorded pictures to run on, instead of the bundle's golden samples.")
@click.option("--simulation", type=_FILE, help="Results in simulation: CSV with a column `success`.")
@click.option("--hil", type=_FILE, help="Results with hardware in the loop: CSV with a column `success`.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")
@click.option("--junit", type=_FILE, help="Write JUnit XML there too.")
def validate(
    folder: Path,
    profile: Optional[str],
    limits: tuple[str, ...],
    runs: int,
    threads: int,
    pictures: Optional[Path],
    simulation: Optional[Path],
    hil: Optional[Path],
    as_json: bool,
    junit: Optional[Path],
) -> None:
    """Run the validation suite on BUNDLE here. Ends with 0 where all passed, 3 where one failed, 7 where one decided
    nothing.
    """
    from remote.models.bundle import must_be_there
    from remote.models.validation.machine import Machine
    from remote.models.validation.plan import Plan
    from remote.models.validation.suite import validate as run
    from remote.verdicts import profile_of_machine

    if junit is not None:
        refuse_unwritable(junit)
    must_be_there(folder)
    if profile is None:
        profile = profile_of_machine(Machine().words)
        click.echo(f"profile {profile}: this machine's own, as none was named", err=True)
    plan = Plan(
        folder=str(folder),
        profile=profile,
        limits=limits_of(limits),
        runs=runs,
        threads=threads,
        pictures=str(pictures or ""),
        simulation=str(simulation or ""),
        hil=str(hil or ""),
        constraints=Constraints(),
    )
    report = run(plan, say=lambda text: click.echo(f"{text} ...", err=True))
    click.echo(msgspec.json.encode(report).decode() if as_json else report_text(report, terminal_width()), nl=as_json)
    if junit is not None:
        write_junit(junit, report)
    raise click.exceptions.Exit(EXIT[report.verdict])
