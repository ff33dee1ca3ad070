"""What trajectories are at the records of their subjects: padded in chunks, ragged in an ensemble.

An ensemble holds them as CF's contiguous ragged arrays: the records of one sample after those of
the one before, `row_size` of them each (CF conventions 1.11, section 9.3.3).
"""

import re
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import xarray as xr

from odeflow.config.root import Config
from odeflow.config.saved_times import save_times, solve_times
from odeflow.design import SUBJECT, rows
from odeflow.ensemble.labels import RECORD, ROW_SIZE
from odeflow.files.flags import flag_attributes
from odeflow.problem.names import at_record_name, record_name
from odeflow.problem.problem import Solution
from odeflow.problem.records import apart_of

#: Dimension of a sample's records in a chunk; with a hyphen, as no name of a model can have.
PLACE = "record-of-sample"


class AtRecords:
    """Reads what was solved for at the times of records.

    Arguments:
        config: an experiment whose design has records.
    """

    def __init__(self, config: Config):
        assert config.records is not None
        apart = apart_of(config.model.t0, config.model.t1)
        times = np.array(solve_times(config))
        self._grid = np.searchsorted(times, save_times(config))
        self._of = {
            subject: np.searchsorted(times, config.records.observed(subject, apart))
            for subject in config.records.of
        }
        self.times = times[self._grid]

    def at_saved_times(self, solution: Solution) -> Solution:
        """The solution at the times that are saved of all trajectories."""
        values = {name: x[:, self._grid] for name, x in solution.values.items()}
        return replace(solution, values=values)

    def variables(
        self, chunk: xr.Dataset, solution: Solution, subjects: Sequence[float]
    ) -> dict[str, xr.Variable]:
        """By name what a chunk has of the records of its samples, NaN behind the last one."""
        sizes = np.array([len(self._of[subject]) for subject in subjects], np.int64)
        most = max(map(len, self._of.values()))
        attributes = {"long_name": "number of records", "sample_dimension": RECORD}
        found = {ROW_SIZE: xr.Variable("sample", sizes, attributes)}
        for name in (name for name in solution.values if name in chunk):
            values = solution.values[name]
            own = np.full((len(values), most, *values.shape[2:]), np.nan, values.dtype)
            for lane, subject in enumerate(subjects):
                own[lane, : sizes[lane]] = values[lane, self._of[subject]]
            dims = ("sample", PLACE, *chunk[name].dims[2:])
            words = chunk[name].attrs["long_name"]
            attributes = {**chunk[name].attrs, "long_name": f"{words} at records"}
            found[at_record_name(name)] = xr.Variable(dims, own, attributes)
        return found


def record_variables(config: Config, total: int) -> dict[str, xr.Variable]:
    """What an ensemble of so many samples says of their records: times, and columns of the file."""
    records, given = config.records, config.design.records
    assert records is not None and given is not None
    subjects = rows(config.design, 0, total, config.study)[SUBJECT]
    is_kept, whose = np.array(given.is_kept), np.array(given.subject)
    places = {s: np.flatnonzero(is_kept & (whose == s)) for s in records.of}
    order = np.concatenate([places[s] for s in subjects])
    recorded = np.array(given.time, float)[order]
    units = config.model.time_units
    attributes: dict = {"units": units, "long_name": "time of record"}
    found = {record_name("time"): xr.Variable(RECORD, recorded, attributes)}
    variables = list(dict.fromkeys(name for name in given.observed if name is not None))
    if variables:
        numbers = {name: number for number, name in enumerate(variables)}
        values = np.array([numbers.get(name or "", -1) for name in given.observed], np.int16)
        words = flag_attributes(["none", *variables], np.int16, -1)
        attributes = {"long_name": "variable that DV is of", **words}
        found[record_name("observed")] = xr.Variable(RECORD, values[order], attributes)
    for name, column in given.carried.items():
        values = np.array([np.nan if x is None else x for x in column], float)[order]
        attributes = {"long_name": f"column {name} of the data set"}
        if name in given.meanings:
            words = ["missing", *(re.sub(r"\s", "_", word) for word in given.meanings[name])]
            attributes |= flag_attributes(words, np.int16, -1)
            values = np.where(np.isnan(values), -1, values).astype(np.int16)
        found[record_name(name)] = xr.Variable(RECORD, values, attributes)
    return found
