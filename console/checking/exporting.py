"""Handing out a campaign: the report's folder, the record as one file, the paper form."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from remote.errors import Trouble
from remote.protocol import Choice

if TYPE_CHECKING:
    from console.campaigns.campaign import Campaign

_WHAT = {
    "report": ("{}-report/", "the report for people, with signatures that OpenSSH can check"),
    "record": ("{}.json", "the whole record: `fieldgate verify` checks it anywhere"),
    "paper": ("{}-form.html", "the checklist as a paper form"),
}


def choices(name: str) -> tuple[Choice, ...]:
    """What can be written, with the name of the file."""
    return tuple(Choice(what, f"{file.format(name)}  {text}") for what, (file, text) in _WHAT.items())


def export_as(campaign: Campaign, what: str, folder: Path) -> str:
    """Write it into `folder`; returns a sentence that names it. Blocks. Raises Trouble where it can't be written."""
    target = folder / _WHAT[what][0].format(campaign.name)
    if what == "report":
        _report(campaign, target)
    elif what == "record":
        from console.record.export import write_json

        write_json(campaign.record, target)
    else:
        _paper(campaign, target)
    return f"written: {target}"


def _report(campaign: Campaign, folder: Path) -> None:
    from console.record.roster import allowed_signers
    from console.report.writing import sheet_of_record, write_pages

    signers = allowed_signers(campaign.roster)
    write_pages(sheet_of_record(campaign.state(), campaign.checklist, campaign.record, allowed_signers=signers), folder)


def _paper(campaign: Campaign, file: Path) -> None:
    from console.report.paper import paper_form
    from remote.atomic import write_atomically

    try:
        write_atomically(file, paper_form(campaign.checklist).encode())
    except OSError as error:
        cure = "free space, or start fieldgate in another folder"
        raise Trouble(f"{file} can't be written: {error.strerror}", cure=cure, code="report_unwritten") from error
