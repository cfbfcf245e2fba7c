"""`fieldgate gap`: simulation and reality side by side. stdout is data, stderr is narration."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from console import exits
from remote.errors import Trouble

if TYPE_CHECKING:
    from console.gap.comparing import Comparison
    from console.gap.episodes import Episodes
    from console.gap.findings import Finding
    from console.tables.reading import Table

LIMIT_BYTES = 512 * 1024 * 1024
CAMPAIGN = "campaign:"
FORMAT = 1
F = TypeVar("F", bound=Callable[..., Any])
_json = click.option("--json", "as_json", is_flag=True, help="One JSON object instead of text.")
_file = click.Path(path_type=Path)


@click.group()
def gap() -> None:
    """Say how far reality is from simulation, and what to do about it."""


# ---------------------------------------------------------------- episodes


@gap.command()
@click.argument("sim")
@click.argument("real")
@click.option(
    "--column",
    "columns",
    multiple=True,
    metavar="MEANING=NAME",
    help="What a column means: success=won, or of one side sim:success=won, real:success=ok.",
)
@click.option("--topic", default="", help="The MCAP topic, or the HDF5 group, to read in both files.")
@click.option(
    "--margin", type=click.FloatRange(0.01, 10), default=None, help="Means are close within this share (0.25)."
)
@click.option(
    "--least-transfer", type=click.FloatRange(0.01, 1), default=None, help="Real success over simulated (0.7)."
)
@click.option("--plot", "plots", is_flag=True, help="Show how the episodes of both sides are spread.")
@_json
def compare(
    sim: str,
    real: str,
    columns: tuple[str, ...],
    topic: str,
    margin: float | None,
    least_transfer: float | None,
    plots: bool,
    as_json: bool,
) -> None:
    """Compare SIM with REAL, each a table of episodes or of their steps (CSV, JSON, Parquet, HDF5, MCAP), or campaign:NAME.

    Ends with 0 where every figure is close, 3 where a gap is proven, 7 where something is not decided or only one side tells
    it.
    """
    from console.gap import comparing
    from console.gap.episodes import figure_words
    from console.gap.findings import findings_of

    sides = [_side(given, _chosen(columns, side), topic) for given, side in ((sim, "sim"), (real, "real"))]
    limits = {"margin": margin, "least_transfer": least_transfer}
    found = comparing.compare(
        sides[0], sides[1], **{name: value for name, value in limits.items() if value is not None}
    )
    if not found:
        raise _nothing_shared(sides[0], sides[1])
    findings, lone = findings_of(found), comparing.only_on_one_side(sides[0], sides[1])
    if as_json:
        names = {"sim": sides[0].name, "real": sides[1].name}
        _print_json({**names, "comparisons": found, "findings": findings, "only_on_one_side": lone})
    else:
        _show(sides, found, findings, plots)
        for figure, name in lone.items():
            click.echo(f"\n? Not compared: {figure_words(figure)}\n  only {name} tells it")
    verdicts = {one.verdict for one in found} | ({"inconclusive"} if lone else set())
    _end(exits.ALARM if "gap" in verdicts else exits.NO_DATA if "inconclusive" in verdicts else exits.OK)


def _chosen(columns: tuple[str, ...], side: str) -> dict[str, str]:
    """What `--column` says of that side (sim or real)."""
    found: dict[str, str] = {}
    for given in columns:
        meaning, sign, name = given.partition("=")
        if not sign or not name:
            raise click.UsageError(f"--column wants MEANING=NAME, not '{given}'.")
        of, sign, rest = meaning.partition(":")
        if sign and of not in ("sim", "real"):
            raise click.UsageError(f"--column is of sim: or of real:, not of '{of}:'.")
        if not sign or of == side:
            found[rest or of] = name
    return found


def _side(given: str, chosen: dict[str, str], topic: str) -> Episodes:
    from console.gap.episodes import episodes_of, episodes_of_trials

    if not given.startswith(CAMPAIGN):
        return episodes_of(_table(Path(given), topic), chosen)
    from console.campaigns.opening import open_campaign

    campaign = open_campaign(given.removeprefix(CAMPAIGN), read_only=True)
    try:
        return episodes_of_trials(given, campaign.state().field.trials)
    finally:
        campaign.close()


def _table(path: Path, topic: str) -> Table:
    from console.tables.held import hold
    from console.tables.reading import CODE, read_table

    file = hold(Path.cwd(), str(path.expanduser().absolute()), code=CODE, what="table", limit_bytes=LIMIT_BYTES)
    table = read_table(file, part=topic)
    for warning in table.warnings:
        click.echo(f"{path}: {warning}", err=True)
    return table


def _nothing_shared(sim: Episodes, real: Episodes) -> Trouble:
    has = "; ".join(f"{one.name} has {', '.join(one.columns) or 'nothing'}" for one in (sim, real))
    return Trouble(
        f"the two have no figure in common: {has}", cure="name columns with --column MEANING=NAME", code="bad_table"
    )


def _show(sides: list[Episodes], found: tuple[Comparison, ...], findings: tuple[Finding, ...], plots: bool) -> None:
    from console.gap.episodes import figure_words

    click.echo(f"simulation  {sides[0].name}, {sides[0].n} episodes")
    click.echo(f"reality     {sides[1].name}, {sides[1].n} episodes")
    click.echo(f"\n{'figure':<16} {'simulated':>12} {'real':>12}  verdict")
    for one in found:
        unit = f" {one.unit}" if one.unit else ""
        means = f"{one.sim.mean:>9.4g}{unit:<3} {one.real.mean:>9.4g}{unit:<3}"
        click.echo(f"{figure_words(one.figure):<16} {means}  {one.verdict}: {one.why}")
    for finding in findings:
        mark = "!" if finding.verdict == "gap" else "?"
        click.echo(f"\n{mark} {finding.title}\n  {finding.why}")
        if finding.advice:
            click.echo(f"  -> {finding.advice}")
    if plots:
        _show_plots(found)


def _show_plots(found: tuple[Comparison, ...]) -> None:
    from console.gap.plotting import plot

    for one in found:
        if text := plot(one, colour=sys.stdout.isatty()):
            click.echo(f"\n{text}")


# ---------------------------------------------------------------- poses


@gap.command()
@click.argument("true", type=_file)
@click.argument("estimated", type=_file)
@click.option(
    "--max-gap", "largest_gap_s", type=click.FloatRange(0, 10, min_open=True), default=0.02, show_default=True, help="s"
)
@click.option(
    "--span", "span_s", type=click.FloatRange(0, 3600, min_open=True), default=1.0, show_default=True, help="s"
)
@click.option("--align", type=click.Choice(["none", "rigid", "similarity"]), default="rigid", show_default=True)
@click.option("--topic", default="", help="The MCAP topic, or the HDF5 group, to read in both files.")
@_json
def poses(
    true: Path, estimated: Path, largest_gap_s: float, span_s: float, align: Any, topic: str, as_json: bool
) -> None:
    """Compare ESTIMATED poses with TRUE ones: absolute trajectory error and relative pose error, in the files' unit."""
    from console.gap.trajectories import path_of, pose_errors

    paths = [path_of(_table(path, topic)) for path in (true, estimated)]
    found = pose_errors(paths[0], paths[1], largest_gap_s=largest_gap_s, span_s=span_s, align=align)
    if as_json:
        _print_json(found)
        return
    share = f"{found.matched} of {found.estimated} poses"
    apart = f"no pair further apart than {found.widest_gap_s * 1000:.1f} ms"
    click.echo(f"matched   {share}, {100 * found.coverage:.0f} % of the time; {apart}")
    scale = f", scale {found.scale:.4g}" if align == "similarity" else ""
    click.echo(
        f"ATE       rmse {found.ate_rmse:.4g}, median {found.ate_median:.4g}, max {found.ate_max:.4g} ({align}{scale})"
    )
    if found.rpe_rmse is None:
        click.echo(f"RPE       no two poses lie {span_s:g} s apart")
        return
    turn = "" if found.rpe_turn_rmse_deg is None else f", rotation rmse {found.rpe_turn_rmse_deg:.3g} deg"
    click.echo(
        f"RPE       rmse {found.rpe_rmse:.4g}, max {found.rpe_max:.4g} over {span_s:g} s ({found.rpe_pairs} pairs){turn}"
    )


