"""SED-ML and COMBINE archives through the whole flow: closed forms, and the model by itself."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
import yaml

pytest.importorskip("libsbml")

import odeflow
from odeflow.config.root import Config
from odeflow.files.errors import ConfigError
from odeflow.importers.sbml.config import imported_model
from odeflow.importers.sedml.config import with_sedml
from odeflow.importers.sedml.kisao import METHODS
from odeflow.importers.study.compose import compose
from odeflow.problem.methods import METHODS as ALL_METHODS
from odeflow.workflow.plan import plan
from tests.support import sedml_text as s
from tests.support.bad_sedml import EXPERIMENT, OTHERS
from tests.support.sbml_text import compartment, parameter, rule, sbml, species
from tests.support.snakes import PROJECT, request

TIGHT = ("solver.rtol=1e-9", "solver.atol=1e-11")


def composed(folder: Path, *overrides: str, experiment: str = "", **lists: str) -> Config:
    """The config of an archive whose lists differ from those of `PLAIN`."""
    files = {x: lists.pop(x) for x in [*lists] if "." in x}
    s.make_archive(folder, s.sedml(**{**s.PLAIN, **lists}), experiment, **files)
    return compose("experiment=mine", *overrides, study=folder)


def filled(folder: Path, said: str = "{}", **lists: str) -> dict[str, Any]:
    """The groups that a task fills, without all else that composing does."""
    files = {x: lists.pop(x) for x in [*lists] if "." in x}
    s.make_archive(folder, s.sedml(**{**s.PLAIN, **lists}), **files)
    given = yaml.safe_load(said)
    given["model"] = {"omex": "study.omex", **given.get("model", {})}
    return with_sedml({"solver": {"method": "tsit5"}, "design": {"kind": "grid"}, **given}, folder)


def values(folder: Path, **lists: str) -> dict[str, float]:
    """The initial values and parameters of a task's model."""
    model = imported_model(filled(folder, **lists)["model"], folder)
    starts = {name: x["initial"] for name, x in model["states"].items()}
    return starts | {name: x["value"] for name, x in model["parameters"].items()}


def solved(folder: Path, *overrides: str, **lists: Any) -> xr.Dataset:
    return odeflow.run(composed(folder, *TIGHT, *overrides, **lists))


def decay(t: Any, start: Any = 2.0, k: Any = 0.5) -> Any:
    return start * np.exp(-k * t)


def test_a_task_is_an_experiment_with_the_times_names_and_method_it_asks_for(tmp_path: Path):
    config = composed(tmp_path)
    model = config.model
    assert (model.omex, model.sedml, model.sbml, model.task) == (
        "study.omex", "run.sedml", "model.xml", "t",
    )  # fmt: skip
    assert (model.t0, model.t1, model.algorithm) == (0.0, 4.0, "KISAO:0000019")
    assert (config.solver.method, config.design.kind) == ("rodas5p", "zip")
    assert config.saveat.variables == ["A", "total"]
    assert model.states["A"].long_name == "Concentration of A"
    ds = solved(tmp_path)
    assert {*ds.data_vars} >= {"A", "total"} and "B" not in ds
    t = ds["time"].values
    assert t.tolist() == np.linspace(0, 4, 9).tolist()
    np.testing.assert_allclose(ds["A"][0], decay(t), rtol=1e-7)
    np.testing.assert_allclose(ds["total"][0], decay(t) + 2 * (2 - decay(t)), rtol=1e-7)


@pytest.mark.slow
def test_numbers_are_those_of_the_same_model_by_itself(tmp_path: Path):
    one = solved(tmp_path)
    (tmp_path / "model.xml").write_text(s.MODEL)
    (tmp_path / "config/model").mkdir()
    (tmp_path / "config/model/plain.yaml").write_text("sbml: model.xml\nt1: 4\n")
    same = ("model=plain", "design.kind=zip", "solver=rodas5p", "saveat.ts={linspace: [0, 4, 9]}")
    config = compose("~experiment", "name=other", *same, *TIGHT, study=tmp_path)
    np.testing.assert_array_equal(odeflow.run(config)["A"], one["A"])


@pytest.mark.parametrize("version", [1, 2, 3, 4])
def test_all_versions_are_read(tmp_path: Path, version: int):
    count = "numberOfSteps" if version == 4 else "numberOfPoints"
    document = s.sedml(version, **s.PLAIN | {"simulations": s.course(count=count)})
    groups = filled(tmp_path, **{"run.sedml": document})
    assert groups["saveat"]["ts"] == {"linspace": [0, 4, 9]}


