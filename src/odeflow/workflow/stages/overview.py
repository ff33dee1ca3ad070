"""The stage that writes the page of an experiment, and what speaks against its results."""

import csv
import json
from collections.abc import Sequence
from pathlib import Path

from odeflow.config.root import Config
from odeflow.files.netcdf import atomic_path, read_dataset
from odeflow.files.opening import open_ensemble
from odeflow.report.overview import overview_page
from odeflow.report.training_section import read_facts
from odeflow.trust.facts import complaints


def overview(
    config: Config,
    ensemble: Path,
    failures: Path,
    path: Path,
    verdict: Path,
    verification: Path | None = None,
    notes: Sequence[str] = (),
    indices: Path | None = None,
    estimates: Path | None = None,
    training: Path | None = None,
) -> None:
    """Writes the page of outcomes, failures, config and versions, and the verdict on the run.

    Arguments:
        config: the experiment.
        ensemble: its `ensemble.nc`.
        failures: its `failures.csv`.
        path: the page to write, HTML.
        verdict: the JSON file to write: what speaks against the results, none if nothing does.
        verification: its `verification.nc`; None where it is not verified.
        notes: lines to put on the page.
        indices: its `indices.nc`; None where no sensitivities are analysed.
        estimates: its `estimates.nc`; None where nothing is estimated.
        training: its training set; None where none is made.

    Raises:
        DamagedFileError: a result cannot be read.
    """
    verified = None if verification is None else read_dataset(verification)
    estimated = None if estimates is None else read_dataset(estimates)
    with (
        open_ensemble(ensemble) as dataset,
        failures.open(encoding="utf-8", newline="") as file,
    ):
        page = overview_page(
            config,
            dataset,
            csv.DictReader(file),
            verified,
            notes,
            None if indices is None else read_dataset(indices),
            estimated,
            None if training is None else read_facts(training),
        )
        speaking_against = complaints(config, dataset, verified, str(failures))
    if estimated is not None and "estimate" not in estimated:
        speaking_against.append(f"analyse.estimate: {estimated.attrs['comment']}")
    with atomic_path(path) as temporary:
        temporary.write_text(page, encoding="utf-8")
    with atomic_path(verdict) as temporary:
        temporary.write_text(json.dumps({"complaints": speaking_against}, indent=1) + "\n")
