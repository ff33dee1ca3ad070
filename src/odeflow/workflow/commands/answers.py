"""`odeflow answers`: the sentences that the page of an experiment begins with."""

from argparse import Namespace
from pathlib import Path

from odeflow.files.errors import ConfigError
from odeflow.workflow.chunks import RESULTS
from odeflow.workflow.commands.parser import Commands


def add(commands: Commands) -> None:
    """Adds the command."""
    parser = commands.add_parser(
        "answers",
        help="print what the analyses of an experiment have found, in sentences",
        description="Prints the sentences that an experiment's overview page begins with: what its "
        "analyses (analyse=sensitivity and the like) have found. Nothing is computed.",
    )
    parser.add_argument("experiment", help="the experiment's name, of the study in this folder")
    parser.set_defaults(run=_answers)


def _answers(given: Namespace) -> None:
    for sentence in found_answers(given.experiment, Path.cwd()):
        print(sentence)


def found_answers(experiment: str, study: Path) -> list[str]:
    """What an experiment's page begins with.

    Arguments:
        experiment: its name.
        study: the folder that has `results/`.

    Returns:
        The sentences.

    Raises:
        ConfigError: one line, where there is no page, or no analysis on it.
    """
    from odeflow.report.pages import answers

    page = study / RESULTS / experiment / "overview.html"
    if not page.is_file():
        there = sorted(file.parent.name for file in (study / RESULTS).glob("*/overview.html"))
        raise ConfigError(
            f"{experiment}: no results here; run odeflow run experiment={experiment}"
            + (f", or name one of {', '.join(there)}" if there else "")
        )
    found = answers(page.read_text(encoding="utf-8"))
    if not found:
        raise ConfigError(
            f"{experiment}: nothing was analysed; choose analyse=sensitivity, estimate or "
            "simulate_for_inference"
        )
    return found
