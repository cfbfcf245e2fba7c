"""INT8 with a way out: what loses too much goes back to float until the budget holds, first what lies between the layers,

then the layers that cost most.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from remote.models.bundle import Bundle
from remote.models.comparing.layers import compare_layers, noisiest
from remote.models.comparing.samples import PictureFeeds, from_picture, spread
from remote.models.optimise.advice import int8_advice
from remote.models.optimise.calibration import CalibrationSet
from remote.models.optimise.derive import Judged
from remote.models.optimise.graph import heavy_nodes, model_bytes, refuse_unknown_nodes, simplified
from remote.models.optimise.influence import influence
from remote.models.optimise.int8 import float_nodes, prepared, quantised
from remote.models.optimise.made import Made, tools

LOOKED_AT = 8
"""Pictures of the node-by-node comparison."""
ALONE_ON = 4
"""Pictures on which each layer is quantised alone."""
SHARES = (1 / 16, 1 / 8, 1 / 4, 1 / 2, 3 / 4)
"""Of the layers that go back to float, those that cost most first: with the two rounds before at most seven."""
_WORTH = {"fail": 0, "skipped": 1, "inconclusive": 1, "pass": 2}
Judge = Callable[[Made], Judged]
Say = Callable[[str], None]


@dataclass(frozen=True)
class Int8Options:
    """`keep` are nodes that stay in float by name, `keep_noisiest` how many more by measurement; `auto` goes on until the

    budget holds. `heavy` quantises what convolutions and matrix products take in and nothing else. `whole` quantises the
    decoding part too. `pack` stores weights as INT8. `cpu` makes the form that is fast on
    ONNX Runtime and that TensorRT refuses.
    """

    method: str = "minmax"
    keep: tuple[str, ...] = ()
    keep_noisiest: int = 0
    auto: bool = False
    whole: bool = False
    pack: bool = False
    cpu: bool = False
    heavy: bool = False


def made_int8(
    parent: Bundle, calibration: CalibrationSet, options: Int8Options, judge: Judge, say: Say, folder: Path
) -> Judged:
    """Quantise, measure, and where asked give back to float what costs most. The best of all rounds, the last of equal ones."""
    model = prepared(simplified(parent.model))
    refuse_unknown_nodes(model, options.keep)
    say(int8_advice(parent.contract.task))
    best: Judged | None = None
    for number, (heavy, kept) in enumerate(_rounds(parent, model, calibration, options, folder, say), 1):
        judged = judge(_made(parent, model, calibration, replace(options, heavy=heavy), kept))
        if options.auto:
            say(_told(judged, number))
        if best is None or _WORTH[judged.row.verdict] >= _WORTH[best.row.verdict]:
            best = judged
        if judged.row.verdict == "pass":
            break
    assert best is not None  # there is one round at least
    return best


def _rounds(
    parent: Bundle, model: Any, calibration: CalibrationSet, options: Int8Options, folder: Path, say: Say
) -> Iterator[tuple[bool, tuple[str, ...]]]:
    """(whether only heavy nodes are quantised, which of them stay in float), one round after the other."""
    kept = options.keep
    if options.keep_noisiest:
        kept += _noisiest(parent, model, calibration, options, kept, options.keep_noisiest, folder, say)
    yield options.heavy, kept
    if not options.auto:
        return
    if not options.heavy:
        say("all between convolutions and matrix products goes back to float")
        yield True, kept
    feeds = [from_picture(parent.contract, path) for path in spread(calibration.pictures, ALONE_ON)]
    found = influence(model, feeds, float_nodes(model, keep=kept, whole=options.whole))
    say(f"{found.looked_at} layers were quantised alone; most is lost by {', '.join(found.order[:8])}")
    counts = sorted({math.ceil(len(found.order) * share) for share in SHARES})
    for count in counts:
        if count < len(found.order):  # one at least stays INT8
            yield True, (*kept, *found.order[:count])


def _told(judged: Judged, rounds: int) -> str:
    """One round's end in a line: its verdict and what stood in its way."""
    row = judged.row
    against = [check.text for check in row.checks if check.verdict in ("fail", "inconclusive")]
    return f"round {rounds}: {row.verdict}" + (f"; {'; '.join(against)}" if against else "")


def _made(parent: Bundle, model: Any, calibration: CalibrationSet, options: Int8Options, kept: Sequence[str]) -> Made:
    leave = float_nodes(model, keep=kept, whole=options.whole)
    done = _quantised(parent, model, calibration, options, leave)
    heavy = heavy_nodes(model)
    left = [name for name in heavy if name in leave]
    note = f"{len(heavy) - len(left)} of {len(heavy)} convolutions and matrix products are INT8"
    if options.heavy:
        note += "; all between them is in float"
    notes = [note, *([f"in float: {', '.join(left)}"] if left else [])]
    if options.cpu:
        notes.append("in ONNX Runtime's form, for CPUs: TensorRT does not take its biases")
    elif not options.pack:
        notes.append(
            "weights are stored as float32 behind Q and DQ, so the file is no smaller; --pack stores them as INT8"
        )
    return Made(
        step="int8",
        model=done,
        settings={
            "method": options.method,
            "packed": options.pack or options.cpu,
            "form": "onnxruntime" if options.cpu else "tensorrt",
            "only_heavy": options.heavy,
            "int8_nodes": len(heavy) - len(left),
            "float_nodes": ", ".join(left),
        },
        calibration=calibration.calibration,
        notes=tuple(notes),
        tools=tools("onnx", "onnxruntime"),
    )


def _quantised(
    parent: Bundle, model: Any, calibration: CalibrationSet, options: Int8Options, leave: Sequence[str]
) -> Any:
    return quantised(
        model,
        PictureFeeds(parent.contract, calibration.pictures),
        leave,
        method=options.method,
        pack=options.pack,
        cpu=options.cpu,
        heavy=options.heavy,
    )


def _noisiest(
    parent: Bundle,
    model: Any,
    calibration: CalibrationSet,
    options: Int8Options,
    kept: Sequence[str],
    count: int,
    folder: Path,
    say: Say,
) -> tuple[str, ...]:
    """The heavy nodes that bring in most noise with those in `kept` left in float, by the node-by-node comparison."""
    leave = float_nodes(model, keep=kept, whole=options.whole)
    first, second = folder / "float.onnx", folder / "quantised.onnx"
    first.write_bytes(model_bytes(model))
    second.write_bytes(model_bytes(_quantised(parent, model, calibration, options, leave)))
    feeds = [from_picture(parent.contract, path) for path in spread(calibration.pictures, LOOKED_AT)]
    found = noisiest(compare_layers(first, second, feeds), count, leave=leave)
    say(f"most noise comes from {', '.join(found)}: kept in float" if found else "no layer is left to keep in float")
    return found
