"""`model layers A B`: node by node; names the first one that goes wrong."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from remote.models.comparing.command import FAILED

if TYPE_CHECKING:
    from remote.models.bundle import AnyBundle
    from remote.models.comparing.layers import Layers
    from remote.models.comparing.samples import Feed

_FOLDER = click.Path(path_type=Path)


@click.command()
@click.argument("first", type=_FOLDER)
@click.argument("second", type=_FOLDER)
@click.option("--images", type=_FOLDER, help="Pictures to run; without them golden samples or drawn inputs.")
@click.option("--most", default=8, show_default=True, type=click.IntRange(1, 1000), help="Pictures, evenly spread.")
@click.option("--limit", default=10.0, show_default=True, help="A node below so many dB goes wrong.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")
def layers(first: Path, second: Path, images: Path | None, most: int, limit: float, as_json: bool) -> None:
    """Compare SECOND with FIRST node by node on the same inputs. Exit code 3 where a node goes wrong."""
    from remote.models.bundle import load_any_bundle
    from remote.models.comparing.compare import refuse_unlike
    from remote.models.comparing.layers import compare_layers

    bundles = [load_any_bundle(first), load_any_bundle(second)]
    refuse_unlike(bundles)
    feeds = _feeds(bundles[0], images, most)
    found = compare_layers(bundles[0].model, bundles[1].model, feeds, limit_db=limit)
    click.echo(msgspec.json.encode(found).decode() if as_json else layers_text(found))
    if found.first_wrong is not None:
        raise click.exceptions.Exit(FAILED)


def _feeds(bundle: AnyBundle, images: Path | None, most: int) -> list[Feed]:
    from remote.models.bundle import Bundle
    from remote.models.comparing.samples import from_picture, spread, stored_or_drawn
    from remote.perception.picture_files import list_pictures

    if images is None or not isinstance(bundle, Bundle):
        return stored_or_drawn(bundle)[0]
    return [from_picture(bundle.contract, path) for path in spread(list_pictures(images), most)]


def layers_text(found: Layers) -> str:
    """A line for each node, and which is the first that goes wrong."""
    from remote.models.comparing.parity import decibels

    rows = [("node", "op", "parity", "cosine", "max abs", "weakest part")]
    for one in found.layers:
        if not one.parity.elements:
            continue
        weakest = "-" if one.weakest_db is None else f"{one.weakest_db:.1f} dB at {one.weakest_part}"
        cosine = "-" if one.parity.cosine is None else f"{one.parity.cosine:.6f}"
        rows.append((one.node, one.op, decibels(one.parity), cosine, f"{one.parity.max_abs:.3g}", weakest))
    widths = [max(len(row[at]) for row in rows) for at in range(len(rows[0]))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    lines.append(f"{found.matched} outputs matched of {found.nodes} nodes, {found.samples} inputs")
    wrong = found.first_wrong
    limit = f"{found.limit_db:g} dB"
    lines.append(
        f"first that goes wrong (below {limit}, or a column of a table below 3 dB): {wrong}"
        if wrong
        else f"no node is below {limit}"
    )
    return "\n".join(lines)
