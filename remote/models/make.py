"""Making a bundle from a model file: shapes are read from the model, conventions from its family's published code."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, get_args

from remote.atomic import sync
from remote.errors import Trouble
from remote.manifest import CONTRACT, MANIFEST, MODEL, digest_of, entry_of, manifest_bytes
from remote.models.bundle import AnyBundle, Bundle, load_any_bundle, load_bundle
from remote.models.contract import AnyContract, Contract, InputContract, OutputContract, Thresholds
from remote.models.contract_file import contract_text
from remote.models.weights_apart import refuse_weights_apart
from remote.models.writing import refuse_output, writing

Family = Literal["yolox", "yolov5", "yolov8"]
FAMILIES: tuple[str, ...] = get_args(Family)
_DTYPES: dict[str, Literal["float32", "float16", "uint8"]] = {
    "tensor(float)": "float32",
    "tensor(float16)": "float16",
    "tensor(uint8)": "uint8",
}
Look = Callable[[AnyBundle], None]
"""Looks at a whole bundle before it gets its place, and raises Trouble where it must not."""


def no_look(bundle: AnyBundle) -> None:
    """Nothing more is asked of it."""


def make_bundle(
    onnx: Path,
    like: Family,
    labels: Sequence[str],
    output: Path,
    *,
    name: str | None = None,
    size: tuple[int, int] | None = None,
    thresholds: Thresholds | None = None,
    look: Look = no_look,
) -> Bundle:
    """Write a bundle folder and return it, verified.

    Args:
        onnx: the model; copied.
        like: the family whose conventions the contract follows.
        labels: class names in order.
        output: the folder to make. An equal bundle there is left as it is.
        name: the contract's name; by default the model file's stem.
        size: (width, height) of the input, needed only where the model leaves them open.
        thresholds: instead of the defaults.
        look: what else must be so before it is written.

    Raises:
        Trouble: an unreadable model, `model_apart`, shapes that don't fit, what `look` and `refuse_output` refuse,
            `unwritable`, or `bundle_exists` where `output` holds something else.
    """
    refuse_output(output, onnx)
    if not onnx.is_file():
        raise Trouble(f"model {onnx} does not exist", cure="Give the path of an ONNX file", code="model_missing")
    contract = describe(onnx, like, labels, name=name or onnx.stem, size=size, thresholds=thresholds)
    write_any_bundle(onnx, contract, output, look=look)
    return load_bundle(output)


def describe(
    onnx: Path,
    like: Family,
    labels: Sequence[str],
    *,
    name: str,
    size: tuple[int, int] | None = None,
    thresholds: Thresholds | None = None,
) -> Contract:
    """The contract of a model: its own shapes and its family's conventions; checked by a first run."""
    from remote.perception.engines.onnx_runtime import open_session

    refuse_weights_apart(onnx)
    session = open_session(onnx)
    contract = Contract(
        name=name,
        input=_input_of(session, like, onnx, size),
        output=OutputContract(name=session.get_outputs()[0].name, head=like),
        labels=tuple(labels),
        thresholds=thresholds or Thresholds(),
    )
    refuse_unfit(onnx, contract)
    return contract


def refuse_unfit(model: Path, contract: Contract) -> None:
    """Raise Trouble `model_mismatch` where input, labels, head or strides are not the model's; runs it once."""
    from remote.perception.engines.onnx_runtime import OnnxRuntimeEngine
    from remote.perception.heads import refuse_wrong_shape

    engine = OnnxRuntimeEngine(model, contract)
    refuse_wrong_shape(contract, engine.output.shape)
    engine.close()


def _input_of(session: Any, like: Family, onnx: Path, size: tuple[int, int] | None) -> InputContract:
    node = session.get_inputs()[0]
    shape = list(node.shape)
    if node.type not in _DTYPES or len(shape) != 4 or 3 not in (shape[1], shape[3]):
        what = f"model {onnx} takes {node.type} {shape}, not one picture [1, 3, height, width] or [1, height, width, 3]"
        raise Trouble(what, cure="Export the model with a picture as its one input", code="model_mismatch")
    layout: Literal["nchw", "nhwc"] = "nchw" if shape[1] == 3 else "nhwc"
    height, width = shape[2:4] if layout == "nchw" else shape[1:3]
    if size is not None and size != (width, height):
        if isinstance(width, int) and isinstance(height, int):
            what = f"model {onnx} takes {width}x{height}, not {size[0]}x{size[1]}"
            raise Trouble(what, cure="Leave --size out", code="usage")
        width, height = size
    if not (isinstance(width, int) and isinstance(height, int)):
        what = f"model {onnx} leaves its input size open: {shape}"
        raise Trouble(what, cure="Say it: --size WIDTHxHEIGHT", code="model_mismatch")
    return input_of_family(like, node.name, (width, height), layout=layout, dtype=_DTYPES[node.type])


