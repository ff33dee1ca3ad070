"""SBML and Antimony models through the whole flow: against closed forms, and what is refused."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.support.snakes import PROJECT, make_study, snakemake

pytest.importorskip("libsbml")
pytest.importorskip("antimony")

import xarray as xr

import odeflow
from odeflow.config.root import Config
from odeflow.config.validate import validate
from odeflow.files.errors import ConfigError
from odeflow.importers.expressions.evaluation import evaluate
from odeflow.importers.expressions.expression import TIME
from odeflow.importers.sbml.config import imported_model
from odeflow.importers.sbml.source import model_source
from odeflow.workflow.chunks import solve_digest
from tests.support.marks import fast
from tests.support.sbml_text import (
    compartment,
    function,
    initial,
    parameter,
    reaction,
    rule,
    sbml,
    species,
)

ENGINES = fast({"native"}, ("native", "diffrax"))


def configured(model: dict[str, Any], folder: Path = Path(), **groups: Any) -> Config:
    """A validated config of a model group, as `compose` makes it."""
    groups.setdefault("design", {"kind": "grid", "axes": {}})
    solver = {"method": "tsit5", "rtol": 1e-9, "atol": 1e-11, **groups.pop("solver", {})}
    data = {"name": "test", "solver": solver, **groups}
    return validate({**data, "model": imported_model(model, folder)}).in_study(folder)


def grid(**axes: Any) -> dict[str, Any]:
    return {"kind": "grid", "axes": {name: {"values": values} for name, values in axes.items()}}


@pytest.mark.parametrize("engine", ENGINES)
def test_a_growing_compartment_dilutes_what_is_in_it(engine: str, tmp_path: Path):
    """V = V0 exp(g t), n' = -k n / V: n = n0 exp(-k (1 - exp(-g t)) / (g V0))."""
    text = sbml(
        compartment("V", 2, False), species("S", "V", concentration=3), parameter("k", 0.5),
        parameter("g", 0.3), rule("rate", "V", "g * V"), reaction("J", "S", "", "k * S"),
    )  # fmt: skip
    (tmp_path / "growth.xml").write_text(text)
    config = configured(
        {"sbml": "growth.xml", "t1": 4.0, "reaction_rates": True},
        tmp_path,
        design=grid(k=[0.5, 1.0], V=[1.0, 2.0]),
        saveat={"ts": {"linspace": [0, 4, 9]}},
        runtime={"engine": engine},
    )
    result = odeflow.run(config)
    k, V0, t = result.k, result.V_ if "V_" in result else result.initial_V, result.time
    n = 3 * V0 * np.exp(-k * (1 - np.exp(-0.3 * t)) / (0.3 * V0))
    xr.testing.assert_allclose(result.S_amount, n.transpose(*result.S_amount.dims), rtol=1e-7)
    S = result.S_amount / result.V
    np.testing.assert_allclose(result.S, S, rtol=1e-14)
    np.testing.assert_allclose(result.J, (k * result.S).transpose(*result.J.dims), rtol=1e-14)
    assert result.attrs["odeflow_engine"] == engine


@pytest.mark.parametrize("engine", ENGINES)
def test_a_generic_ode_in_antimony(engine: str):
    """The harmonic oscillator, with no Python at all."""
    config = configured(
        {"antimony": "x' = v; v' = -w^2 * x; x = 1; v = 0; w = 2; e := v^2 + (w*x)^2", "t1": 5.0},
        design=grid(w=[1.0, 2.0]),
        saveat={"ts": {"linspace": [0, 5, 11]}},
        runtime={"engine": engine},
    )
    result = odeflow.run(config)
    exact = np.cos(result.w * result.time)
    np.testing.assert_allclose(result.x, exact.transpose(*result.x.dims), atol=1e-7)
    np.testing.assert_allclose(result.e, (result.w**2).broadcast_like(result.e), rtol=1e-7)


