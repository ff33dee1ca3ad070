"""Study files are YAML 1.2: names are names, numbers are what they look like."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st
from omegaconf import OmegaConf

from odeflow.config.shipped import shipped_config
from odeflow.config.study_files import read_settings, yaml_mistake
from odeflow.config.yaml_text import read_yaml, write_yaml
from odeflow.files.errors import ConfigError
from odeflow.importers.study.compose import compose


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("{NO: 1, on: off, y: yes, n: Off}", {"NO": 1, "on": "off", "y": "yes", "n": "Off"}),
        ("[010, -007, +3, 0o17, 0x1F]", [10, -7, 3, 15, 31]),
        ("[1e-6, 1e6, 1E6, .5, 5., -1.5e+3]", [1e-6, 1e6, 1e6, 0.5, 5.0, -1500.0]),
        ("[1_000, 0b11, 2020-01-01, 0X1F]", ["1_000", "0b11", "2020-01-01", "0X1F"]),
        ("[true, FALSE, null, ~, .inf]", [True, False, None, None, float("inf")]),
        ("a: ['1:30', \"1,5\"]", {"a": ["1:30", "1,5"]}),
        ("a:", {"a": None}),
        ("[1,2,3]", [1, 2, 3]),
        ("[1, 2.5, 3]", [1, 2.5, 3]),
        ("{a: &x {k: 1}, b: {<<: *x, k: 2}}", {"a": {"k": 1}, "b": {"k": 2}}),
        ("\N{MICRO SIGN}: {units: \N{MICRO SIGN}g}", {"μ": {"units": "μg"}}),
        ("a\N{COMBINING RING ABOVE}: 1", {"å": 1}),
        ("", None),
    ],
)
def test_values(text: str, value: Any):
    assert read_yaml(text) == value
    assert json.dumps(read_yaml(text)) == json.dumps(value)  # 1 is not true, nor 1.0


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("t1: 1:30", r'line 1, column 5: 1:30 is a clock, not a number; .* quote it .* "1:30"'),
        ("a:\n- 12:30:15.5", r"line 2, column 3: 12:30:15\.5 is a clock"),
        ("a: 1,5", r"line 1, column 4: 1,5 has a comma for a decimal point; write 1\.5,"),
        ("a: 1.234,5", r"write 1234\.5,"),
        ("a: 1,000", r"write 1\.000 or 1000,"),
        ("[010, 1,5]", r"line 1, column 7: 1,5 may be one number or two; write 1\.5 for one"),
        ("{value: 0,5, units: g}", r"column 9: 0,5 may be one number or two; write 0\.5"),
        ("a: 1\nb: 2\na: 3", r"line 3, column 1: the key a is there twice"),
        ("μ: 1\n\N{MICRO SIGN}: 3", r"line 2, column 1: the key μ is there twice"),
        ("a: !!python/name:os.system x", r"could not determine a constructor for the tag"),
        ("a: !!int x", r"'x' is no int"),
        ("a: !!timestamp 2020-01-01", r"tag"),
    ],
)
def test_what_means_two_things_is_refused(text: str, message: str):
    with pytest.raises(yaml.YAMLError) as caught:
        read_yaml(text)
    line = yaml_mistake(caught.value)
    assert re.search(message, line), line


SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False),
    st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=12),
    st.from_regex(r"[-+.0-9:,eExo_]{1,8}", fullmatch=True),
    st.sampled_from(["NO", "on", "y", "~", "null", "<<", "=", "1:30", "010", "0o7", "1,5", ".inf"]),
)


@given(st.recursive(SCALARS, lambda x: st.lists(x) | st.dictionaries(st.text("abNO01:"), x)))
@example({"a": ["1:30", "1,5", "010", "1e6"]})
def test_what_is_written_is_read_by_both_versions(data: Any):
    text = write_yaml(data)
    spelled = json.loads(json.dumps(data).replace("\\u00b5", "\\u03bc"))
    assert yaml.safe_load(text) == data
    if spelled == json.loads(json.dumps(read_yaml(json.dumps(data)))):  # NFC changes nothing
        assert read_yaml(text) == spelled


def test_shipped_files_read_alike_by_hydra():
    for path in shipped_config().rglob("*.yaml"):
        hydras = OmegaConf.to_container(OmegaConf.load(path), resolve=False)
        assert (read_yaml(path.read_text(encoding="utf-8")) or {}) == hydras, path


MODEL = """
name: air
vector_field: models.py:air
t1: 2
states: {NO: {initial: 010}, \N{MICRO SIGN}: {initial: 1e-3}, on: {initial: 1}}
parameters: {y: {value: 0.5, units: 1/\N{MICRO SIGN}s}, off: {value: 0}}
"""
FIELD = """
def air(t, y, args):
    return {"NO": -args.y * y.NO, "\N{MICRO SIGN}": args.off * y.\N{MICRO SIGN}, "on": 0.0}
