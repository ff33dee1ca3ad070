"""Wrong inputs, one per row: what is wrong, how it gets there, what the one line must name.

The rows are tests in `test_bad_input.py` and the table in `docs/reliability.md`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.support import bad_algebraic, bad_delays, bad_sedml
from tests.support.petab_text import DECAY, tabbed
from tests.support.petab_text import TABLES as TABLES_OF_PETAB
from tests.support.petab_text import YAML as PROBLEM
from tests.support.petab_version2 import MODEL as MODEL_OF_VERSION_2
from tests.support.petab_version2 import TABLES as TABLES_OF_VERSION_2
from tests.support.petab_version2 import YAML as PROBLEM_OF_VERSION_2
from tests.support.snakes import EXPERIMENT_YAML, MODEL_YAML, MODELS, make_study

#: What stands at a path of the study: text, bytes, or what a function makes of the path.
Content = str | bytes | Callable[[Path], None]

MODEL, EXPERIMENT = "config/model/decay.yaml", "config/experiment/decay.yaml"
AXIS = "k: {linspace: [0.5, 2.0, 4]}"


@dataclass(frozen=True)
class BadInput:
    """A mistake of a user's, put into the study of `snakes.make_study`."""

    where: str
    what: str
    names: tuple[str, ...]
    files: Mapping[str, Content] = field(default_factory=dict)
    config: str = "experiment=decay"
    needs_jax: bool = False

    @property
    def title(self) -> str:
        return f"{self.where}: {self.what}"

    def make(self, folder: Path) -> Path:
        """The study with the mistake in it."""
        study = make_study(folder)
        for name, content in self.files.items():
            path = study / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if callable(content):
                content(path)
            elif isinstance(content, bytes):
                path.write_bytes(content)
            else:
                path.write_text(content)
        return study


def folder(path: Path) -> None:
    path.mkdir()


def broken_link(path: Path) -> None:
    path.symlink_to("nowhere")


def in_model(old: str, new: str) -> dict[str, Content]:
    assert old in MODEL_YAML
    return {MODEL: MODEL_YAML.replace(old, new)}


def in_experiment(old: str, new: str) -> dict[str, Content]:
    assert old in EXPERIMENT_YAML
    return {EXPERIMENT: EXPERIMENT_YAML.replace(old, new)}


#: A course over time of an input, its file, and an array parameter.
COURSE = "{file: u.csv, time: hour, value: celsius}"
COURSE_FILE = "hour,celsius\n0,20\n1,25\n2,22\n"


def with_input(old: str = "", new: str = "", file: Content = COURSE_FILE) -> dict[str, Content]:
    assert old in COURSE
    return {MODEL: f"{MODEL_YAML}inputs: {{u: {COURSE.replace(old, new, 1)}}}\n", "u.csv": file}


def with_array(record: str, file: Content = "young,old\n1,2\n3,4\n") -> dict[str, Content]:
    return {MODEL: f"{MODEL_YAML.rstrip()}\n  c: {record}\n", "c.csv": file}


def with_axis(law: str, courses: str = "{north: celsius, south: celsius}") -> dict[str, Content]:
    made = with_input("value: celsius", f"value: {courses}, by: site")
    return {**made, **in_experiment(AXIS, f"{AXIS}\n    {law}" if law else AXIS)}


#: An estimation of k from a file of data.
ESTIMATE = "{data: d.csv, parameters: {k: {bounds: [0.1, 10]}}}"
MEASURED = "time,variable,value,sd\n0.5,y,2,0.1\n1,y,1,0.1\n"


def estimation(old: str = "", new: str = "", data: Content = MEASURED) -> dict[str, Content]:
    assert old in ESTIMATE
    text = EXPERIMENT_YAML + f"analyse: {{estimate: {ESTIMATE.replace(old, new, 1)}}}\n"
    return {EXPERIMENT: text, "d.csv": data}


def sampler(law: str) -> dict[str, Content]:
    text = EXPERIMENT_YAML.replace("/design: grid", "/design: sobol")
    return {EXPERIMENT: text.replace(AXIS, f"k: {law}")}


def analysed(kind: str, design: str = "", asked: str = "{}", law: str = "{uniform: [1, 2]}"):
    text = EXPERIMENT_YAML.replace("/design: grid", f"/design: {kind}").replace(AXIS, f"k: {law}")
    keys = f"analyse: {{sensitivity: {asked}}}\n"
    return {EXPERIMENT: text.replace("  axes:\n", f"{design}  axes:\n") + keys}


def with_slopes(metric: str, more: str = "") -> dict[str, Content]:
    """Derivative-based measures of one metric."""
    files = analysed("sobol", asked=f"{{methods: [dgsm], metrics: [{metric}]}}")
    saved = "saveat:\n  sensitivities: [k]\n"
    return {EXPERIMENT: str(files[EXPERIMENT]).replace("saveat:\n", saved) + more}


def trained(kind: str = "sobol", design: str = "", **keys: str) -> dict[str, Content]:
    """An experiment with a training set, whose keys are YAML."""
    files = analysed(kind, design)
    asked = ", ".join(f"{key}: {value}" for key, value in keys.items())
    text = str(files[EXPERIMENT]).replace("sensitivity: {}", f"simulate_for_inference: {{{asked}}}")
    return files | {EXPERIMENT: text}


def table(content: Content | None, name: str = "t.csv") -> dict[str, Content]:
    text = EXPERIMENT_YAML.replace("/design: grid", "/design: table")
    files: dict[str, Content] = {
        EXPERIMENT: text.replace(f"  axes:\n    {AXIS}", f"  path: {name}")
    }
    return files if content is None else files | {name: content}


def petab(name: str, old: str, new: str) -> dict[str, Content]:
    assert old in TABLES_OF_PETAB[name]
    tables = TABLES_OF_PETAB | {name: TABLES_OF_PETAB[name].replace(old, new)}
    return {
        EXPERIMENT: "# @package _global_\nname: decay\ndesign: {petab: problem.yaml, size: 8}\n",
        "problem.yaml": PROBLEM,
        "decay.xml": DECAY,
        **{f"{table}.tsv": tabbed(text) for table, text in tables.items()},
    }


def petab_2(name: str, old: str, new: str) -> dict[str, Content]:
    texts = TABLES_OF_VERSION_2 | {"yaml": PROBLEM_OF_VERSION_2}
    assert old in texts[name]
    texts = texts | {name: texts[name].replace(old, new, 1)}
    return {
        EXPERIMENT: "# @package _global_\nname: decay\ndesign: {petab: problem.yaml, size: 8}\n",
        "problem.yaml": texts.pop("yaml"),
        "decay.xml": MODEL_OF_VERSION_2,
        **{f"{table}.tsv": tabbed(text) for table, text in texts.items()},
    }


def field_returns(text: str) -> dict[str, Content]:
    return {
        "models.py": f"import jax.numpy as jnp\nimport math\ndef decay(t, y, args):\n    {text}\n"
    }


def state_named(name: str) -> dict[str, Content]:
    return in_model("  y: {initial", f"  {name}: {{initial")


BOMB = "a: &a [x,x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{b}: &{b} [{','.join([f'*{a}'] * 10)}]\n" for a, b in zip("abcdefgh", "bcdefghi")
)

