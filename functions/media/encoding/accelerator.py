"""What encodes pictures: the words that plans, options and Triggers share."""

from __future__ import annotations

from typing import Final, Literal, get_args

Accelerator = Literal["cpu", "gpu"]
ACCELERATORS: Final[tuple[Accelerator, ...]] = get_args(Accelerator)
CPU: Final = "cpu"
GPU: Final = "gpu"
