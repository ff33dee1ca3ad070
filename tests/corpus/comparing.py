"""A case as it was recorded and as it is now: what differs."""

from dataclasses import dataclass

import numpy as np

from tests.corpus.row import OUTCOMES, Row

_SETTINGS = ("method", "precision", "rtol", "times", "atol", "refused")


@dataclass(frozen=True)
class Comparison:
    """What differs, a line each; none where all is equal.

    `equal` is the number of lanes whose statuses and step counts are. `largest` is the largest
    difference of two numbers, as a part of what is allowed.
    """

    equal: int = 0
    largest: float = 0.0
    differences: tuple[str, ...] = ()


def compare(recorded: Row | None, found: Row) -> Comparison:
    """Statuses and counts have to be equal, numbers within what the recorded ones allow."""
    if recorded is None:
        return Comparison(differences=("is not recorded",))
    changed = [
        f"{name} is {_short(getattr(found, name))}, recorded is {_short(getattr(recorded, name))}"
        for name in _SETTINGS
        if getattr(recorded, name) != getattr(found, name)
    ]
    if recorded.lanes != found.lanes:
        changed.append(f"has {found.lanes} lanes, recorded are {recorded.lanes}")
    if changed:
        return Comparison(differences=tuple(changed))
    differences, equal, largest = [], np.ones(found.lanes, bool), 0.0
    for name in OUTCOMES if found.lanes else ():
        was, now = recorded.outcomes[name], found.outcomes[name]
        equal &= was == now
        if (was != now).any():
            lane = int(np.argmax(was != now))
            differences.append(
                f"{name} differs in {(was != now).sum()} of {found.lanes} lanes, first in lane "
                f"{lane}: {now[lane]}, recorded is {was[lane]}"
            )
    for name, was in recorded.numbers.items():
        now = found.numbers[name]
        if was.shape != now.shape:
            differences.append(f"{name} has shape {now.shape}, recorded is {was.shape}")
            continue
        part = parts(was, now, recorded.allowed(name))
        worst = np.unravel_index(np.argmax(part), part.shape)
        largest = max(largest, float(part[worst]))
        if part[worst] > 1:
            differences.append(
                f"{name} differs by {part[worst]:.3g} hundredths of its tolerance in lane "
                f"{worst[0]}, column {worst[1]}: {now[worst]:.17g}, recorded is {was[worst]:.17g}"
            )
    return Comparison(int(equal.sum()), largest, tuple(differences))


def parts(was: np.ndarray, now: np.ndarray, allowed: np.ndarray) -> np.ndarray:
    """Differences as parts of what is allowed; what is not finite has to be the same."""
    with np.errstate(invalid="ignore"):
        part = np.abs(now - was) / allowed
    alike = (was == now) | (np.isnan(was) & np.isnan(now))
    return np.where(alike, 0.0, np.where(np.isfinite(part), part, np.inf))


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 120 else f"{text[:117]}..."
