"""What `indices.nc` holds, for figures and the page: outputs, indices, the parameters' order."""

from typing import NamedTuple

import numpy as np
import xarray as xr

from odeflow.config.root import Config

#: The index that says how much a parameter matters, the first that is there.
LEADING = ("first_order", "mu_star", "delta", "pawn", "total_order_at_most")
#: Indices that are drawn beside one another, and what they are called there.
DRAWN = {
    "first_order": "first order",
    "total_order": "total order",
    "total_order_at_most": "bound of the total order",
    "mu_star": "\N{GREEK SMALL LETTER MU}*",
    "delta": "delta",
    "pawn": "PAWN",
}
#: Parts of the variance, and the width of an interval of one that says nothing.
SHARES = ("first_order", "total_order")
_WIDEST = 1.0


class AnalysedOutput(NamedTuple):
    """An output and its indices, of one condition: an index by name over (parameter, *time)."""

    name: str
    words: str
    units: str
    condition: str
    indices: xr.Dataset

    @property
    def leading(self) -> str | None:
        """The index that says how much a parameter matters."""
        return next((name for name in LEADING if name in self.indices), None)

    @property
    def drawn(self) -> list[str]:
        """The indices that are drawn; PAWN and delta where there are no parts of the variance."""
        there = [name for name in DRAWN if name in self.indices]
        return there[:2]

    @property
    def is_sure(self) -> bool:
        """Whether no interval of a part of the variance is wider than all of it."""
        shares = [f"{name}_bounds" for name in SHARES if f"{name}_bounds" in self.indices]
        widths = [np.diff(self.indices[name].transpose("bound", ...), axis=0) for name in shares]
        return all(np.nan_to_num(width).max(initial=0.0) <= _WIDEST for width in widths)

    @property
    def title(self) -> str:
        """Its long name, with its condition."""
        return f"{self.words}, {self.condition}" if self.condition else self.words


def outputs(indices: xr.Dataset, over_time: bool) -> list[AnalysedOutput]:
    """Outputs that have one number for each parameter, or one for each parameter and time."""
    by_output: dict[str, dict[str, xr.DataArray]] = {}
    for key, variable in indices.items():
        if (name := variable.attrs.get("index_of")) is not None:
            by_output.setdefault(name, {})[str(key).removeprefix(f"{name}_")] = variable
    found = []
    for name, own in by_output.items():
        for word in ("left_out", "standard_deviation"):
            if f"{name}_{word}" in indices:
                own[word] = indices[f"{name}_{word}"]
        dataset = xr.Dataset(own)
        rest = set(map(str, own["left_out"].dims)) - {"condition"}
        if rest != ({"time"} if over_time else set()):
            continue
        words = own["left_out"].attrs["long_name"].partition("for want of a value of ")[2]
        units = str(own["standard_deviation"].attrs["units"])
        if "condition" not in dataset.dims:
            found.append(AnalysedOutput(name, words, units, "", dataset))
            continue
        meanings = str(indices["condition"].attrs["flag_meanings"]).split()
        found += [
            AnalysedOutput(name, words, units, meaning, dataset.isel(condition=place))
            for place, meaning in enumerate(meanings)
        ]
    return [output for output in found if output.leading]


def shown_outputs(indices: xr.Dataset, config: Config, at_most: int) -> list[AnalysedOutput]:
    """Metrics, the one that `plot.metric` names first, those that vary alone.

    Where there is none, variables at the last saved time. Those of which the sample is too small to
    say anything come last.
    """
    found = outputs(indices, over_time=False)
    if not found:
        found = [
            one._replace(indices=one.indices.isel(time=-1), words=f"{one.words} at the end")
            for one in outputs(indices, over_time=True)
        ]
    thresholds = ("first_time_below", "first_time_above")
    first = lambda one: (one.name not in config.plot.metrics, not one.name.endswith(thresholds))
    known = [one for one in found if np.isfinite(one.indices[one.leading]).any()]
    return sorted(known, key=lambda one: (not one.is_sure, *first(one)))[:at_most]


def parameter_names(indices: xr.Dataset, config: Config) -> list[str]:
    """What parameters are called in words; an axis over a state is its initial value."""
    given = map(str, indices["parameter"].values)
    return [f"initial {name}" if name in config.model.states else name for name in given]


def largest(found: list[AnalysedOutput], most: int) -> list[int]:
    """Places of the parameters that matter most in any of the outputs, in their own order."""
    sizes = [one.indices[one.leading].transpose("parameter", ...).values for one in found]
    flat = [np.nan_to_num(size.reshape(len(size), -1)) for size in sizes]
    scaled = [size.max(axis=1) / max(size.max(), np.finfo(float).tiny) for size in flat]
    order = np.argsort(-np.max(scaled, axis=0), kind="stable")
    return sorted(order[:most].tolist())


def by_size(output: AnalysedOutput) -> list[int]:
    """Places of the parameters, the one that matters most first."""
    return _largest_first(output.indices[output.leading].values)


def by_any(output: AnalysedOutput) -> list[int]:
    """The same by the larger of first and total order: what acts only with others counts too."""
    values = [output.indices[name].values for name in SHARES if name in output.indices]
    return _largest_first(np.fmax.reduce(values)) if values else by_size(output)


def _largest_first(values: np.ndarray) -> list[int]:
    return np.argsort(-np.nan_to_num(values, nan=-np.inf), kind="stable").tolist()
