"""Training sets: the laws of noise, rows that depend on nothing but their number, masks, shards."""

from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from scipy import stats

from odeflow.config.root import Config
from odeflow.config.simulate_for_inference import NoiseConfig
from odeflow.files.errors import ConfigError
from odeflow.files.shards import open_shards, write_shards
from odeflow.problem.noise import NoiseModel, drawn, log_density
from odeflow.problem.status import Status
from tests.support.training_studies import solved, training_set, training_study

Solved = tuple[Config, xr.Dataset, xr.Dataset]
NUMBERS = ("theta", "x", "x_without_noise", "failed", "num_missing", "valid")
SCIPY = {
    ("lin", "normal"): lambda y, s: stats.norm(y, s),
    ("lin", "laplace"): lambda y, s: stats.laplace(y, s),
    ("log", "normal"): lambda y, s: stats.lognorm(s, scale=y),
    ("log", "laplace"): lambda y, s: stats.loglaplace(1 / s, scale=y),
}


@pytest.fixture(scope="module")
def decay(tmp_path_factory: pytest.TempPathFactory) -> Solved:
    config = training_study(tmp_path_factory.mktemp("decay"))
    return config, *solved(config)


def asking(config: Config, **keys) -> Config:
    """The config with other keys of the training set."""
    asked = config.analyse.simulate_for_inference
    assert asked is not None
    analyse = config.analyse.model_copy(
        update={"simulate_for_inference": asked.model_copy(update=keys)}
    )
    return config.model_copy(update={"analyse": analyse}).in_study(config.study)


def same(one: xr.Dataset, other: xr.Dataset) -> None:
    for name in NUMBERS:
        np.testing.assert_array_equal(one[name].values, other[name].values, err_msg=name)


@pytest.mark.parametrize("model", SCIPY)
def test_noise_has_the_law_that_estimation_takes_it_to_have(model: tuple[str, str]):
    unit, y, s = np.linspace(0.001, 0.999, 501), 3.0, 0.4
    values = drawn(np.full(501, y), unit, s, NoiseModel(*model))
    law = SCIPY[model](y, s)
    np.testing.assert_allclose(values, law.ppf(unit), rtol=1e-12)
    own = log_density(values, np.array(y), s, *model)
    np.testing.assert_allclose(own, law.logpdf(values), rtol=1e-9, atol=1e-9)


def test_noise_of_a_decimal_logarithm_is_that_of_the_logarithm():
    y, unit = np.array([2.0, 0.0, -1.0]), np.full(3, 0.7)
    ten = drawn(y, unit, 0.2, NoiseModel("log10", "normal"))
    np.testing.assert_allclose(
        ten, drawn(y, unit, 0.2 * np.log(10), NoiseModel("log", "normal")), rtol=1e-14
    )
    assert ten[1] == 0 and ten[2] < 0


def test_rows_are_parameters_and_what_they_give(decay: Solved):
    made = training_set(*decay).rows(0, 3000)
    assert made["parameter"].values.tolist() == ["k", "sigma"]
    assert made["feature"].values.tolist() == [
        *(f"y@{t:g}" for t in (0, 0.5, 1, 1.5, 2)), "y_final", "y_mean",
    ]  # fmt: skip
    k = made["theta"].values[:, :1]
    exact = 3 * np.exp(-k * np.array([0, 0.5, 1, 1.5, 2, 2]))
    np.testing.assert_allclose(made["x_without_noise"].values[:, :6], exact, rtol=1e-5)
    assert made["valid"].values.all()
    assert made["feature_noise"].values.tolist() == ["normal sigma"] * 5 + ["none", "lognormal 0.1"]
    assert made["feature_units"].values.tolist() == ["mg"] * 7


def test_noise_is_as_asked_for_and_independent(decay: Solved):
    made = training_set(*decay).rows(0, 3000)
    x, clean, sigma = (made[n].values for n in ("x", "x_without_noise", "theta"))
    sigma = sigma[:, 1:]
    scaled = np.column_stack([(x - clean)[:, :5] / sigma, np.log(x[:, 6:] / clean[:, 6:]) / 0.1])
    for column in scaled.T:
        assert stats.kstest(column, "norm").pvalue > 1e-3
    off_diagonal = np.corrcoef(scaled.T)[~np.eye(6, dtype=bool)]
    assert np.abs(off_diagonal).max() < 4 / np.sqrt(3000)
    np.testing.assert_array_equal(x[:, 5], clean[:, 5])
    assert stats.kstest(np.log10(sigma[:, 0]), "uniform", (-1, 1)).pvalue > 1e-3


def test_a_row_does_not_depend_on_shards(decay: Solved):
    whole = training_set(*decay).rows(0, 3000)
    parts = list(training_set(*decay).shards())
    assert [part.sizes["sample"] for part in parts] == [1024, 1024, 952]
    same(xr.concat(parts, "sample", data_vars="minimal"), whole)
    same(training_set(*decay).rows(701, 702), whole.isel(sample=[701]))


def test_a_row_does_not_depend_on_how_many_there_are(decay: Solved, tmp_path: Path):
    config = training_study(tmp_path, "design.size=40")
    same(training_set(config, *solved(config)).rows(0, 40), training_set(*decay).rows(0, 40))


