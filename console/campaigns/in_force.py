"""What a campaign is about now: its first entry and every revision since, folded."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec

from console.checklist.pack import Checklist
from console.checklist.packs.loading import parse_checklist
from console.checklist.packs.sources import CODE, Source
from console.fieldtest import kpis
from console.record.entries import Attachment, Body, Opened, Revised
from console.record.record import Record, Row
from console.record.roster import Roster, parse_roster
from remote import strict_yaml
from remote.errors import Trouble

KPIS = "kpis.yaml"
"""The file beside a pack that says its figures and their limits."""


class InForce(msgspec.Struct, frozen=True, kw_only=True):
    """What is in force since entry `seq`: the fields of Opened with what later revisions put in their place."""

    seq: int
    opened: Opened

    def after(self, seq: int, revised: Revised) -> InForce:
        """The same with one revision more."""
        fields = ("bundle", "bundle_name", "revision", "pack", "overlays", "roster", "kpis")
        new = {name: getattr(revised, name) for name in fields if getattr(revised, name) is not None}
        return InForce(seq=seq, opened=msgspec.structs.replace(self.opened, **new))


def in_force(record: Record, rows: Sequence[Row]) -> InForce:
    """What is in force in a record with these rows. Raises Trouble: `campaign_unfinished` where it has none yet."""
    seqs = [row.seq for row in rows if row.kind in ("opened", "revised")]
    if not seqs:
        what = f"the campaign in {record.folder} was begun and never opened: its record is empty"
        raise Trouble(what, cure="make it again with `fieldgate campaign new`", code="campaign_unfinished")
    return folded((seq, record.entry(seq).body) for seq in seqs)


def folded(bodies: Iterable[tuple[int, Body]]) -> InForce:
    """The first entry and the revisions behind it, in order. Raises Trouble (`record_damaged`) where it begins otherwise."""
    found: InForce | None = None
    for seq, body in bodies:
        if isinstance(body, Opened):
            found = InForce(seq=seq, opened=body)
        elif isinstance(body, Revised) and found is not None:
            found = found.after(seq, body)
    if found is None:
        cure = "`fieldgate verify` says what still holds"
        raise Trouble("the record does not begin with what it is about", cure=cure, code="record_damaged")
    return found


def checklist_of(record: Record, opened: Opened) -> Checklist:
    """The checklist from the very texts that the record keeps. Raises Trouble (`bad_pack`, `attachment_...`)."""
    return parse_checklist([(one.name, _text(record, one)) for one in (opened.pack, *opened.overlays)])


def roster_of(record: Record, opened: Opened) -> Roster:
    """The roster that the record keeps; an empty one where none was given."""
    return Roster() if opened.roster is None else parse_roster(_text(record, opened.roster), opened.roster.name)


def read_source(path: Path) -> Source:
    """A pack's or an overlay's file, as a record keeps it. Raises Trouble (`bad_pack`)."""
    return Source(path.name, strict_yaml.read_text(path, code=CODE))


def attach_text(record: Record, source: Source) -> Attachment:
    """Keep such a text with the record."""
    return record.attach(source.text.encode(), source.name)


def read_kpis(pack: Path) -> Source | None:
    """The kpis.yaml that lies beside a pack's file, checked; None where there is none. Raises Trouble (`bad_kpis`)."""
    path = pack.parent / KPIS
    if not path.exists():
        return None
    text = strict_yaml.read_text(path, code=kpis.CODE)
    kpis.parse_kpis(text, str(path))
    return Source(KPIS, text)


def _text(record: Record, attachment: Attachment) -> str:
    return record.attachment(attachment.digest).decode("utf-8")
