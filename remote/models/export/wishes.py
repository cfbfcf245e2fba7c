"""What a person asks of an export, as the command took it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from remote.errors import Trouble
from remote.models.contract import Contract, InputContract, OutputContract
from remote.models.contract_file import CODE, parse_contract
from remote.models.export.samples import USUAL, Samples, made, of_pictures
from remote.models.labels_file import read_labels
from remote.models.make import Family, describe, input_of_family, refuse_unfit
from remote.models.provenance import Tolerance, sane
from remote.strict_yaml import read_text

Exporter = Literal["trace", "dynamo"]
Dynamic = Literal["batch", "size"]
USUAL_OPSET = 17
INPUT, OUTPUT = "images", "output"


@dataclass(frozen=True)
class Wishes:
    """Everything but the source; see the command's help for what each means."""

    output: Path
    name: str | None = None
    like: Family | None = None
    labels: Path | None = None
    contract: Path | None = None
    size: tuple[int, int] | None = None
    factory: str | None = None
    key: str | None = None
    trust_pickle: bool = False
    torchscript: bool = False
    opset: int | None = None
    exporter: Exporter | None = None
    dynamic: tuple[Dynamic, ...] = ()
    golden: Path | None = None
    samples: int = USUAL
    atol: float | None = None
    rtol: float | None = None
    units: Path | None = None
    normalise: Path | None = None

    @property
    def opset_asked(self) -> int:
        """What torch is asked to write."""
        return self.opset or USUAL_OPSET

    @property
    def way(self) -> Exporter:
        """Which of torch's exporters writes."""
        return self.exporter or "trace"

    def tolerance(self, usual: Tolerance) -> Tolerance:
        """The usual one, with what was said instead."""
        wanted = Tolerance(
            absolute=usual.absolute if self.atol is None else self.atol,
            relative=usual.relative if self.rtol is None else self.rtol,
            wrong_share=usual.wrong_share,
            snr_db=usual.snr_db,
        )
        return sane(wanted)

    def samples_for(self, given: InputContract) -> Samples:
        """Golden inputs of a detector: the pictures of `golden`, else made ones."""
        return of_pictures(given, self.golden, self.samples) if self.golden else made(given, self.samples)

    def named(self, source: Path) -> str:
        """The bundle's name."""
        return self.name or source.stem


def detector_contract(wishes: Wishes, onnx: Path, source: Path) -> Contract:
    """The contract of a detector's ONNX file: the one that was given, else its family's conventions; checked by a run.

    Raises:
        Trouble: `contract_missing` where nothing says how its boxes are written, and what `describe` refuses.
    """
    if wishes.contract is not None:
        contract = given_contract(wishes.contract, wishes.name)
        refuse_unfit(onnx, contract)
        return contract
    like, labels = family_and_labels(wishes)
    return describe(onnx, like, labels, name=wishes.named(source), size=wishes.size)


def given_contract(path: Path, name: str | None = None) -> Contract:
    """The detector's contract in a file, under another name where one is given."""
    import msgspec

    contract = parse_contract(read_text(path, what="contract", code=CODE), path)
    return msgspec.structs.replace(contract, name=name) if name else contract


def planned_input(wishes: Wishes) -> tuple[InputContract, str]:
    """What a torch module is given before an ONNX file exists: (input, name of the output)."""
    if wishes.contract is not None:
        contract = given_contract(wishes.contract)
        return contract.input, contract.output.name
    like, _ = family_and_labels(wishes)
    if wishes.size is None:
        raise Trouble("a torch module does not say its input's size", cure="Say it: --size WIDTHxHEIGHT", code="usage")
    return input_of_family(like, INPUT, wishes.size), OUTPUT


def planned_contract(wishes: Wishes, source: Path) -> Contract:
    """The contract for a torch module, before its ONNX file is there to be asked."""
    if wishes.contract is not None:
        return given_contract(wishes.contract, wishes.name)
    like, labels = family_and_labels(wishes)
    given, output = planned_input(wishes)
    return Contract(
        name=wishes.named(source), input=given, output=OutputContract(name=output, head=like), labels=tuple(labels)
    )


def family_and_labels(wishes: Wishes) -> tuple[Family, tuple[str, ...]]:
    """Whose conventions hold, and the classes' names. Raises Trouble `contract_missing`."""
    if wishes.like is None or wishes.labels is None:
        what = "nothing says how this model's boxes are written and what its classes are called"
        cure = "Say --like yolox|yolov5|yolov8 and --labels FILE, or give a whole --contract FILE"
        raise Trouble(what, cure=cure, code="contract_missing")
    return wishes.like, read_labels(wishes.labels)
