"""Reading packs: from a file or by a shipped pack's name, with overlays, and from the texts that a record keeps."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from console.checklist.pack import Checklist, Pack
from console.checklist.packs.digests import phase_rule_of, revision_of, rule_of
from console.checklist.packs.overlays import Laid, lay
from console.checklist.packs.sources import CODE, Source, Sources
from console.checklist.packs.validity import problems
from console.fieldtest.spans import span_s
from remote import strict_yaml
from remote.errors import Trouble

__all__ = ["load_checklist", "pack_path", "parse_checklist", "shipped_packs", "span_s"]


def load_checklist(pack: Path | str, overlays: Sequence[Path] = ()) -> Checklist:
    """A shipped pack by its name, or a pack's file by its path, with overlays laid over it in that order.

    Raises:
        Trouble: code `bad_pack`, with file, line, place and the nearest known name.
    """
    paths = [pack_path(pack), *overlays]
    named = [read_source(path) for path in paths]
    checked_pack(named[0], named[1:])
    return parse_checklist([(path.name, source.text) for path, source in zip(paths, named, strict=True)])


def parse_checklist(texts: Sequence[tuple[str, str]]) -> Checklist:
    """The same from texts: the pack's first, then its overlays', each with its file's name. Raises Trouble likewise."""
    named = [Source(*text) for text in texts]
    pack = checked_pack(named[0], named[1:])
    rules = {item.id: rule_of(item) for item in pack.items()}
    phase_rules = {phase.id: phase_rule_of(phase) for phase in pack.phases}
    sources = tuple((source.name, source.text) for source in named)
    return Checklist(pack, revision_of(pack), rules, sources, phase_rules)


def checked_pack(source: Source, overlays: Sequence[Source] = ()) -> Pack:
    """The pack in that text, overlays laid over it, nothing wrong with it. Raises Trouble for the first thing that is."""
    pack = laid_pack(source, overlays)
    wrong = next(problems(pack), None)
    if wrong is not None:
        raise Sources(source, overlays).trouble(wrong, pack)
    return pack


def laid_pack(source: Source, overlays: Sequence[Source] = ()) -> Pack:
    """The same, of which only the types are checked."""
    return layers(source, overlays)[-1].after if overlays else read_pack(source)


def layers(source: Source, overlays: Sequence[Source]) -> list[Laid]:
    """What each overlay makes of the pack, in order."""
    pack = read_pack(source)
    laid: list[Laid] = []
    for overlay in overlays:
        laid.append(lay(pack, overlay))
        pack = laid[-1].after
    return laid


def read_source(path: Path) -> Source:
    """A file's text under its path. Raises Trouble where it can't be read."""
    return Source(str(path), strict_yaml.read_text(path, code=CODE))


def read_pack(source: Source) -> Pack:
    """The pack in that text, of which only the types are checked. Raises Trouble."""
    return strict_yaml.parse(source.text, Pack, where=source.name, code=CODE)


def type_troubles(source: Source, kind: Any) -> list[Trouble]:
    """Every value in that text that keeps it from being a `kind` (Pack, OverlayFile). Raises Trouble for what is no YAML."""
    return strict_yaml.faults(source.text, kind, where=source.name, code=CODE)


def shipped_packs() -> dict[str, Path]:
    """The packs that come with fieldgate: each one's name and its file."""
    folder = Path(__file__).resolve().parents[3] / "checklists"
    return {path.parent.name: path for path in sorted(folder.glob("*/checklist.yaml"))}


def pack_path(pack: Path | str) -> Path:
    """The file of a pack: a path (with a slash or a suffix, or of a file that is there), or a shipped pack's name."""
    shipped = shipped_packs()
    if str(pack) in shipped:
        return shipped[str(pack)]
    path = Path(pack)
    if isinstance(pack, Path) or path.exists() or path.suffix or "/" in pack:
        return path
    said = f"no pack is called `{pack}`, and no file is there"
    raise Trouble(said, cure=strict_yaml.nearest_of(pack, shipped, "packs"), code=CODE)
