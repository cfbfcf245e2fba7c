"""Comparing two packs by name or file, with the reason of each change that an overlay made."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec

from console.checklist.packs.differences import Difference, difference
from console.checklist.packs.loading import checked_pack, layers, pack_path, read_source


def compare(before: Path | str, after: Path | str, overlays: Sequence[Path] = ()) -> Difference:
    """What `after`, with `overlays` laid over it, does differently from `before`. Raises Trouble as load_checklist does."""
    old, new = read_source(pack_path(before)), read_source(pack_path(after))
    laid_over = [read_source(path) for path in overlays]
    found = difference(checked_pack(old), checked_pack(new, laid_over))
    reasons = {
        change.place: layer.overlay.reason
        for layer in layers(new, laid_over)
        for change in difference(layer.before, layer.after).changes
    }
    changes = tuple(msgspec.structs.replace(change, reason=reasons.get(change.place, "")) for change in found.changes)
    return msgspec.structs.replace(found, changes=changes)
