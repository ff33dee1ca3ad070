"""Doses at the edges of what time and numbers can tell, against closed forms."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

import odeflow
from odeflow.design import number_of_samples, rows
from odeflow.ensemble import build
from odeflow.ensemble.build import make_lanes
from odeflow.files.errors import ConfigError
from odeflow.importers.loading import load_model
from odeflow.problem.transforms.doses import with_doses
from odeflow.trust.verification import verify

MODEL = """name: drained
vector_field: models.py:drained
t1: {t1!r}
states: {{tank: {{initial: 0.0, units: L}}}}
parameters: {{k: {{value: 0.3}}, given: {{value: 40.0}}, share: {{value: 0.5}}}}
"""
FIELD = """def drained(t, y, args):
    return {"tank": -args.k * y.tank}
"""
EXPERIMENT = """# @package _global_
defaults: [{override /model: drained}, {override /design: table}]
name: dosed
design: {path: subjects.csv}
summary: {metrics: [final, max, integral, time_of_max], quantiles: []}
verify: {number: 0}
"""
K, END = 0.3, 11.3


def compose(folder: Path, doses: list[Any], *overrides: str, end: Any = END, **columns: Any) -> Any:
    """A tank that drains, by a table of these columns, and the doses it gets."""
    for name, text in (
        ("config/model/drained.yaml", MODEL.format(t1=end)),
        ("config/experiment/dosed.yaml", EXPERIMENT + yaml.safe_dump({"doses": doses})),
        ("models.py", FIELD),
    ):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    columns = columns or {"k": [K]}
    table = np.stack([np.asarray(x, float) for x in columns.values()], axis=1)
    np.savetxt(folder / "subjects.csv", table, "%.17g", ",", header=",".join(columns), comments="")
    return odeflow.compose("experiment=dosed", *overrides, study=folder)


def scheduled(config: Any) -> Any:
    axes = rows(config.design, 0, number_of_samples(config.design, config.study), config.study)
    model = with_doses(load_model(config.model, config.study), config.plain_doses)
    lanes = make_lanes(config, model, axes)
    return build.scheduled(config, model, axes, lanes)


def course(t: np.ndarray, doses: list[tuple[float, float, float]], k: float = K) -> np.ndarray:
    """The tank's content after doses (amount, start, duration), those at a time included."""
    t = np.asarray(t, float)
    total = np.zeros_like(t)
    for amount, start, length in doses:
        since = np.maximum(t - start, 0.0)
        if length == 0:
            total += np.where(t >= start, amount * np.exp(-k * since), 0.0)
        else:
            on = np.minimum(since, length)
            total += amount / length / k * -np.expm1(-k * on) * np.exp(-k * (since - on))
    return total


#: By what is at an edge: the doses as (amount, start, duration), and what they mean.
EDGES: dict[str, tuple[list[tuple[float, float, float]], list[tuple[float, float, float]]]] = {
    "an infusion shorter than time can tell": ([(70, 6.5, 4e-15)], [(70, 6.5, 0)]),
    "one that lasts some roundings": ([(70, 6.5, 1e-12)], [(70, 6.5, 1e-12)]),
    "one at the start, of no length": ([(70, 0, 1e-300)], [(70, 0, 0)]),
    "a bolus at the end": ([(70, END, 0)], [(70, END, 0)]),
    "a bolus at the end but for rounding": ([(70, END + 4e-15, 0)], [(70, END, 0)]),
    "an infusion beyond the end": ([(70, 9, 50)], [(70, 9, 50)]),
    "a bolus beyond the end": ([(70, END + 1, 0)], []),
    "at a saved time but for rounding": ([(70, 0.14 + 2 * 0.5, 0)], [(70, 1.14, 0)]),
    "one rounding before a saved time": ([(70, 1.14 - 2e-16, 0)], [(70, 1.14, 0)]),
    "before the start by rounding": ([(70, 0.3 - 3 * 0.1, 0)], [(70, 0, 0)]),
    "nothing": ([(0, -5, 0), (0, 3, 2), (70, 4, 0)], [(70, 4, 0)]),
    "taken away": ([(70, 2, 0), (-20, 3, 0)], [(70, 2, 0), (-20, 3, 0)]),
    "overlapping": ([(70, 2, 4), (30, 3, 5), (9, 3, 0)], [(70, 2, 4), (30, 3, 5), (9, 3, 0)]),
    "slow under fast": ([(5, 1, 8), (70, 4.5, 2e-14)], [(5, 1, 8), (70, 4.5, 0)]),
    "one after the other": ([(70, 2, 3), (70, 5, 3)], [(70, 2, 6), (70, 2, 0), (-70, 2, 0)]),
}
EDGES["one after the other"] = ([(70, 2, 3), (70, 5, 3)], [(140, 2, 6)])
SAVED = [0.0, 1.14, 2.5, 4.75, 7.0, 9.5, END]


