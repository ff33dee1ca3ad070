"""Algorithms and their parameters, by the ids of KiSAO, as a `solver` group.

Reference: Courtot et al. (2011), Controlled vocabularies and semantics in systems biology, Mol.
Syst. Biol. 7.
"""

import re
import warnings
from collections.abc import Mapping
from typing import Any

from odeflow.files.errors import shown
from odeflow.files.xml_tree import Element
from odeflow.importers.sedml.document import SedmlFile, given, listed, number_given

_STIFF, _NONSTIFF = "rodas5p", "tsit5"
#: Methods that are the same, or of the same kind and for the same problems.
METHODS: Mapping[int, str] = {
    **dict.fromkeys((19, 20, 433, 496), _STIFF),  # CVODE and those like it
    **dict.fromkeys((71, 88, 89, 94, 233, 288, 535, 560), _STIFF),  # LSODE, LSODA, BDF, VODE
    **dict.fromkeys((283, 432, 355, 356), _STIFF),  # IDA, DASSL
    **dict.fromkeys((33, 374, 694), _STIFF),  # Rosenbrock; any for differential equations
    **dict.fromkeys((279, 280, 289, 364), _NONSTIFF),  # Adams
    30: "euler",
    31: "implicit_euler",
    301: "heun",
    381: "midpoint",
    **dict.fromkeys((87, 435), "dopri5"),
    436: "dopri8",
    537: "bosh3",
}
#: Methods for differential equations without one like it here, and what is taken in their place.
_OTHERS: Mapping[int, str] = {
    **dict.fromkeys((32, 64, 86, 261, 276, 290, 302, 303, 305, 321, 365, 379, 434), _NONSTIFF),
    **dict.fromkeys((297, 299, 304, 309, 318, 378, 383, 384), _STIFF),
}
#: Methods whose steps are all of one length, which the parameter 483 gives.
_CONSTANT = {"euler", "implicit_euler"}
_KEYS = {209: "rtol", 211: "atol", 467: "dtmax", 485: "dtmin", 559: "dt0", 597: "rtol"}
_STEP = 483


def solver_of(file: SedmlFile, algorithm: Element) -> dict[str, Any]:
    """The `solver` group that an algorithm stands for.

    What has no counterpart is said in a warning, and has the default. Raises ConfigError for an
    algorithm that is none for differential equations, or that is not known.
    """
    number = _number(file, algorithm)
    parameters = listed(algorithm, "listOfAlgorithmParameters")
    numbers = [(_number(file, one), one) for one in parameters]
    method = METHODS.get(number) or _OTHERS.get(number)
    if method is None:
        raise file.mistake(
            f"algorithm: {algorithm.attributes['kisaoID']} is not known as a method for ordinary "
            "differential equations; choose one in its place: solver=rodas5p",
            algorithm,
        )
    solver: dict[str, Any] = {}
    unused = [one.attributes["kisaoID"] for key, one in numbers if key not in (*_KEYS, _STEP)]
    for key, one in numbers:
        if key in _KEYS or key == _STEP:
            value = number_given(file, one, "value")
            if value > 0:  # 0 is for no limit, and for what the algorithm finds itself
                solver[_KEYS.get(key, "step")] = value
    step = solver.pop("step", None)
    told = number in _OTHERS
    if method in _CONSTANT and step is not None:
        solver |= {"stepsize_controller": "constant", "dt0": step}
    elif method in _CONSTANT:
        method, told = (_STIFF if method == "implicit_euler" else _NONSTIFF), True
    elif step is not None:
        unused.append(f"KISAO:{_STEP:07d}")
    if told:
        _tell(file, f"{algorithm.attributes['kisaoID']} is solved by {method}")
    if unused:
        _tell(file, f"parameters without a counterpart: {', '.join(unused)}")
    return {"method": method, **solver}


def _tell(file: SedmlFile, text: str) -> None:
    warnings.warn(f"{file.key}: {file.name}: algorithm: {text}", stacklevel=3)


def _number(file: SedmlFile, element: Element) -> int:
    """The number of a KiSAO id."""
    text = given(file, element, "kisaoID")
    found = re.fullmatch(r"\D*KISAO[:_](\d{1,7})", text, re.IGNORECASE)
    if found is None:
        raise file.mistake(f"{shown(text)} is no KiSAO id, such as KISAO:0000019", element)
    return int(found[1])
