"""Quantities without a finite value: needed ones are refused, others left out with a warning."""

import warnings
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("libsbml")

import odeflow
from odeflow.config.validate import validate
from odeflow.files.errors import ConfigError
from odeflow.importers.sbml.config import imported_model
from tests.support.sbml_text import initial, parameter, rule, sbml

GROWTH = (parameter("x", 2, False), parameter("r", 0.25), rule("rate", "x", "r * x"))


def read(text: str, folder: Path) -> dict:
    (folder / "m.xml").write_text(text)
    return imported_model({"sbml": "m.xml", "t1": 4.0}, folder)


def test_what_is_infinite_and_not_needed_is_left_out_and_the_rest_is_solved(tmp_path: Path):
    text = sbml(
        *GROWTH, parameter("whole", 3), parameter("none", 0), parameter("ratio"),
        initial("ratio", "whole / none"), parameter("double", constant=False),
        rule("assignment", "double", "2 * ratio"), parameter("late", constant=False),
        rule("assignment", "late", "x + time"),
    )  # fmt: skip
    (tmp_path / "m.xml").write_text(text)
    with pytest.warns(UserWarning, match=r"m\.xml, line \d+: left out, .*: ratio \(inf\), double$"):
        model = imported_model({"sbml": "m.xml", "t1": 4.0}, tmp_path)
    assert list(model["parameters"]) == ["r", "whole", "none"]
    assert list(model["observables"]["variables"]) == ["late"]
    config = validate(
        {
            "name": "x",
            "model": model,
            "design": {"kind": "grid", "axes": {"none": {"values": [0.0, 1.0]}}},
            "solver": {"rtol": 1e-9, "atol": 1e-9},
            "saveat": {"ts": [0, 4]},
        }
    ).in_study(tmp_path)
    result = odeflow.run(config)
    np.testing.assert_allclose(result.x.isel(time=1), 2 * np.e, rtol=1e-7)
    np.testing.assert_allclose(result.late.isel(time=1), 2 * np.e + 4, rtol=1e-7)


def test_what_is_missing_and_read_by_nothing_is_left_out_in_silence(tmp_path: Path):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = read(sbml(*GROWTH, parameter("spare")), tmp_path)
    assert list(model["parameters"]) == ["r"]


def test_an_observable_of_what_is_missing_is_left_out(tmp_path: Path):
    text = sbml(
        *GROWTH, parameter("spare"), parameter("a", constant=False),
        parameter("b", constant=False), rule("assignment", "a", "spare * x"),
        rule("assignment", "b", "a + 1"),
    )  # fmt: skip
    with pytest.warns(UserWarning, match="no finite value: a, b"):
        model = read(text, tmp_path)
    assert model["observables"] is None


def test_what_is_needed_is_refused_with_the_key_to_set(tmp_path: Path):
    infinite = sbml(
        parameter("x", 2, False), parameter("none", 0), parameter("r"),
        initial("r", "1 / none"), rule("rate", "x", "r * x"),
    )  # fmt: skip
    match = r"m\.xml, line \d+: 'r' starts at inf; .* set model\.parameters\.r\.value"
    with pytest.raises(ConfigError, match=match):
        read(infinite, tmp_path)
    missing = sbml(parameter("x", 2, False), parameter("r"), rule("rate", "x", "r * x"))
    with pytest.raises(ConfigError, match=r"line \d+: nothing gives 'r' a value; set model\.par"):
        read(missing, tmp_path)


def test_units_that_are_none_are_labels(tmp_path: Path):
    unit = (
        '<listOfUnitDefinitions><unitDefinition id="u"><listOfUnits><unit kind="avogadro"/>'
        '<unit kind="mole" exponent="2"/></listOfUnits></unitDefinition></listOfUnitDefinitions>'
    )
    text = sbml('<parameter id="x" value="2" units="u" constant="false"/>', level=2, version=5)
    model = read(text.replace("<listOfParameters>", f"{unit}<listOfParameters>", 1), tmp_path)
    assert model["parameters"]["x"]["value"] == 2


@pytest.mark.parametrize("encoding", ["ISO-8859-1", "UTF-16", "UTF-8"])
def test_the_encoding_is_the_one_that_is_declared(encoding: str, tmp_path: Path):
    text = sbml('<parameter id="x" name="Änderung" value="2" constant="false"/>')
    text = text.replace('encoding="UTF-8"', f'encoding="{encoding}"').replace("\n", "\r\n")
    data = text.encode("utf-8-sig" if encoding == "UTF-8" else encoding)
    (tmp_path / "m.xml").write_bytes(data)
    model = imported_model({"sbml": "m.xml", "t1": 1.0}, tmp_path)
    assert model["parameters"]["x"]["long_name"] == "Änderung"
