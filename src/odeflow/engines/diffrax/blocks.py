"""How lanes are cut into blocks, and blocks dealt to devices."""

import math
from typing import NamedTuple

import numpy as np

from odeflow.problem.problem import Problem

#: Scalars of state in a block: enough to fill the vector units, few enough for the cache.
_BLOCK_SCALARS = 1024
_LARGEST_WIDTH = 512
#: LLVM may leave the last lanes of a loop to scalar code (where the loop reads several states of a
#: lane at once), which rounds differently: other products fuse with a sum. So a block ends with
#: copies that nobody reads: two vectors or more. Blocks of the smallest width need none, since LLVM
#: vectorises so short a loop whole or not at all.
_SMALLEST_WIDTH, _SMALLEST_GUARDED_WIDTH, _SMALLEST_GUARD = 8, 64, 16
#: Bytes of output that one device may hold in one call.
_CALL_BYTES = 64 * 2**20
_MOST_BLOCKS_A_CALL = 16


class BlockLayout(NamedTuple):
    """How lanes are cut: at most `blocks` blocks per device and call, `width` lanes per block.

    The last `guard` lanes of a block are not used.
    """

    devices: int
    blocks: int
    width: int
    guard: int

    @property
    def used(self) -> int:
        """Trajectories in a block."""
        return self.width - self.guard


def layout_of(problem: Problem, number: int) -> BlockLayout:
    """Depends on problem and number of devices, never on the number of lanes."""
    model = problem.model
    width = min(2 ** int(math.log2(_BLOCK_SCALARS / len(model.components))), _LARGEST_WIDTH)
    guarded = 2 * width >= _SMALLEST_GUARDED_WIDTH
    width = max(width, _SMALLEST_GUARDED_WIDTH) if guarded else _SMALLEST_WIDTH
    guard = max(width // 8, _SMALLEST_GUARD) if guarded else 0
    saved = sum(
        math.prod(model.declared.states[name].shape) if name in model.declared.states else 1
        for name in problem.variables
    )
    lane_bytes = problem.dtype.itemsize * len(problem.times) * saved
    blocks = int(np.clip(_CALL_BYTES // (lane_bytes * width), 1, _MOST_BLOCKS_A_CALL))
    return BlockLayout(number, blocks, width, guard)


def deal(start: int, stop: int, layout: BlockLayout) -> tuple[np.ndarray, np.ndarray]:
    """Lane numbers (device, block, lane) of a call, and the blocks each device has to run.

    What is left of the last block is filled up with copies of its last trajectory, which cost no
    extra steps, and so are the lanes of a block that are not used.
    """
    used = -(-(stop - start) // layout.used)
    share = -(-used // layout.devices)
    block = np.arange(layout.devices)[:, None] * share + np.arange(layout.blocks)
    place = np.minimum(np.arange(layout.width), layout.used - 1)
    lane = start + block[..., None] * layout.used + place
    counts = np.clip(used - share * np.arange(layout.devices), 0, share).astype(np.int32)
    return np.minimum(lane, stop - 1), counts