def test_auto_takes_the_native_engine_and_every_function_runs_there(tmp_path: Path):
    """Values of observables along a trajectory, against NumPy."""
    formulas = (
        "x^2", "x^-3", "x^1.5", "2^x", "root(3, -x)", "root(5, -x)", "sqrt(x)", "log(x)",
        "log(3, x)", "ln(x)", "exp(x)", "abs(-x)", "floor(3*x)", "ceil(3*x)", "factorial(x)",
        "factorial(floor(3*x))", "max(x, time, 1)", "min(x, time)", "quotient(-9*x, 2)",
        "rem(-9*x, 2)", "sin(x)", "cos(x)", "tan(x)", "sec(x)", "csc(x)", "cot(x)", "sinh(x)",
        "cosh(x)", "tanh(x)", "sech(x)", "csch(x)", "coth(x)", "arcsin(x/2)", "arccos(x/2)",
        "arctan(x)", "arcsec(2+x)", "arccsc(2+x)", "arccot(-x)", "arcsinh(x)", "arccosh(1+x)",
        "arctanh(x/2)", "arcsech(x/2)", "arccsch(-x)", "arccoth(2+x)", "piecewise(x, x>1, -x)",
        "piecewise(1, x>1)", "(x>1) + (x<=1) + true", "xor(x>1, time>1, x>0.5)", "!(x>1)",
        "implies(x>1, time>1)", "x>0.2 && x<1 || time==2", "x>=1", "x!=1", "avogadro*x",
        "rateOf(x)", "infinity", "notanumber",
    )  # fmt: skip
    names = [f"f{i}" for i in range(len(formulas))]
    text = sbml(
        parameter("x", 1.5, False), rule("rate", "x", "-0.4*x"),
        *(parameter(name, constant=False) for name in names),
        *(rule("assignment", name, formula) for name, formula in zip(names, formulas)),
    )  # fmt: skip
    (tmp_path / "functions.xml").write_text(text)
    model = {"sbml": "functions.xml", "t1": 4.0}
    config = configured(model, tmp_path, saveat={"ts": {"linspace": [0, 4, 9]}})
    result = odeflow.run(config)
    assert result.attrs["odeflow_engine"] == "native", result.attrs["odeflow_engine_reason"]
    from odeflow.importers.sbml.config import read_system

    source = model_source(model, tmp_path)
    assert source is not None
    system = read_system(source)
    known = {TIME: result.time.values, "x": result.x.values.ravel()}
    equations = system.needed(*(system.assigned[name] for name in names))
    equations += tuple((name, system.assigned[name]) for name in names)
    expected = evaluate(equations, known)
    for name, formula in zip(names, formulas):
        found = result[name].values.ravel()
        np.testing.assert_allclose(
            found, np.broadcast_to(expected[name], found.shape), rtol=3e-13, err_msg=formula
        )


STARTS = sbml(
    compartment("c", 2), species("S"), species("P", amount=6), parameter("p", 1.5), parameter("q"),
    function("twice", "lambda(x, 2*x)"), initial("S", "twice(q)"), initial("q", "p + 1"),
    reaction("J", "S", "P", "c * q * S"),
)  # fmt: skip


def test_an_axis_reaches_what_is_computed_from_it_at_the_start(tmp_path: Path):
    """S(0) = 2 q and q = p + 1; P is given in amount, so its concentration is that over c."""
    (tmp_path / "starts.xml").write_text(STARTS)
    model = {"sbml": "starts.xml", "t1": 1.0}
    saveat = {"ts": [0.0, 1.0]}
    config = configured(model, tmp_path, design=grid(p=[0.0, 3.0], c=[1.0, 3.0]), saveat=saveat)
    assert config.model.computed == {"S": ["q", "p"], "P": ["c"], "q": ["p"]}
    assert {name: s.initial for name, s in config.model.states.items()} == {"S": 5, "P": 3}
    result = odeflow.run(config)
    q = result.p + 1
    start = result.isel(time=0)
    np.testing.assert_array_equal(start.S, (2 * q).broadcast_like(start.S))
    np.testing.assert_array_equal(start.P, (6 / result.c).broadcast_like(start.P))
    end = (2 * q * np.exp(-q)).broadcast_like(start.S)
    np.testing.assert_allclose(result.isel(time=1).S, end, rtol=1e-7)


