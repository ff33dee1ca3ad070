"""The loops of `quantiles`, compiled: counting, collecting and sorting numbers by intervals.

A number's key is an unsigned integer, in the order of the numbers. Interval (group, column) holds
the keys from `low` to `low + last`; a column's intervals are apart or the same. Columns are shared
among threads.
"""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, no_type_check

import numpy as np
from numba import njit

from odeflow.files.compiled.numba_cache import keep
from odeflow.files.digests import texts_digest

_SIGN = np.uint64(1 << 63)
#: Rows that stay in the cache while their columns are gone through.
_TILE = 128
#: Bits of a place in the table of intervals.
_LOOK_UP_BITS = 12

_SOURCE = texts_digest(Path(__file__).read_bytes())


def _compiled(function: Callable[..., None]) -> Any:
    """What `no_type_check` is for: tests would wrap the function, and Numba compiles no wrapper."""
    return keep(njit(nogil=True)(function), _SOURCE)


@njit(inline="always")
@no_type_check
def _key(bits):
    return ~bits if bits > _SIGN else bits | _SIGN  # -0.0, which is _SIGN itself, is 0.0


@_compiled
@no_type_check
def _count(begin, stop, bits, low, last, shift, counts, below):
    for top in range(0, bits.shape[0], _TILE):
        bottom = min(top + _TILE, bits.shape[0])
        for column in range(begin, stop):
            for group in range(low.shape[0]):
                first, length = low[group, column], last[group, column]
                by = shift[group, column]
                less = 0
                for row in range(top, bottom):
                    key = _key(bits[row, column])
                    less += key < first
                    if key - first <= length:
                        counts[group, column, np.int64((key - first) >> by)] += 1
                below[group, column] += less


@_compiled
@no_type_check
def _count_and_keep(begin, stop, slab, bits, edges, counts, is_near, kept, number):
    most = kept.shape[1]
    for top in range(0, bits.shape[0], _TILE):
        bottom = min(top + _TILE, bits.shape[0])
        for column in range(begin, stop):
            for row in range(top, bottom):
                key = _key(bits[row, column])
                place = 0
                for edge in range(edges.shape[1]):
                    place += key >= edges[column, edge]
                counts[column, place] += 1
                if is_near[column, place]:
                    if number[column] < most:
                        kept[column, number[column]] = slab[row, column]
                    number[column] += 1


@_compiled
@no_type_check
def _look_up(begin, stop, low, last, wanted, shift, table):
    for column in range(begin, stop):
        for group in range(low.shape[0] - 1, -1, -1):
            if wanted[group, column]:
                start = low[group, column] - low[0, column]
                for cell in range(
                    np.int64(start >> shift[column]),
                    np.int64((start + last[group, column]) >> shift[column]) + 1,
                ):
                    table[column, cell] = group


@_compiled
@no_type_check
def _collect(begin, stop, slab, bits, low, last, wanted, shift, table, kept, end):
    groups = low.shape[0]
    for top in range(0, bits.shape[0], _TILE):
        bottom = min(top + _TILE, bits.shape[0])
        for column in range(begin, stop):
            origin, by = low[0, column], shift[column]
            span = low[groups - 1, column] - origin + last[groups - 1, column]
            for row in range(top, bottom):
                key = _key(bits[row, column])
                if key - origin <= span:
                    group = table[column, np.int64((key - origin) >> by)]
                    while group < groups and low[group, column] <= key:
                        inside = key - low[group, column] <= last[group, column]
                        if inside and wanted[group, column]:
                            kept[end[group, column]] = slab[row, column]
                            end[group, column] += 1
                        group += 1


def _sort(begin, stop, kept, start, end):
    # by NumPy, whose sort is as fast, lets other threads run, and need not be compiled
    for column in range(begin, stop):
        for group in range(start.shape[0]):
            kept[start[group, column] : end[group, column]].sort()


def _shared(function: Callable[..., None], columns: int, *arguments: Any) -> None:
    """Calls a function for all columns, one part of them per thread."""
    threads = min(len(os.sched_getaffinity(0)), columns)
    bounds = [columns * part // threads for part in range(threads + 1)]
    with ThreadPoolExecutor(threads) as pool:
        for done in [pool.submit(function, a, b, *arguments) for a, b in zip(bounds, bounds[1:])]:
            done.result()


def count(
    slab: np.ndarray,
    low: np.ndarray,
    last: np.ndarray,
    shift: np.ndarray,
    counts: np.ndarray,
    below: np.ndarray,
) -> None:
    """Adds to counts[group, column, cell], cell = (key - low) >> shift, of the keys inside, and to
    below[group, column] of those that are less.
    """
    _shared(_count, slab.shape[1], slab.view(np.uint64), low, last, shift, counts, below)


def count_and_keep(
    slab: np.ndarray,
    edges: np.ndarray,
    counts: np.ndarray,
    is_near: np.ndarray,
    kept: np.ndarray,
    number: np.ndarray,
) -> None:
    """Adds to counts[column, place], place being how many of the column's `edges` are no greater
    than the key, and puts the numbers of places that are near into `kept`.

    `number` counts those of each column, and may grow larger than there is room for.
    """
    known = edges, counts, is_near, kept, number
    _shared(_count_and_keep, slab.shape[1], slab, slab.view(np.uint64), *known)


def collect(
    slab: np.ndarray,
    low: np.ndarray,
    last: np.ndarray,
    wanted: np.ndarray,
    table: tuple[np.ndarray, np.ndarray],
    kept: np.ndarray,
    end: np.ndarray,
) -> None:
    """Puts the numbers inside of the wanted intervals into `kept` from `end` on, and moves that.

    `table` is the `look_up` of the intervals.
    """
    columns = slab.shape[1]
    _shared(_collect, columns, slab, slab.view(np.uint64), low, last, wanted, *table, kept, end)


def look_up(low: np.ndarray, last: np.ndarray, wanted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For each column a shift, and for (key - low[0]) >> shift the first wanted interval there.

    Most numbers are in none, and one look says so. A column's intervals ascend with the group.
    """
    groups, columns = low.shape
    shift = excess_bits(low[-1] - low[0] + last[-1], _LOOK_UP_BITS)
    table = np.full((columns, 1 << _LOOK_UP_BITS), groups, np.int32)
    _shared(_look_up, columns, low, last, wanted, shift, table)
    return shift, table


def excess_bits(values: np.ndarray, kept: int) -> np.ndarray:
    """By how many bits each of the unsigned integers is longer than `kept` bits."""
    length = np.zeros(values.shape, np.uint64)
    for n in (32, 16, 8, 4, 2, 1):
        length += np.where(values >> (length + np.uint64(n)), np.uint64(n), np.uint64(0))
    length += (values > 0).astype(np.uint64)
    return np.maximum(length, np.uint64(kept)) - np.uint64(kept)


def sort(kept: np.ndarray, start: np.ndarray, end: np.ndarray) -> None:
    """Sorts each of the ranges start..end of `kept`."""
    _shared(_sort, start.shape[1], kept, start, end)
