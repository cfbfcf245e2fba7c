"""The paper form: a checklist for a place where no laptop may go. What is written on it is transcribed later, and marked so."""

from __future__ import annotations

from typing import Any

from console.checklist.pack import Checklist, Item, Stage
from console.fieldtest.judging import limit_words
from console.report.pages import paper_html


def paper_form(checklist: Checklist) -> str:
    """The form as HTML, ready to print."""
    pack = checklist.pack
    form = {
        "name": pack.name,
        "title": pack.title,
        "version": pack.version,
        "stages": [_stage(stage) for stage in pack.stages],
    }
    return paper_html(pack=form, revision=checklist.revision)


def _stage(stage: Stage) -> dict[str, Any]:
    polls = [f"{role}: GO / NO GO" for role in stage.gate.poll]
    signatures = [f"{one.meaning} by ({' or '.join(one.roles)})" for one in stage.gate.signatures]
    items = [_item(item) for item in stage.items if item.not_applicable is None]
    return {"title": stage.title, "items": items, "gate": [*polls, *signatures]}


def _item(item: Item) -> dict[str, Any]:
    asked = limit_words(item.criterion)
    return {
        "id": item.id,
        "title": item.title,
        "kind": item.kind,
        "critical": item.critical,
        "hazard": item.hazard,
        "statement": item.statement,
        "how": item.how,
        "asked": asked or {"sensed": "as the probe says"}.get(item.kind, ""),
    }