def test_an_axis_or_a_value_of_the_config_comes_before_what_the_file_computes(tmp_path: Path):
    (tmp_path / "starts.xml").write_text(STARTS)
    model = {"sbml": "starts.xml", "t1": 1.0}
    saveat = {"ts": [0.0, 1.0]}
    both = configured(model, tmp_path, design=grid(S=[7.0], p=[0.0, 1.0]), saveat=saveat)
    result = odeflow.run(both)
    assert (result.S.isel(time=0) == 7).all()
    np.testing.assert_allclose(
        result.S.isel(time=1).squeeze(), 7 * np.exp(-np.array([1.0, 2.0])), rtol=1e-7
    )
    model |= {"states": {"S": {"initial": 4.0}}, "parameters": {"p": {"units": "1/s"}}}
    fixed = configured(model, tmp_path, design=grid(q=[1.0, 2.0]), saveat=saveat)
    assert set(fixed.model.computed or {}) == {"P", "q"}
    assert fixed.model.parameters["p"].units == "1/s"
    assert (odeflow.run(fixed).S.isel(time=0) == 4).all()


def test_sensitivities_that_would_leave_out_the_start_are_refused(tmp_path: Path):
    (tmp_path / "starts.xml").write_text(STARTS)
    study = make_study(tmp_path)
    (study / "config/model/starts.yaml").write_text("sbml: starts.xml\nt1: 1.0\n")
    overrides = ["model=starts", "~experiment", "name=x", "design.axes={p:{values:[1,2]}}"]
    with pytest.raises(ConfigError, match="p decides on the start of S"):
        odeflow.compose(*overrides, "saveat.sensitivities=[p]", study=study)


def test_other_sensitivities_start_where_the_axes_say():
    """S = 2 p exp(-k t), so dS/dk = -t S."""
    config = configured(
        {"antimony": "S' = -k*S; S = 2*p; p = 1; k = 0.5", "t1": 2.0}, design=grid(p=[1.0, 3.0]),
        saveat={"ts": [0.0, 1.0, 2.0], "sensitivities": ["k"]},
    )  # fmt: skip
    result = odeflow.run(config)
    exact = -result.time * 2 * result.p * np.exp(-0.5 * result.time)
    np.testing.assert_allclose(result.d_S_d_k, exact.transpose(*result.S.dims), atol=1e-8)


def test_names_units_and_titles_are_those_of_the_file(tmp_path: Path):
    config = odeflow.compose("experiment=goldbeter1991", study=tmp_path)
    model = config.model
    assert model.states["C"].units == "umol/L"
    assert model.states["M"].long_name == "active fraction of cdc2 kinase"
    assert model.parameters["vi"].units == "umol/(L min)"
    assert model.observables is not None
    assert model.observables.variables["V1"].units == "1/min"
    assert model.time_units == "min"


def test_the_shipped_sbml_is_that_of_its_antimony():
    folder = PROJECT / "config/model"
    of_sbml, of_antimony = (
        imported_model({kind: f"goldbeter1991.{suffix}", "t1": 1.0}, folder)
        for kind, suffix in (("sbml", "xml"), ("antimony", "ant"))
    )
    of_sbml.pop("sbml"), of_antimony.pop("antimony")
    assert of_sbml == of_antimony


def test_the_mitotic_oscillator_has_its_published_period(tmp_path: Path):
    """About 25 minutes with the parameters of figure 3 (Goldbeter 1991)."""
    ts = {"linspace": [100, 300, 2001]}
    model = {"sbml": "goldbeter1991.xml", "t1": 300.0}
    config = configured(model, tmp_path, saveat={"ts": ts}, solver={"method": "rodas5p"})
    result = odeflow.run(config)
    rises = result.time[1:].values[np.diff((result.M.values.ravel() > 0.5).astype(int)) == 1]
    assert len(rises) >= 7
    np.testing.assert_allclose(np.diff(rises), 25.0, rtol=0.05)


def test_the_digest_of_chunks_follows_the_file(tmp_path: Path):
    (tmp_path / "starts.xml").write_text(STARTS)
    model = {"sbml": "starts.xml", "t1": 1.0}
    before = solve_digest(configured(model, tmp_path), tmp_path)
    assert solve_digest(configured(model, tmp_path), tmp_path) == before
    (tmp_path / "starts.xml").write_text(STARTS.replace("<model", "<!-- a comment --><model"))
    assert solve_digest(configured(model, tmp_path), tmp_path) != before


