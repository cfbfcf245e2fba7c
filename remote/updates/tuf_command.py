"""`fieldgate-agent tuf`: the bare TUF client, as the public conformance suite wants it. Same Updater, fetcher and limits."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

import click
from tuf.ngclient import Updater

from remote.errors import Trouble
from remote.updates.fetcher import CONFIG, Fetcher
from remote.updates.files import FileFetcher
from remote.updates.staging import staging
from remote.updates.troubles import told

_ROOT = "bootstrap.json"
"""Beside the metadata's folder: what `init` was given."""


@click.group()
@click.option("--metadata-dir", type=click.Path(path_type=Path, file_okay=False), required=True)
@click.option("--metadata-url", default="")
@click.option("--target-name", default="")
@click.option("--target-base-url", default="")
@click.option("--target-dir", type=click.Path(path_type=Path, file_okay=False))
@click.pass_context
def tuf(context: click.Context, /, **options: object) -> None:
    """Refresh metadata and download targets of any TUF repository; exit code 1 where anything is refused."""
    context.obj = options


@tuf.command()
@click.argument("root", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@click.pass_obj
def init(options: dict[str, Path], root: Path) -> None:
    """Trust this root."""
    folder = options["metadata_dir"]
    folder.mkdir(parents=True, exist_ok=True)
    _bootstrap(folder).write_bytes(root.read_bytes())
    (folder / "root.json").write_bytes(root.read_bytes())


@tuf.command()
@click.pass_obj
def refresh(options: dict[str, str]) -> None:
    """Bring the metadata up to date."""
    _refreshed(options)


@tuf.command()
@click.pass_obj
def download(options: dict[str, str]) -> None:
    """Bring the metadata up to date and fetch one target."""
    updater = _refreshed(options)
    name = options["target_name"]
    with told("the metadata"):
        target = updater.get_targetinfo(name)
    if target is None:
        raise Trouble(f"there is no target {name!r}", cure="look for its name in the repository", code="no_target")
    base = options["target_base_url"].rstrip("/") + "/"
    with staging(Path(options["target_dir"])) as into:
        FileFetcher(base, into, lambda place: None).fetch(target, quote(name, safe=""))


def _bootstrap(folder: Path) -> Path:
    return folder.parent / f".{folder.name}.{_ROOT}"


def _refreshed(options: dict[str, str]) -> Updater:
    folder = Path(options["metadata_dir"])
    with told("the metadata"):
        root = _bootstrap(folder).read_bytes()
        updater = Updater(str(folder), options["metadata_url"], fetcher=Fetcher(), config=CONFIG, bootstrap=root)
        updater.refresh()
    return updater
