"""What the page says of a training set: one sentence, then what is in it."""

import json
from collections.abc import Iterable
from pathlib import Path

import xarray as xr

from odeflow.files.shards import open_shards
from odeflow.report.pages import heading, paragraph, table

_MOST_ROWS = 40
_COUNTED = ("failed", "num_missing", "valid")


def read_facts(path: Path) -> xr.Dataset:
    """What the page says something of: all but the numbers to learn from.

    Arguments:
        path: the training set, a folder of shards or a store.

    Returns:
        `failed`, `num_missing` and `valid` of all rows, with the labels of columns.

    Raises:
        DamagedFileError: a shard cannot be read.
    """
    with open_shards(path) as shards:
        rows = [shard[list(_COUNTED)].drop_vars("sample").load() for shard in shards]
        counted = xr.concat(rows, "sample", data_vars="all", coords="minimal", compat="override")
        labels = shards[0].drop_dims("sample").load().coords
        return counted.assign_coords(labels).assign_attrs(shards[0].attrs, shards=len(shards))


def training_summary(facts: xr.Dataset | None) -> Iterable[str]:
    """The sentence that the page begins with; none where there is no training set."""
    if facts is None:
        return []
    number, valid = facts.sizes["sample"], int(facts["valid"].sum())
    text = (
        f"{valid:,} of {number:,} simulations can be learned from: {facts.sizes['parameter']} "
        f"parameters and {facts.sizes['feature']} outputs each"
    )
    masked = [f"{n:,} {what} and are masked" for n, what in _masked(facts) if n]
    return ["; ".join([text, *masked]) + "."]


def _masked(facts: xr.Dataset) -> list[tuple[int, str]]:
    failed = facts["failed"].values == 1
    missing = (facts["num_missing"].values > 0) & ~failed
    return [
        (int(failed.sum()), "failed"),
        (int(missing.sum()), "miss an output"),
    ]


def training_section(facts: xr.Dataset | None) -> Iterable[str]:
    """The lines of the page; none where there is no training set."""
    if facts is None:
        return []
    counts = [
        ("rows", f"{facts.sizes['sample']:,}"),
        *((what, f"{n:,}") for n, what in _masked(facts)),
        ("seed of the noise", str(facts.attrs["seed"])),
    ]
    parameters = list(
        zip(*(_texts(facts, f"parameter{end}") for end in ("", "_long_name", "_units", "_law")))
    )
    outputs = list(zip(*(_texts(facts, f"feature{end}") for end in ("", "_units", "_noise"))))
    return [
        heading("Training set"),
        table(None, counts),
        table(["parameter", "meaning", "units", "law"], [_readable(row) for row in parameters]),
        *(
            [paragraph(f"The first {_MOST_ROWS} of {len(outputs):,} outputs.")]
            if len(outputs) > _MOST_ROWS
            else []
        ),
        table(["output", "units", "noise"], outputs[:_MOST_ROWS]),
    ]


def _texts(facts: xr.Dataset, name: str) -> list[str]:
    return [str(text) for text in facts[name].values]


def _readable(row: tuple[str, ...]) -> tuple[str, ...]:
    """The row with its law, which is JSON, in words."""
    law = json.loads(row[-1])
    if law is None:
        return (*row[:-1], "as in the table of the design")
    ((name, numbers),) = law.items()
    return (*row[:-1], f"{name} {json.dumps(numbers)}")