def columns_of_edges() -> dict[str, np.ndarray]:
    """Three boluses and two infusions a subject, most of amount 0."""
    size = len(EDGES)
    names = [f"{what}_{i}" for what, n in (("bolus", 3), ("rate", 2)) for i in range(n)]
    columns = {f"{part}_{name}": np.zeros(size) for name in names for part in ("amount", "time")}
    columns |= {f"length_rate_{i}": np.ones(size) for i in range(2)}
    for row, (given, _) in enumerate(EDGES.values()):
        count = {"bolus": 0, "rate": 0}
        for amount, start, length in given:
            kind = "rate" if length else "bolus"
            name, count[kind] = f"{kind}_{count[kind]}", count[kind] + 1
            columns[f"amount_{name}"][row], columns[f"time_{name}"][row] = amount, start
            if length:
                columns[f"length_{name}"][row] = length
    return columns


DOSES = [
    *(
        {"state": "tank", "amount": f"amount_bolus_{i}", "time": f"time_bolus_{i}"}
        for i in range(3)
    ),
    *(
        {
            "state": "tank",
            "amount": f"amount_rate_{i}",
            "time": f"time_rate_{i}",
            "duration": f"length_rate_{i}",
        }
        for i in range(2)
    ),
]


def test_doses_at_the_edges(tmp_path: Path):
    check_edges(tmp_path, "native", "tsit5", SAVED)


@pytest.mark.slow
@pytest.mark.parametrize("ts", [SAVED, None], ids=["saved", "end"])
@pytest.mark.parametrize("method", ["tsit5", "rodas5p"])
@pytest.mark.parametrize("engine", ["native", "diffrax"])
def test_doses_at_the_edges_by_both_engines(engine: str, method: str, ts: Any, tmp_path: Path):
    check_edges(tmp_path, engine, method, ts)


def check_edges(folder: Path, engine: str, method: str, ts: list[float] | None) -> None:
    config = compose(
        folder, DOSES, f"saveat.ts={'null' if ts is None else ts}", f"solver={method}",
        "solver.rtol=1e-9", "solver.atol=1e-11", f"runtime.engine={engine}", **columns_of_edges(),
    )  # fmt: skip
    ensemble = odeflow.run(config)
    assert (ensemble.status == 0).all()
    times = np.array([END] if ts is None else ts)
    fine = np.linspace(0, END, 11_301)
    for row, (name, (_, meant)) in enumerate(EDGES.items()):
        one = ensemble.isel(sample=row)
        message = f"{name}, {engine}"
        np.testing.assert_allclose(one.tank, course(times, meant), atol=3e-7, err_msg=message)
        # the balance: what came in less what is left is k times the area
        came_in = sum(a * min(1.0, (END - s) / d if d else 1.0) for a, s, d in meant)
        area = (came_in - course(np.array([END]), meant)[0]) / K
        np.testing.assert_allclose(one.tank_integral, area, rtol=1e-7, err_msg=message)
        top = max(course(fine, meant).max(), *(course(np.array([s + d]), meant).max()
                  for _, s, d in meant if s + d <= END), 0.0)  # fmt: skip
        np.testing.assert_allclose(one.tank_max, top, rtol=1e-7, err_msg=message)


@pytest.mark.slow
def test_verification_gives_the_same_doses(tmp_path: Path):
    """Its schedule is its own: what the edges mean is said twice."""
    config = compose(
        tmp_path, DOSES, f"saveat.ts={SAVED}", "solver.rtol=1e-9", "solver.atol=1e-11",
        "verify.number=100", **columns_of_edges(),
    )  # fmt: skip
    found = verify(config, tmp_path, odeflow.run(config))
    nothing = [not any(amount for amount, *_ in meant) for _, meant in EDGES.values()]
    assert found.attrs["verdict"] == "passed"
    assert (found.error_ratio.values[~np.array(nothing)] < 10).all()
    moved = [
        {"state": "tank", "amount": 1, "time": "given"},
        {"parameter": "given", "value": 8, "time": 3},
    ]
    config = compose(
        tmp_path, moved, "saveat.ts=[0, 3, 8, 11]", "verify.number=4", given=[2.0, 3.0, 5.0, 9.0]
    )
    assert verify(config, tmp_path, odeflow.run(config)).attrs["verdict"] == "passed"