OVERRIDES = [
    ("a key that does not exist", ("solver.rtoll", "did you mean rtol?"), "solver__rtoll=1e-3"),
    ("text where a number belongs", ("solver.rtol", "a number", "abc"), "solver__rtol=abc"),
    ("a tolerance of 0", ("solver.rtol", "> 0"), "solver__rtol=0"),
    ("an infinite tolerance", ("solver.rtol", "finite"), "solver__rtol=inf"),
    ("a solver that does not exist", ("solver=tsit6", "did you mean tsit5?"), "solver=tsit6"),
    (
        "a method that is chosen, and steps that are constant",
        ("solver.stepsize_controller", "name a method"),
        "solver=auto solver__stepsize_controller=constant solver__dt0=0.1",
    ),
    (
        "a method that is chosen in an attempt",
        ("runtime.retry.0.method", "auto is for solver.method"),
        "overrides=runtime.retry=[{method:auto}]",
    ),
    (
        "Taylor series by Diffrax",
        ("solver.method", "runtime.engine=diffrax", "take dopri8"),
        "solver=taylor runtime__engine=diffrax",
    ),
    (
        "stabilised steps by Diffrax",
        ("solver.method", "rkc", "runtime.engine=diffrax", "take rodas5p"),
        "solver=rkc runtime__engine=diffrax",
    ),
    ("two solvers", ("solver=[tsit5,dopri5]", "config/solver/"), "solver=[tsit5,dopri5]"),
    ("a sweep", ("tsit5,dopri5", "one value"), "overrides=solver.method=tsit5,dopri5"),
    ("no value", ("'solver'", "key=value"), "overrides=solver"),
    ("an open bracket", ("solver.rtol=[1", "key=value"), "overrides=solver.rtol=[1"),
    ("brackets 500 deep", ("solver.rtol=[[", "key=value"), "solver__rtol=" + "[" * 500),
    ("a number for `overrides`", ("overrides", "text or a list"), "overrides=5"),
    ("a group taken away", ("model", "needed"), "overrides=~model"),
    ("a negative seed", ("design.seed", "greater than or equal to 0", "-1"), "design__seed=-1"),
    ("a fraction of a step", ("solver.max_steps", "integer", "1.5"), "solver__max_steps=1.5"),
    ("more steps than 64 bits", ("solver.max_steps", "up to"), f"solver__max_steps={2**70}"),
    ("no trajectories in a chunk", ("runtime.chunk_size", ">= 1"), "runtime__chunk_size=0"),
    ("an engine that does not exist", ("runtime.engine", "native"), "runtime__engine=fast"),
    ("a path for a name", ("name", "../x", "letters"), "name=../x"),
    ("a name the workflow uses", ("results/chunks", "another name"), "name=chunks"),
    ("a figure that does not exist", ("plot.figures", "pie", "heat_map"), "plot__figures=[pie]"),
    ("a style that does not exist", ("plot.style", "ggplot"), "plot__style=ggplto"),
    ("a group that is no axis", ("plot.group", "known: k"), "plot__group=q"),
    (
        "a figure by no function",
        ("plot.figures", "no file"),
        "plot__figures=[f.py:g]",
    ),
    ("a format twice", ("plot.formats", "png", "twice"), "plot__formats=[png,png]"),
    ("a metric that is not computed", ("plot.metric", "y_auc", "y_mean"), "plot__metric=y_auc"),
    ("a map's axis that is none", ("plot.axes", "'q'", "known: k"), "plot__axes=[q,k]"),
    ("a command for a shell", ("$", "refused", "shell"), "name=$(touch${IFS}pwned)"),
    ("a second command", (";", "refused", "shell"), "name=a;touch${IFS}pwned"),
    (
        "a class to instantiate",
        ("solver._target_", "refused"),
        "overrides=+solver._target_=os.system",
    ),
]
EXPERIMENTS = [
    ("one that does not exist", ("dcay", "did you mean decay?"), "experiment=dcay"),
    (
        "one outside of its folder",
        ("../model/decay", "config/experiment/"),
        "experiment=../model/decay",
    ),
    ("the same one twice", ("'decay'", "share one results folder"), "experiment=decay,decay"),
    ("a number", ("experiment", "a name or a list", "5", "quoted"), "experiment=5"),
]
NAMES = [
    ("a Python keyword", ("model.states.lambda", "not a Python keyword"), "lambda"),
    ("the dataset's `time`", ("model.states.time", "reserved"), "time"),
    ("the dataset's `sample`", ("model.states.sample", "reserved"), "sample"),
    ("the dataset's `status`", ("model.states.status", "reserved"), "status"),
    ("a leading underscore", ("model.states._y", "letters"), "_y"),
    ("a minus sign in it", ("model.states.y-1", "letters"), "y-1"),
    ("a number", ("model.states.1", "text"), "1"),
    ("150 letters", ("model.states.", "at most 100"), "y" * 150),
    ("that of a parameter", ("model: k", "only one of"), "k"),
    (
        "a ligature",
        ("model.states.", "fish in Python", "write fish"),
        "\N{LATIN SMALL LIGATURE FI}sh",
    ),
]
MODEL_CONFIG = [
    (
        "no states",
        ("model.states", "keys and values"),
        in_model("states:\n  y:", "states:\nx:\n  y:"),
    ),
    ("text as initial value", ("model.states.y.initial", "number", "abc"), in_model("3.0", "abc")),
    ("NaN as initial value", ("model.states.y.initial", "finite", "nan"), in_model("3.0", ".nan")),
    ("a ragged array", ("model.states.y", "ragged"), in_model("3.0", "[[1], [1, 2]]")),
    ("an array without `dims`", ("model.states.y", "dims"), in_model("3.0", "[1, 2]")),
    ("infinity in an array", ("model.states.y", "finite"), in_model("3.0", "[1, .inf], dims: [x]")),
    ("a list of units", ("model.states.y.units", "text"), in_model("units: mg", "units: [mg, kg]")),
    ("t1 before t0", ("t1 (-1)", "greater than t0"), in_model("t1: 2.0", "t1: -1")),
    ("no t1", ("model.t1", "needed"), in_model("t1: 2.0", "")),
    (
        "no function named",
        ("models.py", "module:function"),
        in_model("models.py:decay", "models.py"),
    ),
    (
        "a file that is not there",
        ("model.vector_field", "gone.py"),
        in_model("models.py", "gone.py"),
    ),
    (
        "a folder as file",
        ("model.vector_field", "f.py is a folder"),
        in_model("models.py", "f.py") | {"f.py": folder},
    ),
    (
        "a function that is not there",
        ("models.py", "decoy", "did you mean decay?"),
        in_model("models.py:decay", "models.py:decoy"),
    ),
    (
        "a file that is not Python",
        ("models.py, line 1", "not Python"),
        {"models.py": "def decay(:"},
    ),
]
YAML = [
    ("indented with a tab", (MODEL, "line 7", "tab", "spaces"), MODEL_YAML.replace("  y:", "\ty:")),
    ("a key twice", (MODEL, "line 11", "name is there twice"), MODEL_YAML + "\nname: again\n"),
    (
        "a clock for a number",
        (MODEL, "line 4", "1:30 is a clock", "12.5", "quote"),
        MODEL_YAML.replace("t1: 2.0", "t1: 1:30"),
    ),
    (
        "a decimal comma",
        (MODEL, "line 4", "2,5 has a comma", "write 2.5"),
        MODEL_YAML.replace("t1: 2.0", "t1: 2,5"),
    ),
    (
        "a comma between thousands",
        (MODEL, "line 4", "1,000", "1000"),
        MODEL_YAML.replace("t1: 2.0", "t1: 1,000"),
    ),
    (
        "a decimal comma among keys",
        (MODEL, "line 7", "3,5 may be one number or two", "3.5"),
        MODEL_YAML.replace("3.0,", "3,5,"),
    ),
    ("a list", (MODEL, "keys and values"), "- a\n- b\n"),
    ("empty", ("model.name", "needed"), ""),
    ("not UTF-8", (MODEL, "UTF-8"), MODEL_YAML.replace("amount", "Größe").encode("latin-1")),
    ("aliases that stand for a billion values", (MODEL, "aliases"), MODEL_YAML + BOMB),
    ("an alias of itself", (MODEL, "aliases"), MODEL_YAML + "\ntitle: &a [*a]\n"),
    ("lists 2,000 deep", (MODEL, "deep"), MODEL_YAML + "\ntitle: " + "[" * 2000 + "]" * 2000),
    (
        "a Python object",
        (MODEL, "line 11", "tag"),
        MODEL_YAML + "\ntitle: !!python/object/apply:os.system ['touch pwned']\n",
    ),
    (
        "the environment",
        ("model.title", "oc.env", "refused"),
        MODEL_YAML + "\ntitle: ${oc.env:HOME}\n",
    ),
    (
        "a reference to nothing",
        ("model.title", "nothing.here", "not found"),
        MODEL_YAML + "\ntitle: ${nothing.here}\n",
    ),
    ("a folder", ("config/model/decay.yaml", "folder"), None),
]
DESIGN = [
    ("linspace with 0 points", ("design.axes.k.linspace", ">= 1", "0"), "k: {linspace: [0, 1, 0]}"),
    ("linspace without its number", ("design.axes.k.linspace", "short"), "k: {linspace: [0, 1]}"),
    ("2.5 points", ("design.axes.k.linspace.2", "integer"), "k: {linspace: [0, 1, 2.5]}"),
    ("NaN as an end", ("design.axes.k.linspace.1", "finite"), "k: {linspace: [0, .nan, 3]}"),
    (
        "10^12 grid points",
        ("design.axes", "1,000,000,000,000 samples"),
        "k: {linspace: [0, 1, 1000000]}\n    y: {linspace: [0, 1, 1000000]}",
    ),
    ("10^12 levels", ("design.axes.k", "1,000,000,000,000 values"), "k: {arange: [0, 1, 1e-12]}"),
    ("a level twice", ("design.axes.k", "more than once"), "k: {values: [1, 1]}"),
    ("no level", ("design.axes.k.values", "at least 1"), "k: {values: []}"),
    ("geomspace from 0", ("design.axes.k.geomspace", "> 0"), "k: {geomspace: [0, 1, 3]}"),
    ("two laws", ("design.axes.k", "exactly one law"), "k: {values: [1], linspace: [0, 1, 2]}"),
    ("a law of samplers", ("design.axes.k", "uniform", "linspace"), "k: {uniform: [0, 1]}"),
    ("one number for three", ("design.axes.k.linspace", "a list", "3"), "k: {linspace: 3}"),
    (
        "four numbers for three",
        ("design.axes.k.linspace", "at most 3"),
        "k: {linspace: [0, 1, 2, 3]}",
    ),
    ("a number for a law", ("design.axes.k", "keys and values", "3"), "k: 3"),
    ("an unknown axis", ("design.axes.q", "parameters: k"), "q: {values: [1]}"),
    (
        "a decimal comma in a list",
        ("config/experiment/decay.yaml", "line 9", "0,5 may be one number or two", "0.5"),
        "k: {values: [0,5, 1]}",
    ),
    ("a clock in a list", ("line 9", "12:30 is a clock", "12.5"), "k: {values: [12:30, 13:00]}"),
    ("an end before t0", ("design.axes.t1", "-1", "model.t0"), "t1: {values: [-1, 1]}"),
]
TABLES = [
    ("NaN", ("t.csv", "'k', row 2"), table("k\n1\nnan\n")),
    ("a column twice", ("t.csv", "'k'", "more than once"), table("k,k\n1,2\n")),
    ("mixed units", ("t.csv", "'k', row 1", "'1 mg'", "not a number"), table("k\n1 mg\n2 kg\n")),
    ("a row too long", ("t.csv", "row 1", "2 values"), table("k\n1,2\n")),
    ("no rows", ("t.csv", "no rows"), table("k\n")),
    ("an unknown column", ("t.csv", "'q'", "parameters: k"), table("q\n1\n")),
    ("semicolons", ("t.csv", "commas"), table("k;y\n1;2\n")),
    ("decimal commas", ("t.csv", "row 1", "2 values", "write 0.5 for 0,5"), table("k\n0,5\n")),
    (
        "decimal commas in quotes",
        ("t.csv", "'k', row 1", "'0,5' is not a number", "write 0.5"),
        table('k\n"0,5"\n'),
    ),
    (
        "decimal commas between semicolons",
        ("t.csv", "'y', row 1", "'2,5' is not a number", "write 0.5"),
        table("sep=;\nk;y\n1;2,5\n"),
    ),
    (
        "Latin-1",
        ("t.csv", "not text in UTF-8 or UTF-16", "save"),
        table("k,größe\n1,2\n".encode("latin-1")),
    ),
    ("not text", ("t.csv", "not text in UTF-8"), table(bytes(range(256)))),
    ("not Parquet", ("t.parquet", "cannot be read"), table("k\n1\n", "t.parquet")),
    ("not NetCDF", ("t.nc", "cannot be read"), table("k\n1\n", "t.nc")),
    ("a spreadsheet", ("t.xlsx", ".csv, .parquet, .nc"), table("k\n1\n", "t.xlsx")),
    ("a folder", ("t.csv", "is a folder"), table(folder)),
    ("not there", ("t.csv", "no such file"), table(None)),
]
GROUP = "  groups: {both: [k]}\n"
SENSITIVITY = [
    (
        "indices of a grid",
        ("analyse.sensitivity", "grid", "design=saltelli"),
        analysed("grid", law="{values: [1, 2]}"),
    ),
    (
        "Sobol indices of a random sample",
        ("analyse.sensitivity.methods", "sobol needs design.kind: saltelli"),
        analysed("sobol", asked="{methods: [sobol]}"),
    ),
    (
        "PAWN of Saltelli's rows",
        ("analyse.sensitivity.methods", "pawn needs independent samples", "design=sobol"),
        analysed("saltelli", asked="{methods: [pawn]}"),
    ),
    (
        "derivative-based measures without derivatives",
        ("analyse.sensitivity.methods", "dgsm", "derivatives to k", "saveat.sensitivities"),
        analysed("sobol", asked="{methods: [dgsm]}"),
    ),
    (
        "indices of an unknown metric",
        ("analyse.sensitivity.metrics", "'y_max_time' is not a metric", "y_max"),
        analysed("saltelli", asked="{metrics: [y_max_time]}"),
    ),
    (
        "a method that does not exist",
        ("analyse.sensitivity.methods", "'sobol', 'morris'", "efast"),
        analysed("sobol", asked="{methods: [efast]}"),
    ),
    (
        "Morris' levels of a law without ends",
        ("design.axes.k", "normal has no ends", "truncnormal", "radial"),
        analysed("morris", law="{normal: [1, 2]}"),
    ),
    (
        "an odd number of levels",
        ("design.levels", "even", "5"),
        analysed("morris", "  levels: 5\n"),
    ),
    (
        "a group of nothing known",
        ("design.groups.both", "'q' is not an axis", "axes: k"),
        analysed("saltelli", "  groups: {both: [q]}\n"),
    ),
    (
        "groups of a random sample",
        ("design.groups", "only for saltelli and morris"),
        analysed("sobol", GROUP),
    ),
    (
        "groups of radial steps",
        ("design.groups", "design.radial"),
        analysed("morris", "  radial: true\n" + GROUP),
    ),
    (
        "correlated columns",
        ("rbd_fast needs independent", "'k' and 'y' of t.csv", "pawn or delta"),
        {
            EXPERIMENT: table(None)[EXPERIMENT] + "analyse: {sensitivity: {methods: [rbd_fast]}}\n",
            "t.csv": "k,y\n" + "".join(f"{1 + i},{2 + (i + i % 3)}\n" for i in range(40)),
        },
    ),
    (
        "a curve of too few points",
        ("design.size", "64 points", "at least 65"),
        analysed("fast", "  size: 64\n"),
    ),
]
FUNCTIONS = [
    ("a wrong name returned", ("'y'", "'x' is not a state"), 'return {"x": -y.y}'),
    ("a wrong shape returned", ("'y'", "shape (2,)"), 'return {"y": jnp.ones(2)}'),
    ("too many values returned", ("2 value(s) for 1 states",), "return -y.y, 1.0"),
    ("a complex number returned", ("'y'", "complex128", "real"), 'return {"y": -1j * y.y}'),
    ("true or false returned", ("'y'", "bool", "real"), 'return {"y": y.y > 0}'),
    ("text returned", ("models.py:decay",), 'return {"y": "fast"}'),
    ("nothing returned", ("returned nothing", "return"), "pass"),
    ("it raises", ("raised ZeroDivisionError",), "1 / 0"),
    ("an unknown parameter", ("line 4", "reads .q", "known: k"), "return {'y': args.q}"),
    ("a name in brackets", ("line 4", "write args.k"), 'return {"y": -args["k"] * y.y}'),
    (
        "a loop of so many rounds as a parameter says",
        ("line 4", "whole number", "range"),
        'return {"y": sum(y.y for _ in range(args.k))}',
    ),
    ("a branch on a value", ("if", "jnp.where"), "return {'y': -y.y if y.y > 0 else 0.0}"),
    ("a function of `math`", ("jax.numpy",), "return {'y': math.sin(y.y)}"),
]
FIXED = "fixed       | lin            |            |            | 3  "
PETAB = [
    (
        "a value that is its logarithm",
        ("parameters.tsv, row 4, column nominalValue", "-2 is not > 0", "log10", "write 0.01"),
        petab("parameters", FIXED, "fixed | log10 | | | -2"),
    ),
    (
        "a logarithm beyond its bounds",
        ("parameters.tsv, row 4", "3 is below lowerBound, 10", "write 1000"),
        petab("parameters", FIXED, "fixed | log10 | 10 | 1e5 | 3"),
    ),
    (
        "noise of 0",
        ("measurements.tsv, row 2, column noiseParameters", "the noise is 0", "> 0"),
        petab("measurements", "| 0.3", "| 0"),
    ),
    (
        "NaN as a measurement",
        ("measurements.tsv, row 1, column measurement", "NaN", "remove the row"),
        petab("measurements", "| 1.1 ", "| NaN "),
    ),
]
PETAB_2 = [
    (
        "a model in another language",
        ("problem.yaml: model_files: decay: language: bngl is not supported; sbml is",),
        petab_2("yaml", "language: sbml", "language: bngl"),
    ),
    (
        "an extension",
        ("problem.yaml: extensions: sciml: none is supported",),
        petab_2("yaml", "model_files", "extensions: {sciml: {version: 1}}\nmodel_files"),
    ),
    (
        "what nothing in the model is called",
        ("conditions.tsv, row 2, column targetId: 'uu' is not", "did you mean u?"),
        petab_2("conditions", "feed        | u ", "feed        | uu"),
    ),
    (
        "an estimated parameter that a condition sets",
        ("conditions.tsv, row 2, column targetId: k is in the parameter table too",),
        petab_2("conditions", "feed        | u", "feed        | k"),
    ),
    (
        "a formula over what is not there",
        ("conditions.tsv, row 3, column targetValue: unknown name 'bse'", "base"),
        petab_2("conditions", "A + base", "A + bse"),
    ),
    (
        "a start that reads another one",
        ("conditions.tsv, row 1, column targetValue: reads u, which is set at the same start",),
        petab_2("conditions", "start / 2", "start * u\n        begin       | u        | 1"),
    ),
    (
        "two conditions that set one quantity at one time",
        ("experiments.tsv, row 9, column conditionId: feed sets u, as another condition does",),
        petab_2("experiments", "both         | 0    | feed", "both | 0 | slow\n both | 0 | feed"),
    ),
    (
        "experiments that begin at different times",
        (
            "experiments.tsv",
            "column time: begins at 1, another experiment at 0",
        ),
        petab_2("experiments", "late         | 0    ", "late         | 1    "),
    ),
    (
        "a condition that is not in its table",
        ("experiments.tsv, row 9, column conditionId: 'slower' is not in the condition table",),
        petab_2("experiments", "late         | 0    |", "late | 0 | slower"),
    ),
    (
        "a measurement of before the experiment",
        ("measurements.tsv, row 1, column time: -1 is before the experiment begins, at 0",),
        petab_2("measurements", "| 1.1         | 0    |", "| 1.1 | -1 |"),
    ),
    (
        "too few values of placeholders",
        ("measurements.tsv, row 11, column noiseParameters: 0 given", "1 (width)"),
        petab_2("measurements", "| 2           | 1    |                      | sd", "| 2 | 1 | |"),
    ),
    (
        "a prior without a shape",
        ("parameters.tsv, row 3, column priorParameters: -2 is not > 0, as gamma needs",),
        petab_2("parameters", "normal            | 2;0.7", "gamma | -2;0.7"),
    ),
    (
        "numbers that a prior does not have",
        ("parameters.tsv, row 3, column priorParameters: '2' is not two numbers",),
        petab_2("parameters", "| 2;0.7", "| 2"),
    ),
    (
        "0 and 1 for what is estimated",
        ("parameters.tsv, row 1, column estimate: '1' is not one of true, false",),
        petab_2("parameters", "| true     | log", "| 1 | log"),
    ),
]
RESULTS = [
    (
        "results of another study",
        ("results/decay/ensemble.nc", "not made by this study"),
        {"results/decay/ensemble.nc": "of another", "results/decay/.odeflow": "0" * 32},
    ),
    (
        "the user's own file",
        ("results/decay/figures/", "nothing is overwritten"),
        {"results/decay/figures/solver_effort.png": "mine"},
    ),
    (
        "a folder for `ensemble.nc`",
        ("results/decay/ensemble.nc", "folder"),
        {"results/decay/ensemble.nc": folder},
    ),
    ("a file for `results`", ("results", "file", "folder"), {"results": "mine"}),
    ("a file for its folder", ("results/decay", "file", "folder"), {"results/decay": "mine"}),
    ("a link to nowhere", ("results", "nowhere"), {"results": broken_link}),
]