@pytest.mark.slow
def test_a_file_in_the_study_is_read_as_one_in_an_archive(tmp_path: Path):
    s.make_archive(tmp_path, "", "model: {sedml: sub/run.sedml, task: t}\n")
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub/run.sedml").write_text(s.sedml(**s.PLAIN))
    (tmp_path / "sub/model.xml").write_text(s.MODEL)
    config = compose("experiment=mine", study=tmp_path)
    assert (config.model.sbml, config.model.omex) == ("sub/model.xml", None)
    assert odeflow.run(config)["A"].shape == (1, 9)


@pytest.mark.slow
def test_times_may_begin_late_and_before_zero(tmp_path: Path):
    ds = solved(tmp_path, simulations=s.course(-1, 1, 3, 4))
    t = ds["time"].values
    assert t.tolist() == [1, 1.5, 2, 2.5, 3]
    np.testing.assert_allclose(ds["A"][0], decay(t + 1), rtol=1e-7)


@pytest.mark.slow
def test_what_the_study_says_comes_first(tmp_path: Path):
    said = "model: {omex: study.omex, t1: 8}\nsaveat: {ts: [8], variables: [B]}\n"
    said += "solver: {rtol: 1e-5}\ndesign: {axes: {k: {values: [1, 2]}}}\n"
    said += "defaults: [override /solver: dopri5]\n"
    config = composed(tmp_path, experiment=said)
    assert (config.solver.method, config.solver.rtol) == ("dopri5", 1e-5)
    ds = odeflow.run(config)
    np.testing.assert_allclose(ds["B"].squeeze(), 2 - decay(8, k=np.array([1, 2])), rtol=1e-3)


CHANGES = {
    "an attribute": (s.attribute("k", "0.25"), 2, 0.25),
    "the last of two": (s.attribute("k", "3") + s.attribute("k", "0.25"), 2, 0.25),
    "a computed one": (
        s.computed(
            "computeChange", "x * w", f'target="{s.PATHS["k"]}"', x=s.in_model("n"), w="0.25"
        ),
        2, 0.75,
    ),
    "computed after a change": (
        s.attribute("n", "5") + s.computed(
            "computeChange", "x / 10", f'target="{s.PATHS["k"]}"', x=s.in_model("n")
        ),
        2, 0.5,
    ),
    "a species": (
        s.computed("computeChange", "x + 1", f'target="{s.PATHS["A"]}"', x=s.in_model("A")), 3, 0.5,
    ),
}  # fmt: skip


@pytest.mark.parametrize(("changes", "start", "k"), CHANGES.values(), ids=CHANGES)
def test_changes_are_made_before_the_model_is_read(
    tmp_path: Path, changes: str, start: float, k: float
):
    found = values(tmp_path, models=s.model(changes))
    assert (found["A"], found["k"]) == (start, k)


def test_a_model_may_be_another_one_that_is_changed(tmp_path: Path):
    models = s.model(s.attribute("k", "0.1") + s.attribute("n", "7"), identifier="base")
    models += s.model(s.attribute("k", "0.2"), source="#base")
    found = values(tmp_path, models=models)
    assert (found["k"], found["n"]) == (0.2, 7)


@pytest.mark.slow
def test_a_changed_model_is_verified_and_reproduced_from_its_file(tmp_path: Path):
    from odeflow.trust.verification import verify

    config = composed(tmp_path, *TIGHT, models=s.model(s.attribute("k", "0.25")))
    ensemble = odeflow.run(config)
    assert verify(config, tmp_path, ensemble).attrs["verdict"].startswith("passed")
    ensemble.to_netcdf(tmp_path / "ensemble.nc")
    made = odeflow.reproduce(tmp_path / "ensemble.nc", study=tmp_path)
    assert not made.changed_sources
    assert "the same bit for bit" in made.check(number=1, run_stored_source=True)
    made.write(tmp_path / "written")
    again = compose("experiment=mine", study=tmp_path / "written")
    assert (again.model.omex, again.model.edits) == (None, [])
    np.testing.assert_array_equal(odeflow.run(again)["A"], ensemble["A"])


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["native", "diffrax"])
def test_a_repeated_task_is_an_axis(tmp_path: Path, engine: str):
    loop = s.repeated("r", "t", s.uniform("x", 0.1, 10, 2, "log"), s.set_value("k", "x"))
    generators = s.generator("g_a", "x", "r", x="A") + s.generator("g_k", "x", "r", x="k")
    report = s.report(g_a="A", g_k="k")  # k is a coordinate
    engine = f"runtime.engine={engine}"
    ds = solved(tmp_path, engine, tasks=s.task() + loop, datagenerators=generators, outputs=report)
    assert ds["A"].dims == ("k", "time")
    np.testing.assert_allclose(ds["k"], [0.1, 1, 10])
    t, k = ds["time"].values, ds["k"].values[:, None]
    np.testing.assert_allclose(ds["A"], decay(t, k=k), rtol=1e-6, atol=1e-10)


