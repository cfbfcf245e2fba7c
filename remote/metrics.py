"""Every metric once: its name, unit, meaning and source. docs/metrics.md is generated from this table.

`fieldgate watch --json`, the exports, checklists/*/kpis.yaml and the screens use these names and no others.
"""

from __future__ import annotations

from typing import Literal

import msgspec

Shape = Literal["value", "series", "text", "histogram"]
Home = Literal["window", "host"]


class Metric(msgspec.Struct, frozen=True):
    """One metric. `shape` says whether it is one number, a number for each part, a word, or a distribution."""

    name: str
    unit: str
    home: Home
    shape: Shape
    meaning: str
    source: str


_WORKER = "worker, stamped by its monotonic clock"
_PSUTIL = "psutil"
_SYS = "/sys (cooling devices but fans, over-current and throttle counters)"
_JTOP = "jtop's client, else tegrastats, else sysfs"

_ALL = (
    Metric("capture_ms", "ms", "window", "histogram", "waiting for and copying one frame from the camera", _WORKER),
    Metric("preprocess_ms", "ms", "window", "histogram", "resizing, colour order, scaling, layout", _WORKER),
    Metric("inference_ms", "ms", "window", "histogram", "the engine alone, input ready to output ready", _WORKER),
    Metric("postprocess_ms", "ms", "window", "histogram", "decoding, thresholds, NMS, back to frame pixels", _WORKER),
    Metric("end_to_end_ms", "ms", "window", "histogram", "capture stamp of the frame to its result", _WORKER),
    Metric("fps", "1/s", "window", "value", "frames processed a second", _WORKER),
    Metric("frames", "frames", "window", "value", "frames processed in the window", _WORKER),
    Metric("dropped_frames", "frames", "window", "value", "frames that the camera gave and nobody processed", _WORKER),
    Metric("failed_frames", "frames", "window", "value", "frames that ended in a failure record", _WORKER),
    Metric("detections", "boxes", "window", "value", "boxes above the score threshold, all labels", _WORKER),
    Metric("brightness", "0..255", "window", "value", "mean grey level of the last frame", _WORKER),
    Metric("cpu_percent", "%", "host", "value", "share of all cores' time not idle", _PSUTIL),
    Metric("core_percent", "%", "host", "series", "the same for each core", _PSUTIL),
    Metric("load_1m", "processes", "host", "value", "run queue, one-minute average", _PSUTIL),
    Metric("memory_percent", "%", "host", "value", "memory not available to programs", _PSUTIL),
    Metric("memory_used_bytes", "B", "host", "value", "memory not available to programs", _PSUTIL),
    Metric("memory_total_bytes", "B", "host", "value", "memory of the machine", _PSUTIL),
    Metric("swap_percent", "%", "host", "value", "swap in use", _PSUTIL),
    Metric("disk_percent", "%", "host", "value", "use of the file system that holds the journal", _PSUTIL),
    Metric("disk_free_bytes", "B", "host", "value", "free for this user on that file system", _PSUTIL),
    Metric("network_received_bytes_per_s", "B/s", "host", "value", "all interfaces but loopback", _PSUTIL),
    Metric("network_sent_bytes_per_s", "B/s", "host", "value", "all interfaces but loopback", _PSUTIL),
    Metric("uptime_s", "s", "host", "value", "since the robot's computer started", _PSUTIL),
    Metric("temp_c", "°C", "host", "series", "each temperature sensor", f"{_PSUTIL}, {_JTOP}"),
    Metric("temp_max_c", "°C", "host", "value", "the hottest of temp_c", f"{_PSUTIL}, {_JTOP}"),
    Metric("fan_rpm", "rpm", "host", "series", "each fan", f"{_PSUTIL}, {_JTOP}"),
    Metric(
        "throttled", "", "host", "value", "1 while the computer slows itself down (heat, over-current), else 0", _SYS
    ),
    Metric("throttled_by", "", "host", "text", "what slows it down; empty while nothing does", _SYS),
    Metric("process_cpu_percent", "%", "host", "series", "agent and worker, of one core", _PSUTIL),
    Metric("process_memory_bytes", "B", "host", "series", "agent and worker, resident", _PSUTIL),
    Metric("gpu_percent", "%", "host", "value", "share of time the GPU was busy", _JTOP),
    Metric("gpu_mhz", "MHz", "host", "value", "the GPU's clock", _JTOP),
    Metric("emc_percent", "%", "host", "value", "use of the memory controller", _JTOP),
    Metric("power_mw", "mW", "host", "series", "each power rail", _JTOP),
    Metric("power_total_mw", "mW", "host", "value", "the board's input", _JTOP),
    Metric("power_mode", "", "host", "text", "nvpmodel's mode", _JTOP),
)

METRICS: dict[str, Metric] = {metric.name: metric for metric in _ALL}
