"""Properties of the config's loader: round trips, and nothing but ConfigError for nonsense."""

import random
import time
from pathlib import Path
from typing import Any

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from hypothesis import given, settings
from hypothesis import strategies as st

from odeflow.config.overrides import flatten_overrides
from odeflow.files.errors import ConfigError
from odeflow.importers.study.compose import compose
from odeflow.workflow.plan import chunk_table, plan
from tests.support.bad_input import EXPERIMENT, MODEL
from tests.support.snakes import EXPERIMENT_YAML, MODEL_YAML, make_study, request

#: Text that Hydra reads as something else.
_NO_TEXT = {"null", "true", "false", "inf", "nan", "infinity"}
_words = st.from_regex(r"[a-z][a-z0-9]{0,5}(_[a-z0-9]{1,3})?", fullmatch=True).filter(
    lambda w: w not in _NO_TEXT
)
_numbers = st.integers(-(2**70), 2**70) | st.floats(allow_nan=False)
_values = st.recursive(
    st.none() | st.booleans() | _numbers | _words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_words, inner, max_size=3),
)


@given(_words, _words, _values)
def test_what_snakemake_parsed_is_what_hydra_reads(group: str, key: str, value: Any):
    (text,) = flatten_overrides({f"{group}__{key}": value})
    parsed = OverridesParser.create().parse_override(text)
    assert parsed.key_or_group == f"{group}.{key}"
    assert parsed.value() == value


@settings(max_examples=15, deadline=None)
@given(rtol=st.floats(1e-14, 0.1), seed=st.integers(0, 2**80), times=st.integers(1, 50))
def test_numbers_arrive_to_the_last_bit(rtol: float, seed: int, times: int):
    given_ = {"solver__rtol": rtol, "design__seed": seed, "saveat__ts__linspace": [0, 120, times]}
    config = compose(*flatten_overrides(given_))
    assert config.solver.rtol == rtol and config.design.seed == seed
    assert config.slice("saveat")["saveat"]["ts"]["linspace"] == [0, 120, times]


_PIECES = [
    "", " ", "  ", "\t", "\n", ":", ": ", "- ", ",", "[", "]", "{", "}", "#", "&a ", "*a", "!!int ",
    "!!python/none ", "|", ">", "'", '"', "%", "@", "`", "?", "??? ", "~", "null", "true", ".nan",
    "-.inf", "1e400", "-1", "0", "0x1f", "2020-01-01", "${name}", "${model.t1}", "${oc.env:HOME}",
    "${", "<<: ", "---\n", "...\n", "\u00e9", "\u2028", "\x00", "defaults", "_target_", "@package",
    "1" * 400, "[[[[", "states: ", "k: ",
]  # fmt: skip


def mutated(text: str, chance: random.Random) -> str:
    """Valid YAML with one to four pieces of it deleted, repeated, or replaced by odd ones."""
    for _ in range(chance.randint(1, 4)):
        start = chance.randrange(len(text) + 1)
        stop = min(len(text), start + chance.choice([0, 0, 1, 2, 8, 40]))
        new = chance.choice([chance.choice(_PIECES), text[start:stop] * 2])
        text = text[:start] + new + text[stop:]
    return text


@pytest.mark.slow
def test_only_config_errors_come_out_of_a_minute_of_nonsense(tmp_path: Path):
    """Files and overrides at random, each attempt known by its number."""
    study = make_study(tmp_path)
    deadline, number, refused = time.monotonic() + 75, 0, 0
    while time.monotonic() < deadline:
        chance = random.Random(number)
        files = {MODEL: MODEL_YAML, EXPERIMENT: EXPERIMENT_YAML}
        chosen = chance.choice([MODEL, EXPERIMENT, ""])
        if chosen:
            files[chosen] = mutated(files[chosen], chance)
        overrides = (
            "" if chosen else mutated("solver=tsit5 solver.rtol=1e-3 +design.size=3", chance)
        )
        for name, text in files.items():
            (study / name).write_text(text, encoding="utf-8")
        given_ = {"experiment": "decay", "overrides": overrides}
        try:
            chunk_table(plan(request(given_, study), study))
        except ConfigError as error:
            refused += 1
            assert "\n" not in str(error) and len(str(error)) < 2000, (number, str(error))
        except Exception as error:
            raise AssertionError(f"attempt {number}: {chosen} {overrides!r}") from error
        number += 1
    assert number > 100 and 0 < refused < number