def _model_yaml(content: str | bytes | None) -> dict[str, Content]:
    if content is not None:
        return {MODEL: content}

    def instead(path: Path) -> None:
        path.unlink()
        path.mkdir()

    return {MODEL: instead}


ESTIMATION = [
    (
        "a parameter that is not there",
        ("analyse.estimate.parameters.kk", "not a parameter or state", "did you mean k?"),
        estimation("k:", "kk:"),
    ),
    (
        "a bound of 0 on a logarithm",
        ("analyse.estimate.parameters.k", "0 is not > 0", "scale: lin"),
        estimation("[0.1", "[0"),
    ),
    (
        "bounds the wrong way round",
        ("analyse.estimate.parameters.k.bounds", "low (20) must be less than high (10)"),
        estimation("[0.1", "[20"),
    ),
    ("no data", ("analyse.estimate.data", "name a .csv file"), estimation("data: d.csv, ", "")),
    (
        "data that is not there",
        ("analyse.estimate.data: e.csv", "no such file"),
        estimation("d.csv", "e.csv"),
    ),
    (
        "a column that is not known",
        ("d.csv", "'error' is not known", "sd"),
        estimation(data=MEASURED.replace("sd", "error")),
    ),
    (
        "a variable that is not there",
        ("d.csv, line 3, column variable", "'z' is not a state or observable", "y"),
        estimation(data=MEASURED.replace("1,y", "1,z")),
    ),
    (
        "text as a value",
        ("d.csv, line 2, column value", "'two' is not a number"),
        estimation(data=MEASURED.replace("y,2", "y,two")),
    ),
    (
        "noise of 0",
        ("d.csv, line 3, column sd", "0 is not > 0"),
        estimation(data=MEASURED.replace("y,1,0.1", "y,1,0")),
    ),
    (
        "a time before t0",
        ("d.csv, line 2, column time", "-0.5 is before model.t0"),
        estimation(data=MEASURED.replace("0.5,y", "-0.5,y")),
    ),
    (
        "no noise at all",
        ("analyse.estimate.noise", "nothing for y", "no column sd"),
        estimation(data="time,variable,value\n1,y,1\n"),
    ),
    (
        "noise that is not estimated",
        ("analyse.estimate.noise", "'s' is not estimated", "bounds"),
        estimation("{data", "{noise: {y: s}, data", "time,variable,value\n1,y,1\n"),
    ),
    (
        "a condition that is not there",
        ("d.csv, line 2, column condition", "'hot' is not one of design.conditions"),
        estimation(data="time,variable,value,sd,condition\n1,y,1,1,hot\n"),
    ),
    (
        "a profile of what is not estimated",
        ("analyse.estimate.profiles", "'y' is not estimated", "k"),
        estimation("{data", "{profiles: [y], data"),
    ),
    (
        "two laws as a prior",
        ("analyse.estimate.parameters.k.prior", "exactly one law", "normal and laplace"),
        estimation("10]}", "10], prior: {normal: [0, 1], laplace: [0, 1]}}"),
    ),
    (
        "too few walkers",
        ("analyse.estimate.posterior.walkers", "an even number"),
        estimation("{data", "{posterior: {walkers: 5}, data"),
    ),
    (
        "a stop",
        ("analyse.estimate", "stop ends trajectories", "remove stop"),
        {
            name: text + "stop: {below: {y: 0.1}}\n" if name == EXPERIMENT else text  # type: ignore[operator]
            for name, text in estimation().items()
        },
    ),
]
INPUTS = [
    ("no such file", ("model.inputs.u.file: v.csv", "no such file"), with_input("u.csv", "v.csv")),
    (
        "no such column",
        ("model.inputs.u: u.csv", "no column 'celcius'; did you mean celsius"),
        with_input("celsius", "celcius"),
    ),
    (
        "times that do not increase",
        ("model.inputs.u: u.csv", "line 4", "'hour' must increase, but 1 follows 1"),
        with_input(file=COURSE_FILE.replace("2,22", "1,22")),
    ),
    (
        "a time that is missing",
        ("u.csv", "line 3", "column 'hour'", "the value is missing"),
        with_input(file=COURSE_FILE.replace("1,25", ",25")),
    ),
    (
        "a value that is NaN",
        ("u.csv", "line 3", "'celsius' is missing or NaN", "give a finite number"),
        with_input(file=COURSE_FILE.replace("25", "nan")),
    ),
    (
        "dates as times, in units without one",
        ("u.csv", "line 2", "column 'hour'", "is a date", "model.time_units: days since"),
        with_input(file=COURSE_FILE.replace("0,20", "2026-03-01,20")),
    ),
    (
        "a date with a time zone",
        ("u.csv", "line 2", "2026-03-01T00:00Z", "without a time zone"),
        {
            name: str(text).replace("time_units: h", "time_units: hours since 2026-03-01")
            for name, text in with_input(
                file=COURSE_FILE.replace("0,20", "2026-03-01T00:00Z,20")
            ).items()
        },
    ),
    (
        "times that do not cover the time span",
        ("model.inputs.u", "0 to 1", "[0, 2]", "outside: hold"),
        with_input(file=COURSE_FILE.replace("2,22\n", "")),
    ),
    (
        "another interpolation",
        ("model.inputs.u.interpolation", "linear", "cubic", "spline"),
        with_input("celsius}", "celsius, interpolation: spline}"),
    ),
    (
        "a column without a file",
        ("model.inputs.u", "'hour' names a column, but there is no file"),
        with_input("file: u.csv, ", ""),
    ),
    (
        "lists of two lengths",
        ("model.inputs.u", "2 numbers for 3 times"),
        with_input(COURSE, "{time: [0, 1, 2], value: [20, 22]}"),
    ),
    (
        "the name of a parameter",
        ("inputs", "'k' is something else"),
        {MODEL: f"{MODEL_YAML}inputs: {{k: {COURSE}}}\n", "u.csv": COURSE_FILE},
    ),
    (
        "courses without an axis",
        ("model.inputs.u", "by: needed", "the axis to choose by"),
        with_input("value: celsius", "value: {north: celsius}"),
    ),
    (
        "an axis that the design does not have",
        ("model.inputs: site", "is no axis", "design.axes.site: {names: [north, south]}"),
        with_axis(""),
    ),
    (
        "numbers for categories",
        ("design: the axis site needs names, not numbers", "names: [north, south]"),
        with_axis("site: {values: [0, 1]}"),
    ),
    (
        "a category without a course",
        ("design.axes.site.names", "'east'", "known: north, south"),
        with_axis("site: {names: [north, east]}"),
    ),
    (
        "names for an axis of numbers",
        ("design.axes.k.names", "no input is given by k", "values"),
        in_experiment(AXIS, "k: {names: [low, high]}"),
    ),
    (
        "constant steps",
        ("solver.stepsize_controller", "constant steps do not end where the input u"),
        {
            **with_input(),
            EXPERIMENT: EXPERIMENT_YAML + "solver: {stepsize_controller: constant, dt0: 0.1}\n",
        },
    ),
]
ARRAYS = [
    (
        "one name for two dimensions",
        ("model", "value has 2 dimension(s), but dims names 1"),
        with_array("{file: c.csv, dims: [age]}"),
    ),
    (
        "a row that is short",
        ("value is ragged",),
        with_array("{value: [[1, 2], [3]], dims: [age, other]}"),
    ),
    (
        "text in its file",
        ("model.parameters.c.file: c.csv", "line 3", "'old'", "'x' is not a number"),
        with_array("{file: c.csv, dims: [age, other]}", "young,old\n1,2\n3,x\n"),
    ),
    (
        "no such file",
        ("model.parameters.c.file: d.csv", "no such file"),
        with_array("{file: d.csv, dims: [age, other]}"),
    ),
    (
        "an initial value by no function",
        ("model.states.y.initial", "models.py has no function 'start'"),
        in_model("initial: 3.0", "initial: 'models.py:start'"),
    ),
    (
        "an initial array by a function without its shape",
        ("model.states.y", "initial has 0 dimension(s) but dims names 1"),
        in_model("initial: 3.0", "initial: 'models.py:decay', dims: [x]"),
    ),
    (
        "a variable of a file that has none",
        ("model.states.y.initial.file", "c.csv has no variables"),
        in_model("initial: 3.0", "initial: {file: c.csv, variable: y}") | {"c.csv": "y\n1\n"},
    ),
    (
        "a complex number that is none",
        ("model", "states.y.initial", "'3,1'", "1+2j"),
        in_model("initial: 3.0", "initial: '3,1', dtype: complex"),
    ),
    (
        "a part of a complex state that is a state too",
        ("model", "states: y_real is a part of the complex y"),
        in_model(
            "  y: {initial: 3.0", "  y_real: {initial: 1}\n  y: {dtype: complex, initial: 3.0"
        ),
    ),
    (
        "names for another number of places",
        ("coords.age: 3 values for 2 places",),
        {
            name: f"{text}coords: {{age: [a, b, c]}}\n" if name == MODEL else text
            for name, text in with_array("{value: [1, 2], dims: [age]}").items()
        },
    ),
]
#: Derivative-based measures of metrics that have no derivative.
SLOPES = [
    (
        "a derivative of the time of the maximum",
        ("analyse.sensitivity.metrics", "dgsm needs a derivative of y_time_of_max", "jumps"),
        with_slopes("y_time_of_max"),
    ),
    (
        "a derivative of a metric that is computed while solving",
        ("analyse.sensitivity.metrics", "dgsm needs a derivative of y_max", "while solving"),
        with_slopes("y_max", "doses: [{state: y, amount: 1, time: 1}]\n"),
    ),
]
TRAINING = [
    (
        "a training set of base points and their steps",
        ("analyse.simulate_for_inference", "saltelli design are no draws", "design=sobol"),
        trained("saltelli"),
    ),
    (
        "noise of what is not an output",
        ("analyse.simulate_for_inference.noise", "'y' is not one of the outputs", "y_final"),
        trained(noise="{y: 1}"),
    ),
    (
        "noise of size 0",
        ("analyse.simulate_for_inference.noise.y_max", "expected a number > 0"),
        trained(noise="{y_max: 0}"),
    ),
    (
        "two laws of noise",
        ("analyse.simulate_for_inference.noise.y_max", "exactly one law", "normal and laplace"),
        trained(noise="{y_max: {normal: 1, laplace: 1}}"),
    ),
    (
        "noise by a parameter that has no law",
        ("noise.y_max", "'sigma' is neither an axis", "analyse.simulate_for_inference.parameters"),
        trained(noise="{y_max: sigma}"),
    ),
    (
        "noise by a parameter that may be negative",
        ("parameters.sigma", "normal may be below 0", "loguniform"),
        trained(noise="{y_max: sigma}", parameters="{sigma: {normal: [1, 1]}}"),
    ),
    (
        "a parameter that no noise reads",
        ("analyse.simulate_for_inference.parameters.sigma", "no noise reads it"),
        trained(parameters="{sigma: {uniform: [1, 2]}}"),
    ),
    (
        "a parameter of the model beside the design",
        ("analyse.simulate_for_inference.parameters.y", "the model has it", "design.axes.y"),
        trained(noise="{y_max: y}", parameters="{y: {uniform: [1, 2]}}"),
    ),
    (
        "listed values as a prior",
        ("analyse.simulate_for_inference", "parameters.sigma: values is no distribution"),
        trained(noise="{y_max: sigma}", parameters="{sigma: {values: [1, 2]}}"),
    ),
    (
        "a training set of nothing",
        ("analyse.simulate_for_inference", "no outputs", "null"),
        trained(metrics="[]"),
    ),
    (
        "an output that is not there",
        ("analyse.simulate_for_inference.metrics", "'y_maximum' is not a metric", "y_max"),
        trained(metrics="[y_maximum]"),
    ),
    (
        "shards of a size that cannot be",
        ("analyse.simulate_for_inference.shard_size", "multiple of 1024"),
        trained(shard_size="1000"),
    ),
]
#: Metrics and events: what is wrong, what the line must name, the lines of the config.
MEASURED_COURSES = [
    ("summary", "crossings of what is not there", ("summary.crossings", "'v'", "known: y"),
     "summary: {crossings: {v: 0}}"),
    ("summary", "crossings in no direction", ("summary.crossings.y.direction", "'up'", "'both'"),
     "summary: {crossings: {y: {threshold: 0, direction: rising}}}"),
    ("summary", "crossings of no threshold", ("summary.crossings.y.threshold", "needed"),
     "summary: {crossings: {y: {direction: up}}}"),
    ("summary", "a key of peaks that is not there", ("summary.peaks.y.height", "prominence"),
     "summary: {peaks: {y: {height: 1}}}"),
    ("summary", "windows between doses where there are none",
     ("summary.integral_over.y.between", "no doses are given", "from and to"),
     "summary: {integral_over: {y: {between: doses}}}"),
    ("summary", "a window that ends before it starts", ("summary.integral_over.y", "before"),
     "summary: {integral_over: {y: {from: 2, to: 1}}}"),
    ("summary", "a window after t1", ("summary.time_above.y.from", "3", "[0, 2]"),
     "summary: {time_above: {y: {threshold: 1, from: 3}}}"),
    ("summary", "a value at a time after t1", ("summary.value_at.y", "2.5", "[0, 2]"),
     "summary: {value_at: {y: 2.5}}"),
    ("summary", "a slope of nothing", ("summary.slope.y", "from and to", "last"),
     "summary: {slope: {y: {}}}"),
    ("summary", "a slope of more saved times than there are", ("summary.slope.y.last", "5", "9"),
     "summary: {slope: {y: {last: 9}}}"),
    ("summary", "two metrics of one label", ("summary.first_time_above.y", "the label a", "rename"),
     "summary: {first_time_above: {y: [{threshold: 1, label: a}, {threshold: 2, label: a}]}}"),
    ("summary", "a label with a blank", ("summary.value_at.y.label", "letters"),
     "summary: {value_at: {y: {time: 1, label: a b}}}"),
    ("summary", "functions without units", ("summary", "function_units"),
     'summary: {functions: "models.py:decay"}'),
    ("summary", "a function that is not there", ("summary.functions", "models.py", "'metrics'"),
     'summary: {functions: "models.py:metrics", function_units: {a: "1"}}'),
    ("saved events", "a crossing of what is not there", ("saveat.events.up.crossing", "'v'", "y"),
     "EVENT: {up: {crossing: v}}"),
    ("saved events", "a formula that is none", ("saveat.events.up.crossing", "'y +'"),
     "EVENT: {up: {crossing: 'y +'}}"),
    ("saved events", "a formula with a comparison", ("saveat.events.up.crossing", "y > 1", "tanh"),
     "EVENT: {up: {crossing: 'y > 1'}}"),
    ("saved events", "a variable that is not there", ("saveat.events.up.variables", "'z'", "y"),
     "EVENT: {up: {crossing: y, variables: [z]}}"),
    ("saved events", "a name that is taken", ("saveat.events.y", "rename"),
     "EVENT: {y: {crossing: y}}"),
    ("saved events", "none of them kept", ("saveat.events.up.most", ">= 1"),
     "EVENT: {up: {crossing: y, most: 0}}"),
]  # fmt: skip


