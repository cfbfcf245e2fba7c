"""The robot's half of this very fieldgate as a wheel, from a checkout or an installed package alike."""

from __future__ import annotations

import base64
import hashlib
import io
import zipfile
from collections.abc import Iterator
from importlib import metadata, util
from pathlib import Path

from console import __version__
from console.places import cache_dir
from remote.atomic import write_atomically
from remote.errors import Trouble

_LEFT_OUT = ("__pycache__",)
_TIME = (2020, 1, 1, 0, 0, 0)  # equal files must give equal wheels, so that deploying again changes nothing
_ENTRY_POINTS = "[console_scripts]\nfieldgate-agent = remote.cli:main\n"
_WHEEL = "Wheel-Version: 1.0\nGenerator: fieldgate\nRoot-Is-Purelib: true\nTag: py3-none-any\n"


def robot_wheel(folder: Path | None = None) -> Path:
    """Write the wheel of package `remote` into `folder` (None: the cache) and return its file.

    It holds what the robot runs and nothing of the console; its name and version are those of fieldgate.
    """
    folder = folder or cache_dir() / "wheels" / "fieldgate"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"fieldgate-{__version__}-py3-none-any.whl"
    data = _wheel_bytes()
    if not path.exists() or path.read_bytes() != data:
        write_atomically(path, data, mode=0o644)
    return path


def _wheel_bytes() -> bytes:
    info = f"fieldgate-{__version__}.dist-info"
    files = dict(_package_files())
    files[f"{info}/METADATA"] = _metadata().encode()
    files[f"{info}/WHEEL"] = _WHEEL.encode()
    files[f"{info}/entry_points.txt"] = _ENTRY_POINTS.encode()
    record = "".join(f"{name},{_record_hash(data)},{len(data)}\n" for name, data in files.items())
    files[f"{info}/RECORD"] = (record + f"{info}/RECORD,,\n").encode()
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            entry = zipfile.ZipInfo(name, _TIME)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, data)
    return buffer.getvalue()


def _package_files() -> Iterator[tuple[str, bytes]]:
    spec = util.find_spec("remote")
    if spec is None or not spec.submodule_search_locations:
        raise Trouble("the package `remote` of this fieldgate can't be found", cure="install fieldgate again")
    root = Path(next(iter(spec.submodule_search_locations)))
    for path in sorted(root.rglob("*")):
        if path.is_file() and not any(part in _LEFT_OUT for part in path.parts):
            yield f"remote/{path.relative_to(root).as_posix()}", path.read_bytes()


def _metadata() -> str:
    head = f"Metadata-Version: 2.1\nName: fieldgate\nVersion: {__version__}\nRequires-Python: >=3.10\n"
    try:
        requires = metadata.requires("fieldgate") or []
    except metadata.PackageNotFoundError:
        requires = []
    return head + "".join(f"Requires-Dist: {line}\n" for line in requires if "extra ==" not in line)


def _record_hash(data: bytes) -> str:
    return "sha256=" + base64.urlsafe_b64encode(hashlib.sha256(data).digest()).decode().rstrip("=")
