"""Subjects that differ at random: laws, covariance, and what stays when there are more."""

from pathlib import Path

import numpy as np

from odeflow.config.design import DesignConfig
from odeflow.design import number_of_samples, rows
from odeflow.importers.study.random_effects import with_typical_values

OMEGA = [[0.09, 0.03, 0.01], [0.03, 0.04, -0.01], [0.01, -0.01, 0.16]]


def population(subjects: int, **more: object) -> DesignConfig:
    effects = {
        "of": {"cl": "exp", "v": "exp", "ka": "exp"},
        "omega": OMEGA, "subjects": subjects, "seed": 3,
        "typical": {"cl": 5.0, "v": 50.0, "ka": 1.0},
    }  # fmt: skip
    dose = {"dose": {"values": [50.0, 100.0, 200.0]}}
    return DesignConfig.model_validate(
        {"kind": "zip", "axes": dose, "random_effects": effects | more}
    )


def test_covariance_of_three_groups_of_a_thousand() -> None:
    design = population(1000)
    columns = rows(design, 0, number_of_samples(design, Path()), Path())
    assert len(columns["dose"]) == 3000
    eta = np.log(np.stack([columns["cl"] / 5, columns["v"] / 50, columns["ka"]]))
    for dose in (50.0, 100.0, 200.0):
        own = eta[:, columns["dose"] == dose]
        assert own.shape == (3, 1000)
        sample, omega = np.cov(own), np.array(OMEGA)
        error = np.sqrt((omega**2 + np.outer(np.diag(omega), np.diag(omega))) / 1000)
        assert (np.abs(sample - omega) < 4 * error).all()
        assert (np.abs(own.mean(axis=1)) < 4 * np.sqrt(np.diag(omega) / 1000)).all()
    # groups are not the same subjects
    first, second = (eta[:, columns["dose"] == dose] for dose in (50.0, 100.0))
    assert abs(np.corrcoef(first[0], second[0])[0, 1]) < 4 / np.sqrt(1000)


def test_more_subjects_keep_the_first() -> None:
    few, many = population(4), population(50)
    ours = rows(few, 0, 12, Path())
    theirs = rows(many, 0, 12, Path())
    parts = [rows(many, a, b, Path()) for a, b in ((0, 5), (5, 7), (7, 12))]
    for name, column in ours.items():
        assert column.tobytes() == theirs[name].tobytes()
        assert column.tobytes() == np.concatenate([part[name] for part in parts]).tobytes()


def test_laws_of_effects() -> None:
    of = {"cl": "exp", "v": "add", "ka": "logit"}
    linear = population(200, of=of, typical={"cl": 5.0, "v": 50.0, "ka": 0.3})
    skewed = population(200, of={"cl": {"boxcox": 0.5}, "v": {"boxcox": 0}, "ka": "exp"})
    exact, given = (rows(one, 0, 600, Path()) for one in (population(200), linear))
    etas = {"cl": np.log(exact["cl"] / 5), "v": np.log(exact["v"] / 50), "ka": np.log(exact["ka"])}
    np.testing.assert_allclose(given["v"], 50 + etas["v"], rtol=1e-12)
    odds = 0.3 / 0.7 * np.exp(etas["ka"])
    np.testing.assert_allclose(given["ka"], odds / (1 + odds), rtol=1e-12)
    boxed = rows(skewed, 0, 600, Path())
    transformed = (np.exp(etas["cl"]) ** 0.5 - 1) / 0.5
    np.testing.assert_allclose(boxed["cl"], 5 * np.exp(transformed), rtol=1e-12)
    np.testing.assert_allclose(boxed["v"], exact["v"], rtol=1e-12)


def test_a_singular_covariance_has_effects_that_are_one() -> None:
    design = population(100, omega=[[0.04, 0.04, 0], [0.04, 0.04, 0], [0, 0, 0]])
    columns = rows(design, 0, 300, Path())
    np.testing.assert_allclose(columns["cl"] / 5, columns["v"] / 50, rtol=1e-12)
    assert (columns["ka"] == 1).all()


def test_under_conditions_a_subject_is_the_same() -> None:
    data = {
        "kind": "zip",
        "conditions": {"low": {"gut": 50}, "high": {"gut": 100}},
        "random_effects": {"of": {"cl": "exp"}, "omega": [[0.09]], "subjects": 5},
    }
    filled = with_typical_values({"design": data, "model": {"parameters": {"cl": {"value": 4.0}}}})
    design = DesignConfig.model_validate(filled["design"])
    columns = rows(design, 0, number_of_samples(design, Path()), Path())
    assert columns["gut"].tolist() == [50, 100] * 5
    assert (columns["cl"][::2] == columns["cl"][1::2]).all()
    assert len(set(columns["cl"])) == 5 and (columns["cl"] > 0).all()


def uncertain(replicates: int, subjects: int = 0, **more: object) -> DesignConfig:
    """Three doses, in so many draws of clearance and the part that is absorbed."""
    theta = {
        "of": {"cl": "log10", "f": "logit"}, "covariance": [[0.01, 0.004], [0.004, 0.09]],
        "replicates": replicates, "typical": {"cl": 5.0, "f": 0.7},
    }  # fmt: skip
    data = {"kind": "zip", "axes": {"dose": {"values": [1.0, 2.0, 3.0]}}, "theta": theta | more}
    effects = {"of": {"cl": "exp"}, "omega": [[0.04]], "subjects": subjects, "typical": {"cl": 5.0}}
    return DesignConfig.model_validate(data | ({"random_effects": effects} if subjects else {}))


def test_draws_of_typical_values_have_their_covariance_and_keep_the_first() -> None:
    design = uncertain(2000)
    columns = rows(design, 0, number_of_samples(design, Path()), Path())
    assert columns["replicate"].tolist() == np.repeat(np.arange(2000), 3).tolist()
    drawn = np.log10(columns["cl"] / 5.0), np.log(columns["f"] / (1 - columns["f"]) / (0.7 / 0.3))
    theta = np.stack(drawn)[:, ::3]
    assert np.allclose(np.stack(drawn)[:, 1::3], theta)  # the same for all of a replicate
    covariance = np.array([[0.01, 0.004], [0.004, 0.09]])
    error = np.sqrt((covariance**2 + np.outer(np.diag(covariance), np.diag(covariance))) / 2000)
    assert (np.abs(np.cov(theta) - covariance) < 4 * error).all()
    assert (np.abs(theta.mean(axis=1)) < 4 * np.sqrt(np.diag(covariance) / 2000)).all()
    few = rows(uncertain(5), 0, 15, Path())
    for name, column in few.items():
        assert column.tobytes() == columns[name][:15].tobytes()
        assert column[4:11].tobytes() == rows(design, 4, 11, Path())[name].tobytes()


def test_subjects_differ_around_the_typical_values_of_their_replicate() -> None:
    design = uncertain(400, subjects=50)
    columns = rows(design, 0, number_of_samples(design, Path()), Path())
    typical = rows(uncertain(400), 0, 1200, Path())["cl"][::3]
    eta = np.log(columns["cl"].reshape(400, 150) / typical[:, None])
    assert abs(eta.var() - 0.04) < 4 * 0.04 * np.sqrt(2 / eta.size)
    assert abs(np.corrcoef(eta[0], eta[1])[0, 1]) < 4 / np.sqrt(150)  # others in each replicate
