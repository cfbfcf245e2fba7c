"""`model layers A B`: node by node; names the first one that goes wrong."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from remote.errors import Trouble
from remote.models.comparing.command import FAILED, narrate

if TYPE_CHECKING:
    from remote.models.bundle import AnyBundle
    from remote.models.comparing.layers import Layer, Layers
    from remote.models.comparing.samples import Feed

_WEAKEST, _LEAST_NAME = 5, 16
_FOLDER = click.Path(path_type=Path)


@click.command()
@click.argument("first", type=_FOLDER)
@click.argument("second", type=_FOLDER)
@click.option("--images", type=_FOLDER, help="Pictures to run; without them golden samples or drawn inputs.")
@click.option("--most", default=8, show_default=True, type=click.IntRange(1, 1000), help="Pictures, evenly spread.")
@click.option("--limit", default=10.0, show_default=True, help="A node below so many dB goes wrong.")
@click.option("--all", "everything", is_flag=True, help="Every node, not the first wrong and the weakest only.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")
def layers(
    first: Path, second: Path, images: Path | None, most: int, limit: float, everything: bool, as_json: bool
) -> None:
    """Compare SECOND with FIRST node by node on the same inputs. Exit code 3 where a node goes wrong."""
    from remote.models.bundle import load_any_bundle
    from remote.models.comparing.compare import refuse_unlike
    from remote.models.comparing.layers import compare_layers
    from remote.verdict_text import terminal_width

    narrate("reading every file of the 2 bundles")
    bundles = [load_any_bundle(first), load_any_bundle(second)]
    refuse_unlike(bundles)
    feeds, rested_on = _feeds(bundles[0], images, most)
    narrate(f"running every node of both on {rested_on}")
    compared = compare_layers(bundles[0].model, bundles[1].model, feeds, limit_db=limit)
    found = msgspec.structs.replace(compared, rested_on=rested_on)
    text = msgspec.json.encode(found).decode() if as_json else layers_text(found, terminal_width(), everything)
    click.echo(text)
    if found.first_wrong is not None:
        raise click.exceptions.Exit(FAILED)


def _feeds(bundle: AnyBundle, images: Path | None, most: int) -> tuple[list[Feed], str]:
    """What is run, and what it is in words."""
    from remote.models.bundle import Bundle
    from remote.models.comparing.samples import from_picture, spread, stored_or_drawn
    from remote.perception.picture_files import list_pictures

    if images is None:
        feeds, what = stored_or_drawn(bundle)
        return feeds, f"{len(feeds)} {what}"
    if not isinstance(bundle, Bundle):
        raise Trouble("this bundle takes no pictures", cure="Leave --images away", code="usage")
    pictures = list_pictures(images)
    taken = spread(pictures, most)
    return [from_picture(bundle.contract, path) for path in taken], f"{len(taken)} of {len(pictures)} pictures"


def layers_text(found: Layers, width: int, everything: bool = False) -> str:
    """Which node is the first that goes wrong, then the weakest ones, or every node; as wide as `width`."""
    from remote.models.comparing.layers import DEAD_DB, weakest_layers
    from remote.verdict_text import wrapped

    limit, wrong = f"{found.limit_db:g} dB", found.first_wrong
    verdict = f"no node is below {limit}"
    if wrong:
        verdict = f"first that goes wrong (below {limit}, or a column of a table below {DEAD_DB:g} dB): {wrong}"
    of = f"{found.matched} outputs matched of {found.nodes} nodes; rests on {found.rested_on or found.samples}"
    lines = [*wrapped(verdict, width), *wrapped(of, width)]
    shown = found.layers if everything else weakest_layers(found, _WEAKEST)
    if not shown:
        return "\n".join([*lines, "every output is equal"])
    if not everything:
        left = len([one for one in found.layers if one.parity.elements]) - len(shown)
        lines.append(f"the {len(shown)} weakest ({left} more with --all):")
    return "\n".join([*lines, *_table(shown, width)])


def _table(layers: Sequence[Layer], width: int) -> list[str]:
    """A line for each node. Differences are in the tensor's own unit, parts are channels or columns by number."""
    from remote.models.comparing.parity import decibels

    rows = [("op", "parity", "cosine", "largest diff", "weakest part")]
    names = ["node"]
    for one in layers:
        if not one.parity.elements:
            continue
        weakest = "-" if one.weakest_db is None else f"{one.weakest_db:.1f} dB, no. {one.weakest_part}"
        cosine = "-" if one.parity.cosine is None else f"{one.parity.cosine:.4f}"
        rows.append((one.op, decibels(one.parity), cosine, f"{one.parity.max_abs:.3g}", weakest))
        names.append(one.node)
    widths = [max(len(row[at]) for row in rows) for at in range(len(rows[0]))]
    left = max(_LEAST_NAME, width - sum(widths) - 2 * len(widths))
    names = [name if len(name) <= left else f"...{name[3 - left :]}" for name in names]  # names differ at their ends
    widest = max(map(len, names))
    return [
        "  ".join([name.ljust(widest), *(cell.ljust(wide) for cell, wide in zip(row, widths, strict=True))]).rstrip()
        for name, row in zip(names, rows, strict=True)
    ]