def test_a_job_gets_the_same_model_back(tmp_path: Path):
    (tmp_path / "starts.xml").write_text(STARTS)
    config = configured({"sbml": "starts.xml", "t1": 1.0}, tmp_path)
    data = config.slice("model")["model"]
    assert imported_model(data, tmp_path) == data
    assert config.model.model_validate(data) == config.model


@pytest.mark.parametrize("engine", ENGINES)
def test_fast_reactions_are_in_equilibrium_from_the_start(engine: str, tmp_path: Path):
    """A + B = C fast with K A B = C, and C decays: dT/dt = -k C for T = A + C."""
    text = sbml(
        compartment("c"), species("A", amount=2), species("B", amount=2), species("C", amount=0),
        parameter("k", 0.5), parameter("K", 3),
        reaction("F", "A + B", "C", "K * A * B - C", 'fast="true"'),
        reaction("D", "C", "", "k * C"), version=1,
    )  # fmt: skip
    (tmp_path / "fast.xml").write_text(text)
    config = configured(
        {"sbml": "fast.xml", "t1": 2.0}, tmp_path, design=grid(K=[1.0, 3.0], A=[2.0, 5.0]),
        saveat={"ts": {"linspace": [0, 2, 5]}}, runtime={"engine": engine},
    )  # fmt: skip
    result = odeflow.run(config)
    assert result.attrs["odeflow_engine"] == engine
    K, A0, start = result.K, result.initial_A, result.isel(time=0)
    np.testing.assert_allclose(result.C, (K * result.A * result.B).transpose(*result.C.dims),
                               rtol=1e-6)  # fmt: skip
    np.testing.assert_allclose(start.A + start.C, A0.broadcast_like(start.A), rtol=1e-12)
    np.testing.assert_allclose(start.A - start.B, (A0 - 2).broadcast_like(start.A), atol=1e-12)
    # A0 = 2 is A = B: T = A + K A^2 and dT/dt = -k K A^2, which integrates to this.
    half = result.sel(A=2.0) if "A" in result.dims else result.sel(initial_A=2.0)
    a, a0 = half.A, half.A.isel(time=0)
    lhs = 2 * half.K * np.log(a / a0) - (1 / a - 1 / a0)
    np.testing.assert_allclose(lhs, (-0.5 * half.K * half.time).transpose(*lhs.dims), atol=1e-6)


MISTAKES = {
    "a file that is not there": ({"sbml": "none.xml"}, "model.sbml: no file 'none.xml'"),
    "not XML": ({"sbml": "bad.xml"}, r"model.sbml: bad.xml, line \d+: .*\[SBML \d+\]"),
    "invalid": ({"sbml": "invalid.xml"}, r"invalid.xml, line \d+: .*'nobody'.*\[SBML \d+\]"),
    "no value": (
        {"antimony": "x' = -k*x; x = 1"},
        "line 1: nothing gives 'k' a value; set model.parameters.k.value",
    ),
    "no initial value": ({"antimony": "x' = -x"}, "set model.states.x.initial"),
    "no size": (
        {"sbml": "sizeless.xml"},
        "nothing gives 'c' a value; set model.parameters.c.value",
    ),
    "an infinite start": ({"antimony": "x' = -k; k = 0; x = 1/k"}, "'x' starts at inf"),
    "two origins": (
        {"antimony": "x' = 1; x = 1", "vector_field": "a:b"},
        "vector_field and antimony exclude each other",
    ),
    "an unknown state": (
        {"antimony": "x' = 1; xx' = 2; x = 1; xx = 1", "states": {"xy": {"initial": 1}}},
        "model.states.xy: the text has no such name; did you mean xx?",
    ),
    "wrong Antimony": ({"antimony": "x' = 1\nx = 1\ny ::= 2"}, "the text, line 3: syntax error"),
    "an import": ({"antimony": 'import "a.ant"\nx = 1'}, "line 1: 'import' is refused"),
    "an observables function": (
        {"antimony": "x' = 1; x = 1", "observables": {"function": "a:b"}},
        "the observables of an imported model are its assignment rules",
    ),
}


