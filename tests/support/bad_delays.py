"""Wrong delays, for the table of `bad_input`: what, what is named, files, command."""

from tests.support.snakes import EXPERIMENT_YAML, MODEL_YAML

_MODEL, _EXPERIMENT = "config/model/decay.yaml", "config/experiment/decay.yaml"


def _files(delay: str, name: str = "before", more: str = "") -> dict[str, str]:
    return {
        _MODEL: f"{MODEL_YAML}delays: {{{name}: {{{delay}}}}}\n{more}",
        _EXPERIMENT: EXPERIMENT_YAML,
        "models.py": 'def decay(t, y, args):\n    return {"y": -args.k * args.before}\n',
    }


#: A delay with which nothing is wrong.
ANY = _files("of: y, by: 0.5")
#: What is wrong, what the line names, the files.
IN_CONFIG = [
    (
        "a state that is not there",
        ("delays.before.of", "'z' is not a state", "known: y"),
        _files("of: z, by: 1"),
    ),
    ("no length", ("model.delays.before.by", "needed"), _files("of: y")),
    (
        "a length of 0",
        ("model.delays.before", "0 is not a while", "> 0"),
        _files("of: y, by: 0"),
    ),
    (
        "a length that depends on a state",
        ("delays.before.by", "may not depend on the state 'y'", "k"),
        _files("of: y, by: 1 + y"),
    ),
    (
        "a length by a name that is not there",
        ("delays.before.by", "'tau' is not a parameter", "known: k"),
        _files("of: y, by: tau"),
    ),
    (
        "a length that is negative in a sample",
        ("model.delays.before.by", "k - 1 is -0.5"),
        _files("of: y, by: k - 1"),
    ),
    (
        "a length that is no formula",
        ("model.delays.before.by", "'k +'"),
        _files("of: y, by: k +"),
    ),
    (
        "a history by a name that is not there",
        ("delays.before.history", "'then' is not a parameter"),
        _files("of: y, by: 1, history: then"),
    ),
    (
        "the name of a parameter",
        ("delays.k", "'k' is something else"),
        _files("of: y, by: 1", name="k"),
    ),
    (
        "another key",
        ("model.delays.before.past", "no such key"),
        _files("of: y, by: 1, past: 3"),
    ),
]
#: The same of settings, with `ANY`.
IN_SETTINGS = [
    ("Diffrax", ("runtime.engine", "diffrax has no delays"), "runtime__engine=diffrax"),
    ("a method of Diffrax alone", ("solver.method", "kvaerno5", "tsit5"), "solver=kvaerno5"),
    (
        "steps of constant length",
        ("solver.stepsize_controller", "model.delays", "pid"),
        "solver__stepsize_controller=constant solver__dt0=0.1",
    ),
    ("float32", ("runtime.precision", "model.delays", "float64"), "runtime__precision=float32"),
    ("a GPU", ("runtime.device", "model.delays", "cpu"), "runtime__device=gpu"),
    ("sensitivities", ("saveat.sensitivities", "model.delays"), "saveat__sensitivities=[k]"),
    ("a steady state", ("saveat.steady_state", "model.delays"), "saveat__steady_state=true"),
    (
        "verification for stiff models",
        ("verify.method", "radau", "auto"),
        "verify__method=radau",
    ),
]
#: A dose that changes how long a delay is.
SWITCHED = (
    ("doses.0.parameter", "model.delays.before depends on k"),
    _files("of: y, by: k")
    | {_EXPERIMENT: EXPERIMENT_YAML + "doses: [{parameter: k, value: 2, time: 1}]\n"},
)