def measured(text: str) -> dict[str, Content]:
    """The experiment with further lines; those of an event are of `saveat`."""
    if text.startswith("EVENT"):
        return in_experiment("saveat:\n", f"saveat:\n  events{text.removeprefix('EVENT')}\n")
    return {EXPERIMENT: EXPERIMENT_YAML + text + "\n"}


#: What functions of `summary.functions` return, and what the line must name.
METRIC_FUNCTIONS = [
    ("a function that fails", ("models.py:own", "raises KeyError", "made-up"),
     "raise KeyError('gone')"),
    ("a function of a variable that is not there", ("models.py:own", "AttributeError", "'z'"),
     "return {'own': course.z[-1]}"),
    ("a function that returns no names", ("models.py:own", "no names", "{name: number}"),
     "return 1.0"),
    ("a function that returns another name", ("models.py:own", "'owm'", "did you mean own"),
     "return {'owm': course.y[-1]}"),
    ("a function that returns a course", ("models.py:own", "own is an array", "one number"),
     "return {'own': course.y}"),
]  # fmt: skip


def metric_function(body: str) -> dict[str, Content]:
    keys = 'summary: {functions: "models.py:own", function_units: {own: mg}}\n'
    text = f"{MODELS}\n\ndef own(course, args):\n    {body}\n"
    return {EXPERIMENT: EXPERIMENT_YAML + keys, "models.py": text}


