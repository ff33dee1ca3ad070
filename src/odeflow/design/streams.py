"""Random words that can be entered anywhere, and points of the unit interval made of them.

References:
    Salmon, Moraes, Dror, Shaw (2011), Parallel random numbers: as easy as 1, 2, 3, SC '11.
"""

import hashlib

import numpy as np


def stream(key: str, start: int, stop: int) -> np.ndarray:
    """Words start..stop (uint64) of the random stream `key`, by Philox4x64-10.

    Its blocks of four words are a function of key and counter, so that the stream can be
    entered anywhere. The raw words are the same in every version of NumPy.
    """
    key_bits = int.from_bytes(hashlib.sha256(key.encode()).digest()[:16], "little")
    block, skipped = divmod(start, 4)
    generator = np.random.Philox(counter=block, key=key_bits)
    return generator.random_raw(skipped + stop - start)[skipped:]


def open_unit(words: np.ndarray) -> np.ndarray:
    """Random words (uint64) to the middles of 2**52 cells: exact, and never 0 or 1."""
    return ((words >> np.uint64(12)) + 0.5) * 2.0**-52


def inside(points: np.ndarray) -> np.ndarray:
    """Points of [0, 1] moved off its ends."""
    return np.clip(points, 2.0**-53, 1 - 2.0**-53)
