"""The loops of `quantiles`, compiled: counting, collecting and sorting numbers by intervals.

A number's key is an unsigned integer, in the order of the numbers. Interval (group, column) holds
the keys from `low` to `low + last`; a column's intervals are apart or the same. Columns are shared
among threads.
"""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numba import njit

_SIGN = np.uint64(1 << 63)
_TOP = np.uint64(63)
#: Rows that stay in the cache while their columns are gone through.
_TILE = 128

_compiled = njit(cache=True, nogil=True)


@njit(inline="always")
def _key(bits):
    return ~bits if bits >> _TOP else bits | _SIGN


@_compiled
def _count(begin, stop, bits, low, last, shift, counts):
    for top in range(0, bits.shape[0], _TILE):
        bottom = min(top + _TILE, bits.shape[0])
        for column in range(begin, stop):
            for group in range(low.shape[0]):
                first, length = low[group, column], last[group, column]
                by = shift[group, column]
                for row in range(top, bottom):
                    distance = _key(bits[row, column]) - first
                    if distance <= length:
                        counts[group, column, np.int64(distance >> by)] += 1


@_compiled
def _collect(begin, stop, slab, bits, low, last, wanted, kept, end):
    for top in range(0, bits.shape[0], _TILE):
        bottom = min(top + _TILE, bits.shape[0])
        for column in range(begin, stop):
            for group in range(low.shape[0]):
                if wanted[group, column]:
                    first, length = low[group, column], last[group, column]
                    place = end[group, column]
                    for row in range(top, bottom):
                        if _key(bits[row, column]) - first <= length:
                            kept[place] = slab[row, column]
                            place += 1
                    end[group, column] = place


@_compiled
def _sort(begin, stop, kept, start, end):
    for column in range(begin, stop):
        for group in range(start.shape[0]):
            kept[start[group, column] : end[group, column]].sort()


def _shared(function: Callable[..., None], columns: int, *arguments: Any) -> None:
    """Calls a function for all columns, a part of them a thread."""
    threads = min(len(os.sched_getaffinity(0)), columns)
    bounds = [columns * part // threads for part in range(threads + 1)]
    with ThreadPoolExecutor(threads) as pool:
        for done in [pool.submit(function, a, b, *arguments) for a, b in zip(bounds, bounds[1:])]:
            done.result()


def count(
    slab: np.ndarray, low: np.ndarray, last: np.ndarray, shift: np.ndarray, counts: np.ndarray
) -> None:
    """Adds to counts[group, column, cell], cell = (key - low) >> shift, of the keys inside."""
    _shared(_count, slab.shape[1], slab.view(np.uint64), low, last, shift, counts)


def collect(
    slab: np.ndarray,
    low: np.ndarray,
    last: np.ndarray,
    wanted: np.ndarray,
    kept: np.ndarray,
    end: np.ndarray,
) -> None:
    """Puts the numbers inside of the wanted intervals into `kept` from `end` on, and moves that."""
    columns = slab.shape[1]
    _shared(_collect, columns, slab, slab.view(np.uint64), low, last, wanted, kept, end)


def sort(kept: np.ndarray, start: np.ndarray, end: np.ndarray) -> None:
    """Sorts each of the pieces start..end of `kept`."""
    _shared(_sort, start.shape[1], kept, start, end)