HEADER = "ID,TIME,EVID,AMT,RATE,II,ADDL,SS,CMT,DV\n"


def recorded(*lines: str, header: str = HEADER, more: str = "", model: str = "") -> dict:
    """An experiment whose design is a data set of these lines."""
    text = EXPERIMENT_YAML.replace("/design: grid", "/design: nonmem")
    text = text.replace(f"  axes:\n    {AXIS}", f"  nonmem: d.csv{more}")
    files: dict[str, Content] = {EXPERIMENT: text, "d.csv": header + "\n".join(lines) + "\n"}
    return files | ({MODEL: MODEL_YAML + model} if model else {})


def fitted(
    *lines: str, observed: str = "{}", noise: str = "{y: 1}", header: str = HEADER
) -> dict[str, Content]:
    """The same with `k` estimated from DV, which is of the variable `observed`."""
    more = f"\nanalyse: {{estimate: {{parameters: {{k: {{bounds: [0.1, 2]}}}}, noise: {noise}}}}}"
    files = recorded(*lines, header=header, more=more)
    text = str(files[EXPERIMENT]).replace(
        "nonmem: d.csv", f"nonmem: {{file: d.csv, observed: {observed}}}"
    )
    return files | {
        EXPERIMENT: text.replace("defaults:\n", "defaults:\n  - override /analyse: estimate\n")
    }


