"""Wrong algebraic equations, for the table of `bad_input`: what, what is named, files, command."""

from tests.support.snakes import EXPERIMENT_YAML, MODEL_YAML

_MODEL, _EXPERIMENT = "config/model/decay.yaml", "config/experiment/decay.yaml"
_EQUATION = "y.z**3 + y.z - y.y"


def _files(
    said: str = "algebraic: [z]", equation: str = _EQUATION, axis: str = "", more: str = ""
) -> dict[str, str]:
    experiment = EXPERIMENT_YAML + more
    if axis:
        experiment = experiment.replace("k: {linspace: [0.5, 2.0, 4]}", axis)
    return {
        _MODEL: MODEL_YAML.replace("parameters:", f"  z: {{initial: 1.0}}\n{said}\nparameters:"),
        _EXPERIMENT: experiment,
        "models.py": "def decay(t, y, args):\n"
        f'    return {{"y": -args.k * y.z, "z": {equation}}}\n',
    }


#: What is wrong, what the line names, the files.
IN_CONFIG = [
    (
        "a state that is not there",
        ("algebraic", "'w' is not a state", "known: y, z"),
        _files("algebraic: [w]"),
    ),
    (
        "for all states",
        ("algebraic", "at least one state needs a derivative"),
        _files("algebraic: [y, z]"),
    ),
    (
        "a mass matrix of another size",
        ("mass_matrix", "1 x 2 numbers", "2 rows of 2"),
        _files("mass_matrix: [[1, 0]]"),
    ),
    (
        "a mass matrix over a state that is not there",
        ("mass_matrix", "'w' is not a state"),
        _files("mass_matrix: {y: {w: 1}}"),
    ),
    (
        "a mass matrix for an algebraic state",
        ("mass_matrix", "z is algebraic", "row is zero"),
        _files("algebraic: [z]\nmass_matrix: {z: {z: 1}}"),
    ),
    (
        "more free states than equations",
        ("free", "2 component(s) for 1 algebraic equation(s)"),
        _files("algebraic: [z]\nfree: [y, z]"),
    ),
    (
        "free states without equations",
        ("free", "no algebraic equations"),
        _files("free: [y]"),
    ),
    (
        "an axis over what is found at t0",
        ("design.axes", "z at t0 is found", "model.free"),
        _files(axis="z: {values: [1, 2]}"),
    ),
    (
        "a dose into an algebraic state",
        ("doses.0.state", "z follows from algebraic equations"),
        _files(more="doses: [{state: z, amount: 1, time: 1}]\n"),
    ),
]
#: What is wrong, what the line names, settings of the command.
IN_SETTINGS = [
    (
        "a sensitivity to what is found at t0",
        ("saveat.sensitivities", "z at t0 is found"),
        "saveat__sensitivities=[z]",
    ),
    (
        "steady states beside them",
        ("saveat.steady_state", "not beside algebraic equations"),
        "saveat__steady_state=true",
    ),
]
#: What the first job finds: what is wrong, what the line names, the files, settings.
IN_JAX = [
    (
        "of index 2",
        ("do not determine z", "index", "above 1"),
        _files(equation="y.y - 1.0"),
        "",
    ),
    (
        "without a solution at t0",
        ("finds no values of z", "model.t0", "nearer"),
        _files(equation="y.z**2 + y.y"),
        "",
    ),
    (
        "singular at t0",
        ("do not determine z at model.t0", "singular"),
        _files(equation="(y.z - 1.0)**2 - y.y + 3.0"),
        "",
    ),
    (
        "an explicit method on the native engine",
        ("runtime.engine", "tsit5", "rodas5p and rodas3p"),
        _files(),
        "runtime__engine=native solver=tsit5",
    ),
]
ANY = _files()
