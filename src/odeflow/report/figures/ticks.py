"""Ticks of logarithmic axes: as many as there is room for, in words that do not overlap."""

import math

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import (
    FixedLocator,
    FuncFormatter,
    NullFormatter,
    NullLocator,
    ScalarFormatter,
)

#: Steps within a decade, from the densest.
_STEPS = ((1, 2, 3, 4, 5, 6, 7, 8, 9), (1, 2, 4, 6, 8), (1, 2, 5), (1, 3), (1,))
_INCHES_A_LABEL = 0.42
#: Numbers between these are written without a power of ten.
_PLAIN = (1e-3, 1e5)


def plain_numbers(figure: Figure) -> None:
    """Has numbers at ticks drawn as text, where no power of ten stands beside them.

    As mathematics they look the same, and take as long as the rest of a figure.
    """
    for ax in figure.axes:
        for axis in (ax.xaxis, ax.yaxis):
            formatter = axis.get_major_formatter()
            if isinstance(formatter, ScalarFormatter) and formatter.get_useMathText():
                formatter.set_locs(list(axis.get_majorticklocs()))
                if not formatter.get_offset():
                    formatter.set_useMathText(False)


def tidy_log_axes(figure: Figure) -> None:
    """Gives every logarithmic axis of a figure ticks that fit: two at least, and no overlaps."""
    for ax in figure.axes:
        for axis in (ax.xaxis, ax.yaxis):
            if axis.get_scale() == "log":
                _tidy(figure, ax, axis)
            elif axis.get_scale() == "symlog":
                _tidy_symmetric(figure, ax, axis)


def _tidy_symmetric(figure: Figure, ax: Axes, axis) -> None:
    """Zero, and powers of ten on both sides of it, as many as there is room for."""
    low, high = sorted(axis.get_view_interval())
    least = axis.get_transform().linthresh
    largest = max(abs(low), abs(high))
    if not 0 < least < largest < math.inf:
        return
    first, last = math.ceil(math.log10(least)), math.floor(math.log10(largest))
    both = low < 0 < high
    most = max(_room(figure, ax, axis) // (2 if both else 1), 1)
    powers = range(last, first - 1, -max(math.ceil((last - first + 1) / most), 1))
    ticks = sorted(sign * 10.0**power for power in powers for sign in (-1, 1))
    axis.set_major_locator(FixedLocator([*(x for x in ticks if low <= x <= high), 0.0]))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(FuncFormatter(lambda value, _: _signed_power(value)))


def _signed_power(value: float) -> str:
    if value == 0:
        return "0"
    sign = "-" if value < 0 else ""
    return f"${sign}10^{{{round(math.log10(abs(value)))}}}$"


def _room(figure: Figure, ax: Axes, axis) -> int:
    """Labels that fit along an axis."""
    # nearly the panel's size: that by constrained layout is known only when the figure is drawn
    box, (width, height) = ax.get_position(), figure.get_size_inches()
    along_x = axis.axis_name == "x"
    room = box.width * width if along_x else box.height * height
    return max(int(room / _INCHES_A_LABEL), 2) + (0 if along_x else 2)


def _tidy(figure: Figure, ax: Axes, axis) -> None:
    low, high = sorted(axis.get_view_interval())
    if not (0 < low < high < math.inf):
        return
    room = _room(figure, ax, axis)
    if low < _PLAIN[0] or high > _PLAIN[1]:  # powers of ten take more room
        room = max(round(0.75 * room), 2)
    ticks = log_ticks(low, high, room)
    powers = [math.floor(math.log10(tick)) for tick in ticks]
    # what a power of ten shortens is written so, all of an axis alike
    plain = all(_PLAIN[0] <= tick < _PLAIN[1] for tick in ticks)
    axis.set_major_locator(FixedLocator(ticks))
    axis.set_major_formatter(FuncFormatter(lambda value, _: _text(value, plain)))
    decades = [10.0**p * k for p in range(min(powers) - 1, max(powers) + 2) for k in range(1, 10)]
    few = math.log10(high / low) < 8
    axis.set_minor_locator(FixedLocator(decades) if few else NullLocator())
    axis.set_minor_formatter(NullFormatter())


def log_ticks(low: float, high: float, most: int) -> list[float]:
    """Round numbers from low to high, `most` of them at most, two at least where that can be.

    Arguments:
        low: the lower end, above 0.
        high: the upper end.
        most: as many labels as there is room for.
    """
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    within = lambda ticks: [tick for tick in ticks if low * 0.9999 <= tick <= high * 1.0001]
    for steps in _STEPS:
        found = within([k * 10.0**p for p in range(first, last + 1) for k in steps])
        if 2 <= len(found) <= most:
            return found
    decades = within([10.0**p for p in range(first, last + 1)])
    if len(decades) > most:
        stride = math.ceil(len(decades) / most)
        return decades[::stride]
    # less than a step of a decade: even steps
    rough = (high - low) / max(most - 1, 1)
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(k * power for k in (1, 2, 5, 10) if k * power >= rough)
    even = [i * step for i in range(math.ceil(low / step), math.floor(high / step) + 1)]
    return even or [low, high]


def _text(value: float, plain: bool) -> str:
    if plain:
        return f"{value:.6g}"
    power = math.floor(math.log10(value) + 1e-9)
    digits = f"{value / 10.0**power:.4g}"
    if digits == "10":
        digits, power = "1", power + 1
    factor = "" if digits == "1" else rf"{digits}\times"
    return rf"${factor}10^{{{power}}}$"
