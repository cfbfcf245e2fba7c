"""`fieldgate updates show, verify, audit, copy`: what is there, and whether it holds."""

from __future__ import annotations

import time
from contextlib import suppress
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING

import click

from console import exits
from console.commands.updates_words import (
    Passphrases,
    as_json,
    as_person,
    hands_of,
    need_lines,
    print_json,
    repo_argument,
    repository_of,
    tell_expiry,
)
from remote.errors import Trouble

if TYPE_CHECKING:
    from console.models.hands import Hands
    from console.models.repository import Repository
    from console.models.standing import Standing
    from console.models.verifying import Verified


@click.command()
@repo_argument
@as_json
def show(repo: Path, as_json: bool) -> None:
    """How REPO stands. Ends with 3 where a role's metadata has expired: robots refuse it."""
    from console.models.expiring import has_expired
    from console.models.roles import now_utc
    from console.models.standing import standing

    repository = repository_of(repo)
    found = standing(repository, now_utc())
    if as_json:
        print_json(found)
    else:
        click.echo("\n".join(_lines(found, _compared(repository))))
    tell_expiry(found)
    if has_expired(found):
        raise click.exceptions.Exit(exits.ALARM)


def _compared(repository: Repository) -> str:
    """What there is to say of the first root: that this laptop never saw it, or knows another."""
    from console.models.first_root import COMPARE, is_new

    try:
        new = is_new(repository, hands_of(None, Passphrases()))
    except Trouble as trouble:
        return f"DO NOT SIGN: {trouble.what}"
    return f"this laptop sees this repository for the first time; before you sign, {COMPARE}" if new else ""


def _lines(found: Standing, compared: str) -> list[str]:
    lines = [f"repository {found.id[:8]} in {found.folder}", f"  first root {found.first_root}"]
    if compared:
        lines.append(f"  {compared}")
    for role in found.roles:
        who = f"{role.threshold} of {', '.join(role.holders)}"
        left = f"{role.days_left:g} days left" if role.state != "expired" else f"EXPIRED {-role.days_left:g} days ago"
        soon = "  SOON" if role.state == "soon" else ""
        lines.append(f"  {role.role:<9}  version {role.version:<4}  {left}{soon}  signed by {who}")
    lines += _release_lines(found)
    if found.waits is not None:
        lines.append(f"waits: {found.waits.change.text} (begun by {found.waits.change.person})")
        lines += [f"  {line}" for line in found.waits.changes]
        if found.waits.trouble:
            lines.append(f"  DO NOT SIGN: {found.waits.trouble}")
        lines += [f"  {line}" for line in need_lines(found.waits.needs)]
    return lines


def _release_lines(found: Standing) -> list[str]:
    from console.models.differences import whom_words
    from console.printing import in_line

    if found.rollout is None:
        return []
    lines = ["releases:"] if found.releases else ["no release yet"]
    for one in found.releases:
        size = sum(entry.bytes for entry in one.files.values()) / 1e6
        words = f"  {one.number}  {one.name} {one.bundle[:8]}  {size:.1f} MB  for {whom_words(one.needs)}"
        lines.append(words + (f"  {one.notes.splitlines()[0]}" if one.notes.strip() else ""))
        lines += [
            in_line(f"     its maker measured a failure: {why}") for why in found.maker_failed.get(one.number, ())
        ]
    rollout = found.rollout
    if rollout.stopped:
        lines.append(f"release {rollout.release} is STOPPED: {rollout.stopped}")
    elif rollout.release:
        whom = "everyone" if rollout.everyone else ", ".join(rollout.robots)
        lines.append(f"release {rollout.release} is open to {whom}")
    else:
        lines.append("no release is open to anyone")
    return lines


@click.command()
@repo_argument
@click.option("--copy", is_flag=True, help="It is a copy that another laptop made, such as a stick: it has no audit.")
@as_person
@as_json
def verify(repo: Path, copy: bool, person: str | None, as_json: bool) -> None:
    """Take everything of REPO as a robot does, and hold it against its audit and this laptop's. Ends with 3 where it fails."""
    from console.models.verifying import verify as verified

    repository, hands = repository_of(repo), hands_of(person, Passphrases())
    found = verified(repository, hands, copy=copy)
    if found.verdict != "pass":
        _tell_expired(repository, hands)
    _tell_checks(found, as_json)


def _tell_expired(repository: Repository, hands: Hands) -> None:
    from console.models.standing import standing

    with suppress(Trouble):  # what is wrong with it is said by whoever looks closer
        tell_expiry(standing(repository, hands.now(), whole=False), soon=False)


def _tell_checks(found: Verified, as_json: bool) -> None:
    if as_json:
        print_json(found)
    else:
        click.echo("\n".join(f"{one.verdict.upper():<7}  {one.name}: {one.text}" for one in found.checks))
    if found.verdict != "pass":
        raise click.exceptions.Exit(exits.ALARM)


@click.command()
@repo_argument
@as_json
def audit(repo: Path, as_json: bool) -> None:
    """Who did what to REPO, oldest first."""
    from console.models.audit import Audit

    lines = Audit(repository_of(repo).audit_path).lines()
    if as_json:
        print_json(lines)
        return
    for line in lines:
        when = datetime.fromtimestamp(line.wall_ns // 1_000_000_000, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
        click.echo(f"{line.seq:>4}  {when}  {line.person}  {line.act}: {line.text}")


@click.command("copy")
@repo_argument
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--release", "only", type=click.IntRange(1), help="Only this release, not all.")
@as_person
@as_json
def copy_to(repo: Path, folder: Path, only: int | None, person: str | None, as_json: bool) -> None:
    """Copy REPO to FOLDER (a USB stick, a backup) and verify the copy. Ends with 3 where it does not hold.

    A robot takes from it the release that is open to it, as from the network.
    """
    from console.models.copying import copy
    from console.models.publishing import Note, write_line
    from console.models.verifying import copied

    repository, hands = repository_of(repo), hands_of(person, Passphrases())
    said = repository.published().rollout()
    if only is not None and (said.release != only or said.stopped):
        now = f"release {said.release} is stopped" if said.stopped else f"release {said.release} is open"
        click.echo(f"warning: robots will not take release {only} from it: {now}", err=True)
    _tell_expired(repository, hands)
    begun_s = time.monotonic()
    ticks = _Ticks(folder)
    found = copy(repository, folder, only, ticks.done, ticks.begin)
    click.echo(f"copied and read again in {time.monotonic() - begun_s:.1f} s", err=True)
    what = f"release {only}" if only else "all releases"
    with repository.locked():
        write_line(repository, hands, Note("copy", copied(what, folder)))
    _tell_checks(found, as_json)


class _Ticks:
    """Says on stderr what a copy will take, then each file when it is there."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._done = self._files = 0

    def begin(self, files: int, size: int, there: int) -> None:
        """So many files of `size` bytes in all are to be copied, so many are `there` already."""
        self._files = files
        beside = f"; {there} more are there already" if there else ""
        click.echo(f"copying {files} file{'s' * (files != 1)}, {size:,} bytes, to {self._folder}{beside}", err=True)

    def done(self, name: str, size: int) -> None:
        """A file was copied."""
        self._done += 1
        click.echo(f"  {self._done} of {self._files}  {name}  {size:,} bytes", err=True)