@pytest.mark.parametrize("case", MISTAKES)
def test_a_mistake_is_one_line(case: str, tmp_path: Path):
    (tmp_path / "bad.xml").write_text("<sbml")
    (tmp_path / "sizeless.xml").write_text(
        sbml(compartment("c", None, dims=None), species("S", amount=1), reaction("J", "S", "", "S"))
    )
    (tmp_path / "invalid.xml").write_text(sbml(rule("rate", "nobody", "1")))
    model, message = MISTAKES[case]
    with pytest.raises(ConfigError, match=message) as caught:
        configured({"t1": 1.0, **model}, tmp_path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("package", ["libsbml", "antimony"])
def test_a_missing_package_says_what_to_install(package: str):
    code = (
        f"import sys; sys.modules[{package!r}] = None\n"
        "from pathlib import Path\nfrom odeflow.importers.sbml.config import imported_model\n"
        "imported_model({'antimony': 'x = 1;', 't1': 1.0}, Path())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert f"it needs the package {package}: pip install 'odeflow[sbml]'" in done.stderr


def test_reading_a_model_imports_no_jax(tmp_path: Path):
    code = (
        "import sys, odeflow\nodeflow.compose('experiment=goldbeter1991')\n"
        "assert 'libsbml' in sys.modules\n"
        "assert not {'jax', 'scipy', 'pandas', 'xarray'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True)


@pytest.mark.slow
def test_a_study_with_antimony_in_its_config_runs(tmp_path: Path):
    study = make_study(tmp_path)
    (study / "config/model/decay.yaml").write_text(
        "antimony: |\n  y' = -k*y\n  y = 3; k = 1\n  half := y/2\ntime_units: h\nt1: 2.0\n"
    )
    snakemake(study, "results/decay/ensemble.nc")
    with xr.open_dataset(study / "results/decay/ensemble.nc", decode_times=False) as ensemble:
        exact = 3 * np.exp(-ensemble.k * ensemble.time)
        np.testing.assert_allclose(ensemble.y, exact, rtol=1e-5)
        np.testing.assert_allclose(ensemble.half, exact / 2, rtol=1e-5)
        assert ensemble.attrs["odeflow_engine"] == "native"
        assert "antimony" in ensemble.attrs["odeflow_versions"]


@pytest.mark.slow
def test_the_pages_study_runs_as_printed(tmp_path: Path):
    page = (PROJECT / "docs/sbml.md").read_text(encoding="utf-8")
    command = re.findall(r"```bash\n(.*?)```", page, re.DOTALL)[0].replace("64]", "4]")
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "ODEFLOW": str(PROJECT), "PATH": path}
    done = subprocess.run(
        ["bash", "-ec", command], cwd=tmp_path, env=environment, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    results = tmp_path / "my_study/results/mine"
    with xr.open_dataset(results / "ensemble.nc", decode_times=False) as ensemble:
        assert dict(ensemble.sizes) == {"vi": 4, "time": 101}
        assert ensemble.C.attrs["units"] == "umol/L"


@pytest.mark.slow
def test_a_network_of_a_hundred_species_keeps_its_mass(tmp_path: Path):
    """A chain of Michaelis-Menten steps, each with an enzyme of the chain, and mass action back."""
    n = 100
    text = sbml(
        compartment("c", 2),
        *(species(f"S{i}", amount=1 + i % 7) for i in range(n)),
        *(parameter(f"v{i}", 1 + 0.1 * (i % 5)) for i in range(n)),
        *(parameter(f"k{i}", 0.05 * (1 + i % 3)) for i in range(n)),
        *(
            reaction(f"F{i}", f"S{i}", f"S{(i + 1) % n}",
                     f"c * v{i} * S{(7 * i + 3) % n} * S{i} / (0.5 + S{i})")
            for i in range(n)
        ),
        *(reaction(f"B{i}", f"S{(i + 1) % n}", f"S{i}", f"c * k{i} * S{(i + 1) % n}")
          for i in range(n)),
    )  # fmt: skip
    (tmp_path / "network.xml").write_text(text)
    config = configured(
        {"sbml": "network.xml", "t1": 10.0}, tmp_path, design=grid(v0=[0.5, 1.5]),
        solver={"method": "rodas5p"},
    )  # fmt: skip
    result = odeflow.run(config)
    total = sum(result[f"S{i}"] for i in range(n))
    assert len(config.model.states) == n
    np.testing.assert_allclose(total, sum(1 + i % 7 for i in range(n)) / 2, rtol=1e-9)
    assert result.attrs["odeflow_engine"] == "native"