# ---------------------------------------------------------------- pictures


@gap.command()
@click.argument("sim", type=_file)
@click.argument("real", type=_file)
@_json
def pictures(sim: Path, real: Path, as_json: bool) -> None:
    """Say whether two folders of pictures come from the same world: KID and MMD with a permutation test, liveness first.

    SIM and REAL are folders, or .npy files of features [pictures, numbers] that a network of your own made. Ends with 0 where
    they are not told apart, 3 where they differ, 7 where they can't be compared.
    """
    from console.gap.picture_features import NAME, given_features, picture_set
    from console.gap.picture_sets import compare_sets

    given = {path.suffix == ".npy" for path in (sim, real)}
    if len(given) > 1:
        raise click.UsageError("Give two folders, or two .npy files.")
    read, features = (given_features, "as given") if given == {True} else (picture_set, NAME)
    sets = [read(path) for path in (sim, real)]
    try:
        found = compare_sets(sets[0], sets[1], features)
    except ValueError as error:
        raise Trouble(str(error), cure="make both with the same network", code="bad_features") from error
    if as_json:
        _print_json(found)
    else:
        for name, n, out in (
            (found.sim, found.n_sim, found.left_out_sim),
            (found.real, found.n_real, found.left_out_real),
        ):
            said = "".join(f", {count} {reason}" for reason, count in out.items())
            click.echo(f"{name}: {n} pictures compared{said}")
        if found.kid is not None:
            click.echo(f"KID {found.kid:.4g}, MMD^2 {found.mmd2:.4g} on features: {found.features}")
        click.echo(f"{found.verdict}: {found.why}")
    _end({"different": exits.ALARM, "inconclusive": exits.NO_DATA}.get(found.verdict, exits.OK))


