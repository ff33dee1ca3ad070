"""What a reader of the live page has chosen to see."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

View = Literal["courses", "phase", "metric", "space"]
VIEWS: tuple[View, ...] = get_args(View)


@dataclass(frozen=True)
class Selection:
    """A view of an experiment, and the part of its trajectories that is in it.

    `variables` are those of time courses; of the two of a phase portrait the first is across; of a
    picture over space the first counts. `axes` are the one or two coordinates that a metric is
    drawn over, `group` the coordinate that colours stand for. `condition` is None for all of them.
    `slices` has closed intervals by coordinate of the design, `places` an index by dimension of
    array states.
    """

    view: View = "courses"
    variables: tuple[str, ...] = ()
    axes: tuple[str, ...] = ()
    metric: str | None = None
    group: str | None = None
    condition: str | None = None
    slices: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    places: Mapping[str, int] = field(default_factory=dict)
    log_time: bool = False
    log_values: bool | None = None

    def in_words(self) -> str:
        """The slices as a phrase; empty where there are none."""
        parts = [] if self.condition is None else [f"condition {self.condition}"]
        for name, (low, high) in self.slices.items():
            parts.append(
                f"{name} = {low:.4g}" if low == high else f"{name} {low:.4g} to {high:.4g}"
            )
        return ", ".join(parts)


def interval_around(
    value: float, low: float, high: float, log: bool = False, part: float = 0.1
) -> tuple[float, float]:
    """The part of a range that counts as near a value.

    Arguments:
        value: the middle of it, but for the ends of the range.
        low: where the range begins.
        high: where it ends.
        log: whether distances are ratios.
        part: how much of the range.

    Returns:
        Where it begins and ends, both included.
    """
    if not log:
        half = (high - low) * part / 2
        return value - half, value + half
    ratio = (high / low) ** (part / 2)
    return value / ratio, value * ratio
