"""The config's formulas, as text, over the quantities of an imported model."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace

import libsbml

from odeflow.config.observables import VariableConfig
from odeflow.config.validate import nearest
from odeflow.files.errors import ConfigError
from odeflow.importers.antimony.antimony_tokens import MOST_OPERATIONS, count_operations
from odeflow.importers.expressions.expression import TIME, Expression, Symbol
from odeflow.importers.sbml.mathml import MathError, Translator
from odeflow.importers.sbml.system import System

#: Words that libsbml takes for numbers.
_NUMBERS = frozenset(
    ("pi", "exponentiale", "inf", "infinity", "nan", "notanumber", "true", "false")
)


def parse_formula(text: str, known: Mapping[str, str]) -> Expression:
    """The expression of a formula in libsbml's infix notation; nothing of the text is run.

    `known` are the names that it may read, and the quantity that each stands for; `time` is known.
    `log` and `ln` are the natural logarithm, beside `log10` and `log2`. A quantity that is called
    `pi` comes before the number. Raises MathError.
    """
    if re.search(r"\btime\b", text) and known.get("time", TIME) != TIME:
        raise MathError(
            f"time is the time, and a name in the model; write {known['time']} for that"
        )
    text, known = _renamed(text, known)

    def quantity(name: str) -> Expression:
        if name not in known:
            raise MathError(f"unknown name {name!r}{nearest(name, known)}")
        return Symbol(known[name])

    def rate(name: str) -> Expression:
        raise MathError(f"rateOf({name}) is not supported in a formula")

    def delayed(expression: Expression, by: Expression) -> Expression:
        raise MathError("a delay is not supported in a formula")

    if count_operations(text) > MOST_OPERATIONS:
        raise MathError(f"a formula of more than {MOST_OPERATIONS:,} operations; divide it")
    settings = libsbml.L3ParserSettings()
    settings.setParseUnits(libsbml.L3P_NO_UNITS)
    settings.setParseAvogadroCsymbol(libsbml.L3P_AVOGADRO_IS_NAME)
    settings.setComparisonCaseSensitivity(libsbml.L3P_COMPARE_BUILTINS_CASE_SENSITIVE)
    # libsbml's log(x, y) has the base first, others have it last: ln refuses two arguments
    text = re.sub(r"\blog2\s*\(", "log(2, ", re.sub(r"\blog\s*\(", "ln(", text))
    tree = libsbml.parseL3FormulaWithSettings(text, settings)
    if tree is None:
        raise MathError(" ".join(libsbml.getLastParseL3Error().split()))
    return Translator({}, quantity, rate, delayed).number(tree)


def _renamed(text: str, known: Mapping[str, str]) -> tuple[str, Mapping[str, str]]:
    """The same formula without names that libsbml reads as numbers, such as `pi` and `inf`."""
    for word in _NUMBERS & {*known}:
        other = f"{word}_"
        while other in known or re.search(rf"\b{other}\b", text):
            other += "_"
        text = re.sub(rf"(?<![\w.]){word}\b", other, text)
        known = {**known, other: known[word]}
    return text, known


def quantities(system: System, added: Iterable[str] = ()) -> dict[str, str]:
    """What a formula may read of a system: by id and by name, the name."""
    own = (*system.values, *system.assigned, *added)
    return {**{name: name for name in own}, **system.ids}


def extended(system: System, formulas: Mapping[str, str], added: Iterable[str]) -> System:
    """The system with more parameters, without values, and with formulas as observables.

    A formula may read other formulas. Raises ConfigError that names the key: for a name that the
    file has, and for text that is not a formula.
    """
    added = list(added)
    taken = {*system.values, *system.assigned}
    for key, names in (("parameters", added), ("observables.formulas", formulas)):
        for name in names:
            if name in taken:
                raise ConfigError(
                    f"model.{key}.{name}: the model has {name!r} already; choose another name"
                    + (", or leave out `added`" if key == "parameters" else "")
                )
    known = {**{name: name for name in formulas}, **quantities(system, added)}
    assigned = dict(system.assigned)
    for name, text in formulas.items():
        try:
            assigned[name] = parse_formula(text, known)
        except MathError as error:
            raise ConfigError(f"model.observables.formulas.{name}: {error}") from None
    larger = replace(
        system,
        values={**system.values, **dict.fromkeys(added)},
        assigned=assigned,
        labels={**system.labels, **dict.fromkeys((*added, *formulas), VariableConfig())},
        observables=(*system.observables, *formulas),
    )
    try:
        larger.check()
    except ValueError as error:
        raise ConfigError(f"model.observables.formulas: {error}") from None
    return larger
