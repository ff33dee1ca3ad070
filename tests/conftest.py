"""Strict JAX for every test: float64, no silent rank promotion. No test fails for being slow.

Compiled code is kept in the checkout, not in the cache of who runs the tests.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import jax
import pytest
from hypothesis import HealthCheck, settings

from odeflow.provenance.observed import manifest
from tests.support.checked_shapes import ViolationError
from tests.support.faults import waiting_study
from tests.support.snakes import PROJECT, snakemake

os.environ["ODEFLOW_CACHE"] = str(PROJECT / "build" / "test-cache")

jax.config.update("jax_enable_x64", True)
jax.config.update("jax_numpy_rank_promotion", "raise")

settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")


@pytest.fixture(scope="session")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for compiled programs that tests share: what one has compiled another finds."""
    return tmp_path_factory.mktemp("compiled")


@pytest.fixture(autouse=True)
def no_process_looks_at_models(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Planning in the tests' own process sees nothing of what a model reads, but in slow tests."""
    if request.node.get_closest_marker("slow") is None:
        monkeypatch.setattr(manifest, "_observe", lambda *_: (manifest.Manifest(), False))


@pytest.fixture(autouse=True)
def annotations_hold() -> Iterator[None]:
    """A value that is not what its annotation says fails the test, whoever catches the error."""
    ViolationError.noted.clear()
    yield
    assert ViolationError.noted == []


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished study to which nothing happened, to copy: tests of faults share it."""
    study = waiting_study(tmp_path_factory.mktemp("undisturbed"))
    snakemake(study)
    return study
