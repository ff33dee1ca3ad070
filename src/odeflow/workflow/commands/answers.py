"""`odeflow answers`: what the analyses of an experiment have found, in the words of its page."""

import json
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
        description="Prints what the analyses of an experiment (analyse=sensitivity and the like) "
        "have found, in the sentences of its overview page. Nothing is computed.",
    )
    parser.add_argument("experiment", help="the experiment's name, of the study in this folder")
    parser.set_defaults(run=_answers)


def _answers(given: Namespace) -> None:
    for sentence in found_answers(given.experiment, Path.cwd()):
        print(sentence.replace("\N{NO-BREAK SPACE}", " "))  # to be found by a search


def found_answers(experiment: str, study: Path) -> list[str]:
    """What the analyses of an experiment have found.

    Arguments:
        experiment: its name.
        study: the folder that has `results/`.

    Returns:
        The sentences.

    Raises:
        ConfigError: one line, where there are no results, or no analysis among them.
    """
    from odeflow.report.answers import ESTIMATES, INDICES, TRAINING

    verdict = study / RESULTS / experiment / "verdict.json"
    if not verdict.is_file():
        there = sorted(file.parent.name for file in (study / RESULTS).glob("*/verdict.json"))
        raise ConfigError(
            f"{experiment}: no results here; run odeflow run experiment={experiment}"
            + (f", or name one of {', '.join(there)}" if there else "")
        )
    said = json.loads(verdict.read_text(encoding="utf-8"))["card"]["answers"]
    found = [one["text"] for one in said if one["link"] in (INDICES, ESTIMATES, *TRAINING)]
    if not found:
        raise ConfigError(
            f"{experiment}: nothing was analysed; choose analyse=sensitivity, estimate or "
            "simulate_for_inference"
        )
    return found