def test_the_noise_of_an_output_does_not_depend_on_the_others(decay: Solved):
    config, *results = decay
    whole = training_set(*decay).rows(0, 50)
    alone = asking(config, variables=[], metrics=["y_mean"])
    noise = {"y_mean": NoiseConfig.model_validate({"lognormal": 0.1})}
    made = training_set(asking(alone, noise=noise), *results).rows(0, 50)
    np.testing.assert_array_equal(made["x"].values[:, 0], whole["x"].values[:, 6])


def test_another_seed_is_other_noise_alone(decay: Solved):
    config, *results = decay
    one, other = (training_set(asking(config, seed=seed), *results).rows(0, 50) for seed in (0, 1))
    np.testing.assert_array_equal(one["x_without_noise"].values, other["x_without_noise"].values)
    np.testing.assert_array_equal(one["theta"].values[:, 0], other["theta"].values[:, 0])
    assert (one["x"].values[:, 0] != other["x"].values[:, 0]).all()
    assert (one["theta"].values[:, 1] != other["theta"].values[:, 1]).all()


def test_what_failed_is_masked_and_kept(decay: Solved):
    config, ensemble, summary = decay
    status = ensemble["status"].copy()
    status[[3, 7]] = Status.max_steps_reached
    mean = summary["y_mean"].copy()
    mean[9] = np.nan
    made = training_set(config, ensemble.assign(status=status), summary.assign(y_mean=mean)).rows(
        0, 20
    )
    assert np.flatnonzero(made["failed"].values).tolist() == [3, 7]
    assert np.flatnonzero(made["valid"].values == 0).tolist() == [3, 7, 9]
    assert made["num_missing"].values[[3, 9, 10]].tolist() == [7, 1, 0]
    assert np.isnan(made["x"].values[3]).all() and np.isfinite(made["theta"].values).all()
    others = made["valid"].values == 1
    same(made.isel(sample=others), training_set(*decay).rows(0, 20).isel(sample=others))


def test_a_level_of_noise_that_is_not_positive_masks_the_row(decay: Solved):
    config, *results = decay
    below = asking(config, noise={"y": NoiseConfig(normal="k")})
    made = training_set(below, results[0].assign_coords(k=-results[0]["k"]), results[1])
    assert not made.rows(0, 5)["valid"].values.any()


def test_under_conditions_a_row_has_the_outputs_of_all(tmp_path: Path):
    config = training_study(
        tmp_path, "design.size=30", "design.conditions={low: {y: 1.0}, high: {y: 2.0}}"
    )
    ensemble, summary = solved(config)
    status = ensemble["status"].copy()
    status[5] = Status.max_steps_reached  # the third set under the second condition
    made = training_set(config, ensemble.assign(status=status), summary).rows(0, 30)
    assert made.sizes == {"sample": 30, "parameter": 2, "feature": 14}
    assert made["feature"].values[[0, 8]].tolist() == ["y@0 under low", "y@0.5 under high"]
    assert np.flatnonzero(made["failed"].values).tolist() == [2]
    clean = made["x_without_noise"].values
    np.testing.assert_allclose(clean[[0, 1], 7:12], 2 * clean[[0, 1], :5], rtol=1e-5)
    assert np.isnan(clean[2, 7:]).all() and np.isfinite(clean[2, :7]).all()
    same(made.isel(sample=[4]), training_set(config, ensemble, summary).rows(4, 5))


@pytest.mark.parametrize("name", ["training", "training.zarr"])
def test_shards_on_disk_have_the_rows(decay: Solved, tmp_path: Path, name: str):
    made = training_set(*decay)
    write_shards(tmp_path / name, made.shards(), made.shard_size, made.number, "sample")
    with open_shards(tmp_path / name) as shards:
        found = xr.concat(shards, "sample", data_vars="minimal").load()
        whole = made.rows(0, 3000)
        same(found, whole)
        assert found["feature"].values.tolist() == whole["feature"].values.tolist()
        assert found.attrs["noise"] == whole.attrs["noise"]
    files = {"training": "*.nc", "training.zarr": "x/c/*/0"}[name]
    assert len(list((tmp_path / name).glob(files))) == 3


@pytest.mark.parametrize("name", ["training", "training.zarr"])
def test_what_is_there_stays_where_writing_fails(decay: Solved, tmp_path: Path, name: str):
    made = training_set(*decay)
    write = lambda shards: write_shards(tmp_path / name, shards, 1024, made.number, "sample")
    write(made.shards())

    def broken():
        yield made.rows(0, 1024)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write(broken())
    assert [file.name for file in tmp_path.iterdir()] == [name]
    with open_shards(tmp_path / name) as shards:
        assert sum(shard.sizes["sample"] for shard in shards) == 3000


def test_shards_are_as_large_as_memory_allows(decay: Solved):
    config, *results = decay
    assert training_set(asking(config, shard_size="auto"), *results).shard_size == 2**16
    wide = training_set(asking(config, shard_size="auto"), *results)
    wide.__dict__["features"] = [None] * 2000
    assert wide.shard_size == 4096


def test_noise_of_nothing_is_refused(decay: Solved):
    config, *results = decay
    with pytest.raises(ConfigError, match=r"noise\.y_max: not one of the outputs, y, y_final"):
        training_set(asking(config, noise={"y_max": NoiseConfig(normal=1.0)}), *results)
    with pytest.raises(ConfigError, match="no outputs"):
        training_set(asking(config, variables=[], metrics=[], noise={}), *results)