def input_of_family(
    like: Family,
    name: str,
    size: tuple[int, int],
    *,
    layout: Literal["nchw", "nhwc"] = "nchw",
    dtype: Literal["float32", "float16", "uint8"] = "float32",
) -> InputContract:
    """The input of (width, height) as the family's authors prepare it."""
    shares = like != "yolox" and dtype != "uint8"
    return InputContract(
        name=name,
        width=size[0],
        height=size[1],
        layout=layout,
        dtype=dtype,
        colour="bgr" if like == "yolox" else "rgb",
        scale=1 / 255 if shares else 1.0,
        place="top_left" if like == "yolox" else "centre",
    )


def write_bundle(onnx: Path, contract: Contract, output: Path, extra: Mapping[str, bytes] | None = None) -> Bundle:
    """Write model, contract and manifest beside `output` and rename the whole folder into place.

    A crash leaves either no bundle or the whole one. `extra` are further files by their plain names (golden.npz,
    provenance.json, a model card), listed in the manifest like the others.

    Raises:
        Trouble: `bundle_exists` where `output` holds something else, `model_unreadable`.
    """
    write_any_bundle(onnx, contract, output, extra)
    return load_bundle(output)


def write_any_bundle(
    onnx: Path,
    contract: AnyContract,
    output: Path,
    extra: Mapping[str, bytes] | None = None,
    look: Look = no_look,
) -> AnyBundle:
    """The same for a bundle of either task; `look` sees it whole before it gets its place. `unwritable` too."""
    with writing(output):
        _write(onnx, contract, output, extra or {}, look)
    return load_any_bundle(output)


def _write(onnx: Path, contract: AnyContract, output: Path, extra: Mapping[str, bytes], look: Look) -> None:
    output.parent.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix=f".{output.name}.", dir=output.parent))
    try:
        manifest = _fill(work, onnx, contract, extra)
        look(load_any_bundle(work))
        if output.exists() and any(output.iterdir() if output.is_dir() else [output]):
            _refuse_other(output, digest_of(manifest))
            return
        work.chmod(0o755)
        work.rename(output)  # an empty folder in the way is replaced
        sync(output.parent)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _fill(work: Path, onnx: Path, contract: AnyContract, extra: Mapping[str, bytes]) -> bytes:
    shutil.copyfile(onnx, work / MODEL)
    _refuse_dependent(onnx, work / MODEL)
    (work / CONTRACT).write_text(contract_text(contract), encoding="utf-8")
    for name, data in extra.items():
        (work / name).write_bytes(data)
    files = {name: entry_of(work / name) for name in (MODEL, CONTRACT, *extra)}
    manifest = manifest_bytes(contract.name, files)
    (work / MANIFEST).write_bytes(manifest)
    for path in (*sorted(work.iterdir()), work):
        sync(path)
    return manifest


def _refuse_dependent(onnx: Path, alone: Path) -> None:
    """A model whose weights lie in files beside it loads where it was exported and nowhere else."""
    from remote.perception.engines.onnx_runtime import open_session

    try:
        open_session(alone)
    except Trouble as trouble:
        cure = "Export it as one file, with its weights inside"
        raise Trouble(f"model {onnx} can't be loaded on its own", cure=cure, code="model_unreadable") from trouble


def _refuse_other(output: Path, digest: str) -> None:
    """Raise Trouble unless the bundle of this digest is there already."""
    what, cure = f"{output} holds something else already", "Choose another --output"
    if output.is_dir():
        try:
            present = load_any_bundle(output)
        except Trouble as trouble:
            raise Trouble(f"{what}: {trouble.what}", cure=cure, code="bundle_exists") from trouble
        if present.digest == digest:
            return
        what = f"{output} holds another bundle already: {present.contract.name} {present.digest[:12]}"
        cure += ", or remove that bundle first"
    raise Trouble(what, cure=cure, code="bundle_exists")
