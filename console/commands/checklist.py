"""`fieldgate checklist`: packs of items: which there are, what they say, what is wrong with them, how two differ."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from console import exits
from remote.errors import Trouble

if TYPE_CHECKING:
    from console.checklist.pack import Item
    from console.checklist.packs.differences import Difference
    from console.checklist.packs.linting import Remark

_FILE = click.Path(dir_okay=False, path_type=Path)
_OVERLAY = click.option("--overlay", "overlays", type=_FILE, multiple=True, help="Lay this file over it; repeatable.")
_JSON = click.option("--json", "as_json", is_flag=True, help="JSON on stdout.")


@click.group()
def checklist() -> None:
    """The packs that campaigns go through. docs/checklists.md tells how to write one."""


@checklist.command("list")
@_JSON
def list_packs(as_json: bool) -> None:
    """The packs that come with fieldgate."""
    from console.checklist.packs.loading import load_checklist, shipped_packs

    packs = {name: load_checklist(path) for name, path in shipped_packs().items()}
    if as_json:
        rows = (
            {"name": name, "title": known.pack.title, "version": known.pack.version, "revision": known.revision,
             "stages": len(known.pack.stages), "items": len(known.rules), "path": str(shipped_packs()[name])}
            for name, known in packs.items()
        )  # fmt: skip
        return _print_json(list(rows))
    for name, known in packs.items():
        counts = f"{len(known.pack.stages)} stages, {len(known.rules)} items"
        click.echo(f"{name:<12}{counts:<22}{known.revision[:8]}  {known.pack.title}")
    return None


@checklist.command()
@click.argument("pack")
@_OVERLAY
@click.option("-o", "--output", type=_FILE, help="Write it here; else to stdout.")
def paper(pack: str, overlays: tuple[Path, ...], output: Path | None) -> None:
    """Write PACK as a paper form (HTML, to be printed), for places where no laptop may go.

    What is filled in there is entered later with --transcribed-by and --transcribed-at, and stays marked.
    """
    from console.checklist.packs.loading import load_checklist
    from console.report.paper import paper_form

    form = paper_form(load_checklist(pack, overlays))
    if output is None:
        return click.echo(form)
    try:
        output.write_text(form, encoding="utf-8")
    except OSError as error:
        what = f"{output} can't be written: {error.strerror}"
        raise Trouble(what, cure="choose another file with -o", code="unwritable") from error
    return click.echo(str(output))


@checklist.command()
@click.argument("pack")
@click.option("--item", help="Everything that this item says.")
@_OVERLAY
@_JSON
def show(pack: str, item: str | None, overlays: tuple[Path, ...], as_json: bool) -> None:
    """Show PACK (a shipped pack's name, or a file): its stages, items, limits, gates."""
    from console.checklist.packs.loading import load_checklist
    from console.checklist.packs.showing import item_text, pack_text

    known = load_checklist(pack, overlays)
    chosen = _item(known.pack.items(), item) if item else None
    if as_json:
        whole = {"revision": known.revision, "rules": known.rules, "pack": known.pack}
        return _print_json({"rule": known.rules[chosen.id], "item": chosen} if chosen else whole)
    return click.echo(item_text(known, chosen) if chosen else pack_text(known), nl=False)


@checklist.command()
@click.argument("files", nargs=-1, required=True)
@_OVERLAY
@click.option("--strict", is_flag=True, help="Warnings fail too.")
@_JSON
def lint(files: tuple[str, ...], overlays: tuple[Path, ...], strict: bool, as_json: bool) -> None:
    """Say what is wrong with packs (files or shipped names); exit 1 for errors, with --strict for warnings too.

    A file that is an overlay is laid over the shipped pack that it belongs to.
    """
    from console.checklist.packs.linting import lint_file

    found = {file: lint_file(file, overlays) for file in files}
    if as_json:
        _print_json([{"file": file, "remarks": remarks} for file, remarks in found.items()])
    else:
        for file, remarks in found.items():
            _print_remarks(file, remarks)
    bad = [remark for remarks in found.values() for remark in remarks if strict or remark.level == "error"]
    sys.exit(exits.TROUBLE if bad else exits.OK)


@checklist.command()
@click.argument("before", metavar="A")
@click.argument("after", metavar="B")
@click.option("--overlay", "overlays", type=_FILE, multiple=True, help="Lay this file over B; repeatable.")
@_JSON
def diff(before: str, after: str, overlays: tuple[Path, ...], as_json: bool) -> None:
    """What pack B does differently from pack A, and which evidence goes stale by it."""
    from console.checklist.packs.comparing import compare

    found = compare(before, after, overlays)
    if as_json:
        return _print_json(found)
    return _print_difference(found)


@checklist.command()
@click.option("--overlay", "of_overlay", is_flag=True, help="That of overlays instead of packs.")
def schema(of_overlay: bool) -> None:
    """Print the JSON Schema (2020-12) with which an editor completes and checks packs."""
    from console.checklist.packs.schema import overlay_schema, pack_schema, schema_text

    click.echo(schema_text(overlay_schema() if of_overlay else pack_schema()), nl=False)


def _item(items: tuple[Item, ...], id: str) -> Item:
    found = next((item for item in items if item.id == id), None)
    if found is None:
        from remote.strict_yaml import nearest_of

        cure = nearest_of(id, (item.id for item in items), "items")
        raise Trouble(f"the pack has no item `{id}`", cure=cure, code="bad_pack")
    return found


def _print_remarks(file: str, remarks: list[Remark]) -> None:
    if not remarks:
        click.echo(f"{file}: nothing to say")
    for remark in remarks:
        click.echo(f"{remark.level}: {remark.what}\n  -> {remark.cure}")


def _print_difference(found: Difference) -> None:
    from console.printing import in_line

    for word, ids in (("added", found.added), ("removed", found.removed)):
        for id in ids:
            click.echo(f"{word}: {id}")
    for change in found.changes:
        click.echo(in_line(change.words()))
    if found.stale:
        click.echo(f"goes stale: {', '.join(found.stale)}")
    if not (found.added or found.removed or found.changes):
        click.echo("no difference")


def _print_json(value: Any) -> None:
    import msgspec

    click.echo(msgspec.json.format(msgspec.json.encode(value)).decode())
