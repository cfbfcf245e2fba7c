"""Every name of TensorRT's Python API that is used here, in one table: what must be there, what may stand for what."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

REQUIRED: dict[str, tuple[str, ...]] = {
    "ILogger": ("__init__", "Severity"),
    "Builder": (
        "create_network",
        "create_builder_config",
        "create_optimization_profile",
        "build_serialized_network",
    ),
    "INetworkDefinition": ("num_inputs", "get_input", "num_outputs", "get_output", "num_layers", "get_layer"),
    "ITensor": ("name", "shape", "dtype"),
    "ILayer": ("type", "name", "num_outputs", "get_output"),
    "LayerType": ("QUANTIZE",),
    "OnnxParser": ("parse", "num_errors", "get_error"),
    "ParserError": ("code", "desc", "node"),
    "IBuilderConfig": (
        "set_memory_pool_limit",
        "set_flag",
        "add_optimization_profile",
        "create_timing_cache",
        "set_timing_cache",
        "get_timing_cache",
    ),
    "MemoryPoolType": ("WORKSPACE",),
    "IOptimizationProfile": ("set_shape",),
    "ITimingCache": ("serialize",),
    "DataType": ("FLOAT", "HALF", "INT8", "INT32", "BOOL"),
    "Runtime": ("deserialize_cuda_engine",),
    "ICudaEngine": ("create_execution_context",),
}
"""Class -> what it must have in every TensorRT from 8.5 on."""

EITHER: tuple[tuple[tuple[str, str], ...], ...] = (
    (("IExecutionContext", "execute_async_v3"), ("IExecutionContext", "execute_async_v2")),
    (("IExecutionContext", "set_tensor_address"), ("ICudaEngine", "get_binding_index")),
    (("IExecutionContext", "set_input_shape"), ("IExecutionContext", "set_binding_shape")),
    (("IExecutionContext", "get_tensor_shape"), ("IExecutionContext", "get_binding_shape")),
    (("ICudaEngine", "num_io_tensors"), ("ICudaEngine", "num_bindings")),
    (("ICudaEngine", "get_tensor_name"), ("ICudaEngine", "get_binding_name")),
    (("ICudaEngine", "get_tensor_mode"), ("ICudaEngine", "binding_is_input")),
    (("ICudaEngine", "get_tensor_dtype"), ("ICudaEngine", "get_binding_dtype")),
    (("NetworkDefinitionCreationFlag", "EXPLICIT_BATCH"), ("NetworkDefinitionCreationFlag", "STRONGLY_TYPED")),
)
"""Groups of (class, name): one of each must be there."""

OPTIONAL: tuple[tuple[str, str], ...] = (
    ("BuilderFlag", "FP16"),
    ("BuilderFlag", "INT8"),
    ("IProgressMonitor", "__init__"),
    ("IBuilderConfig", "progress_monitor"),
    ("ParserError", "node_name"),
    ("ParserError", "node_operator"),
    ("TensorIOMode", "INPUT"),
    ("DataType", "INT64"),
    ("DataType", "UINT8"),
)
"""(class, name): used where it is there."""


def has(trt: Any, owner: str, name: str) -> bool:
    """Whether this TensorRT has that class with that name."""
    return hasattr(getattr(trt, owner, None), name)


def missing(trt: Any) -> tuple[str, ...]:
    """What this TensorRT lacks of what is needed; empty where it can be used."""
    return tuple(_missing(trt))


def _missing(trt: Any) -> Iterator[str]:
    for owner, names in REQUIRED.items():
        yield from (f"{owner}.{name}" for name in names if not has(trt, owner, name))
    for group in EITHER:
        if not any(has(trt, *one) for one in group):
            yield " or ".join(".".join(one) for one in group)
