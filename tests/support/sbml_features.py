"""What of SBML is supported, feature by feature: the cases of a test and the table of a page.

`python -m tests.support.sbml_features` writes the table into docs/sbml.md.
"""

import math
from dataclasses import dataclass, field
from typing import Any

from tests.support.sbml_text import (
    apply,
    compartment,
    event,
    function,
    initial,
    parameter,
    reaction,
    rule,
    sbml,
    species,
)
from tests.support.snakes import PROJECT

PAGE = PROJECT / "docs" / "sbml.md"
BEGIN, END = "<!-- features -->\n", "<!-- /features -->\n"


@dataclass(frozen=True)
class Feature:
    """A model and what it must be, or the words by which it is refused.

    `start` are values at t0 (states and parameters), `at` the point (states, parameters, `time`)
    at which the derivatives `rates` and the assigned quantities `values` are expected. `after` are
    values of states after the events of these times, in order, where nothing else changes them.
    """

    group: str
    name: str
    model: str
    start: dict[str, float] = field(default_factory=dict)
    at: dict[str, float] = field(default_factory=dict)
    rates: dict[str, float] = field(default_factory=dict)
    values: dict[str, float] = field(default_factory=dict)
    after: dict[float, dict[str, float]] = field(default_factory=dict)
    refused: str = ""


def _model(*elements: str, **options: Any) -> str:
    """With a compartment `c` of size 2 unless one is there."""
    if not any(element.startswith("<compartment") for element in elements):
        elements = (compartment("c", 2), *elements)
    return sbml(*elements, **options)


def _uses(formula: str) -> str:
    """A parameter assigned a formula of x, y and time."""
    return sbml(
        parameter("x", 0.5),
        parameter("y", -1.5),
        parameter("z", constant=False),
        rule("assignment", "z", formula),
    )


def _math(name: str, formula: str, value: float, **at: float) -> Feature:
    return Feature("Mathematics", name, _uses(formula), at=at, values={"z": value})


def _events(*events: str) -> str:
    """Events over x, y and z, which start at 0, and a constant k of 2."""
    given = (parameter(name, 0, False) for name in "xyz")
    return sbml(*given, parameter("k", 2), *events)


_COMP = 'xmlns:comp="http://www.sbml.org/sbml/level3/version1/comp/version1" comp:required="true"'


def _composed(definitions: str) -> str:
    """Two submodels of a definition; the constant of one is replaced by q."""
    changed = ('<comp:listOfReplacedElements><comp:replacedElement comp:submodelRef="B" '
               'comp:idRef="k"/></comp:listOfReplacedElements>')  # fmt: skip
    submodels = "".join(f'<comp:submodel comp:id="{name}" comp:modelRef="inner"/>' for name in "AB")
    outer = sbml(parameter("q", 0.25).replace("/>", f">{changed}</parameter>"))
    outer = outer.replace('version="2">', f'version="2" {_COMP}>', 1)
    return outer.replace(
        "</model>",
        f"<comp:listOfSubmodels>{submodels}</comp:listOfSubmodels></model>{definitions}",
    )


def _inner() -> str:
    model = _model(species("S", concentration=3), K, reaction("J", "S", "", "k * S * c"))
    body = model[model.index("<model") : model.index("</sbml>")]
    body = body.replace("<model", "<comp:modelDefinition").replace('"model"', '"inner"')
    body = body.replace("</model>", "</comp:modelDefinition>")
    return f"<comp:listOfModelDefinitions>{body}</comp:listOfModelDefinitions>"


def _packaged(package: str) -> str:
    """A model of growth that declares a package of this name."""
    address = f"http://www.sbml.org/sbml/level3/version1/{package}/version1"
    model = sbml(parameter("x", 2, False), K, rule("rate", "x", "k * x"))
    return model.replace('version="2">', f'version="2" xmlns:p="{address}" p:required="true">', 1)


NAN = float("nan")
CN = "<cn> {} </cn>".format
CI = "<ci> {} </ci>".format
DECAY = reaction("J", "S", "", "k * S")
K = parameter("k", 0.5)
COMPOSED = _composed(_inner())

