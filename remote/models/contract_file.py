"""contract.yaml on disk: read with errors that name the key and its nearest known one, written so that it reads back equal."""

from __future__ import annotations

import math
from pathlib import Path

import msgspec

from remote import strict_yaml
from remote.errors import Trouble
from remote.models.contract import Contract

CODE = "contract_invalid"
_CURE = "Correct that value, or write the contract anew with `fieldgate bundle make`"


def parse_contract(text: str, where: Path) -> Contract:
    """The contract written in `text`; `where` is named in errors.

    Raises:
        Trouble: code `contract_invalid`; names line, key and, for an unknown key, the nearest known one.
    """
    contract = strict_yaml.parse(text, Contract, where=f"contract {where}", code=CODE, cure=_CURE)
    _refuse_impossible(contract, where)
    return contract


def contract_text(contract: Contract) -> str:
    """YAML that `parse_contract` reads back to an equal contract."""
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


def _refused(where: Path, what: str, cure: str) -> Trouble:
    return Trouble(f"contract {where} {what}", cure=cure, code=CODE)
