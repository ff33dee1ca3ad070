"""Times in messages, with as many digits as they need."""

import math

#: Between the unit and the date that times count from, as CF writes it.
_SINCE = " since "

#: Digits that a float64 has.
_MOST_DIGITS = 17


def duration_units(time_units: str) -> str:
    """Units of what lasts, from those of times: `days` for `days since 2026-03-01`."""
    return time_units.partition(_SINCE)[0].strip()


def shown_time(time: float, *among: float) -> str:
    """A time with the digits that tell it from others: four, or more where they lie close.

    The digits resolve a thousandth of the range of all of them: 1700000002 of 1700000000 to
    1700000004, but 2.5e-11 of 0 to 1e-10.
    """
    times = [time, *among]
    span = max(times) - min(times)
    largest = max(map(abs, times))
    digits = 4
    if 0 < span < largest:
        digits += math.ceil(math.log10(largest / span))
    digits = min(digits, _MOST_DIGITS)
    while digits < _MOST_DIGITS and len({f"{t:.{digits}g}" for t in times}) < len(set(times)):
        digits += 1
    return f"{time:.{digits}g}"