@pytest.mark.slow
def test_repeated_tasks_within_each_other_are_a_grid(tmp_path: Path):
    inner = s.repeated("inner", "t", s.vector("x", 0.5, 1.5), s.set_value("k", "x"))
    outer = s.repeated("outer", "inner", s.uniform("x", 1, 3, 2), s.set_value("A", "x"))
    ds = solved(
        tmp_path,
        tasks=s.task() + inner + outer,
        datagenerators=s.generator("g_a", "x", "outer", x="A"),
        outputs=s.report(g_a="A"),
    )
    assert ds["A"].dims == ("initial_A", "k", "time") and ds["A"].shape == (3, 2, 9)
    expected = decay(
        ds["time"].values, np.array([1, 2, 3.0])[:, None, None], np.array([0.5, 1.5])[:, None]
    )
    np.testing.assert_allclose(ds["A"], expected, rtol=1e-6)


def test_several_values_of_one_range_are_rows(tmp_path: Path):
    ranges = s.vector("x", 1, 2, 4) + s.functional("f", "x / d * y", d="10", y=s.in_model("n"))
    changes = s.set_value("A", "x + 1") + s.set_value("k", "f", "f")
    loop = s.repeated("r", "t", ranges, changes)
    design = filled(tmp_path, "model: {task: r}", tasks=s.task() + loop)["design"]
    assert design["kind"] == "zip" and design["axes"]["A"] == {"values": [2, 3, 5]}
    np.testing.assert_allclose(design["axes"]["k"]["values"], [0.3, 0.6, 1.2])


def test_species_are_concentrations_unless_they_have_only_amounts(tmp_path: Path):
    text = sbml(
        compartment("c", size=4), species("A", "c", amount=8), parameter("k", 0.5),
        species("B", "c", amount=8, only_amount=True), rule("rate", "A", "-k * A"),
        rule("rate", "B", "-k * B"),
    )  # fmt: skip
    change = s.computed("computeChange", "2 * x", f'target="{s.PATHS["A"]}"', x=s.in_model("A"))
    change += s.computed("computeChange", "2 * x", f'target="{s.PATHS["B"]}"', x=s.in_model("B"))
    found = values(tmp_path, models=s.model(change), **{"model.xml": text})
    assert (found["A"], found["B"]) == (4, 16)


def test_labels_that_are_names_name_variables_and_others_are_long_names(tmp_path: Path):
    generators = (
        s.generator("g_1", "x", x="A") + s.generator("g_2", "x", x="B")
        + s.generator("g_3", "x / y", x="A", y="J") + s.generator("g_4", "x", x="k")
        + s.generator("g_5", "t * x", t="time", x="A")
    )  # fmt: skip
    labels = s.report(g_1="ATP", g_2="[B] in mM", g_3="A per J", g_4="k", g_5="moment")
    config = composed(tmp_path, *TIGHT, datagenerators=generators, outputs=labels)
    assert config.saveat.variables == ["ATP", "B", "g_3", "k_", "moment"]
    assert config.model.states["B"].long_name == "[B] in mM"
    ds = odeflow.run(config)
    assert ds["g_3"].attrs["long_name"] == "A per J"
    np.testing.assert_allclose(ds["g_3"], 2)
    np.testing.assert_allclose(ds["k_"], 0.5)
    np.testing.assert_allclose(ds["moment"][0], ds["time"] * ds["ATP"][0], rtol=1e-12)


def test_curves_over_time_are_what_figures_show(tmp_path: Path):
    curve = (
        '<plot2D id="p"><listOfCurves><curve id="c1" logX="true" logY="true" '
        'xDataReference="g_time" yDataReference="g_a"/><curve id="c2" logX="true" logY="false" '
        'xDataReference="g_time" yDataReference="g_sum"/></listOfCurves></plot2D>'
    )
    plot = filled(tmp_path, outputs=curve)["plot"]
    assert plot == {"variables": ["A", "g_sum"], "scale": {"A": "log"}, "log_time": True}


