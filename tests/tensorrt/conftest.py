"""These need NVIDIA's builder, in an environment of its own: `make tensorrt`."""

from __future__ import annotations

import sys
from importlib.util import find_spec

collect_ignore_glob = [] if find_spec("tensorrt_rtx") and sys.platform == "linux" else ["test_*.py"]
