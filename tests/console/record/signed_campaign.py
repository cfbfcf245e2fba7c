"""A campaign signed by two people with real keys, and the tools of somebody who wants to forge it."""

from __future__ import annotations

import hashlib
import json
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

from console.campaigns.campaign import Campaign
from console.campaigns.opening import campaigns_dir
from console.record.export import read_json, write_json
from console.record.record import FILE, Record
from console.record.rows import Head, RecordLike
from tests.console.checklist.campaign_world import World

PACK = """\
format: 1
name: signed
title: A pack with one gate
version: "1"
roles: {engineer: builds it, safety: reviews it, lead: answers for it}
stages:
  - id: bench
    title: On the bench
    items:
      - {id: fence, title: The fence is shut, kind: confirmed, statement: The fence around the cell is shut.}
      - {id: sheet, title: The procedure is posted, kind: confirmed, statement: The procedure hangs at the cell.}
      - id: force
        title: Gripping force
        kind: measured
        criterion: {metric: grip_force_n, comparison: "<", threshold: 40, unit: N}
        valid_for: 9000 d
        override_by: [lead]
    gate:
      signatures:
        - {meaning: performed, roles: [engineer]}
        - {meaning: reviewed, roles: [safety]}
"""
PERFORMED, REVIEWED = 6, 8
"""The entries with the two signatures; 7 is a note between them, 9 and 10 are notes behind them."""
Entries = list[dict[str, Any]]


def signed(world: World, name: str = "signed", robot: str = "orin") -> Campaign:
    """Ten entries: opened, three items, a note with a file, a signature, a note, a signature, two notes."""
    pack = world.folder / "signed.yaml"
    pack.write_text(PACK)
    campaign = world.campaign(pack=pack, name=name, robot=robot)
    campaign.confirm("fence", True, "anna")
    campaign.confirm("sheet", True, "anna")
    campaign.measure("force", 31.5, "anna")
    campaign.note("how it looked", "anna", files=[world.photo()])
    campaign.sign("bench", "performed", "anna", world.key("anna"))
    campaign.note("lunch", "anna")
    campaign.sign("bench", "reviewed", "bo", world.key("bo"))
    campaign.note("packed up", "anna")
    campaign.note("switched off", "anna")
    return campaign


def folder_of(name: str) -> Path:
    """Where a campaign lies."""
    return campaigns_dir() / name


class Forger:
    """What a person can do who has the file: read the entries, change them, chain them anew, store them.

    Args:
        folder: a campaign's folder, which is changed.
        as_json: store the forgery as a JSON record, with a head of its own.
    """

    def __init__(self, folder: Path, as_json: bool) -> None:
        self.folder = folder
        self.as_json = as_json
        self._json = folder / "forged.json"

    def entries(self) -> Entries:
        record = Record.open(self.folder, read_only=True)
        try:
            return [json.loads(row.line) for row in record.rows()]
        finally:
            record.close()

    def attach(self, data: bytes) -> dict[str, Any]:
        """Put a file among the attachments, named rightly."""
        digest = hashlib.sha256(data).hexdigest()
        (self.folder / "attachments" / digest).write_bytes(data)
        return {"digest": digest, "name": "forged.yaml", "media": "application/yaml", "bytes": len(data)}

    def store(self, entries: Entries, *, chain: bool) -> RecordLike:
        """Write the entries; `chain`: number and chain them anew. Returns the record as a verifier opens it."""
        if chain:
            prev = "0" * 64
            for number, entry in enumerate(entries, 1):
                entry["seq"], entry["prev"] = number, prev
                prev = digest_as_stored(entry)
        connection = sqlite3.connect(self.folder / FILE)
        for trigger in ("entries_stay", "entries_keep", "entries_grow"):
            connection.execute(f"DROP TRIGGER IF EXISTS {trigger}")
        connection.execute("DELETE FROM entries")
        seqs = [entry["seq"] for entry in entries]
        in_order = seqs == sorted(set(seqs)) and 0 not in seqs  # else the table would sort the forgery away
        for number, entry in enumerate(entries, 1):
            body = entry["body"]
            seq = entry["seq"] if in_order else number
            row = (
                seq,
                body["type"],
                body.get("item") or body.get("stage") or "",
                digest_as_stored(entry),
                _line(entry),
            )
            connection.execute("INSERT INTO entries VALUES (?, ?, ?, ?, ?)", row)
        connection.commit()
        connection.close()
        return self.opened()

    def opened(self) -> RecordLike:
        record = Record.open(self.folder, read_only=True)
        if not self.as_json:
            return record
        write_json(record, self._json)
        record.close()
        return read_json(self._json)


def copied(folder: Path, to: Path) -> Path:
    """A copy that may be forged."""
    shutil.copytree(folder, to)
    return to


def head_of(folder: Path) -> Head:
    """The record's head, as somebody writes it down."""
    record = Record.open(folder, read_only=True)
    try:
        return record.head()
    finally:
        record.close()


def changed(change: Callable[[Entries], object]) -> Callable[[Entries], Entries]:
    """A forgery that changes the entries in their place."""

    def apply(entries: Entries) -> Entries:
        change(entries)
        return entries

    return apply


def _line(entry: dict[str, Any]) -> bytes:
    return json.dumps(entry, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def digest_as_stored(entry: dict[str, Any]) -> str:
    """The digest of an entry as a Forger stores it."""
    return hashlib.sha256(_line(entry)).hexdigest()
