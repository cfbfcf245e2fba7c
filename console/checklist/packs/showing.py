"""A pack as text: its stages, its items, and what they ask for."""

from __future__ import annotations

from collections.abc import Iterator

from console.checklist.pack import Checklist, Item, Stage
from console.checklist.packs.filling import hanging as _hanging
from console.checklist.packs.filling import paragraphs as _paragraphs
from console.checklist.packs.phase_showing import phase_lines
from console.checklist.probes import PROBES
from console.fieldtest.judging import limit_words
from console.printing import in_line

WIDTH = 80


def asks(item: Item) -> str:
    """What passes an item, in a few words: `p99 < 500 ms, upper bound at 95 %, n >= 299`, `two people vouch`."""
    if item.criterion is not None:
        return f"{item.criterion.metric} {limit_words(item.criterion)}"
    if item.probe is not None:
        return PROBES[item.probe.name].meaning
    return "two people vouch" if item.kind == "witnessed" else "one person vouches"


def pack_text(checklist: Checklist, width: int = WIDTH) -> str:
    """The whole pack, an item in two or three lines."""
    pack = checklist.pack
    head = [in_line(f"{pack.name} {pack.version}  {pack.title}"), f"revision {checklist.revision[:16]}"]
    described = ["", *_paragraphs(pack.description, "", width)] if pack.description else []
    stages = [line for number, stage in enumerate(pack.stages, 1) for line in _stage(number, stage, width)]
    phases = [line for number, phase in enumerate(pack.phases, 1) for line in phase_lines(number, phase, width)]
    return "\n".join([*head, *described, *stages, *phases]).rstrip() + "\n"


def item_text(checklist: Checklist, item: Item, width: int = WIDTH) -> str:
    """Everything that one item says."""
    stage = next(stage for stage in checklist.pack.stages if item in stage.items)
    kind = f"stage {stage.id}, {', '.join(_modifiers(item))}"
    lines = [*_hanging(f"{item.id}  ", item.title, width), *_hanging("", kind, width), ""]
    pairs = {
        "passes when": asks(item),
        "statement": item.statement,
        "why": item.why,
        "how": item.how,
        "when it fails": item.cure,
        "probe": _probe_words(item),
        "rests on": ", ".join(_rests_on(item)),
        "valid for": item.valid_for or "",
        "only when": f"{item.when.item} is {' or '.join(item.when.states)}" if item.when else "",
        "override by": ", ".join(item.override_by) or "nobody",
        "defer by": ", ".join(item.defer_by) or "nobody",
        "hazard": item.hazard or "",
        "requirement": item.requirement or "",
        "not applicable": item.not_applicable or "",
        "rule": checklist.rules[item.id][:16],
    }
    for name, words in pairs.items():
        if words:
            lines += _hanging(f"{name + ':':<16}", words, width)
    return "\n".join(lines) + "\n"


def _stage(number: int, stage: Stage, width: int) -> Iterator[str]:
    yield ""
    yield in_line(f"{number}. {stage.title} ({stage.id})")
    yield from _paragraphs(stage.purpose, "   ", width)
    for item in stage.items:
        yield ""
        yield from _item(item, width)
    yield ""
    yield from _hanging("   gate: ", _gate_words(stage), width)


def _item(item: Item, width: int) -> Iterator[str]:
    yield from _hanging("   ", f"{item.title}  [{item.id}]", width)
    yield from _hanging("     ", f"{', '.join(_modifiers(item))}: {asks(item)}", width)
    rests = ", ".join(_rests_on(item))
    ends = [f"rests on {rests}"] if rests else []
    ends += [f"valid for {item.valid_for}"] if item.valid_for else []
    ends += [reference for reference in (item.requirement, item.hazard) if reference]
    if ends:
        yield from _hanging("     ", "; ".join(ends), width)


def _modifiers(item: Item) -> list[str]:
    """The item's kind and what is special about it."""
    words = {
        "critical": item.critical,
        "latched": item.latched,
        f"held {item.hold}": item.hold,
        "with a command": item.act,
        f"with a {item.inspect}": item.inspect,
        f"one of {item.one_of}": item.one_of,
        "conditional": item.when,
        "n/a": item.not_applicable,
    }
    return [item.kind, *(word for word, given in words.items() if given)]


def _rests_on(item: Item) -> list[str]:
    """Its own fingerprints and its probe's, each once."""
    probe = PROBES[item.probe.name].rests_on if item.probe else ()
    return list(dict.fromkeys([*item.rests_on, *probe]))


def _probe_words(item: Item) -> str:
    if item.probe is None:
        return ""
    parameters = ", ".join(f"{name} {value}" for name, value in item.probe.parameters.items())
    return f"{item.probe.name}({parameters})"


def _gate_words(stage: Stage) -> str:
    gate = stage.gate
    words = ["every item settled"]
    words += [f"phase {', '.join(gate.phases)} passed"] if gate.phases else []
    words += [f"go of {', '.join(gate.poll)}"] if gate.poll else []
    words += [f"{signing.meaning} signed by {' or '.join(signing.roles)}" for signing in gate.signatures]
    words += [] if gate.overrides_allowed else ["no overrides"]
    return "; ".join(words)
