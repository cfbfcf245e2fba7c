"""Whether a release is for this robot: what the offline keys signed against what the robot finds of itself."""

from __future__ import annotations

from remote.release import Needs, Rollout, version_fits
from remote.updates.order import Facts


def misfits(needs: Needs, facts: Facts) -> tuple[str, ...]:
    """Each reason why it does not fit, in words; empty where it does."""
    found = []
    if needs.robot_classes and facts.robot_class not in needs.robot_classes:
        found.append(f"it is for the classes {', '.join(needs.robot_classes)}, this robot is {facts.robot_class}")
    found += _version("L4T", needs.l4t, facts.l4t)
    found += _version("TensorRT", needs.tensorrt, facts.tensorrt)
    if needs.contract_format not in facts.contract_formats:
        known = ", ".join(str(one) for one in facts.contract_formats)
        found.append(f"its contract has format {needs.contract_format}, this agent knows {known}")
    return tuple(found)


def is_open(rollout: Rollout, robot: str) -> bool:
    """Whether the rollout opens its release to the robot of this name."""
    return not rollout.stopped and (rollout.everyone or robot in rollout.robots)


def _version(what: str, wanted: tuple[str, ...], has: str) -> list[str]:
    if version_fits(has, wanted):
        return []
    return [f"it is for {what} {', '.join(wanted)}, this robot has {has or 'none'}"]
