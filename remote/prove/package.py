"""The file that a proof leaves: a .tar.gz of its folder, whole or not at all."""

from __future__ import annotations

import tarfile
from collections.abc import Sequence
from pathlib import Path

from remote.atomic import replacing
from remote.verdicts import Check, overall


def table(checks: Sequence[Check]) -> str:
    """What was found, for people."""
    rows = [f"{check.verdict:<13}{check.name:<28}{check.text}" for check in checks]
    skipped = sum(check.verdict == "skipped" for check in checks)
    return "\n".join((*rows, "", f"overall: {overall(checks)}; {skipped} of {len(checks)} skipped"))


def pack(folder: Path, output: Path) -> None:
    """Write the folder's files into `output`, under the name of `output` without its endings. Raises OSError."""
    name = output.name.removesuffix(".gz").removesuffix(".tar").removesuffix(".tgz")
    with replacing(output, 0o644) as file, tarfile.open(fileobj=file, mode="w:gz") as archive:
        for path in sorted(folder.iterdir()):
            archive.add(path, f"{name}/{path.name}", recursive=False)
