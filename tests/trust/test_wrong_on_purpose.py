"""What is wrong on purpose gets the verdict that the table in `docs/reliability.md` says."""

from pathlib import Path

import pytest

from odeflow.trust.verification import verify
from tests.support.wrong_on_purpose import WRONG, Wrong, wrong_study

#: The rows that take little time; the others are for the slow tests.
_QUICK = {"nothing", "a dose too small 1%", "nothing, with events", "an event left out"}


def _marked(case: Wrong) -> object:
    name = f"{case.what} {case.size}".strip()
    return pytest.param(case, id=name, marks=() if name in _QUICK else pytest.mark.slow)


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return wrong_study(tmp_path_factory.mktemp("study"))


@pytest.mark.parametrize("case", [_marked(case) for case in WRONG])
def test_what_is_wrong_gets_its_verdict(case: Wrong, study: Path):
    config, ensemble = case.solved(study)
    found = verify(config, study, ensemble)
    assert found.attrs["verdict"] == case.verdict, found.attrs["verdict_reason"]
