"""contract.yaml on disk: read with errors that name the key and its nearest known one, written so that it reads back equal."""

from __future__ import annotations

import difflib
import math
from pathlib import Path
from typing import Any

import msgspec

from remote.errors import Trouble
from remote.models.contract import Contract, InputContract, OutputContract, Thresholds
from remote.models.strict_yaml import parse_yaml

CODE = "contract_invalid"
_SECTIONS: dict[str, Any] = {"input": InputContract, "output": OutputContract, "thresholds": Thresholds}


def parse_contract(text: str, where: Path) -> Contract:
    """The contract written in `text`; `where` is named in errors.

    Raises:
        Trouble: code `contract_invalid`; names the key, its place and, for an unknown key, the nearest known one.
    """
    value = parse_yaml(text, where, what="contract", code=CODE)
    if not isinstance(value, dict):
        raise _refused(where, "is not a mapping of keys to values", "Write it with `fieldgate bundle make`")
    _refuse_unknown_keys(value, where)
    try:
        contract = msgspec.convert(value, type=Contract)
    except msgspec.ValidationError as error:
        raise _refused(where, f"is refused: {error}", "Correct that value") from error
    _refuse_impossible(contract, where)
    return contract


def contract_text(contract: Contract) -> str:
    """YAML that `parse_contract` reads back to an equal contract."""
    import yaml

    # Through JSON, because YAML's writer knows neither structs nor tuples.
    plain = msgspec.json.decode(msgspec.json.encode(contract))
    return str(yaml.safe_dump(plain, sort_keys=False, allow_unicode=True, width=120))


def _refuse_unknown_keys(value: dict[Any, Any], where: Path) -> None:
    _check_keys(value, Contract, "", where)
    for section, struct in _SECTIONS.items():
        part = value.get(section)
        if isinstance(part, dict):
            _check_keys(part, struct, f"{section}.", where)


def _check_keys(part: dict[Any, Any], struct: Any, prefix: str, where: Path) -> None:
    known = list(struct.__struct_fields__)
    for key in part:
        if key in known:
            continue
        near = difflib.get_close_matches(str(key), known, n=1, cutoff=0.5)
        cure = f"Did you mean `{prefix}{near[0]}`?" if near else f"Known keys here: {', '.join(known)}"
        raise _refused(where, f"has the unknown key `{prefix}{key}`", cure)


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
