"""NVIDIA's builder as a TensorRT of ours: it builds without a GPU."""

from __future__ import annotations

from pathlib import Path

from remote.models.bundle import Bundle, load_bundle
from remote.models.make import Family, make_bundle
from remote.perception.engines.tensorrt.build import Plan, build_plan
from remote.perception.engines.tensorrt.driver import Device
from remote.perception.engines.tensorrt.kit import shapes_of
from remote.perception.engines.tensorrt.probe import Found, import_tensorrt
from remote.perception.engines.tensorrt.progress import Say
from remote.perception.engines.wishes import Wishes

ROOT = Path(__file__).parents[2]
REAL = ROOT.parent / "shared" / "real"


def builder() -> Found:
    """The real module, named as what it stands for. There is no GPU: nothing is run."""
    trt = import_tensorrt(lambda name: __import__("tensorrt_rtx"))
    assert not isinstance(trt, str), trt
    return Found(trt, trt.__version__, Device("none", "8.7", "13.0", 0))


def build(bundle: Bundle, *, wishes: Wishes | None = None, say: Say = lambda _: None, off: bool = False) -> Plan:
    """The bundle's engine."""
    model, shapes = bundle.model.read_bytes(), shapes_of(bundle.contract)
    return build_plan(builder(), model, shapes, wishes or Wishes(), say=say, cancelled=lambda: off)


def tabletop() -> Bundle:
    """The bundle that we ship."""
    return load_bundle(ROOT / "remote" / "bundles" / "tabletop")


def bundle_of(
    model: bytes, folder: Path, like: Family = "yolov8", labels: tuple[str, ...] = ("cube", "ball")
) -> Bundle:
    """A bundle of that model."""
    folder.mkdir(parents=True)
    (folder / "model.onnx").write_bytes(model)
    return make_bundle(folder / "model.onnx", like, labels, folder / "bundle")
