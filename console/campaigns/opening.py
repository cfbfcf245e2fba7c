"""The campaigns of this laptop: one folder each, made, found and opened by name."""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from console import __version__
from console.campaigns.campaign import Campaign
from console.campaigns.in_force import attach_text, in_force, read_kpis, read_source
from console.campaigns.origin import Origin
from console.checklist.packs.loading import pack_path, parse_checklist
from console.places import data_dir
from console.record.entries import Opened
from console.record.record import FILE, Record
from console.record.roster import default_path, load_roster
from console.robots import Robots
from remote.errors import Trouble

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,62}\Z")
_OURS = re.compile(r"(record\.db(-wal|-shm)?|attachments|origin\.json|\..*\.tmp(-wal|-shm|-journal)?)\Z")


class Listed(NamedTuple):
    """One campaign as a list shows it. `trouble` says why it can't be opened; the other fields are then empty but `name`."""

    name: str
    folder: Path
    robot: str = ""
    bundle: str = ""
    bundle_name: str = ""
    pack_name: str = ""
    entries: int = 0
    trouble: str = ""


def campaigns_dir(root: Path | None = None) -> Path:
    """The folder of all campaigns, made 0700."""
    folder = root or data_dir() / "campaigns"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def new_campaign(
    robot: str,
    bundle: str,
    bundle_name: str,
    pack: Path | str,
    overlays: Sequence[Path] = (),
    name: str | None = None,
    roster: Path | None = None,
    files: Path | None = None,
    person: str = "",
    root: Path | None = None,
    wall_ns: Callable[[], int] = time.time_ns,
) -> Campaign:
    """Begin a campaign; its record then holds the very texts of pack, overlays, roster and the kpis.yaml beside the pack.

    Args:
        robot: a robot of this laptop.
        bundle: the digest of the bundle that it is about.
        bundle_name: what that bundle is called.
        pack: a shipped pack's name, or a file.
        overlays: files, laid over it in that order.
        name: the campaign's name; None makes one of robot and pack.
        roster: who may sign; None takes this laptop's own, where there is one.
        files: the folder that relative paths in the checklist belong to; None: the present folder.
        person: who begins it.
        root: the folder of all campaigns; None: this laptop's.
        wall_ns: the laptop's wall clock.

    Raises:
        Trouble: `unknown_robot`, `bad_pack`, `bad_roster`, `bad_campaign`, `campaign_exists`, or what the record raises. What a
            kill has left of a campaign of that name, a folder with an empty record, is replaced.
    """
    Robots().get(robot)
    path = pack_path(pack)
    sources = [read_source(path), *map(read_source, overlays)]
    checklist, kpis = parse_checklist(sources), read_kpis(path)
    people = roster or (default_path() if default_path().exists() else None)
    if people is not None:
        load_roster(people)
    with _alone(campaigns_dir(root)):
        folder = _free_folder(campaigns_dir(root), name or f"{robot}-{checklist.pack.name}")
        record = Record.create(folder, wall_ns=wall_ns)
        try:
            Origin.of(path, overlays).write(folder)
            texts = [attach_text(record, source) for source in sources]
            body = Opened(
                campaign=folder.name,
                robot=robot,
                bundle=bundle,
                bundle_name=bundle_name,
                pack_name=checklist.pack.name,
                revision=checklist.revision,
                pack=texts[0],
                overlays=tuple(texts[1:]),
                roster=record.attach_file(people) if people is not None else None,
                kpis=attach_text(record, kpis) if kpis is not None else None,
                files=str((files or Path.cwd()).absolute()),
                software=f"fieldgate {__version__}",
            )
            record.append(person, body)
        finally:
            record.close()
    return Campaign(folder, wall_ns=wall_ns)