def drawn(*lines: str, by: str, of: str = "k", header: str = HEADER) -> dict[str, Content]:
    """The same with effects of occasions, which are those of a column."""
    occasion = f"{{of: {{{of}: exp}}, omega: [[1]], by: {by}}}"
    effect = f"{{of: {{k: exp}}, omega: [[1]], occasion: {occasion}}}"
    return recorded(*lines, header=header, more=f"\n  random_effects: {effect}")


#: Data sets of NONMEM's layout: what is wrong, what the line names, the files.
_DOSE, _SEEN = "1,0,1,5,0,0,0,0,1,.", "1,1,0,.,.,.,.,.,1,2"
RECORDED = [
    ("no column TIME", ("d.csv", "no column TIME"),
     recorded("1,0", header="ID,DV\n")),
    ("a time is missing", ("line 3 (ID 1)", "TIME is missing"),
     recorded(_DOSE, "1,.,0,.,.,.,.,.,1,2")),
    ("a time is no number", ("line 3 (ID 1)", "TIME", "'noon'"),
     recorded(_DOSE, "1,noon,0,.,.,.,.,.,1,2")),
    ("an amount is infinite", ("line 2 (ID 1)", "AMT is inf"),
     recorded("1,0,1,inf,0,0,0,0,1,.", _SEEN)),
    ("times that fall within a subject", ("line 3 (ID 1)", "TIME 0", "after 1"),
     recorded(_SEEN, _DOSE)),
    ("a subject in two places", ("line 4 (ID 1)", "together"),
     recorded(_DOSE, "2,0,1,5,0,0,0,0,1,.", _SEEN)),
    ("EVID 7", ("line 2", "EVID is 7", "0, 1, 2, 3, 4"), recorded("1,0,7,5,0,0,0,0,1,.", _SEEN)),
    ("an unknown compartment", ("line 2", "CMT 9", "1 or y"),
     recorded("1,0,1,5,0,0,0,0,9,.", _SEEN)),
    ("SS without II", ("line 2", "SS 1 without II"), recorded("1,0,1,5,0,0,0,1,1,.", _SEEN)),
    ("ADDL without II", ("line 2", "ADDL 3 without II"), recorded("1,0,1,5,0,0,3,0,1,.", _SEEN)),
    ("a negative RATE", ("line 2", "RATE is -3", "-1"), recorded("1,0,1,5,-3,0,0,0,1,.", _SEEN)),
    ("a modelled rate that no compartment has", ("model.compartments.y.rate", "RATE -1"),
     recorded("1,0,1,5,-1,0,0,0,1,.", _SEEN)),
    ("an observation with an amount", ("line 2", "AMT is for doses"),
     recorded("1,0,0,5,0,0,0,0,1,.", _SEEN)),
    ("a covariate that is no column", ("design.nonmem.covariates.k", "'WT'"),
     recorded(_DOSE, _SEEN) | {EXPERIMENT: recorded(_DOSE)[EXPERIMENT].replace(
         "nonmem: d.csv", "nonmem: {file: d.csv, covariates: {k: WT}}")}),
    ("doses beside it", ("design.nonmem", "doses"),
     recorded(_DOSE, _SEEN, more="\ndoses: [{state: y, amount: 1, time: 1}]")),
    ("a lag below 0", ("model.compartments.y.lag", "-"),
     recorded(_DOSE, _SEEN, model="compartments: {y: {lag: k - 100}}\n")),
    ("a lag by a parameter that is not there", ("model.compartments.y", "'tlag'"),
     recorded(_DOSE, _SEEN, model="compartments: {y: {lag: tlag}}\n")),
    ("an estimation that does not know what DV is", ("design.nonmem.observed", "DV"),
     fitted(_DOSE, _SEEN)),
    ("DV of what is no variable", ("design.nonmem.observed", "'conc'"),
     fitted(_DOSE, _SEEN, observed="conc")),
    ("a DVID that nothing is said of", ("line 3 (ID 1)", "CMT is 1", "known: 2"),
     fitted(_DOSE, _SEEN, observed="{2: y}")),
    ("a DV below its limit", ("BLQ is 1 for ID 1", "MDV"),
     fitted(_DOSE + ",0", _SEEN + ",1", observed="y", header=HEADER.strip() + ",BLQ\n")),
    ("no noise of DV", ("analyse.estimate.noise", "y"),
     fitted(_DOSE, _SEEN, observed="y", noise="{}")),
    ("a noise of nothing", ("analyse.estimate.noise.y", "proportional, additive"),
     fitted(_DOSE, _SEEN, observed="y", noise="{y: {}}")),
    ("occasions by no column", ("design.random_effects.occasion.by", "'OCC'"),
     drawn(_DOSE, _SEEN, by="OCC")),
    ("a record without its occasion", ("line 3 (ID 1)", "OCC is missing"),
     drawn(_DOSE + ",1", _SEEN + ",.", by="OCC", header=HEADER.strip() + ",OCC\n")),
    ("effects of occasions on no parameter", ("design.random_effects.occasion.of.ke", "parameter"),
     drawn(_DOSE, _SEEN, by="CMT", of="ke")),
    ("both sides of doses, and their name taken", ("design.nonmem.at_doses", "dose_side"),
     recorded(_DOSE + ",1", header=HEADER.strip() + ",dose_side\n",
              more="") | {EXPERIMENT: recorded()[EXPERIMENT].replace(
                  "nonmem: d.csv", "nonmem: {file: d.csv, at_doses: true}")}),
    ("only doses to estimate from", ("no observation has a DV",),
     fitted(_DOSE, observed="y")),
    ("an estimated covariate", ("analyse.estimate.parameters.k", "covariate"),
     fitted(_DOSE + ",1", _SEEN + ",1", observed="y, covariates: {k: W}",
            header=HEADER.strip() + ",W\n")),
]  # fmt: skip
#: Random effects: what is wrong, what the line names, the key's value.
EFFECTS = [
    ("a matrix of another size", ("omega", "1 effects", "1 rows"),
     "{of: {k: exp}, omega: [[1, 0], [0, 1]]}"),
    ("a matrix that is no covariance", ("omega", "negative eigenvalue"),
     "{of: {k: exp}, omega: [[-1]]}"),
    ("a parameter that is not there", ("design.random_effects.of.ke", "parameter"),
     "{of: {ke: exp}, omega: [[1]]}"),
    ("a logit of a value above 1", ("design.random_effects.of.k", "between 0 and 1"),
     "{of: {k: logit}, omega: [[1]]}"),
    ("occasions without a data set", ("design.random_effects.occasion", "design.nonmem"),
     "{of: {k: exp}, omega: [[1]], occasion: {of: {k: exp}, omega: [[1]], by: OCC}}"),
    ("on a grid", ("design.random_effects", "grid"), None),
]  # fmt: skip