FEATURES = [
    # Compartments. dn/dt = -v with v = k S, where S is the concentration n/V.
    Feature("Compartments", "constant, of any size",
            _model(species("S", concentration=3), K, DECAY),
            start={"S": 3}, at={"S": 4}, rates={"S": -0.5 * 4 / 2}),
    Feature("Compartments", "a size that changes by a rate rule",
            _model(compartment("c", 2, False), species("S", concentration=3), K, DECAY,
                   rule("rate", "c", "0.1 * c")),
            start={"S_amount": 6, "c": 2}, at={"S_amount": 6, "c": 4},
            rates={"S_amount": -0.5 * 1.5, "c": 0.4}, values={"S": 1.5}),
    Feature("Compartments", "a size that an assignment rule sets",
            _model(compartment("c", None, False), species("S", amount=3), K, DECAY,
                   rule("assignment", "c", "1 + time")),
            start={"S_amount": 3}, at={"S_amount": 6, "time": 3},
            rates={"S_amount": -0.5 * 1.5}, values={"S": 1.5, "c": 4}),
    Feature("Compartments", "a size from an initial assignment",
            _model(compartment("c", None), species("S", amount=3), K, DECAY, initial("c", "4*k")),
            start={"S": 1.5, "c": 2}),
    Feature("Compartments", "without dimensions: amounts",
            _model(compartment("c", None, dims=0), species("S", amount=3), K, DECAY),
            start={"S": 3}, at={"S": 4}, rates={"S": -2}),
    Feature("Compartments", "several in one reaction",
            _model(compartment("c", 2), compartment("d", 5), species("S", amount=3),
                   species("P", "d", amount=0), K, reaction("J", "S", "P", "k * S")),
            start={"S": 1.5, "P": 0}, at={"S": 4}, rates={"S": -1, "P": 0.4}),
    Feature("Compartments", "without dimensions that are given: like any other",
            _model(compartment("c", 2, dims=None), species("S", amount=3), K, DECAY),
            start={"S": 1.5}, at={"S": 4}, rates={"S": -1}),
    # Species
    Feature("Species", "an initial amount, in concentration",
            _model(species("S", amount=3), K, DECAY), start={"S": 1.5}),
    Feature("Species", "in amount: `hasOnlySubstanceUnits`",
            _model(species("S", concentration=3, only_amount=True), K, DECAY),
            start={"S": 6}, at={"S": 4}, rates={"S": -2}),
    Feature("Species", "boundary: no reaction changes it",
            _model(species("S", amount=3, boundary=True), species("P", amount=0), K,
                   reaction("J", "S", "P", "k * S")),
            start={"S": 1.5}, at={"S": 4}, rates={"P": 1}),
    Feature("Species", "constant, in a compartment that grows: its amount is constant",
            _model(compartment("c", 2, False), species("S", amount=3, constant=True, boundary=True),
                   rule("rate", "c", "1")),
            start={"S_amount": 3}, at={"c": 4}, rates={"c": 1}, values={"S": 0.75}),
    Feature("Species", "set by an assignment rule",
            _model(species("S", boundary=True), K, rule("assignment", "S", "2 * k + time")),
            at={"time": 3}, values={"S": 4}),
    Feature("Species", "changed by a rate rule",
            _model(species("S", concentration=3), K, rule("rate", "S", "-k * S")),
            at={"S": 4}, rates={"S": -2}),
    Feature("Species", "conversion factors, of the model and of a species",
            _model(species("S", amount=3), species("P", amount=0, factor="g"), K,
                   parameter("f", 10), parameter("g", 3), reaction("J", "S", "P", "k * S"),
                   attributes='conversionFactor="f"'),
            at={"S": 4}, rates={"S": -10, "P": 3}),
    # Parameters and rules
    Feature("Parameters and rules", "initial assignments, in any order, of rates and of time",
            _model(species("S"), K, parameter("p"), DECAY, initial("S", "2 * p"),
                   initial("p", "3 * k + time")),
            start={"p": 1.5, "S": 3}),
    Feature("Parameters and rules", "assignment rules in any order",
            sbml(parameter("a", constant=False), parameter("b", constant=False), K,
                 rule("assignment", "a", "2 * b"), rule("assignment", "b", "k + time")),
            at={"time": 1}, values={"a": 3, "b": 1.5}),
    Feature("Parameters and rules", "rate rules of parameters",
            sbml(parameter("a", 2, False), K, rule("rate", "a", "-k * a")),
            start={"a": 2}, at={"a": 3}, rates={"a": -1.5}),
    Feature("Parameters and rules", "parameters that are infinite or not a number",
            sbml(parameter("a", "INF"), parameter("b", "NaN")), values={"a": math.inf, "b": NAN}),
    Feature("Parameters and rules", "models without a state",
            sbml(parameter("a", constant=False), rule("assignment", "a", "time^2")),
            start={"elapsed_time": 0}, at={"time": 3}, rates={"elapsed_time": 1}, values={"a": 9}),
    Feature("Parameters and rules", "algebraic rules that are linear in what they determine",
            sbml(parameter("a", 1, False), K, rule("algebraic", "", "2 * a - 3 - k")),
            values={"a": 1.75}),
    Feature("Parameters and rules", "other algebraic rules: algebraic states",
            sbml(parameter("a", 1, False), K, rule("algebraic", "", "a^2 - 2 - k")),
            start={"a": 1}, at={"a": 3}, rates={"a": 6.5}),
    # Reactions
    Feature("Reactions", "local parameters: `<reaction>_<parameter>`",
            _model(species("S", amount=3), K, reaction(
                "J", "S", "", "k * S", local='<localParameter id="k" value="5"/>')),
            start={"J_k": 5, "k": 0.5}, at={"S": 4}, rates={"S": -10}),
    Feature("Reactions", "stoichiometries other than one, a species on both sides",
            _model(species("S", amount=3), species("P", amount=0), K,
                   reaction("J", "2 S", "S + 2.5 P", "k * S")),
            at={"S": 4}, rates={"S": -1, "P": 2.5}),
    Feature("Reactions", "stoichiometries by id, a parameter of the design",
            _model(species("S", amount=3), K, reaction("J", "=n:3 S", "", "k * S * n")),
            start={"n": 3}, at={"S": 4, "n": 2}, rates={"S": -4}),
    Feature("Reactions", "stoichiometries that rules or initial assignments set",
            _model(species("S", amount=3), species("P", amount=0), K, initial("n", "4 * k"),
                   rule("assignment", "m", "time"), reaction("J", "=n S", "=m P", "k * S")),
            start={"n": 2}, at={"S": 4, "time": 3}, rates={"S": -2, "P": 3}, values={"m": 3}),
    Feature("Reactions", "stoichiometries that rate rules change",
            _model(species("S", amount=3), K, reaction("J", "=n:3 S", "", "k * S").replace(
                   'constant="true"', 'constant="false"'), rule("rate", "n", "2")),
            start={"n": 3}, at={"S": 4, "n": 2}, rates={"S": -2, "n": 2}),
    Feature("Reactions", "`stoichiometryMath` (Level 2)",
            sbml('<compartment id="c" size="2"/>', '<species id="S" compartment="c" '
                 'initialAmount="3"/>', '<parameter id="k" value="0.5"/>',
                 '<reaction id="J" reversible="false"><listOfReactants><speciesReference '
                 'species="S"><stoichiometryMath><math xmlns="http://www.w3.org/1998/Math/MathML">'
                 '<apply><times/><ci>k</ci><cn>6</cn></apply></math></stoichiometryMath>'
                 '</speciesReference></listOfReactants><kineticLaw><math '
                 'xmlns="http://www.w3.org/1998/Math/MathML"><ci>S</ci></math></kineticLaw>'
                 '</reaction>', level=2, version=5),
            start={"S": 1.5}, at={"S": 4}, rates={"S": -6}),
    Feature("Reactions", "rates in mathematics, by the reaction's id",
            _model(species("S", amount=3), K, DECAY, parameter("a", constant=False),
                   rule("assignment", "a", "2 * J")),
            at={"S": 4}, values={"a": 4}),
    Feature("Reactions", "rates that read a species which is not listed as a modifier",
            _model(species("S", amount=3), species("E", amount=1), K,
                   reaction("J", "S", "", "k * S * E")),
            at={"S": 4, "E": 2}, rates={"S": -2}),
    Feature("Reactions", "without mathematics in the kinetic law: as if not there",
            _model(species("S", amount=3), reaction("J", "S", "", "")), rates={"S": 0}),
    Feature("Reactions", "without a kinetic law", _model(
            species("S", amount=3), reaction("J", "S", "", None)), refused="which has no rate"),
    Feature("Reactions", "fast ones, in equilibrium at all times", _model(
            species("S", amount=3), species("P", amount=1), K, DECAY,
            reaction("F", "S", "P", "3 * S - P", 'fast="true"'), version=1),
            # P = 3 S, so that dS/dt = -(v/V)/4 with v = k S
            at={"S": 2, "P": 6}, rates={"S": -0.125, "P": -0.375}),
    # Events
    Feature("Events", "where the trigger becomes true, by time or by state",
            _events(event("time >= 1", {"x": "5"}),
                    event("x > 4 && !(y > 4)", {"y": "x + k"}, "f")),
            after={0: {"x": 0, "y": 0}, 0.5: {"x": 0}, 1: {"x": 5, "y": 7}, 2: {"x": 5}}),
    Feature("Events", "at the start: `initialValue`",
            _events(event("time >= 0", {"x": "5"}, initial=False),
                    event("time >= 0", {"y": "5"}, "f")),
            after={0: {"x": 5, "y": 0}, 1: {"x": 5, "y": 0}}),
    Feature("Events", "again, each time that the trigger has been false",
            _events(event("sin(pi * time) > 0.5", {"x": "x + 1"})),
            after={0.5: {"x": 1}, 0.6: {"x": 1}, 1.5: {"x": 1}, 2.5: {"x": 2}}),
    Feature("Events", "that make triggers true or false at the same time",
            _events(event("time >= 1", {"x": "5"}, at_trigger=False),
                    event("x == 5", {"x": "6", "y": "y + 1"}, "f"),
                    event("x == 6 && y < 3", {"x": "5"}, "g")),
            after={1: {"x": 6, "y": 3}}),
    Feature("Events", "several assignments, all from the same values",
            _events(event("time >= 1", {"x": "y + 1", "y": "x + 2"})), after={1: {"x": 1, "y": 2}}),
    Feature("Events", "`useValuesFromTriggerTime`: values of before other events of that time",
            _events(event("time >= 1", {"x": "5"}), event("time >= 1", {"y": "x + 1"}, "f"),
                    event("time >= 1", {"z": "x + 1"}, "g", at_trigger=False)),
            after={1: {"x": 5, "y": 1, "z": 6}}),
    Feature("Events", "delays, also of an event that fires again before",
            _events(event("sin(2 * pi * time) > 0.5", {"x": "x + 1"}, delay="k", at_trigger=False),
                    event("time >= 1", {"y": "1"}, "f", delay="time + 0.25")),
            after={0.25: {"x": 0}, 0.75: {"x": 0}, 1: {"y": 0}, 1.25: {"x": 0}, 2.24: {"y": 0},
                   2.25: {"x": 1, "y": 1}, 3.25: {"x": 2}}),
    Feature("Events", "values that wait for the delay, or are those after it",
            _events(event("time >= 1", {"x": "time"}, delay="1"),
                    event("time >= 1", {"y": "time"}, "f", delay="1", at_trigger=False)),
            after={1: {"x": 0, "y": 0}, 2: {"x": 1, "y": 2}}),
    Feature("Events", "not `persistent`: forgotten where the trigger is false within the delay",
            _events(event("abs(time - 1) < 0.5", {"x": "1"}, delay="1", persistent=False),
                    event("abs(time - 1) < 0.5", {"y": "1"}, "f", delay="1"),
                    event("time > 0.5", {"z": "1"}, "g", delay="1", persistent=False)),
            after={0.6: {}, 1.7: {"x": 0, "y": 1, "z": 1}}),
    Feature("Events", "priorities, which may change and be changed",
            _events(event("time >= 1", {"z": "x"}, priority="1", at_trigger=False),
                    event("time >= 1", {"x": "x + 2", "y": "5"}, "f", priority="x",
                          at_trigger=False),
                    event("time >= 1", {"x": "3"}, "g", priority="2")),
            # first g, whose 3 takes f before e
            after={1: {"x": 5, "y": 5, "z": 5}}),
    Feature("Events", "equal priorities: the order is drawn, the same in each trajectory",
            _events(*(event("time >= 1", {"x": f"10 * x + {i}"}, f"e{i}", priority="3",
                            at_trigger=False) for i in range(1, 4))),
            after={1: {"x": 231}}),
    Feature("Events", "assignments to parameters and compartments, which become states",
            _model(compartment("c", 2, False), species("S", amount=6), parameter("p", 1, False),
                   event("time >= 1", {"c": "4", "p": "p + S"})),
            start={"c": 2, "p": 1, "S_amount": 6}, values={"S": 3},
            after={1: {"c": 4, "p": 4, "S_amount": 6}}),
    Feature("Events", "a concentration in a compartment that changes",
            _model(compartment("c", 2, False), species("S", amount=6), species("P", amount=6),
                   event("time >= 1", {"c": "4", "S": "5"}), event(
                       "time >= 1", {"P": "P + 1"}, "f", delay="1")),
            after={1: {"S_amount": 20, "P_amount": 6}, 2: {"P_amount": 16}}),
    Feature("Events", "without assignments, of no effect",
            _events(event("time >= 1", {})), after={1: {"x": 0}}),
    Feature("Events", "beside fast reactions",
            _model(species("S", amount=3), species("P", amount=1), parameter("p", 1, False),
                   reaction("F", "S", "P", "3 * S - P", 'fast="true"'),
                   event("time >= 1", {"p": "2"}), version=1),
            refused="the event 'e' beside fast reactions"),
    # Packages and the like
    Feature("Other", "Level 1", sbml(
            '<compartment name="c" volume="2"/>', '<species name="S" compartment="c" '
            'initialAmount="3"/>', '<parameter name="k" value="0.5"/>',
            '<reaction name="J" reversible="false"><listOfReactants><speciesReference species="S" '
            'stoichiometry="3" denominator="2"/></listOfReactants><kineticLaw formula="k * S"/>'
            '</reaction>', level=1, version=2),
            start={"S": 1.5}, at={"S": 4}, rates={"S": -1.5}),
    Feature("Other", "function definitions, also of each other",
            sbml(function("f", "lambda(x, x^2)"), function("g", "lambda(x, y, f(x) + y)"), K,
                 parameter("a", constant=False), rule("assignment", "a", "g(k, f(2))")),
            values={"a": 4.25}),
    Feature("Other", "elements without mathematics: as if not there",
            sbml(parameter("a", 2), parameter("b", 3, False), initial("a", ""),
                 rule("rate", "b", "")),
            start={"a": 2, "b": 3}),
    Feature("Other", "ids that Python or the dataset cannot have: `lambda_`",
            sbml(parameter("lambda", 2), parameter("_x", 3), parameter("time", 4)),
            start={"lambda_": 2, "x": 3, "time_": 4}),
    Feature("Other", "models of models: the package `comp`", COMPOSED,
            start={"A__k": 0.5, "q": 0.25, "A__S": 3}, at={"A__S": 4, "B__S": 8},
            rates={"A__S": -2, "B__S": -2}),
    Feature("Other", "external models of `comp`", _composed(
            '<comp:listOfExternalModelDefinitions><comp:externalModelDefinition comp:id="far" '
            'comp:source="other.xml"/></comp:listOfExternalModelDefinitions>'),
            refused="the external model 'far'"),
    Feature("Other", "the packages `layout`, `render`, `groups` and `fbc`: not read", _packaged(
            "layout"), at={"x": 3}, rates={"x": 1.5}),
    Feature("Other", "the packages `arrays`, `distrib`, `dyn`, `multi` and `qual`",
            _packaged("qual"), refused="the package 'qual'"),
    Feature("Other", "`spatial`, and other packages where they are required",
            _packaged("spatial"),
            refused="the package 'spatial'"),
    # Mathematics: x = 0.5, y = -1.5
    _math("arithmetic: n-ary sums and products, also of nothing", apply(
        "plus", apply("times").split(">", 1)[1].removesuffix("</math>"), CI("x"), CI("y")), 0.0),
    _math("powers and roots of any degree", "y^3 + sqrt(x * 2) + root(3, -8) + x^y",
          -3.375 + 1 - 2 + 0.5**-1.5),
    _math("logarithms to any base", "log(100) + log(2, 8) + ln(exponentiale)", 6),
    _math("`exp`, `abs`, `floor`, `ceiling`", "exp(x) + abs(y) + floor(y) + ceil(y)",
          math.exp(0.5) + 1.5 - 2 - 1),
    _math("`factorial`", "factorial(5) + factorial(x * 6)", 126),
    _math("`max` and `min`", "max(x, y, 3) + min(x, y)", 1.5),
    _math("`quotient` and `rem`", "10 * quotient(y * 5, 2) + rem(7, 4) + rem(x + 5, 2)",
          -30 + 3 + 1.5),
    _math("trigonometric functions", "sin(x) + cos(x) + tan(x) + sec(x) + csc(x) + cot(x)",
          math.sin(0.5) + math.cos(0.5) + math.tan(0.5)
          + 1 / math.cos(0.5) + 1 / math.sin(0.5) + 1 / math.tan(0.5)),
    _math("their inverses", "arcsin(x) + arccos(x) + arctan(y) + arcsec(y) + arccsc(y) + arccot(y)",
          math.pi / 2 + math.atan(-1.5) + math.acos(-1 / 1.5) + math.asin(-1 / 1.5)
          + math.atan(-1 / 1.5)),
    _math("hyperbolic functions", "sinh(x) + cosh(x) + tanh(x) + sech(x) + csch(x) + coth(x)",
          math.sinh(0.5) + math.cosh(0.5) + math.tanh(0.5)
          + 1 / math.cosh(0.5) + 1 / math.sinh(0.5) + 1 / math.tanh(0.5)),
    _math("their inverses, too",
          "arcsinh(y) + arccosh(2) + arctanh(x) + arcsech(x) + arccsch(y) + arccoth(y)",
          math.asinh(-1.5) + math.acosh(2) + math.atanh(0.5) + math.acosh(2)
          + math.asinh(-1 / 1.5) + math.atanh(-1 / 1.5)),
    _math("`piecewise`", "piecewise(1, x < 0, 2, y < 0, 3)", 2),
    _math("`piecewise` without an otherwise", "piecewise(1, x < 0)", NAN),
    _math("relations, also of many operands", apply(
        "lt", CN(1), CN(2), CI("x")), 0),
    _math("`and`, `or`, `xor`, `not`, `implies`",
          "piecewise(1, (x > 0 && !(y > 0) || false) && xor(true, true, true), 0)"
          " + piecewise(2, implies(x > 0, y > 0), 0)", 1),
    _math("booleans as numbers and numbers as booleans", "true + (x > 0) + piecewise(5, y, 0)", 7),
    _math("constants: `pi`, `exponentiale`, `infinity`", "pi + exponentiale", math.pi + math.e),
    _math("the csymbol `time`", "time^2", 9, time=3),
    _math("the csymbol `avogadro`", "avogadro / 1e23", 6.02214179),
    Feature("Mathematics", "the csymbol `rateOf`",
            _model(species("S", amount=3), K, DECAY, parameter("a", constant=False),
                   rule("assignment", "a", "rateOf(S) + rateOf(k)")),
            at={"S": 4}, values={"a": -1}),
    Feature("Mathematics", "the csymbol `delay` by what does not change",
            _uses("delay(x + time, 1)"), at={"time": 3}, values={"z": 2.5}),
    Feature("Mathematics", "the csymbol `delay` by what changes", _uses("delay(x, time)"),
            refused="a delay by what changes, 'time'"),
]  # fmt: skip


def table() -> str:
    """One row per feature, in Markdown."""
    rows = ["| | | |\n|---|---|---|\n"]
    group = ""
    for feature in FEATURES:
        first = feature.group if feature.group != group else ""
        group = feature.group
        rows.append(f"| {first} | {feature.name} | {'refused' if feature.refused else 'yes'} |\n")
    return "".join(rows)


def page_with_table(page: str) -> str:
    """The page, its table made again."""
    before, rest = page.split(BEGIN)
    return before + BEGIN + table() + END + rest.split(END)[1]


if __name__ == "__main__":
    PAGE.write_text(page_with_table(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
