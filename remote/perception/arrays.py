"""The array types of perception, named once."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[np.uint8]  # [height, width, 3], BGR
Floats = npt.NDArray[np.float32]
Labels = npt.NDArray[np.int64]
Tensor = npt.NDArray[Any]  # float32, float16 or uint8, as the contract says
