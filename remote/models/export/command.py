"""`model export`: thin, it parses, calls and prints. The digest goes to stdout, what was found to stderr."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from remote.errors import Trouble

if TYPE_CHECKING:
    from remote.models.export.made import ExportReport

MEASURED = ("parity_failed", "bad_output")
"""Codes of what was measured and is not right; told with exit code 3, as a failed validation is."""
TELLS_NOTHING = ("model", "best", "last", "weights", "checkpoint", "final")
"""Names of files that every training writes."""
_PATH = click.Path(path_type=Path)


@click.command()
@click.argument("source", type=_PATH)
@click.option("--output", required=True, type=_PATH, help="The folder to make.")
@click.option("--name", help="The bundle's name.  [default: the source's stem]")
@click.option("--like", type=click.Choice(["yolox", "yolov5", "yolov8"]), help="Whose conventions a detector follows.")
@click.option("--labels", type=_PATH, help="A detector's class names: YAML, or text with one a line.")
@click.option("--contract", type=_PATH, help="A whole contract.yaml instead of --like and --labels.")
@click.option("--size", metavar="WxH", help="A detector's input size.")
@click.option("--factory", metavar="MODULE:FUNCTION", help="Makes the nn.Module that a state_dict is for.")
@click.option("--key", help="Where in the checkpoint the state_dict lies.")
@click.option("--trust-pickle", is_flag=True, help="Run the code in a pickle. Only for files that you made yourself.")
@click.option("--torchscript", is_flag=True, help="Put model.torchscript.pt into the bundle too.")
@click.option("--opset", type=click.IntRange(9, 23), help="Asked for of torch; what came is told.  [default: 17]")
@click.option("--exporter", type=click.Choice(["trace", "dynamo"]), help="Torch's.  [default: trace]")
@click.option("--dynamic", multiple=True, type=click.Choice(["batch", "size"]), help="Leave that axis open.")
@click.option("--golden", type=_PATH, help="A folder of pictures, or recorded observations (.npz, .npy).")
@click.option("--samples", default=5, show_default=True, type=click.IntRange(2, 1000), help="At most so many.")
@click.option("--atol", type=click.FloatRange(0), help="What an output may differ by.")
@click.option("--rtol", type=click.FloatRange(0), help="The same as a share of the output.")
@click.option("--units", type=_PATH, help="A policy's names and units, as YAML.")
@click.option("--normalise", type=_PATH, help="Mean and variance of a policy's observations: .npz or .yaml.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")
def export(source: Path, size: str | None, as_json: bool, **given: Any) -> None:
    """Make a bundle from SOURCE and prove that it does the same.

    SOURCE is a torch checkpoint, TorchScript, a Stable-Baselines3 zip (PPO, SAC, TD3), an ONNX file or a bundle's folder.
    """
    from remote.models.commands import size_of
    from remote.models.export.export import export_model
    from remote.models.export.wishes import Wishes

    try:
        report = export_model(source, Wishes(size=size_of(size), **given))
    except Trouble as trouble:
        if trouble.code not in MEASURED:
            raise
        click.echo(f"{click.get_current_context().find_root().info_name}: {trouble}", err=True)
        raise click.exceptions.Exit(3) from trouble
    click.echo(_text(report), err=True)
    if given["name"] is None and report.name.lower() in TELLS_NOTHING:
        click.echo(
            f"it is called {report.name!r} after {source.name}, as many are: --name gives it one of its own", err=True
        )
    click.echo(_json(report) if as_json else report.digest)


def _json(report: ExportReport) -> str:
    import msgspec

    return msgspec.json.encode(report).decode()


def _text(report: ExportReport) -> str:
    from remote.models.commands import row_text

    tolerance = report.tolerance
    there = "; it was there already" if report.was_there else ""
    rows = [
        ("bundle", f"{report.folder}: {report.name} ({report.task}), from {report.source}{there}"),
        *(("input", f"{name}: {shape}") for name, shape in report.inputs.items()),
        *(("output", f"{name}: {shape}") for name, shape in report.outputs.items()),
        ("golden", f"{report.samples} samples, {report.golden}"),
        ("tolerance", f"{tolerance.absolute:g} + {tolerance.relative:g} x golden"),
        *((check.name, f"{check.verdict}: {check.text}") for check in report.checks),
        ("files", ", ".join(report.files)),
    ]
    return "\n".join(row_text(name, value, 14) for name, value in rows)
