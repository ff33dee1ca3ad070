"""What has come of a run: the verdict on each experiment, its page, the time it took."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from odeflow.workflow.chunks import RESULTS

#: Lines on experiments at most; the doubtful ones come first.
_MOST = 3
_LIGHTS = ("bad", "doubt", "unknown", "good", "")


def outcome(
    pages: Mapping[str, str], study: Path, seconds: float | None, whole: bool = True
) -> list[str]:
    """How a run has ended, or what stands where there is nothing to do.

    Arguments:
        pages: the page of each experiment that is as it is asked for, by experiment.
        study: the folder that they are in.
        seconds: how long the run took; None where it did nothing.
        whole: whether all jobs ended well.

    Returns:
        A line for each experiment, the doubtful ones first, and one that says where to look.
    """
    said = {name: found for name in pages if (found := _answers(name, study)) is not None}
    order = sorted(said, key=lambda name: _LIGHTS.index(_worst(said[name])))
    lines = [_line(name, said[name]) for name in order[:_MOST]]
    if len(order) > _MOST:
        lines[_MOST - 1 :] = [f"and {len(order) - _MOST + 1:,} more experiments"]
    if seconds is None and not pages:
        return []
    took = f"{'done' if whole else 'failed'} after {_duration(seconds)}" if seconds else "see"
    index = RESULTS / "index.html"
    page = next(iter(pages.values()), "") if len(pages) == 1 else str(index) if pages else ""
    return [*lines, f"{took}{':' if seconds else ''} {page}" if page else took]


def _answers(name: str, study: Path) -> list[dict[str, Any]] | None:
    try:
        text = (study / RESULTS / name / "verdict.json").read_text(encoding="utf-8")
        return list(json.loads(text)["card"]["answers"])[:2]
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _worst(said: list[dict[str, Any]]) -> str:
    lights = [answer.get("light", "") for answer in said]
    return min(lights, key=lambda x: _LIGHTS.index(x) if x in _LIGHTS else 0, default="")


def _line(name: str, said: list[dict[str, Any]]) -> str:
    """The first sentence, and of the verdict its word where it is good."""
    texts = []
    for place, answer in enumerate(said):
        is_good = answer.get("light") == "good"
        text = f"{answer['word'].capitalize()}." if place and is_good else answer["text"]
        link = answer.get("link")
        if link and not is_good:
            text = f"{text.removesuffix('.')} ({RESULTS / name / link})."
        texts.append(text)
    return f"{name}: {' '.join(texts)}"


def _duration(seconds: float) -> str:
    if seconds < 100:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 100 else f"{minutes // 60} h {minutes % 60} min"
