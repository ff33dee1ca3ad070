"""SBML's unit definitions as text, such as mmol/L."""

from typing import Any

import libsbml

from odeflow.problem.derivative_names import quotient_units

_SYMBOLS = {
    "ampere": "A", "becquerel": "Bq", "candela": "cd", "celsius": "degC", "coulomb": "C",
    "dimensionless": "1", "farad": "F", "gram": "g", "gray": "Gy", "henry": "H", "hertz": "Hz",
    "joule": "J", "katal": "kat", "kelvin": "K", "kilogram": "kg", "liter": "L", "litre": "L",
    "lumen": "lm", "lux": "lx", "meter": "m", "metre": "m", "mole": "mol", "newton": "N",
    "pascal": "Pa", "radian": "rad", "second": "s", "siemens": "S", "sievert": "Sv",
    "steradian": "sr", "tesla": "T", "volt": "V", "watt": "W", "weber": "Wb",
}  # fmt: skip
_PREFIXES = {
    1e-18: "a", 1e-15: "f", 1e-12: "p", 1e-9: "n", 1e-6: "u", 1e-3: "m", 1e-2: "c", 1e-1: "d",
    1e3: "k", 1e6: "M", 1e9: "G",
}  # fmt: skip
_TIMES = {60.0: "min", 3600.0: "h", 86400.0: "d", 604800.0: "week"}
#: What Level 2 predefines, and the attribute of the model that Level 3 has instead.
_PREDEFINED = {
    "substance": ("mol", "SubstanceUnits"),
    "volume": ("L", "VolumeUnits"),
    "area": ("m^2", "AreaUnits"),
    "length": ("m", "LengthUnits"),
    "time": ("s", "TimeUnits"),
    "extent": ("mol", "ExtentUnits"),
}


class Units:
    """Units of a model's quantities as text; "1" where the model does not say."""

    def __init__(self, model: Any) -> None:
        self._model = model

    def text(self, identifier: str) -> str:
        """Units that an attribute names: a definition's id, a kind, or a predefined one."""
        definition = self._model.getUnitDefinition(identifier) if identifier else None
        if definition is not None:
            return _definition_text(definition)
        if identifier in _PREDEFINED:
            return _PREDEFINED[identifier][0]
        return _SYMBOLS.get(identifier, identifier) or "1"

    def default(self, quantity: str) -> str:
        """Units of substance, volume, area, length, time or extent of the whole model."""
        if self._model.getLevel() < 3:
            return self.text("substance" if quantity == "extent" else quantity)
        return self.text(getattr(self._model, f"get{_PREDEFINED[quantity][1]}")())

    def size(self, compartment: Any) -> str:
        """Units of a compartment's size."""
        if compartment.isSetUnits():
            return self.text(compartment.getUnits())
        kinds = {3: "volume", 2: "area", 1: "length"}
        dimensions = compartment.getSpatialDimensions()
        return self.default(kinds[dimensions]) if dimensions in kinds else "1"

    def amount(self, species: Any) -> str:
        """Units of a species' amount."""
        if species.isSetSubstanceUnits():
            return self.text(species.getSubstanceUnits())
        return self.default("substance")

    def concentration(self, species: Any, compartment: Any) -> str:
        """Units of a species' concentration."""
        return quotient_units(self.amount(species), self.size(compartment))

    def rate(self) -> str:
        """Units of a reaction's rate."""
        return quotient_units(self.default("extent"), self.default("time"))


def _definition_text(definition: Any) -> str:
    """`mmol`, `mmol/L`, `1/(mmol s)`: powers above and below a bar."""
    above: list[str] = []
    below: list[str] = []
    for i in range(definition.getNumUnits()):
        unit = definition.getUnit(i)
        exponent = unit.getExponentAsDouble()
        text = _unit_text(unit)
        if text == "1" or exponent == 0:
            continue
        power = "" if abs(exponent) == 1 else f"^{abs(exponent):g}"
        (above if exponent > 0 else below).append(text + power)
    top = " ".join(above) or "1"
    if not below:
        return top
    return quotient_units(top, " ".join(below))


def _unit_text(unit: Any) -> str:
    kind = str(libsbml.UnitKind_toString(unit.getKind()))
    if unit.getKind() == libsbml.UNIT_KIND_INVALID:
        return "1"
    symbol = _SYMBOLS.get(kind, kind)
    factor = unit.getMultiplier() * 10.0 ** unit.getScale()
    if factor == 1:
        return symbol
    if kind == "second" and factor in _TIMES:
        return _TIMES[factor]
    if symbol == "1":
        return f"{factor:g}"
    prefix = next((p for size, p in _PREFIXES.items() if abs(factor / size - 1) < 1e-9), None)
    if prefix is not None and len(symbol) <= 3 and symbol not in ("kg", "degC"):
        return prefix + symbol
    return f"({factor:g} {symbol})"
