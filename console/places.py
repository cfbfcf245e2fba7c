"""Where fieldgate keeps its files on the laptop. Each function raises Trouble (`no_place`) where that can't be used."""

from __future__ import annotations

import os
from pathlib import Path

from remote.errors import Trouble


def config_dir() -> Path:
    """The folder of robots.yaml and settings, made 0700. `$FIELDGATE_HOME/config` where that variable is set."""
    return _private(_below_home("config") or _platform("user_config_path"))


def data_dir() -> Path:
    """The folder of the store and its pictures, made 0700. `$FIELDGATE_HOME/data` where that variable is set."""
    return _private(_below_home("data") or _platform("user_data_path"))


def cache_dir() -> Path:
    """The folder of downloaded wheels, made 0700. `$FIELDGATE_HOME/cache` where that variable is set."""
    return _private(_below_home("cache") or _platform("user_cache_path"))


def _below_home(part: str) -> Path | None:
    home = os.environ.get("FIELDGATE_HOME")
    return Path(home) / part if home else None


def _platform(function: str) -> Path:
    import platformdirs

    path: Path = getattr(platformdirs, function)("fieldgate", appauthor=False)
    return path


def _private(path: Path) -> Path:
    """Raises Trouble (`no_place`) where there is no such folder and it can't be made."""
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        cure = "set FIELDGATE_HOME to a folder that you may write to"
        raise Trouble(f"{path} can't be used as a folder: {error.strerror}", cure=cure, code="no_place") from error
    return path
