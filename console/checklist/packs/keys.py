"""Every key of a pack and of an overlay in one sentence: for editors (the JSON Schema) and for the pages of docs/."""

from __future__ import annotations

from console.checklist.packs.phase_keys import PHASE_MEANINGS, PHASE_TITLES

MEANINGS: dict[str, dict[str, str]] = {
    "Pack": {
        "format": "always 1",
        "name": "the pack's name: the campaign, the roster's scope and overlays call it so",
        "title": "one line for people",
        "version": "your own word for this revision, in quotes; what counts is the digest",
        "description": "what the pack is for, where its limits come from, which hazards its ids mean",
        "roles": "each role's id and what it is; roles are given to people in the roster",
        "stages": "the stages in order; each one's gate opens the way to the next",
        "phases": "the phases of field testing in order, as docs/phases.md describes them",
    },
    "Stage": {
        "id": "its name in the record and in commands",
        "title": "one line for people",
        "purpose": "what is different from here on",
        "items": "its items, in the order in which a person meets them",
        "gate": "what opens the way to the next stage beside its items",
    },
    "Gate": {
        "phases": "phases of field testing that must be passed, by trials of this bundle on this robot",
        "poll": "roles that must each say go; any change of what they said it on asks them again",
        "signatures": "signatures that are needed, each `{meaning, roles}`",
        "overrides_allowed": "`false`: it stays shut while an item of this or an earlier stage is overridden",
    },
    "Signing": {
        "meaning": "`performed`, `witnessed`, `reviewed` or `approved`; all but the first by somebody who performed none of it",
        "roles": "any one of these roles may give it",
    },
    "Item": {
        "id": "its name in the record, in overlays and in commands; never give an old id to a new question",
        "title": "one line for people, what is true when it passes",
        "kind": "`sensed`, `measured`, `confirmed` or `witnessed`",
        "why": "why it matters; stands under a failed item",
        "how": "what to do to answer it",
        "statement": "confirmed and witnessed: the sentence that a person vouches for",
        "criterion": "what is judged against which limit; measured items, and sensed ones whose probe gives a number",
        "probe": "sensed: which probe looks, and its parameters",
        "critical": "`true`: to confirm it, the robot's last four serial digits or the value itself must be typed",
        "hold": "sensed: it must go on passing for that long",
        "latched": "`true`: a fail stays until a fix is recorded against it and it passes again",
        "act": "sensed: a command that a person lets run on the robot before the probe verifies its effect",
        "inspect": "measured, confirmed and witnessed: a `photo` or a `file` must be attached",
        "rests_on": "fingerprints whose change makes it stale; a probe adds its own, and the files that it read",
        "valid_for": "how long a pass counts; without it, until something that it rests on changes",
        "when": "the item applies only where an earlier item is in one of some states; elsewhere it is n/a",
        "one_of": "a group's name: of its items, all in one stage, one that passes is enough; the others are n/a then",
        "override_by": "roles that may let it stand though it is not passed; nobody else can",
        "defer_by": "roles that may put it off to a later stage; nobody else can",
        "hazard": "the hazard that it guards against, as in your hazard list",
        "requirement": "the requirement that it shows, as in your list of requirements",
        "cure": "what to do when it fails",
        "not_applicable": "why it does not apply at all: the item is n/a (usually said by an overlay)",
    },
    "Criterion": {
        "metric": "what is measured: a name of docs/metrics.md, of the probe, or your own for a measured item",
        "statistic": "`value`, `rate`, `p50`, `p95`, `p99`, `max`, `min` or `mean`",
        "comparison": "`<`, `<=`, `>`, `>=` or `==`, what a good value does; in quotes",
        "threshold": "the limit, in `unit`; rates in per cent",
        "unit": "the metric's own unit, or none",
        "margin": "a pass this near to the limit is marginal: passed, and marked",
        "n_min": "fewer trials or readings decide nothing",
        "confidence": "of the one-sided bound, between 0.5 and 1",
        "judge": "`bound` judges the confidence bound, `point` the estimate alone (the bound is shown all the same)",
    },
    "Probe": {
        "name": "a probe of docs/probes.md",
        "parameters": "the probe's own; docs/probes.md and the editor's schema know them",
    },
    "Act": {
        "says": "what the command does, as the person who lets it run is asked",
        "argv": "the program and its arguments, run on the robot without a shell",
        "expect_exit": "the exit status of a command that did its work",
    },
    "When": {
        "item": "an earlier item",
        "states": "any of: pending, running, pass, marginal, fail, stale, unavailable, overridden, deferred, n/a",
    },
    "Overlay": {
        "format": "always 1",
        "overlay": "the overlay's name: a robot's or a site's",
        "pack": "the name of the pack that it belongs to",
        "reason": "why this robot or site differs; lint, diff and the report show it",
        "items": "each item's id and the keys that it changes",
        "phases": "each phase's id and the keys that it changes, as docs/phases.md describes them",
    },
    **PHASE_MEANINGS,
}
"""Struct name of console.checklist.pack, of console.phases.schema, or Criterion, to its keys to their meaning."""


_TITLES = {
    "Pack": "A pack",
    "Stage": "A stage",
    "Gate": "A gate",
    "Signing": "A signature of a gate",
    "Item": "An item",
    "Criterion": "A criterion",
    "Probe": "A probe",
    "Act": "An act",
    "When": "A condition",
    "Overlay": "An overlay",
}


def section() -> str:
    """Every key as the last part of docs/checklists.md."""
    return _section(_TITLES)


def phase_section() -> str:
    """Every key of phases as the last part of docs/phases.md."""
    return _section(PHASE_TITLES)


def _section(titles: dict[str, str]) -> str:
    return "\n".join(f"### {title}\n\n{_table(MEANINGS[name])}\n" for name, title in titles.items())


def _table(meanings: dict[str, str]) -> str:
    rows = (f"| `{key}` | {meaning} |" for key, meaning in meanings.items())
    return "\n".join(("| key | meaning |", "|---|---|", *rows))
