"""Visual predictive checks: quantiles of observations, and of simulated replicates of them.

Each replicate is the whole data set simulated once more, with typical values, subjects and residual
errors of its own. In bins of time, a quantile of the observations is compared with the band that
the same quantile of each replicate is in.

Reference: Bergstrand, Hooker, Wallin, Karlsson (2011), Prediction-corrected visual predictive
checks for diagnosing nonlinear mixed-effects models, AAPS J. 13, 143-151 (without its correction).
"""

import warnings
from collections.abc import Mapping

import numpy as np
import xarray as xr
from jaxtyping import Float, Int

from odeflow.analysis.residual_error import errors_at_records
from odeflow.config.summary import ResidualErrorConfig
from odeflow.config.vpc import VpcConfig
from odeflow.design import REPLICATE, SUBJECT
from odeflow.files.flags import flag_meanings
from odeflow.problem.names import at_record_name, record_name, vpc_name

#: The dimensions of limits of bands and of quantiles, and those of groups and bins of a variable.
LIMIT, QUANTILE, GROUP, BIN = "vpc_limit", "vpc_quantile", "vpc_group", "vpc_bin"


def vpc_variables(
    ensemble: xr.Dataset,
    asked: Mapping[str, VpcConfig],
    errors: Mapping[str, ResidualErrorConfig],
) -> dict[str, xr.Variable]:
    """What visual predictive checks add to the summary of an ensemble.

    Arguments:
        ensemble: trajectories with records of observations, in replicates.
        asked: by variable, its bins and quantiles.
        errors: by variable, the residual errors of what is simulated.

    Returns:
        By name `<variable>_vpc_observed(group, quantile, bin)`, `<variable>_vpc_simulated(limit,
        group, quantile, bin)`, and `_vpc_time` and `_vpc_number` of each bin. NaN in a bin
        without observations.
    """
    found: dict[str, xr.Variable] = {}
    for name, one in asked.items():
        check = _Check(ensemble, name, one, errors.get(name))
        units = {"units": ensemble[name].attrs.get("units", "1")}
        words = ensemble[name].attrs.get("long_name", name)
        group, bins, quantile = f"{GROUP}_{name}", f"{BIN}_{name}", f"{QUANTILE}_{name}"
        limits = {"long_name": f"{words}: band of the replicates", **units}
        observed, simulated, number = check.quantiles()
        dims = (group, quantile, bins)
        of_bins = {"long_name": "median time of the bin", **check.time_attributes}
        found |= {
            vpc_name(name, "observed"): xr.Variable(
                dims, observed, {"long_name": f"{words}: quantiles observed", **units}
            ),
            vpc_name(name, "simulated"): xr.Variable((LIMIT, *dims), simulated, limits),
            vpc_name(name, "time"): xr.Variable(bins, check.times, of_bins),
            vpc_name(name, "number"): xr.Variable(
                (group, bins), number, {"long_name": "observations", "units": "1"}
            ),
            group: xr.Variable(group, check.groups, check.group_attributes),
            quantile: xr.Variable(quantile, one.quantiles, {"long_name": "quantile", "units": "1"}),
        }
    if asked:
        words = ["lower end", "median", "upper end"]
        found[LIMIT] = xr.Variable(
            LIMIT, np.arange(3), {"long_name": "of the replicates", "comment": ", ".join(words)}
        )
    return found


class _Check:
    """The observations of one variable by bins and groups, and replicates of them."""

    def __init__(
        self,
        ensemble: xr.Dataset,
        variable: str,
        asked: VpcConfig,
        error: ResidualErrorConfig | None,
    ):
        self._asked = asked
        kind = ensemble[record_name("observed")]
        replicates = int(ensemble[REPLICATE].values.max()) + 1
        measured = {} if error is None else errors_at_records(ensemble, {variable: error})
        values = [*measured.values(), ensemble[at_record_name(variable)].variable][0].values
        simulated = values.astype(float).reshape(replicates, -1)
        # the data set is there once, or as often as it is of several subjects
        number = int(ensemble["row_size"].values[: len(np.unique(ensemble[SUBJECT]))].sum())
        copies = simulated.shape[1] // number
        chosen = np.flatnonzero(kind.values[:number] == flag_meanings(kind).index(variable) - 1)
        places = (np.arange(copies)[:, None] * number + chosen).ravel()
        self._simulated = simulated[:, places].reshape(replicates, copies, -1)
        self._observed = ensemble[record_name("dv")].values[chosen].astype(float)
        time = ensemble[record_name("time")]
        self.time_attributes = {"units": time.attrs.get("units", "1")}
        at = time.values[chosen].astype(float)
        self._bin, number_of_bins = _binned(at, asked)
        middle = [at[self._bin == i] for i in range(number_of_bins)]
        self.times = np.array([np.median(x) if len(x) else np.nan for x in middle])
        self.groups, self._group = np.zeros(1), np.zeros(len(at), int)
        self.group_attributes: dict = {"long_name": "all observations", "units": "1"}
        if asked.group is not None:
            column = ensemble[record_name(asked.group)]
            self.groups, self._group = np.unique(column.values[chosen], return_inverse=True)
            self.group_attributes = {**column.attrs, "group_of": asked.group}

    def quantiles(
        self,
    ) -> tuple[
        Float[np.ndarray, "group quantile bin"],
        Float[np.ndarray, "limit group quantile bin"],
        Int[np.ndarray, "group bin"],
    ]:
        """Those observed, the band of those simulated, and of how many observations."""
        shape = (len(self.groups), len(self._asked.quantiles), len(self.times))
        observed, simulated = np.full(shape, np.nan), np.full((3, *shape), np.nan)
        number = np.zeros((shape[0], shape[2]), np.int64)
        half = 0.5 * self._asked.band
        for g, b in np.ndindex(number.shape):
            here = (self._group == g) & (self._bin == b)
            number[g, b] = here.sum()
            if not here.any():
                continue
            observed[g, :, b] = np.quantile(self._observed[here], self._asked.quantiles)
            values = self._simulated[:, :, here].reshape(len(self._simulated), -1)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", RuntimeWarning)  # of replicates that failed
                of_each = np.nanquantile(values, self._asked.quantiles, axis=1)
                limits = [0.5 - half, 0.5, 0.5 + half]
                simulated[:, g, :, b] = np.nanquantile(of_each, limits, axis=1)
        return observed, simulated, number


def _binned(at: Float[np.ndarray, " observation"], asked: VpcConfig) -> tuple[np.ndarray, int]:
    """The bin of each observation, -1 for none, and how many there are."""
    if asked.bins is None:
        times, number = np.unique(at, return_inverse=True)
        return number, len(times)
    if isinstance(asked.bins, list):
        edges = np.array(asked.bins)
    else:
        edges = np.unique(np.quantile(at, np.linspace(0, 1, asked.bins + 1)))
        edges = edges if len(edges) > 1 else edges[0] + np.array([0.0, 1.0])
    number = np.searchsorted(edges, at, "right") - 1
    number[at == edges[-1]] = len(edges) - 2
    return np.where(at > edges[-1], -1, number), len(edges) - 1
