"""States of any size at the default tolerances: nothing passes that is off by a percent."""

from pathlib import Path

import pytest

from odeflow.trust.verification import verify
from tests.support.scales import EXPONENTS, error_over_scale, scaled_ensemble


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("study")


@pytest.mark.parametrize(
    "exponent",
    [pytest.param(e, marks=() if e in (-12, 0) else pytest.mark.slow) for e in EXPONENTS],
)
def test_nothing_passes_that_is_off_by_a_percent(exponent: int, study: Path):
    config, ensemble = scaled_ensemble(exponent, study)
    found = verify(config, study, ensemble)
    worst = error_over_scale(exponent, ensemble)
    verdict = found.attrs["verdict"]
    assert verdict != "passed" or worst < 0.01, found.attrs["verdict_reason"]
    if exponent < -8:
        assert verdict == "not judged" and "below its atol" in found.attrs["verdict_reason"]
    if exponent > -4:
        assert verdict == "passed"
