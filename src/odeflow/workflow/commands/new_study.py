"""The texts of a first study: `{name}` is the study's, `{model}` its model's."""

import json
from collections.abc import Mapping

_README = """\
# {name}

A study for odeflow: a model, and what is done with it.

```bash
odeflow run experiment={name}
```

The same by Snakemake itself, in this folder:

```bash
snakemake -s "$(odeflow where)/Snakefile" --cores all --config experiment={name}
```

{files}

The results are in `results/{name}/`: `ensemble.nc` (all trajectories), `summary.nc`, `figures/`,
`overview.html`. Every key that a config may have is in `$(odeflow where)/config/README.md`.
"""

_OWN_FILES = """\
| file | what it says |
|---|---|
| `models.py` | the equations |
| `config/model/{model}.yaml` | names, units and values of states and parameters |
| `config/experiment/{name}.yaml` | what varies, the solver, what is saved |"""

_IMPORTED_FILES = """\
| file | what it says |
|---|---|
| `{file}` | the model |
| `config/model/{model}.yaml` | how long it runs; what is said there wins over the model's file |
| `config/experiment/{name}.yaml` | what varies, the solver, what is saved |"""

_IGNORED = """\
/results/
/.snakemake/
__pycache__/
"""

_MODELS = '''\
"""The equations of {name}. They are JAX: jnp.exp, not math.exp; jnp.where, not if."""


def vector_field(t, y, args):
    """The derivative of each state; `args` are the parameters."""
    absorbed = args.ka * y.gut
    return {{
        "gut": -absorbed,
        "blood": absorbed - args.cl / args.v * y.blood,
    }}


def observables(t, y, args):
    """What is computed from the states, and saved beside them."""
    return {{"concentration": y.blood / args.v}}
'''

_MODEL = """\
# The model: names, units and default values of what models.py computes with.
name: {model}
title: A drug that is swallowed, absorbed and cleared
vector_field: models.py:vector_field
t1: 24.0 # the end; t0 is 0
time_units: h
states: # their values at t0
  gut: {{initial: 100, units: mg, long_name: amount in the gut}}
  blood: {{initial: 0, units: mg, long_name: amount in the blood}}
parameters:
  ka: {{value: 1.0, units: 1/h, long_name: rate of absorption}}
  cl: {{value: 5.0, units: L/h, long_name: clearance}}
  v: {{value: 40.0, units: L, long_name: volume of distribution}}
observables:
  function: models.py:observables
  variables:
    concentration: {{units: mg/L, long_name: concentration in the blood}}
"""

_IMPORTED_MODEL = """\
# The model: what the file says, and what it does not.
{key}: {file}
t1: 100.0 # the end, in the model's time; t0 is 0
# parameters: {{{axis}: {{value: {value!r}}}}} # another value than the file's
"""

_EXPERIMENT = """\
# @package _global_
# What is done with the model.
defaults:
  - override /model: {model}
  - override /design: grid # grid: all combinations; also sobol, latin_hypercube, table
  - override /solver: {solver} # {advice}

name: {name} # of the folder in results/
design:
  axes: # what varies: a parameter, or the value of a state at t0
{axes}
saveat:
  ts: {{linspace: [0, {end}, {number}]}} # the times that are saved
{more}"""

_OWN_AXES = """\
    ka: {linspace: [0.2, 2.0, 10]}
    cl: {values: [2.5, 5, 10]}"""

_OWN_SUMMARY = """\
summary:
  first_time_above: {concentration: 1.0} # beside minimum, maximum, mean, ...
plot:
  metric: concentration_max
"""


_TASKS_README = """\
# {name}

A study for odeflow: the tasks of `{file}`, an experiment for each.

```bash
odeflow run                     # all of them, which config/workflow.yaml names
odeflow run experiment={first}
```

Each has a file in `config/experiment/`: what that says comes before what `{file}` says. The results
are in a folder each in `results/`: `ensemble.nc` (all trajectories), `summary.nc`, `figures/`,
`overview.html`. Every key that a config may have is in `$(odeflow where)/config/README.md`.
"""

_TASK = """\
# @package _global_
# A task of {file}; what is said here comes before what that says.
name: {name}
model: {said}
"""


def model_name(name: str) -> str:
    """The name of the model of a study: one that Python could use."""
    return name.replace("-", "_")


def own_model(name: str) -> dict[str, bytes]:
    """The files of a study with a model in Python, by their names."""
    model = model_name(name)
    experiment = _EXPERIMENT.format(
        name=name,
        model=model,
        solver="tsit5",
        advice="rodas5p where the model is stiff",
        axes=_OWN_AXES,
        end=24,
        number=97,
        more=_OWN_SUMMARY,
    )
    texts = {
        "models.py": _MODELS.format(name=name),
        f"config/model/{model}.yaml": _MODEL.format(model=model),
        f"config/experiment/{name}.yaml": experiment,
        "README.md": _README.format(name=name, files=_OWN_FILES.format(name=name, model=model)),
        ".gitignore": _IGNORED,
    }
    return {file: text.encode() for file, text in texts.items()}


def of_a_file(
    name: str, file: str, content: bytes, key: str, axis: str, value: float
) -> dict[str, bytes]:
    """The files of a study of a model's file.

    Arguments:
        name: the study's.
        file: the name of the model's file.
        content: what is in it.
        key: `sbml` or `antimony`.
        axis: what varies.
        value: the value that it has in the file, not 0.
    """
    model = model_name(name)
    experiment = _EXPERIMENT.format(
        name=name,
        model=model,
        solver="rodas5p",
        advice="tsit5 where the model is not stiff",
        axes=f"    {axis}: {{linspace: [{value / 2!r}, {value * 2!r}, 16]}}",
        end=100,
        number=101,
        more="",
    )
    files = _IMPORTED_FILES.format(name=name, model=model, file=file)
    texts = {
        f"config/model/{model}.yaml": _IMPORTED_MODEL.format(
            key=key, file=file, axis=axis, value=value
        ),
        f"config/experiment/{name}.yaml": experiment,
        "README.md": _README.format(name=name, files=files),
        ".gitignore": _IGNORED,
    }
    return {file: content, **{file: text.encode() for file, text in texts.items()}}


def of_tasks(
    name: str, file: str, experiments: Mapping[str, Mapping[str, str]]
) -> dict[str, bytes]:
    """The files of a study of an archive or SED-ML file, but for that itself.

    Arguments:
        name: the study's.
        file: the name of the archive or SED-ML file.
        experiments: what the `model` group of each experiment says, by its name.
    """
    texts = {
        f"config/experiment/{one}.yaml": _TASK.format(file=file, name=one, said=json.dumps(said))
        for one, said in experiments.items()
    }
    texts |= {
        "config/workflow.yaml": f"experiment: {json.dumps([*experiments])}\n",
        "README.md": _TASKS_README.format(name=name, file=file, first=next(iter(experiments))),
        ".gitignore": _IGNORED,
    }
    return {path: text.encode() for path, text in texts.items()}
