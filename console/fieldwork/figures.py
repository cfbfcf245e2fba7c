"""The KPIs of a campaign: for one session, or for everything that was done with its bundle on its robot."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from console.campaigns.in_force import in_force
from console.campaigns.standing import Standing
from console.checklist.folding.entering import measured_rate
from console.fieldtest.criteria import Rate
from console.fieldtest.kpis import Kpi, Kpis, load_kpis, parse_kpis
from console.phases.counting import NOT_REPORTED, count
from console.phases.evidence import Evidence
from console.phases.schema import Phase, Question
from console.phases.states import QuestionState
from console.phases.timeline import Timeline, timeline
from console.phases.verdicts import question_state
from console.record.ledger import Ledger
from remote.errors import Trouble


class Figure(msgspec.Struct, frozen=True):
    """One KPI and how it stands; `state` has its measurement, its verdict and the whole in words."""

    kpi: Kpi
    state: QuestionState


def kpis_in_force(campaign: Standing) -> Kpis:
    """The KPIs that the campaign's record keeps; those that come with fieldgate where its pack had none."""
    kept = in_force(campaign.record, campaign.record.rows()).opened.kpis
    if kept is None:
        return load_kpis()
    return parse_kpis(campaign.record.attachment(kept.digest).decode("utf-8"), kept.name)


def figures(campaign: Standing, session: int | None = None) -> tuple[Figure, ...]:
    """Every KPI of the campaign, over all sessions with its bundle on its robot, or over the one that entry `session` began.

    An aborted trial counts as a failure here, whatever its phase says. Raises Trouble (`unknown_session`).
    """
    told = timeline(Ledger(campaign.record.rows()))
    if session is not None and session not in told.sessions:
        known = ", ".join(map(str, told.sessions)) or "none was begun yet"
        raise Trouble(f"entry {session} began no session", cure=f"sessions: {known}", code="unknown_session")
    evidence = _evidence(campaign, told, session)
    return tuple(_figure(campaign, kpi, evidence) for kpi in kpis_in_force(campaign).kpis)


def with_reasons(found: Iterable[Figure], reasons: Mapping[str, str]) -> tuple[Figure, ...]:
    """The figures; those that the robot never reported with its own reason (by metric: `not a Jetson`) where it gave one."""
    return tuple(_with_reason(one, reasons.get(one.kpi.criterion.metric, "")) for one in found)


def _with_reason(figure: Figure, reason: str) -> Figure:
    if figure.state.measurement is not None or not reason or figure.state.words != NOT_REPORTED:
        return figure
    words = f"unavailable: {reason}"
    return Figure(figure.kpi, msgspec.structs.replace(figure.state, words=words, why=words))


def _evidence(campaign: Standing, told: Timeline, session: int | None) -> Evidence:
    """What was done with this bundle on this robot; of one session everything, whatever it was done with."""
    chosen = [one for seq, one in told.sessions.items() if session in (None, seq)]
    now = (campaign.bundle, campaign.state().fingerprints.get("robot", ""))

    def fits(bundle: str, robot: str) -> bool:
        return session is not None or (bundle == now[0] and (not now[1] or robot == now[1]))

    same = [one for one in chosen if fits(one.identity.bundle, one.identity.robot)]
    return Evidence(
        trials=[one.kept for each in chosen for one in each.trials if not one.wrong and fits(*one.identity[1:])],
        frames=[one.kept for each in chosen for one in each.frames if not one.wrong and fits(*one.identity[1:])],
        interventions=[one.kept for each in same for one in each.interventions if not one.wrong],
        measured=[one.measured for one in same if one.measured is not None],
        evaluated=[kept for kept in told.evaluated if kept.body.bundle == campaign.bundle],
        sessions=same,
    )


def _figure(campaign: Standing, kpi: Kpi, evidence: Evidence) -> Figure:
    question = Question(id=kpi.id, title=kpi.title, denominator=kpi.denominator, criterion=kpi.criterion)
    every = Phase(
        id="every",
        title="Every phase",
        trial="one attempt",
        success="as its phase says",
        questions=(question,),
        planned_n=1,
    )
    counted = count(question, every, evidence, _simulated(campaign, kpi.criterion.metric))
    return Figure(kpi, question_state(question, every, counted, 0.0))


def _simulated(campaign: Standing, metric: str) -> Rate | None:
    """The rate in simulation that the pack's phases compare this measure with."""
    questions = [one for phase in campaign.checklist.pack.phases for one in phase.questions]
    item = next((one.baseline.item for one in questions if one.criterion.metric == metric and one.baseline), None)
    return measured_rate(campaign.item_state(item)) if item is not None else None


def kpis_of_robot(robot: str) -> Kpis:
    """What a robot is watched by: the KPIs of its only campaign, else those that come with fieldgate."""
    from console.campaigns.opening import campaign_of_robot, open_campaign

    try:
        name = campaign_of_robot(robot)
        if name is None:
            return load_kpis()
        campaign = open_campaign(name, read_only=True)
    except Trouble:  # several campaigns, or one that can't be read: what watches the robot must not depend on it
        return load_kpis()
    try:
        return kpis_in_force(campaign)
    finally:
        campaign.close()