@pytest.mark.slow
def test_a_steady_state_is_looked_for(tmp_path: Path):
    text = sbml(
        compartment("c"), species("A", "c", concentration=1), parameter("k", 0.5),
        parameter("n", 3), rule("rate", "A", "n - k * A"),
    )  # fmt: skip
    simulation = f'<steadyState id="s">{s.algorithm("KISAO:0000407")}</steadyState>'
    ds = solved(
        tmp_path,
        simulations=simulation,
        datagenerators=s.generator("g_a", "x", x="A"),
        outputs=s.report(g_a="A"),
        **{"model.xml": text},
    )
    np.testing.assert_allclose(ds["A_steady"], 6, rtol=1e-8)


def test_the_solver_is_the_one_that_kisao_stands_for(tmp_path: Path):
    given = s.algorithm("KISAO:0000087", p209="1e-7", p211="1e-9", p467="0.5", p559="0")
    assert filled(tmp_path, simulations=s.course(solved=given))["solver"] == {
        "method": "dopri5", "rtol": 1e-7, "atol": 1e-9, "dtmax": 0.5,
    }  # fmt: skip
    constant = s.course(solved=s.algorithm("KISAO_0000030", p483="0.01"))
    assert filled(tmp_path, simulations=constant)["solver"] == {
        "method": "euler", "stepsize_controller": "constant", "dt0": 0.01,
    }  # fmt: skip


def test_all_methods_that_kisao_stands_for_are_there():
    assert {*METHODS.values()} <= {*ALL_METHODS}


@pytest.mark.parametrize(("_", "words", "files"), OTHERS, ids=[x[0] for x in OTHERS])
def test_what_is_wrong_is_one_line(
    tmp_path: Path, _: str, words: tuple[str, ...], files: dict[str, Any]
):
    files["study.omex"](tmp_path / "study.omex")
    given = yaml.safe_load(files[EXPERIMENT])
    with pytest.raises(ConfigError) as caught:
        with_sedml({"design": {}, "solver": {}, **given}, tmp_path)
    assert "\n" not in str(caught.value)
    assert all(word in str(caught.value) for word in words), str(caught.value)


LEFT = {
    "a method that is not here": (
        {"simulations": s.course(solved=s.algorithm("KISAO:0000032"))},
        "KISAO:0000032 is solved by tsit5",
    ),
    "a parameter of another": (
        {"simulations": s.course(solved=s.algorithm(p415="500"))}, "a counterpart: KISAO:0000415",
    ),
    "an aggregate": (
        {"datagenerators": s.PLAIN["datagenerators"] + s.generator(
            "g_m", '<math xmlns="http://www.w3.org/1998/Math/MathML"><apply><csymbol '
            'encoding="text" definitionURL="http://sed-ml.org/#max">max</csymbol><ci>x</ci>'
            "</apply></math>", x="A"), "outputs": s.report(g_a="A", g_m="most")},
        "dataGenerator g_m: an aggregate",
    ),
    "data of two tasks": (
        {"tasks": s.task() + s.task("u"), "datagenerators": s.PLAIN["datagenerators"]
         + s.computed("dataGenerator", "x - y", 'id="g_m"', x=s.of("A"), y=s.of("A", "u")),
         "outputs": s.report(g_a="A", g_m="difference")}, "g_m: it is of several tasks: t, u",
    ),
    "a surface": ({"outputs": s.report(g_a="A") + '<plot3D id="q"/>'}, "plot3D q: it is drawn in"),
}  # fmt: skip


@pytest.mark.parametrize(("lists", "words"), LEFT.values(), ids=LEFT)
def test_what_has_no_counterpart_is_left_out_with_a_line(
    tmp_path: Path, lists: dict[str, str], words: str
):
    with pytest.warns(UserWarning, match=re.escape(words)) as caught:
        filled(tmp_path, "model: {task: t}", **lists)
    assert len(caught) == 1 and str(caught[0].message).startswith("model.omex: run.sedml: ")


def test_a_chosen_solver_takes_the_place_of_an_algorithm_that_is_not_known(tmp_path: Path):
    stochastic = {"simulations": s.course(solved=s.algorithm("KISAO:0000029"))}
    with pytest.raises(ConfigError, match="KISAO:0000029 is not known as a method"):
        filled(tmp_path, **stochastic)
    chosen = filled(tmp_path, "solver: {method: kvaerno5}", **stochastic)["solver"]
    assert chosen == {"method": "kvaerno5"}