#: Typical values that are not known: what is wrong, what the line names, the key's value.
THETA = [
    ("a matrix of another size", ("covariance", "1 parameters", "1 rows"),
     "{of: {k: log}, covariance: [[1, 0], [0, 1]]}"),
    ("a matrix that is no covariance", ("covariance", "symmetric"),
     "{of: {k: log, y: log}, covariance: [[1, 0.5], [0, 1]]}"),
    ("a parameter that is not there", ("design.theta.of.ke", "parameter"),
     "{of: {ke: log}, covariance: [[1]]}"),
    ("a logit of a value above 1", ("design.theta.of.k", "between 0 and 1"),
     "{of: {k: logit}, covariance: [[1]]}"),
    ("an unknown scale", ("design.theta.of.k", "log10"), "{of: {k: ln}, covariance: [[1]]}"),
    ("no replicates", ("design.theta.replicates",),
     "{of: {k: log}, covariance: [[1]], replicates: 0}"),
]  # fmt: skip


def effects(value: str | None, key: str = "random_effects") -> dict[str, Content]:
    """An experiment with random effects of a single row; on a grid where there is no value."""
    text = EXPERIMENT_YAML
    if value is None:
        effect = "  random_effects: {of: {k: exp}, omega: [[1]]}"
        return {EXPERIMENT: text.replace("  axes:\n", f"{effect}\n  axes:\n")}
    text = text.replace("/design: grid", "/design: zip")
    return {EXPERIMENT: text.replace(f"  axes:\n    {AXIS}", f"  {key}: {value}")}


