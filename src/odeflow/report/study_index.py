"""The page of a study, `results/index.html`: every experiment with what it says. Cheap."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from odeflow.report.pages import render


def index_page(results: Path, experiments: Iterable[str] = ()) -> str:
    """The page as HTML text.

    Arguments:
        results: the folder `results` of a study; what has no page yet is not on it.
        experiments: names of the study's experiments, of which some may not have been run.
    """
    cards = {}
    for page in sorted(results.glob("*/overview.html")):
        card = _card(page.with_name("verdict.json"), page.parent.name)
        cards[page.parent.name] = {"address": f"{page.parent.name}/overview.html", **card}
    comparisons = [
        {"address": f"compare/{file.name}", "title": file.stem}
        for file in sorted(results.glob("compare/*.html"))
    ]
    waiting = sorted({*experiments} - {*cards})
    return render(
        "index.html", experiments=[*cards.values()], comparisons=comparisons, waiting=waiting
    )


def _card(file: Path, name: str) -> dict[str, Any]:
    """What an experiment says of itself; its name alone where that cannot be read."""
    nothing = {"title": name, "subtitle": "", "answers": []}
    try:
        card = json.loads(file.read_text(encoding="utf-8"))["card"]
        return nothing | {key: card[key] for key in nothing}
    except (OSError, ValueError, KeyError, TypeError):
        return nothing