@pytest.mark.slow
def test_only_what_changes_a_number_changes_the_digest(tmp_path: Path):
    from odeflow.workflow.chunks import solve_digest

    def digest_of(**lists: str) -> str:
        return solve_digest(composed(tmp_path, **lists), tmp_path)

    first = digest_of()
    assert digest_of(**{"notes.txt": "hello"}) == first
    assert digest_of(tasks=s.task("u"), datagenerators="", outputs="") != first  # B is kept, too
    other = {x: s.PLAIN[x].replace('"t"', '"u"') for x in ("tasks", "datagenerators")}
    assert digest_of(**other) == first
    assert digest_of(models=s.model(s.attribute("k", "0.25"))) != first
    assert digest_of(**{"model.xml": s.MODEL.replace('value="0.5"', 'value="0.6"')}) != first


def test_a_file_of_an_archive_that_would_fill_memory_is_not_read(tmp_path: Path, monkeypatch: Any):
    monkeypatch.setattr("odeflow.files.combine_archive._LARGEST", 2**20)
    with pytest.raises(ConfigError, match=r"run.sedml is larger than 1 MiB"):
        filled(tmp_path, **{"run.sedml": " " * 2**21})


def test_mathematics_that_are_too_deep_are_left_out(tmp_path: Path):
    deep = "<apply><minus/>" * 400 + "<ci>x</ci>" + "</apply>" * 400
    math = f'<math xmlns="http://www.w3.org/1998/Math/MathML">{deep}</math>'
    generators = s.generator("g_a", "x", x="A") + s.generator("g_b", math, x="A")
    with pytest.warns(UserWarning, match="g_b: mathematics of more than 200 levels"):
        groups = filled(tmp_path, datagenerators=generators, outputs=s.report(g_a="A", g_b="B"))
    assert groups["saveat"]["variables"] == ["A"]


def test_a_target_of_a_report_that_leads_nowhere_is_refused(tmp_path: Path):
    lost = s.generator("g_a", "x", x=s.PATHS["A"].replace("'A'", "'Q'"))
    with pytest.raises(ConfigError, match=r"line \d+: variable: .*'Q'\] leads to no elements"):
        filled(tmp_path, datagenerators=lost, outputs=s.report(g_a="A"))


@pytest.mark.slow
def test_new_writes_an_experiment_for_each_task(tmp_path: Path):
    from odeflow.workflow.commands.new import write_study

    lists = {"tasks": s.task() + s.task("u", "changed")}
    lists["models"] = s.model() + s.model(s.attribute("k", "1"), "#m", "changed")
    lists["datagenerators"] = s.generator("g_a", "x", x="A") + s.generator("g_b", "x", "u", x="A")
    lists["outputs"] = s.report(g_a="A", g_b="faster A")
    s.make_archive(tmp_path, s.sedml(**{**s.PLAIN, **lists}))
    study = tmp_path / "study"
    written = write_study(study, tmp_path / "study.omex")
    assert {str(x.relative_to(study)) for x in written} == {
        "study.omex", "config/experiment/t.yaml", "config/experiment/u.yaml",
        "config/workflow.yaml", "README.md", ".gitignore",
    }  # fmt: skip
    assert (study / "config/workflow.yaml").read_text() == 'experiment: ["t", "u"]\n'
    experiments = plan(request({"experiment": ["t", "u"]}, study), study)
    assert experiments["u"].config.model.parameters["k"].value == 1
    assert experiments["u"].config.model.states["A"].long_name == "faster A"


@pytest.mark.slow
def test_new_takes_the_models_of_a_sedml_file(tmp_path: Path):
    from odeflow.workflow.commands.new import write_study

    (tmp_path / "sub").mkdir()
    (tmp_path / "sub/model.xml").write_text(s.MODEL)
    document = s.sedml(**{**s.PLAIN, "models": s.model(source="sub/model.xml")})
    (tmp_path / "run.sedml").write_text(document)
    study = tmp_path / "study"
    assert study / "sub/model.xml" in write_study(study, tmp_path / "run.sedml")
    assert compose("experiment=t", study=study).model.sbml == "sub/model.xml"


@pytest.mark.slow
def test_the_example_scans_the_clearance():
    ds = odeflow.run(compose("experiment=scan", study=PROJECT / "examples/sedml"))
    t, cl = ds["time"].values, ds["cl"].values[:, None]
    gut = 100 * np.exp(-t)
    blood = 100 / 40 / (cl / 40 - 1) * (np.exp(-t) - np.exp(-cl / 40 * t))
    np.testing.assert_allclose(ds["concentration"], blood, rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(ds["eliminated"], 100 - gut - 40 * blood, rtol=1e-6, atol=1e-5)