# ---------------------------------------------------------------- several models


@gap.command()
@click.argument("table", type=_file)
@click.option("--model", default="model", show_default=True, help="The column with the model's name.")
@click.option("--sim", default="sim", show_default=True, help="The column with its success in simulation, %.")
@click.option("--real", default="real", show_default=True, help="The column with its success in reality, %.")
@_json
def rank(table: Path, model: str, sim: str, real: str, as_json: bool) -> None:
    """Say whether simulation ranks several models as reality does: SRCC and MMRV, from TABLE with a row for each model."""
    from console.gap.names import nearest
    from console.gap.ranking import ranking
    from console.tables.cells import number
    from console.tables.reading import CODE

    read = _table(table, "")
    for name in (model, sim, real):
        if name not in read.columns:
            raise Trouble(f"{read.name} has no column `{name}`", cure=nearest(name, read.columns), code=CODE)
    numbers = {name: [number(read, row, name) for row in read.rows] for name in (sim, real)}
    names = [str(row.cells.get(model)) for row in read.rows]
    try:
        found = ranking(names=names, simulated=numbers[sim], real=numbers[real])
    except ValueError as error:
        raise Trouble(
            f"{read.name}: {error}", cure="add rows, one for each model that was tried on both sides", code=CODE
        ) from error
    if as_json:
        _print_json(found)
        return
    srcc = (
        "not defined: one side ranks all alike"
        if found.srcc is None
        else f"{found.srcc:+.2f} (p {found.p_value:.3g} if the two rankings had nothing to do with each other)"
    )
    click.echo(f"models  {found.models}\nSRCC    {srcc}\nMMRV    {found.mmrv:.3g} percentage points")
    if found.worst:
        click.echo(f"worst   simulation prefers {found.worst[0]}, in reality {found.worst[1]} is better")


def _print_json(found: object) -> None:
    import msgspec

    click.echo(msgspec.json.encode({"format": FORMAT, **msgspec.to_builtins(found)}).decode())


def _end(code: int) -> None:
    if code != exits.OK:
        raise click.exceptions.Exit(code)
