"""What a run is going to do, and why: a line for each experiment."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

#: What a rule makes, by how its name begins, in the order in which it is said.
_MADE = {
    "design": "design",
    "assemble": "dataset",
    "summarise": "metrics",
    "sensitivity": "sensitivity indices",
    "estimate": "estimates",
    "simulate_for_inference": "training set",
    "verify": "verification",
    "diagnose": "failures",
    "plot": "figures",
    "overview": "page",
    "compare": "comparison",
}
#: A run of these makes all that follows from trajectories.
_ALL = ("assemble", "summarise", "diagnose", "overview")
#: Lines at most.
_MOST = 3
_PHRASES = 3


@dataclass
class Due:
    """What is due of one experiment.

    Arguments:
        rules: names of the rules of its jobs.
        trajectories: how many are to be solved.
        starts: how many starts of an estimation are to be fitted.
        missing: files that are not there, of stages that are due.
        is_new: whether nothing of it is there.
    """

    rules: set[str] = field(default_factory=set)
    trajectories: int = 0
    starts: int = 0
    missing: list[str] = field(default_factory=list)
    is_new: bool = False


def outlook(due: Mapping[str, Due], reasons: Mapping[str, Sequence[str]]) -> list[str]:
    """What is done, and why.

    Arguments:
        due: what is due, by experiment.
        reasons: why what is there is not what is asked for, by experiment.

    Returns:
        A line for each experiment, and one for those for which there is no space.
    """
    lines = [
        f"{name}: {_why(one, reasons.get(name, []))}: {_what(one)}" for name, one in due.items()
    ]
    if len(lines) <= _MOST:
        return lines
    shown, rest = lines[: _MOST - 1], list(due)[_MOST - 1 :]
    trajectories = sum(due[name].trajectories for name in rest)
    return [*shown, f"and {len(rest):,} more experiments: {_trajectories(trajectories)}to solve"]


def _why(due: Due, reasons: Sequence[str]) -> str:
    if due.is_new:
        return "new"
    told = list(reasons[:_PHRASES])
    if len(reasons) > _PHRASES:
        told.append(f"and {len(reasons) - _PHRASES} more")
    if not told and due.missing:
        first, number = due.missing[0].rpartition("/")[2], len(due.missing)
        told.append(f"{first} is missing" if number == 1 else f"{number:,} files are missing")
    return ", ".join(told) or "asked for"


def _what(due: Due) -> str:
    parts = []
    if due.trajectories:
        parts.append(f"solving {_trajectories(due.trajectories)}".rstrip())
    if due.starts:
        parts.append(f"fitting {due.starts:,} starts")
    made = _made(due.rules)
    if all(name in due.rules for name in _ALL):
        parts.append("all that follows" if parts else "all but the solving")
    elif made:
        parts.append(f"making {_listed(made)}")
    return ", then ".join(parts) or "checking the verdict"


def _made(rules: Collection[str]) -> list[str]:
    return [words for name, words in _MADE.items() if any(rule.startswith(name) for rule in rules)]


def _trajectories(number: int) -> str:
    return f"{number:,} trajector{'y' if number == 1 else 'ies'} " if number else ""


def _listed(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
