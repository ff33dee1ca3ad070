"""The stage that writes the page of an experiment, and what speaks against its results."""

import csv
import json
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path

from odeflow.config.root import Config
from odeflow.files.netcdf import atomic_path, read_dataset
from odeflow.files.opening import open_ensemble
from odeflow.report.answers import answers, experiment_card
from odeflow.report.experiment_results import ExperimentResults
from odeflow.report.failed import Failed
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
    summary: Path | None = None,
    figures: Sequence[Path] = (),
) -> None:
    """Writes the page of the experiment, and the verdict on the run with what the index says of it.

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
        summary: its `summary.nc`; None leaves metrics out.
        figures: files of its figures, which the page embeds.

    Raises:
        DamagedFileError: a result cannot be read.
    """
    verified = None if verification is None else read_dataset(verification)
    estimated = None if estimates is None else read_dataset(estimates)
    with (
        open_ensemble(ensemble) as dataset,
        nullcontext() if summary is None else open_ensemble(summary) as metrics,
        failures.open(encoding="utf-8", newline="") as file,
    ):
        found = ExperimentResults(
            config,
            dataset,
            metrics,
            Failed.of(csv.DictReader(file)),
            verified,
            None if indices is None else read_dataset(indices),
            estimated,
            None if training is None else read_facts(training),
        )
        said = answers(found)
        page = overview_page(found, said, notes, figures)
        card = experiment_card(found, said)
        speaking_against = complaints(config, dataset, verified, str(failures))
    if estimated is not None and "estimate" not in estimated:
        speaking_against.append(f"analyse.estimate: {estimated.attrs['comment']}")
    with atomic_path(path) as temporary:
        temporary.write_text(page, encoding="utf-8")
    with atomic_path(verdict) as temporary:
        told = {"complaints": speaking_against, "card": card}
        temporary.write_text(json.dumps(told, indent=1) + "\n")
