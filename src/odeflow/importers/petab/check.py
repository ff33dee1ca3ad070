"""Whether the tables of a PEtab problem fit its model: every mistake names file, row, column."""

from collections.abc import Mapping

from odeflow.importers.expressions.evaluation import evaluate
from odeflow.importers.expressions.expression import names
from odeflow.importers.petab.formulas import words
from odeflow.importers.petab.meaning import Meaning
from odeflow.importers.petab.tables import TableRow, as_number, mistake
from odeflow.importers.sbml.formulas import parse_formula, quantities
from odeflow.importers.sbml.mathml import MathError


def check_meaning(meaning: Meaning) -> None:
    """Raises ConfigError for the first id or formula that means nothing, or cannot be solved."""
    _check_overrides(meaning)
    _check_columns(meaning)
    for output in meaning.outputs:
        row = meaning.problem.observables[output.observable].row
        _check_formula(row, "observableFormula", meaning.formula(output), _known(meaning))
        noise = meaning.problem.observables[output.observable].noise_placeholders
        known = {**_known(meaning), **{x: x for x in (*noise, output.variable)}}
        _check_formula(row, "noiseFormula", meaning.noise_formula(output, {}), known)
    _check_parameters(meaning)
    _check_noise(meaning)


def _known(meaning: Meaning) -> dict[str, str]:
    return quantities(meaning.system, [meaning.names[x] for x in meaning.added])


def _check_formula(row: TableRow, column: str, text: str, known: Mapping[str, str]) -> None:
    try:
        parse_formula(text, known)
    except MathError as error:
        raise row.mistake(column, str(error)) from None


def _check_overrides(meaning: Meaning) -> None:
    known = [*meaning.problem.parameters, *meaning.system.ids]
    for row, column, identifier in meaning.places_of_parameters():
        row.known(column, identifier, known, "a number, in the parameter table or in the model")


def _check_columns(meaning: Meaning) -> None:
    """The condition table sets what the model has, to numbers and to what has a value."""
    problem, system = meaning.problem, meaning.system
    conditions = problem.conditions.values()
    for column in problem.columns:
        row = next(one.row for one in conditions if column in (*one.settings, *one.row.cells))
        if column in problem.parameters:
            raise problem.parameters[column].row.mistake(
                "parameterId", f"{column} has a column in the condition table; keep one of them"
            )
        if column not in system.ids:
            raise mistake(
                row.file, f"column {column}: no such id in {problem.sbml}, of a parameter, species "
                "or compartment"
            )  # fmt: skip
        name = system.ids[column]
        if name not in system.values:
            raise mistake(
                row.file, f"column {column}: {problem.sbml} computes it by a rule, or as a "
                "concentration in a compartment that changes; set what it is made of"
            )  # fmt: skip
        for condition in problem.conditions:
            _check_setting(meaning, condition, column, name)


def _check_setting(meaning: Meaning, condition: str, column: str, name: str) -> None:
    system, parameters = meaning.system, meaning.problem.parameters
    one = meaning.problem.conditions[condition]
    if column not in one.settings:
        always_after = [
            before is not None
            for other, before in meaning.conditions.values()
            if other == condition
        ]
        if name in system.rates and always_after and all(always_after):
            return  # it stays as it was at rest
        if name in system.initial or system.values[name] is None:
            raise one.row.mistake(
                column, "is empty, and the model has no number there; give one in every row"
            )
        return
    setting = one.settings[column]
    text = setting.text
    if as_number(text) is not None or text in parameters:
        return
    known = [*parameters, *system.ids]
    setting.row.known(setting.column, text, known, "a number, a parameter or in the model")
    own = system.ids[text]
    if system.values.get(own) is None:
        raise setting.mistake(f"{text} has no value of its own in the model; give a number")


def _check_parameters(meaning: Meaning) -> None:
    """Each parameter of the table is one of the model's, or something reads it."""
    system, problem = meaning.system, meaning.problem
    texts = [word for one in problem.settings for word in words(one.text)]
    read = {*texts, *(identifier for _, _, identifier in meaning.places_of_parameters())}
    for observable in problem.observables.values():
        read |= words(f"{observable.formula} {observable.noise}")
    for identifier, parameter in problem.parameters.items():
        if identifier in system.ids:
            name = system.ids[identifier]
            if name in system.species:
                raise parameter.row.mistake(
                    "parameterId", f"{identifier} is a species; set it in the condition table"
                )
            if name not in system.values:
                raise parameter.row.mistake(
                    "parameterId", f"{problem.sbml} computes {identifier} by a rule; remove the row"
                )
        elif identifier not in read:
            raise parameter.row.mistake(
                "parameterId",
                f"{identifier} is not in {problem.sbml}, and nothing reads it; remove the row",
            )


def _check_noise(meaning: Meaning) -> None:
    """Noise that nothing varies, of numbers and fixed parameters, is greater than 0."""
    problem = meaning.problem
    fixed = {
        meaning.names[identifier]: one.value
        for identifier, one in problem.parameters.items()
        if one.law is None and not set(problem.columns) & {identifier}
    }
    own = {x: x for x in (*fixed, *(output.variable for output in meaning.outputs))}
    known = {**_known(meaning), **own}
    formulas: dict[str, float] = {}
    for measurement in problem.measurements:
        observable = problem.observables[measurement.observable]
        given = dict(zip(observable.noise_placeholders, measurement.noise_parameters))
        formula = meaning.noise_formula(meaning.output_of(measurement), given)
        if formula not in formulas:
            parsed = parse_formula(formula, known)
            is_constant = set(names(parsed)) <= set(fixed)
            value = evaluate([("noise", parsed)], fixed)["noise"] if is_constant else 1.0
            formulas[formula] = float(value)
        noise = formulas[formula]
        if not noise > 0:
            row, column = observable.row, "noiseFormula"
            if given:
                row, column = measurement.row, "noiseParameters"
            raise row.mistake(
                column, f"the noise is {noise:g}; a standard deviation (or scale) is > 0"
            )