def open_campaign(
    name: str, root: Path | None = None, *, wall_ns: Callable[[], int] = time.time_ns, read_only: bool = False
) -> Campaign:
    """Open a campaign by its name, or by its robot's where that has only one. Raises Trouble (`unknown_campaign`)."""
    folder = campaigns_dir(root) / name
    if _NAME.match(name) and folder.is_dir():
        if is_unfinished(folder):
            raise _unfinished(name)
        return Campaign(folder, wall_ns=wall_ns, read_only=read_only)
    of_robot = [one for one in all_campaigns(root) if one.robot == name]
    if len(of_robot) == 1:
        return Campaign(of_robot[0].folder, wall_ns=wall_ns, read_only=read_only)
    raise _unknown(name, [one.name for one in of_robot], [one.name for one in all_campaigns(root)])


def campaign_of_robot(robot: str, root: Path | None = None) -> str | None:
    """The name of the robot's campaign; None where it has none. Raises Trouble (`which_campaign`) where it has several."""
    names = [one.name for one in all_campaigns(root) if one.robot == robot]
    if len(names) > 1:
        what = f"'{robot}' has {len(names)} campaigns: {', '.join(names)}"
        raise Trouble(what, cure="name one of them", code="which_campaign")
    return names[0] if names else None


def all_campaigns(root: Path | None = None) -> tuple[Listed, ...]:
    """Every campaign by name, those that can't be opened too."""
    folders = (one for one in campaigns_dir(root).iterdir() if one.is_dir() and _NAME.match(one.name))
    return tuple(map(_listed, sorted(folders)))


def is_unfinished(folder: Path) -> bool:
    """Whether a kill left this campaign before its first entry: no record, or an empty one."""
    if not (folder / FILE).exists():
        return True
    record = Record.open(folder, read_only=True)
    try:
        return record.head().seq == 0
    finally:
        record.close()


@contextmanager
def _alone(root: Path) -> Iterator[None]:
    """Of two that begin a campaign at once the second waits: the first one's empty record is not what a kill has left."""
    descriptor = os.open(root, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _free_folder(root: Path, name: str) -> Path:
    """The folder for a new campaign; what a kill left there is removed."""
    if not _NAME.match(name):
        cure = "use letters, digits, '_', '-' and '.', at most 63 of them, a letter or digit first"
        raise Trouble(f"'{name}' can't be a campaign's name", cure=cure, code="bad_campaign")
    folder = root / name
    if not folder.exists():
        return folder
    strangers = [one.name for one in folder.iterdir() if not _OURS.match(one.name)]
    if strangers or not is_unfinished(folder):
        cure = f"open it with `fieldgate campaign show {name}`, or choose another name (`--name`)"
        raise Trouble(f"a campaign named '{name}' exists already", cure=cure, code="campaign_exists")
    shutil.rmtree(folder)
    return folder


def _listed(folder: Path) -> Listed:
    try:
        if is_unfinished(folder):
            return Listed(folder.name, folder, trouble=_unfinished(folder.name).what)
        record = Record.open(folder, read_only=True)
        try:
            opened = in_force(record, record.rows()).opened
            return Listed(
                folder.name,
                folder,
                opened.robot,
                opened.bundle,
                opened.bundle_name,
                opened.pack_name,
                record.head().seq,
            )
        finally:
            record.close()
    except Trouble as trouble:
        return Listed(folder.name, folder, trouble=trouble.what)


def _unfinished(name: str) -> Trouble:
    what = f"the campaign '{name}' was interrupted before its first entry; nothing is in it"
    return Trouble(what, cure="make it again with `fieldgate campaign new`", code="campaign_unfinished")


def _unknown(name: str, of_robot: Sequence[str], known: Sequence[str]) -> Trouble:
    import difflib

    if of_robot:
        what = f"'{name}' has {len(of_robot)} campaigns: {', '.join(of_robot)}"
        return Trouble(what, cure="name one of them", code="which_campaign")
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.4)
    new = "`fieldgate campaign new ROBOT --bundle B --pack P` makes one"
    cure = f"did you mean '{near[0]}'? Otherwise {new}" if near else new
    return Trouble(f"no campaign is called '{name}'", cure=cure, code="unknown_campaign")
