"""Composition, overrides, and one clear line for every mistake."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from odeflow.config.base import Strict
from odeflow.config.design import SAMPLERS
from odeflow.config.nonmem import NonmemConfig
from odeflow.config.overrides import flatten_overrides
from odeflow.config.random_effects import RandomEffectsConfig
from odeflow.config.root import Config
from odeflow.config.shipped import shipped_config
from odeflow.config.theta import ThetaConfig
from odeflow.config.validate import record_of
from odeflow.files.errors import ConfigError
from odeflow.importers.study.compose import compose
from odeflow.workflow.commands.schema import config_schema

EXPERIMENTS = sorted(path.stem for path in (shipped_config() / "experiment").glob("*.yaml"))


def test_default_is_quickstart(tmp_path: Path):
    config = compose(study=tmp_path)
    assert config.name == "quickstart"
    assert list(config.design.axes) == ["vmax", "km"]


@pytest.mark.parametrize(
    "group", ["model", "design", "solver", "saveat", "summary", "plot", "analyse"]
)
def test_every_shipped_choice_composes(group: str, tmp_path: Path):
    for path in (shipped_config() / group).glob("*.yaml"):
        if (group, path.stem) in {("design", "table"), ("design", "nonmem"), ("solver", "base")}:
            continue
        overrides = [f"{group}={path.stem}"]
        if group in {"model", "design"}:  # an experiment's axes are those of its own model
            overrides.append("~experiment")
        if path.stem == "sensitivity":
            overrides += ["~experiment", "design=saltelli", "+design.axes.vmax={uniform: [8, 9]}"]
        if path.stem == "simulate_for_inference":
            overrides += ["~experiment", "design=sobol", "+design.axes.vmax={uniform: [8, 9]}"]
        if path.stem == "estimate":  # of the data of an experiment
            overrides = ["experiment=estimate", *overrides]
        if path.stem in {"zip", *SAMPLERS}:
            law = "{values: [8, 9]}" if path.stem == "zip" else "{uniform: [8, 9]}"
            overrides.append(f"+design.axes.vmax={law}")
        assert getattr(compose(*overrides, study=tmp_path), group) is not None


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_every_shipped_experiment_composes_and_says_its_command(name: str, tmp_path: Path):
    assert compose(f"experiment={name}", study=tmp_path).name == name
    text = (shipped_config() / "experiment" / f"{name}.yaml").read_text()
    command = "snakemake --cores all"
    assert (command if name == "quickstart" else f"{command} --config experiment={name}") in text


def test_flatten_overrides():
    settings = {
        "experiment": "robertson",
        "solver__rtol": 1e-8,
        "plot__variables": ["a", "b"],
        "solver__dtmin": None,
        "overrides": "solver=kvaerno5 +design.axes.k1={uniform:[1,2]}",
    }
    assert flatten_overrides(settings) == [
        "experiment=robertson",
        "solver.rtol=1e-08",
        "plot.variables=[a,b]",
        "solver.dtmin=null",
        "solver=kvaerno5",
        "+design.axes.k1={uniform:[1,2]}",
    ]


def test_a_study_comes_before_what_ships(tmp_path: Path):
    (tmp_path / "config" / "solver").mkdir(parents=True)
    (tmp_path / "config" / "solver" / "tsit5.yaml").write_text(
        "defaults: [base]\nmethod: tsit5\nrtol: 1e-3\n"
    )
    assert compose(study=tmp_path).solver.rtol == 1e-3
    assert compose(study=tmp_path / "elsewhere").solver.rtol == 1e-6


MISTAKES = {
    "unknown key": (["+solver.rtoll=1e-3"], ["solver.rtoll", "did you mean rtol?"]),
    "unknown override": (["solver.rtoll=1e-3"], ["solver.rtoll", "did you mean rtol?"]),
    "unknown root key": (["+desing=1"], ["desing", "did you mean design?"]),
    "unknown group choice": (["solver=tsit6"], ["solver=tsit6", "did you mean tsit5?"]),
    "unknown experiment": (["experiment=quickstrat"], ["did you mean quickstart?"]),
    "unknown method": (["solver.method=tsit6"], ["solver.method", "did you mean tsit5?"]),
    "wrong type": (["solver.rtol=abc"], ["solver.rtol", "number", "'abc'"]),
    "a boolean as number": (["solver.rtol=true"], ["solver.rtol", "not true or false"]),
    "zero tolerance": (["solver.rtol=0"], ["solver.rtol", "> 0", "0"]),
    "negative tolerance": (["solver.atol=-1e-8"], ["solver.atol", "> 0"]),
    "no steps": (["solver.max_steps=0"], ["solver.max_steps", ">= 1"]),
    "negative seed": (["design.seed=-1"], ["design.seed", "0"]),
    "unknown axis": (["+design.axes.vmx={values:[1]}"], ["design.axes.vmx", "vmax"]),
    "two laws": (["design.axes.vmax.values=[1]"], ["design.axes.vmax", "exactly one law"]),
    "no points": (["design.axes.vmax.linspace=[1,2,0]"], ["design.axes.vmax", ">= 1"]),
    "sampler with levels": (["design=sobol"], ["linspace", "sobol", "uniform"]),
    "time outside": (["saveat.ts.linspace=[0,200,3]"], ["saveat.ts", "200", "[0, 120]"]),
    "times not increasing": (["saveat.ts=[0,5,5]"], ["saveat.ts", "increase"]),
    "atol of no state": (["solver.atol={substrat:1e-8}"], ["solver.atol", "substrate"]),
    "atol misses a state": (["solver.atol={substrate:1e-8}"], ["solver.atol", "enzyme"]),
    "unknown variable": (["saveat.variables=[sub]"], ["saveat.variables", "substrate"]),
    "unknown metric": (["summary.metrics=[median]"], ["summary.metrics", "median"]),
    "unknown engine": (["runtime.engine=fast"], ["runtime.engine", "native"]),
    "adaptive Euler": (["solver=euler", "solver.stepsize_controller=pid"], ["euler", "constant"]),
    "constant without dt0": (
        ["solver.stepsize_controller=constant", "solver.dt0=null"],
        ["solver.dt0"],
    ),
    "a target": (["+solver._target_=builtins.open"], ["solver._target_", "refused"]),
    "shell text": (["name=$(touch x)"], ["$", "refused"]),
    "a bad name": (["name=a/b"], ["name", "a/b", "letters"]),
    "a folder of ours": (["name=chunks"], ["name", "chunks"]),
    "bad grammar": (["solver.rtol=[1"], ["solver.rtol=[1"]),
    "t1 before t0": (["model.t1=-1"], ["t1", "greater than t0"]),
    "quantile above one": (["summary.quantiles=[0.5,2]"], ["summary.quantiles", "1"]),
}


@pytest.mark.parametrize("overrides, words", MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_one_line_that_names_it(overrides, words, tmp_path: Path):
    with pytest.raises(ConfigError) as caught:
        compose(*overrides, study=tmp_path)
    message = str(caught.value)
    assert "\n" not in message
    for word in words:
        assert word in message, message


def test_the_config_imports_no_jax():
    code = (
        "import sys, odeflow.workflow.plan, odeflow.workflow.job_resources; "
        "import odeflow.workflow.ownership; "
        "sys.exit(bool({'jax', 'xarray', 'matplotlib', 'scipy', 'pandas'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def schema_keys() -> list[str]:
    keys = []
    for group, field in Config.model_fields.items():
        record = record_of(field.annotation)
        if record is not None:
            keys += [f"{group}.{key}" for key in record.model_fields]
            if group == "design":
                keys += [f"design.nonmem.{key}" for key in NonmemConfig.model_fields]
                effects = RandomEffectsConfig.model_fields
                keys += [f"design.random_effects.{key}" for key in effects]
                keys += [f"design.theta.{key}" for key in ThetaConfig.model_fields]
            if group == "analyse":  # a record for each analysis
                keys += [
                    f"{group}.{key}.{inner}"
                    for key, one in record.model_fields.items()
                    for inner in (record_of(one.annotation) or Strict).model_fields
                ]
        else:
            keys.append(group)
    return keys


def test_every_key_is_explained_and_no_other():
    text = (shipped_config() / "README.md").read_text()
    explained = [
        key
        for row in re.findall(r"^\| (`.*?`) \|", text, re.MULTILINE)
        for key in re.findall(r"`([\w.]+)`", row)
    ]
    assert sorted(explained) == sorted(schema_keys())


def test_the_shipped_schema_is_the_config_s():
    assert (shipped_config() / "schema.json").read_text() == config_schema()


@pytest.mark.parametrize(
    "kind, beside, size",
    [
        ("latin_hypercube", [], 1_000_000),
        ("saltelli", ["design.size=8"], 8),
        ("grid", ["design.axes={km: {values: [4, 5]}}"], None),
        ("grid", ["design.axes.km={values: [4]}", "~design.axes.vmax"], "design.axes.substrate: "),
        ("grid", ["design.axes={}", "design.size=4"], "design.size: the axes set the size"),
        ("table", ["design.path=rows.csv"], "design.path: rows.csv: no such file"),
        ("table", ["design.path=rows.csv", "design.axes={km: {values: [4]}}"], "design.axes: "),
    ],
)
def test_another_kind_of_design_leaves_what_it_has_not(
    kind: str, beside: list[str], size: int | str | None
):
    request = ["experiment=seed_million", f"design={kind}", *beside]
    if not isinstance(size, str):
        assert compose(*request).design.size == size
        return
    with pytest.raises(ConfigError, match=f"^{re.escape(size)}"):
        compose(*request)
