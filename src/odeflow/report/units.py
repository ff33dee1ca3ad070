"""Units as they are printed: `mmol/L/min` is mmol L⁻¹ min⁻¹."""

import re

import xarray as xr

_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
#: A unit with its power, `m`, `s^-1`, `L**2` or `cm2`; or the 1 of 1/h.
_FACTOR = re.compile(r"(?P<name>[^\W\d_]+|[%°µμΩÅ]+[^\W\d_]*)(?:(?:\^|\*\*)?(?P<power>-?\d+))?|1")
#: What stands for a micro sign where a keyboard has none.
_MICRO = re.compile(r"u(?=(?:mol|M|g|m|l|L|s|A|F|S|V|W|Pa|Ci|Gy|N|J)$)")
_TOKEN = re.compile(r"\s*(\*\*-?\d+|\^-?\d+|[*/()·]|\s)\s*")


def printed_units(units: str) -> str:
    """Units in the form of a paper: powers raised, no slash, a thin gap between factors, µ for u.

    Arguments:
        units: as a config writes them, with `*`, `/`, `^` or `**`, blanks and parentheses.

    Returns:
        The same units; the text as it is where it cannot be read so, such as `cells per mL`.

    Example:
        >>> printed_units("mmol/L/min"), printed_units("1/min"), printed_units("mg/(L*h)")
        ('mmol L⁻¹ min⁻¹', 'min⁻¹', 'mg L⁻¹ h⁻¹')
        >>> printed_units("uA/cm2")
        'µA cm⁻²'
    """
    powers = _powers(units.strip())
    if powers is None:
        return units
    words = [
        f"{_MICRO.sub('µ', name)}{raised_power(power) if power != 1 else ''}"
        for name, power in powers
    ]
    return "\N{NO-BREAK SPACE}".join(words) or units


def with_units(array: xr.DataArray) -> str:
    """What a variable is, with its units: `substrate concentration (mmol L⁻¹)`."""
    words, units = str(array.attrs.get("long_name", array.name)), str(array.attrs.get("units", "1"))
    return words if units in ("", "1") else f"{words} ({printed_units(units)})"


def raised_power(power: int) -> str:
    """A whole number as an exponent: -7 is ⁻⁷."""
    return str(power).translate(_RAISED)


def _powers(text: str) -> list[tuple[str, int]] | None:
    """Each factor with its power; None where the text is no product of powers."""
    if re.search(r"[A-Za-z]+ [A-Za-z]+ [A-Za-z]+", text):  # words, not factors
        return None
    found: list[tuple[str, int]] = []
    signs, sign, wants_factor = [1], 1, True
    for token in filter(str.strip, _TOKEN.split(text)):
        if re.fullmatch(r"(\*\*|\^)-?\d+", token):
            if wants_factor or not found:
                return None
            name, power = found[-1]
            found[-1] = (name, power * int(token.lstrip("*^")))
        elif token in "*·":
            if wants_factor:
                return None
            wants_factor, sign = True, signs[-1]
        elif token == "/":
            if wants_factor:
                return None
            wants_factor, sign = True, -signs[-1]
        elif token == "(":
            if not wants_factor:
                return None
            signs.append(sign)
        elif token == ")":
            if wants_factor or len(signs) == 1:
                return None
            signs.pop()
        else:
            match = _FACTOR.fullmatch(token)
            if match is None:
                return None
            if not wants_factor:  # a blank between factors
                sign = signs[-1]
            if token != "1":
                found.append((match["name"], sign * int(match["power"] or 1)))
            wants_factor = False
    return found if not wants_factor and len(signs) == 1 else None
