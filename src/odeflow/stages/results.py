"""The stages that make of a solved ensemble what people look at: checks, tables, figures, pages."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from odeflow.config.root import Config
from odeflow.ensemble_file import open_ensemble
from odeflow.failures import write_failures
from odeflow.netcdf import atomic_path, read_dataset, write_dataset
from odeflow.overview import overview_page
from odeflow.progress import ProgressReport, terminal
from odeflow.trust import complaints, verification_facts


def verify(
    config: Config, study: Path, ensemble: Path, path: Path, solve_seconds: float | None = None
) -> None:
    """Solves some of the trajectories again and writes their errors, with the verdict.

    `solve_seconds` is how long the solve took, which decides how long this may take.
    """
    from odeflow.verification import verify as verification_dataset

    with open_ensemble(ensemble) as dataset:
        number = min(config.verify.number, int(dataset["status"].size))
        progress = ProgressReport(number, sys.stdout, terminal())
        verification = verification_dataset(config, study, dataset, solve_seconds, progress)
    write_dataset(verification, path)
    facts = verification_facts(verification)
    print("\n".join(f"{name}: {value}" for name, value in facts))


def plot_verification(config: Config, verification: Path, files: Sequence[Path]) -> None:
    """Draws the figure of the verification, in each format."""
    from odeflow import plots

    drawn = plots.draw_verification(read_dataset(verification))
    for file in files:
        plots.save(drawn, file, dpi=config.plot.dpi)


def plot(
    config: Config,
    ensemble: Path,
    summary: Path,
    files: Sequence[Path],
) -> None:
    """Draws the figures but that of the verification.

    A file's name is its kind, its suffix the format.
    """
    from odeflow import plots

    with open_ensemble(ensemble) as solved, open_ensemble(summary) as metrics:
        drawn: dict[str, Any] = {}
        for file in files:
            if file.stem not in drawn:
                drawn[file.stem] = plots.draw(file.stem, solved, metrics, config)
            plots.save(drawn[file.stem], file, dpi=config.plot.dpi)


def diagnose(config: Config, ensemble: Path, path: Path) -> None:
    """Writes the table of failed trajectories, a diagnosis each."""
    with (
        open_ensemble(ensemble) as dataset,
        atomic_path(path) as temporary,
        temporary.open("w", encoding="utf-8", newline="") as file,
    ):
        write_failures(config, dataset, file)


def overview(
    config: Config,
    ensemble: Path,
    failures: Path,
    path: Path,
    verdict: Path,
    verification: Path | None = None,
) -> None:
    """Writes the page of outcomes, failures, config and versions, and the verdict on the run."""
    verified = None if verification is None else read_dataset(verification)
    with (
        open_ensemble(ensemble) as dataset,
        failures.open(encoding="utf-8", newline="") as file,
    ):
        page = overview_page(config, dataset, csv.DictReader(file), verified)
        speaking_against = complaints(config, dataset, verified, str(failures))
    with atomic_path(path) as temporary:
        temporary.write_text(page, encoding="utf-8")
    with atomic_path(verdict) as temporary:
        temporary.write_text(json.dumps({"complaints": speaking_against}, indent=1) + "\n")


def compare(
    configs: Sequence[Config], ensembles: Sequence[Path], summaries: Sequence[Path], path: Path
) -> None:
    """Writes the page that compares experiments; the first is what the others are compared with."""
    from odeflow.comparison import comparison_page
    from odeflow.differences import Solved

    with ExitStack() as stack, atomic_path(path) as temporary:
        opened = [
            [stack.enter_context(open_ensemble(file)) for file in files]
            for files in zip(ensembles, summaries)
        ]
        solved = [Solved(config, *files) for config, files in zip(configs, opened)]
        temporary.write_text(comparison_page(solved), encoding="utf-8")
