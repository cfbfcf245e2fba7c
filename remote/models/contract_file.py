"""contract.yaml on disk: read with errors that name the key and its nearest known one, written so that it reads back equal."""

from __future__ import annotations

import math
from pathlib import Path

import msgspec

from remote import strict_yaml
from remote.errors import Trouble
from remote.models.contract import ActionContract, AnyContract, Contract, ObservationContract, PolicyContract

CODE = "contract_invalid"
WRONG_TASK = "wrong_task"
_CURE = "Correct that value, or write the contract anew with `fieldgate model export`"


def parse_contract(text: str, where: Path) -> Contract:
    """The contract written in `text`; `where` is named in errors.

    Raises:
        Trouble: code `contract_invalid`; names line, key and, for an unknown key, the nearest known one. `wrong_task` for a
            policy's contract.
    """
    contract = parse_any_contract(text, where)
    if isinstance(contract, Contract):
        return contract
    what = f"contract {where} is a policy's ({contract.name}): it gives actions, not boxes"
    raise Trouble(
        what, cure="Give a detector's bundle; a policy is proved with `fieldgate bundle check`", code=WRONG_TASK
    )


def parse_policy_contract(text: str, where: Path) -> PolicyContract:
    """The same for a policy's contract; `wrong_task` for a detector's."""
    contract = parse_any_contract(text, where)
    if isinstance(contract, PolicyContract):
        return contract
    what = f"contract {where} is a detector's ({contract.name}): it gives boxes, not actions"
    raise Trouble(what, cure="Give a policy's bundle", code=WRONG_TASK)


def parse_any_contract(text: str, where: Path) -> AnyContract:
    """The contract of whatever `task` it says; detection where it says none. Raises Trouble `contract_invalid`."""
    named = f"contract {where}"
    said = strict_yaml.plain(text, where=named, code=CODE, cure=_CURE)
    if isinstance(said, dict) and said.get("task") == "policy":
        policy = strict_yaml.parse(text, PolicyContract, where=named, code=CODE, cure=_CURE)
        _refuse_impossible_policy(policy, where)
        return policy
    contract = strict_yaml.parse(text, Contract, where=named, code=CODE, cure=_CURE)
    _refuse_impossible(contract, where)
    return contract


def contract_text(contract: AnyContract) -> str:
    """YAML that `parse_any_contract` reads back to an equal contract."""
    import yaml

    # Through JSON, because YAML's writer knows neither structs nor tuples.
    plain = msgspec.json.decode(msgspec.json.encode(contract))
    return str(yaml.safe_dump(plain, sort_keys=False, allow_unicode=True, width=120))


def _refuse_impossible(contract: Contract, where: Path) -> None:
    """What the types alone let through: zero divisors, NaN, doubled labels, scaling of whole numbers."""
    given = contract.input
    numbers = (given.scale, *given.mean, *given.std)
    if not all(math.isfinite(number) for number in numbers) or given.scale == 0 or 0 in given.std:
        raise _refused(where, "has an input.scale, mean or std that is zero or not finite", "Give finite numbers")
    if given.dtype == "uint8" and (given.scale != 1 or any(given.mean) or given.std != (1, 1, 1)):
        raise _refused(where, "scales a uint8 input", "Leave out scale, mean and std, or set input.dtype to float32")
    doubled = sorted({name for name in contract.labels if contract.labels.count(name) > 1})
    if doubled:
        raise _refused(where, f"names the label `{doubled[0]}` twice", "Give every class a name of its own")
    if not contract.output.strides:
        raise _refused(where, "has no output.strides", "Give the model's strides, usually [8, 16, 32]")


def _refuse_impossible_policy(policy: PolicyContract, where: Path) -> None:
    names = [given.name for given in policy.observations]
    if len(set(names)) != len(names):
        raise _refused(where, "names an observation twice", "Give every observation a name of its own")
    for place, given in enumerate(policy.observations):
        wrong = _wrong_observation(given)
        if wrong:
            raise _refused(where, f"has observations[{place}] ({given.name}) {wrong}", "Correct it, or export it anew")
    wrong = _wrong_action(policy.actions)
    if wrong:
        raise _refused(where, f"has actions {wrong}", "Correct it, or export it anew")


def _wrong_observation(given: ObservationContract) -> str:
    """What is impossible about it; empty where nothing is."""
    size = math.prod(given.shape)
    lists = {"elements": given.elements, "units": given.units, "mean": given.mean or (0,), "std": given.std or (0,)}
    for key, values in lists.items():
        if len(values) not in (1, size):
            return f"with {len(values)} {key} for {size} elements"
    if (given.mean is None) != (given.std is None):
        return "with only one of mean and std"
    numbers = (*(given.mean or ()), *(given.std or ()), given.clip or 1.0)
    if not all(math.isfinite(number) for number in numbers) or any(one <= 0 for one in given.std or ()):
        return "with a mean, std or clip that is not finite, or a std that is not above 0"
    if given.dtype == "uint8" and (given.mean is not None or given.clip is not None):
        return "of type uint8 with mean, std or clip"
    return ""


def _wrong_action(given: ActionContract) -> str:
    lists = {"units": given.units, "low": given.low, "high": given.high}
    for key, values in lists.items():
        if len(values) != len(given.names):
            return f"with {len(values)} {key} for {len(given.names)} names"
    if len(set(given.names)) != len(given.names):
        return "with one name twice"
    if not all(math.isfinite(number) for number in (*given.low, *given.high)):
        return "with a limit that is not finite"
    if any(low >= high for low, high in zip(given.low, given.high, strict=True)):
        return "with a low limit that is not below the high one"
    return ""


def _refused(where: Path, what: str, cure: str) -> Trouble:
    return Trouble(f"contract {where} {what}", cure=cure, code=CODE)