"""
EXPERIMENT = """
# @package _global_
defaults: [override /model: air.v2]
name: NO
design: {axes: {y: {values: [010, 0x10]}}}
solver: {atol: {NO: 1e-9, on: 1e-9, \N{GREEK SMALL LETTER MU}: 1e-12}}
saveat: {ts: [0, 2], variables: [NO, \N{MICRO SIGN}, on]}
"""


def study(folder: Path, experiment: str = EXPERIMENT, model: str = MODEL) -> Path:
    for name, text in (
        ("config/model/air.v2.yaml", model),
        ("config/experiment/off.yaml", experiment),
        ("config/experiment/v1.2.yaml", experiment),
        ("config/experiment/1.2.yaml", experiment),
        ("models.py", FIELD),
    ):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return folder


@pytest.mark.parametrize("experiment", ["off", "v1.2", "1.2"])
def test_a_study_whose_names_were_booleans(experiment: str, tmp_path: Path):
    config = compose(f"experiment={experiment}", study=study(tmp_path))
    assert list(config.model.states) == ["NO", "μ", "on"] and config.name == "NO"
    assert config.model.states["NO"].initial == 10.0
    assert config.model.parameters["y"].units == "1/μs"
    assert config.design.axes["y"].values == [10.0, 16.0]
    assert config.saveat.variables == ["NO", "μ", "on"]


def test_overrides(tmp_path: Path):
    asked = "model.states.NO.initial=012", "saveat.variables=[NO,on]"
    config = compose("experiment=off", *asked, study=study(tmp_path))
    assert config.model.states["NO"].initial == 12.0
    assert config.saveat.variables == ["NO", "on"]
    with pytest.raises(ConfigError, match="no letters beyond a to z there, a config file may"):
        compose("experiment=off", "model.states.μ.initial=3", study=tmp_path)


def test_a_model_function_with_the_micro_sign(tmp_path: Path):
    from odeflow.importers.loading import load_model

    config = compose("experiment=off", study=study(tmp_path))
    model = load_model(config.model, tmp_path)
    t, y, args = model.example()
    assert float(model.vector_field(t, y, args).NO) == -5.0


def test_the_place_of_a_clock_is_named(tmp_path: Path):
    text = EXPERIMENT.replace("[0, 2]", "[0, 1:30]")
    with pytest.raises(ConfigError, match=r"config/experiment/off\.yaml: line 7, column 18: 1:30"):
        compose("experiment=off", study=study(tmp_path, text))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"experiment: 1:30\n", "own: line 1, column 13: 1:30 is a clock"),
        (b"- a\n", "own: expected keys and values"),
        (b"a: \xff\xfe\n", "own: not text in UTF-8 or UTF-16"),
    ],
)
def test_settings_that_cannot_be_read(content: bytes, message: str, tmp_path: Path):
    (tmp_path / "workflow.yaml").write_bytes(content)
    with pytest.raises(ConfigError, match=message):
        read_settings(tmp_path / "workflow.yaml", "own")


def test_settings(tmp_path: Path):
    path = tmp_path / "workflow.yaml"
    path.write_text("experiment: NO\nsolver__rtol: 1e-6\n", encoding="utf-16")
    assert read_settings(path, "own") == {"experiment": "NO", "solver__rtol": 1e-6}
