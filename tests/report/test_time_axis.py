"""Where times are those since a date, an axis has dates; else numbers with their units."""

from datetime import datetime, timedelta

import numpy as np
import pytest
import xarray as xr
from matplotlib.figure import Figure

from odeflow.report.figures.time_axis import time_axis


def drawn(times: np.ndarray, units: str) -> Figure:
    figure = Figure()
    ax = figure.subplots()
    ax.plot(times, times)
    ax.margins(x=0)
    time_axis(ax, xr.DataArray(times, attrs={"units": units, "long_name": "time"}))
    figure.draw_without_rendering()
    return figure


@pytest.mark.parametrize(
    "units, span, labels, beside",
    [
        (
            "days since 2026-01-01",
            (0, 731),
            ["2026", "May", "Sep", "2027", "May", "Sep", "2028"],
            "",
        ),
        ("hours since 2026-03-01T12:00", (0, 96), ["02", "03", "04", "05"], "2026-Mar"),
        ("seconds since 2026-03-01", (0, 60), ["00:00", "10"], "2026-Mar-01 00:01"),
    ],
)
def test_ticks_are_dates(units: str, span: tuple[float, float], labels: list[str], beside: str):
    figure = drawn(np.linspace(*span, 5), units)
    axis = figure.axes[0].xaxis
    found = [text.get_text() for text in axis.get_ticklabels()]
    assert found[: len(labels)] == labels
    assert axis.get_offset_text().get_text() == beside
    assert axis.get_label_text() == "Time"
    unit = {"days": 86_400, "hours": 3_600, "seconds": 1}[units.split()[0]]
    start = datetime.fromisoformat(units.split()[-1])
    dates = [start + timedelta(seconds=x * unit) for x in axis.get_majorticklocs().tolist()]
    assert all(abs(date.timestamp() - round(date.timestamp())) < 1e-3 for date in dates)


def test_other_times_are_numbers():
    axis = drawn(np.linspace(0, 10, 5), "min").axes[0].xaxis
    assert axis.get_label_text() == "Time (min)"
    assert [text.get_text() for text in axis.get_ticklabels()][:2] == ["0", "2"]