#: What is summarised: what is wrong, what the line names, the group `summary`.
ERRORS = [
    ("no size", ("summary.residual_error.y", "proportional or additive"),
     "{residual_error: {y: {seed: 1}}}"),
    ("of a variable that is not there", ("summary.residual_error", "'z'"),
     "{residual_error: {z: {additive: 1}}}"),
    ("an interval that ends between saved times", ("summary.nca.y", "0.7", "saveat.ts"),
     "{nca: {y: {times: [0], tau: 0.7}}}"),
    ("a check of what nobody observed", ("summary.vpc.y", "design.nonmem.observed"),
     "{vpc: {y: {}}}"),
    ("bins with one edge", ("summary.vpc.y.bins", "two edges"), "{vpc: {y: {bins: [1]}}}"),
    ("quantiles out of order", ("summary.vpc.y.quantiles", "increase"),
     "{vpc: {y: {quantiles: [0.9, 0.1]}}}"),
    ("a group that is no axis", ("summary.group", "'dose'"), "{group: dose}"),
]  # fmt: skip
#: Formulas in doses: what is wrong, what the line names, the doses.
FORMULAS = [
    ("a name that is not there", ("doses.0.amount", "'f'"), "[{state: y, amount: 2 * f, time: 1}]"),
    ("a call of something else", ("doses.0.amount", "open"),
     "[{state: y, amount: open(k), time: 1}]"),
    ("a text that is none", ("doses.0.time", "formula"), "[{state: y, amount: 1, time: 2 +}]"),
    ("an amount by the time after the last dose", ("doses.0.amount", "'since'"),
     "[{state: y, amount: 2 * since, time: 1}]\nmodel: {time_after_dose: since}"),
    ("the time after the last dose by a name that is taken", ("model", "k", "only one of"),
     "[]\nmodel: {time_after_dose: k}"),
]  # fmt: skip

BAD_INPUTS = [
    *(BadInput("estimation", a, b, c) for a, b, c in ESTIMATION),
    *(BadInput("override", a, b, config=f"experiment=decay {c}") for a, b, c in OVERRIDES),
    *(BadInput("experiment", a, b, config=c) for a, b, c in EXPERIMENTS),
    *(BadInput("name of a state", a, b, state_named(c)) for a, b, c in NAMES),
    *(BadInput("model", a, b, c) for a, b, c in MODEL_CONFIG),
    *(BadInput("algebraic equations", a, b, c) for a, b, c in bad_algebraic.IN_CONFIG),
    *(
        BadInput("algebraic equations", a, b, bad_algebraic.ANY, f"experiment=decay {c}")
        for a, b, c in bad_algebraic.IN_SETTINGS
    ),
    *(
        BadInput("algebraic equations", a, b, c, f"experiment=decay {d}".strip(), needs_jax=True)
        for a, b, c, d in bad_algebraic.IN_JAX
    ),
    *(BadInput("delays", a, b, c) for a, b, c in bad_delays.IN_CONFIG),
    *(
        BadInput("delays", a, b, bad_delays.ANY, f"experiment=decay {c}")
        for a, b, c in bad_delays.IN_SETTINGS
    ),
    BadInput("delays", "a dose that changes one", *bad_delays.SWITCHED),
    *(BadInput("YAML file", a, b, _model_yaml(c)) for a, b, c in YAML),
    *(BadInput("design", a, b, in_experiment(AXIS, c)) for a, b, c in DESIGN),
    *(BadInput("sensitivity analysis", a, b, c) for a, b, c in SENSITIVITY),
    BadInput(
        "design",
        "an axis over an array state",
        ("design.axes.y", "is an array (2)"),
        in_model("3.0", "[1, 2], dims: [x]") | in_experiment(AXIS, "y: {values: [1]}"),
    ),
    BadInput(
        "design",
        "a median of 0",
        ("design.axes.k.lognormal.median", "> 0", "got 0"),
        sampler("{lognormal: {median: 0, sigma: 1}}"),
    ),
    BadInput(
        "model",
        "a decimal comma in quotes",
        ("model.states.y.initial", "'3,5'", "write 3.5"),
        in_model("3.0", '"3,5"'),
    ),
    BadInput(
        "model",
        "two metrics of one name",
        ("the time_of_max of 'y' would be called y_time_of_max", "the max of 'y_time_of'"),
        in_model("  y: {initial", "  y_time_of: {initial: 1}\n  y: {initial"),
    ),
    BadInput(
        "design",
        "an axis with the name of a metric",
        ("the max of 'y' would be called y_max", "as something in the model is"),
        in_model("  k: {", "  y_max: {value: 1}\n  k: {")
        | in_experiment(AXIS, "y_max: {values: [1, 2]}"),
    ),
    BadInput(
        "design",
        "low above high",
        ("design.axes.k.uniform", "less than"),
        sampler("{uniform: [2, 1]}"),
    ),
    BadInput(
        "design",
        "10^12 samples",
        ("design.size", "1,000,000,000,000"),
        sampler("{uniform: [1, 2]}"),
        "experiment=decay design__size=1000000000000",
    ),
    BadInput(
        "saved times",
        "not increasing",
        ("saveat.ts", "increase"),
        in_experiment("linspace: [0, 2, 5]", "values: [0, 0]"),
    ),
    BadInput(
        "saved times",
        "10^9 of them",
        ("saveat.ts", "1,000,000,000"),
        in_experiment("[0, 2, 5]", "[0, 2, 1000000000]"),
    ),
    BadInput(
        "saved times",
        "after t1",
        ("saveat.ts", "2.25", "[0, 2]"),
        in_experiment("[0, 2, 5]", "[0, 3, 5]"),
    ),
    *(BadInput("table", a, b, c) for a, b, c in TABLES),
    *(BadInput("PEtab", a, b, c) for a, b, c in PETAB),
    *(BadInput("PEtab version 2", a, b, c) for a, b, c in PETAB_2),
    *(BadInput("vector field", a, b, field_returns(c), needs_jax=True) for a, b, c in FUNCTIONS),
    BadInput(
        "vector field",
        "the arguments (y, t)",
        ("(y, t)", "three, (t, y, args)"),
        {"models.py": "def decay(y, t):\n    return {'y': -y}\n"},
        needs_jax=True,
    ),
    BadInput(
        "vector field",
        "the arguments (y, t, args)",
        ("(y, t, args)", "in the order (t, y, args)"),
        {"models.py": "def decay(y, t, args):\n    return {'y': -y}\n"},
        needs_jax=True,
    ),
    BadInput(
        "vector field",
        "other arguments, a state first",
        ("line 2", "reads .y of a number", "(t, y, args)"),
        {"models.py": "def decay(state, when, args):\n    return {'y': -state.y}\n"},
        needs_jax=True,
    ),
    BadInput(
        "vector field",
        "its file does not import",
        ("models.py", "ModuleNotFoundError"),
        {"models.py": "import no_such_module\n" + MODELS},
        needs_jax=True,
    ),
    *(BadInput(where, a, b, measured(c)) for where, a, b, c in MEASURED_COURSES),
    *(
        BadInput("summary", a, b, metric_function(c), needs_jax=True)
        for a, b, c in METRIC_FUNCTIONS
    ),
    *(BadInput("existing results", a, b, c) for a, b, c in RESULTS),
    *(BadInput("input over time", a, b, c) for a, b, c in INPUTS),
    *(BadInput("array parameter", a, b, c) for a, b, c in ARRAYS),
    *(BadInput("training set", a, b, c) for a, b, c in TRAINING),
    *(BadInput("sensitivity analysis", a, b, c) for a, b, c in SLOPES),
    *(BadInput("NONMEM data", a, b, c) for a, b, c in RECORDED),
    *(BadInput("random effects", a, b, effects(c)) for a, b, c in EFFECTS),
    *(BadInput("typical values", a, b, effects(c, "theta")) for a, b, c in THETA),
    *(
        BadInput("summary", a, b, {EXPERIMENT: EXPERIMENT_YAML + f"summary: {c}\n"})
        for a, b, c in ERRORS
    ),
    *(
        BadInput("dose", a, b, {EXPERIMENT: EXPERIMENT_YAML + f"doses: {c}\n"})
        for a, b, c in FORMULAS
    ),
    *(BadInput("SED-ML", a, b, c) for a, b, c in bad_sedml.IN_ARCHIVE),
]
