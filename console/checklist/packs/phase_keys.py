"""Every key of a phase of field testing in one sentence: for editors (the JSON Schema) and for docs/phases.md."""

from __future__ import annotations

PHASE_MEANINGS: dict[str, dict[str, str]] = {
    "Phase": {
        "id": "its name in the record, in gates and in commands",
        "title": "one line for people",
        "purpose": "what is different from here on, and what it is to show",
        "trial": "what one attempt is: from where to where, with what",
        "success": "what makes an attempt a success, so that two people would say the same",
        "aborted": "whether an attempt that a person broke off is a `failure` or `excluded` from success; it is shown anyway",
        "conditions": "what is written down with each trial",
        "entry": "what must be so before it may begin",
        "holding": "what must go on being so during a session; where it is left, the session is paused and says so",
        "questions": "what it must show; it is passed when each of them is",
        "stop": "after how much of what the session is ended, until a person writes why it may go on",
        "planned_n": "trials meant to be run, all questions together",
        "min_running": "how long its sessions must have run together, as the robot's journal tells",
    },
    "Question": {
        "id": "its name in the record",
        "title": "one line for people: what is true when it passes",
        "denominator": "what the figure is a share of, in words",
        "criterion": "which figure is judged against which limit; its metric is a figure of docs/kpis.md or of docs/metrics.md",
        "plan": "rates and shares: how many trials or frames decide, and whether one may look before",
        "baseline": "`transfer_ratio` and `success_drop`: what reality is compared with",
        "where": "only trials (or frames) with these conditions count",
    },
    "Plan": {
        "look": "`sequential` may be looked at after every trial, `fixed` is judged once, by the first `n`",
        "n": "so many trials or frames at most; what they leave undecided stays undecided",
        "expected": "the rate that is hoped for, in per cent",
        "power": "the chance to pass if the rate is as expected; lint says whether `n` is enough for it",
    },
    "Baseline": {"item": "the item of the checklist that measured the rate in simulation"},
    "Entry": {
        "title": "one line for people, where the words of the program don't do",
        "stage": "that stage's gate is open",
        "items_of": "every item of that stage is settled",
        "item": "that item is settled",
        "phase": "that earlier phase is passed; it must stay so for this one to stay passed",
    },
    "Holding": {
        "id": "its name in the record",
        "title": "one line for people",
        "check": "`link`: the robot is heard. `worker`: inference runs. `bundle`: the campaign's. `camera`: it is alive",
        "criterion": "in place of `check`: a live metric and its limit",
        "for": "so long it must be broken before the session is paused",
        "cure": "what to do when it is left",
    },
    "Stop": {
        "id": "its name in the record",
        "title": "one line for people",
        "count": "`failures_in_a_row`, `failures`, `interventions` or `crashes` since the phase was begun or the rule lifted",
        "at": "from this count on nobody goes on",
        "cure": "what to find out and to do before somebody lifts it",
    },
    "Condition": {
        "id": "its name in the record, in filters and in patterns of failures",
        "title": "one line for people",
        "values": "the words that may be given; none: any word",
        "required": "`true`: no trial without it",
    },
}
"""Struct name of console.phases.schema to its keys to their meaning."""

PHASE_TITLES = {
    "Phase": "A phase",
    "Question": "A question",
    "Plan": "A plan",
    "Baseline": "A baseline",
    "Entry": "An entry condition",
    "Holding": "A holding condition",
    "Stop": "A stop rule",
    "Condition": "A condition of trials",
}