def test_in_single_precision_an_infusion_delivers_its_amount(tmp_path: Path):
    """3 s in a week cannot be told from none; 36 s are 0.3 % too long or too short."""
    lengths, week = np.array([0.001, 0.01, 0.1, 2.0]), 168.0
    dose = {"state": "tank", "amount": 10, "time": 150, "duration": "length"}
    config = compose(
        tmp_path, [dose], "runtime.precision=float32", f"saveat.ts=[{week}]",
        "solver.rtol=1e-6", "solver.atol=1e-6", end=week, length=lengths, k=np.full(4, 0.01),
    )  # fmt: skip
    found = odeflow.run(config).tank.values[:, 0]
    expected = [course(np.array([week]), [(10, 150, d)], 0.01)[0] for d in lengths]
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_times_that_a_rounding_parts_are_one(tmp_path: Path):
    doses = [
        {"state": "tank", "amount": 1, "time": 0.1, "every": 0.1, "count": 3},
        {"state": "tank", "amount": 2, "time": 0.3},
        {"parameter": "share", "value": 2, "time": 0.1 + 0.2},
    ]
    jumps = scheduled(compose(tmp_path, doses, "saveat.ts=[0.1, 0.2, 0.3, 2]")).jumps
    assert 0.1 + 0.1 * 2 != 0.3
    happens = jumps.times[:, 0] < np.inf
    np.testing.assert_array_equal(jumps.times[happens, 0], [0.1, 0.2, 0.3])
    np.testing.assert_array_equal(jumps.amounts[happens, 0, 0], [1, 1, 3])
    np.testing.assert_array_equal(jumps.values[happens, 0, 0], [0.5, 0.5, 2])


def test_times_that_coincide_add_up_and_those_beside_them_do_not(tmp_path: Path):
    doses = [
        {"state": "tank", "amount": 1, "time": 3, "every": "none", "count": 40},
        {"state": "tank", "amount": 1, "time": 5, "every": "little", "count": 40},
    ]
    columns = {"none": [1e-20], "little": [2e-15]}
    jumps = scheduled(compose(tmp_path, doses, "saveat.ts=[0, 3, 5]", **columns)).jumps
    happens = jumps.times[:, 0] < np.inf
    times, amounts = jumps.times[happens, 0], jumps.amounts[happens, 0, 0]
    assert times[0] == 3 and amounts[0] == 40 and amounts.sum() == 80
    # no more of them become one than a few roundings part
    assert len(times) > 2 and (np.diff(times[1:]) > 5e-15).all() and amounts[1:].max() < 10
    assert times[-1] > 5 + 39 * 2e-15 - 1e-14


def test_switched_parameters_have_the_value_of_the_time(tmp_path: Path):
    doses = [
        {"parameter": "given", "value": 80, "times": [2, 6]},
        {"state": "tank", "amount": "given", "time": 1, "every": 1, "count": 4},
        {"parameter": "given", "value": "share", "time": 3},
        {"parameter": "share", "value": 7, "times": [3, 2.5]},
        {"state": "tank", "amount": 10, "rate": "given", "time": 3.5},
    ]
    lanes = scheduled(compose(tmp_path, doses, share=[0.25, 0.75]))
    happens = lanes.jumps.times[:, 0] < np.inf
    times = lanes.jumps.times[happens, 0]
    given = dict(zip(times, lanes.jumps.amounts[happens, 0]))
    # at 2 both 40 -> 80 and a dose: the switch is first; at 3 `given` takes the share of 2.5
    assert [list(given[t]) for t in (1, 2, 3, 4)] == [[40, 40], [80, 80], [7, 7], [7, 7]]
    rate = dict(zip(times, lanes.jumps.values[happens, 2]))
    np.testing.assert_allclose(rate[3.5], 7, rtol=1e-14)
    assert rate[3.5 + 10 / 7].tolist() == [0, 0]


def test_a_time_that_a_switch_moves_is_the_first_at_which_it_holds(tmp_path: Path):
    """Before the switch it is `given`, from then on 8: some have been there before."""
    switch = {"parameter": "given", "value": 8, "time": 3}
    doses = [{"state": "tank", "amount": 1, "time": "given"}, switch]
    jumps = scheduled(compose(tmp_path, doses, given=[2.0, 3.0, 5.0, 9.0])).jumps
    assert [jumps.times[jumps.amounts[:, 0, i] > 0, i].item() for i in range(4)] == [2, 8, 8, 8]
    repeated = {"state": "tank", "amount": 1, "time": 1, "every": "given", "count": 2}
    jumps = scheduled(compose(tmp_path, [repeated, switch], given=[1.5, 2.0, 5.0])).jumps
    last = [jumps.times[jumps.amounts[:, 0, i] > 0, i][-1] for i in range(3)]
    assert last == [2.5, 9, 9]


def test_a_time_that_a_switch_takes_away_is_refused(tmp_path: Path):
    doses = [
        {"state": "tank", "amount": 1, "time": "given"},
        {"parameter": "given", "value": 2, "time": 3},
    ]
    message = r"doses\.0: a time nan is not a number, or switched away"
    with pytest.raises(ConfigError, match=message):
        scheduled(compose(tmp_path, doses))
    doses.append({"parameter": "share", "value": 2, "time": "given"})
    with pytest.raises(ConfigError, match=r"doses\.2: the time of this switch is moved by one of"):
        scheduled(compose(tmp_path, doses))


@pytest.mark.parametrize(
    ("dose", "values", "message"),
    [
        ({"amount": "x", "time": 1, "duration": 2}, [-1.0], r"doses\.0\.amount: -1 cannot be inf"),
        ({"amount": 1, "time": 1, "rate": "x"}, [0.0], r"doses\.0\.rate: 0 is not greater than 0"),
        ({"amount": 1, "time": "x"}, [-1e-9], r"doses\.0: a time -1e-09 is before model\.t0, 0"),
        ({"amount": 1, "time": 1, "every": "x", "count": 2}, [-3.0], r"doses\.0\.every: -3 is not"),
    ],
)
def test_what_cannot_be_given_is_refused(
    dose: dict[str, Any], values: list[float], message: str, tmp_path: Path
):
    with pytest.raises(ConfigError, match=message):
        scheduled(compose(tmp_path, [{"state": "tank", **dose}], x=values))


@pytest.mark.parametrize("name", ["t1", "t0"])
def test_an_axis_of_any_name_that_a_dose_names_is_what_the_dose_says(name: str, tmp_path: Path):
    doses = [{"state": "tank", "amount": 9, "times": [name, "later"]}]
    columns = {name: [1.5, 4.0], "later": [5.0, 9.0]}
    ensemble = odeflow.run(compose(tmp_path, doses, "saveat.ts=null", **columns))
    left = [course(np.array([END]), [(9, a, 0), (9, b, 0)])[0] for a, b in zip(*columns.values())]
    np.testing.assert_allclose(ensemble.tank[:, 0], left, rtol=1e-5)
    np.testing.assert_array_equal(ensemble.time_reached, END)
    assert ensemble[name].attrs["long_name"] == "time 1 of dose 1 (tank)"


def test_an_own_end_that_misses_a_saved_time_by_rounding_has_its_value(tmp_path: Path):
    dose = {"state": "tank", "amount": 9, "time": 1}
    ends = [0.1 + 0.2 + 1.0, 1.3, 2.0]
    config = compose(tmp_path, [dose], "saveat.ts=[0, 1.3, 2]", t1=ends)
    found = odeflow.run(config).tank.values
    value = 9 * np.exp(-K * 0.3)
    np.testing.assert_allclose(found[:, 1], value, rtol=1e-5)
    np.testing.assert_array_equal(np.isnan(found[:, 2]), [True, True, False])


def test_what_a_file_computes_has_the_value_of_each_sample(tmp_path: Path):
    text = """tank' = -k*tank; tank = 0; k = 0.3; weight = 60; per = 2; lag = 0.5
    loading = per*weight; each := 0.1*weight; late := 2*lag; start = 4*lag"""
    model = {"name": "filed", "antimony": text, "t1": 10.0}
    experiment = {
        "defaults": [{"override /model": "filed"}, {"override /design": "zip"}],
        "name": "mine",
        "design": {"axes": {"weight": {"values": [50, 80]}, "lag": {"values": [0.25, 1.0]}}},
        "doses": [
            {"state": "tank", "amount": "loading", "time": "late"},
            {"state": "tank", "amount": "each", "time": "start", "duration": "lag"},
            {"parameter": "weight", "value": 100, "time": 6},
            {"state": "tank", "amount": "each", "time": 7},
        ],
        "saveat": {"ts": [0, 0.5, 2, 7, 10]},
        "solver": {"rtol": 1e-9, "atol": 1e-11},
    }
    for group, name, content in (("model", "filed", model), ("experiment", "mine", experiment)):
        path = tmp_path / "config" / group / f"{name}.yaml"
        path.parent.mkdir(parents=True)
        path.write_text("# @package _global_\n" * (group == "experiment") + yaml.safe_dump(content))
    config = odeflow.compose("experiment=mine", study=tmp_path)
    found = odeflow.run(config).tank.values
    times = np.array([0, 0.5, 2, 7, 10])
    for row, (weight, lag) in enumerate([(50, 0.25), (80, 1.0)]):
        # the loading dose is of the weight at the start, `each` of that of its time
        doses = [(2 * weight, 2 * lag, 0.0), (0.1 * weight, 4 * lag, lag), (10.0, 7.0, 0.0)]
        np.testing.assert_allclose(found[row], course(times, doses), atol=1e-6)
