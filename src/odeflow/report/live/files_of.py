"""What a reader takes along: the figure, the data, and the YAML of a plot."""

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from odeflow.files.netcdf import write_dataset
from odeflow.report.live.chosen_dataset import chosen_dataset
from odeflow.report.live.paper_figure import paper_figure
from odeflow.report.live.picture import Marks, Picture
from odeflow.report.live.plot_yaml import plot_yaml
from odeflow.report.live.selection import Selection
from odeflow.report.live.solved import Solved
from odeflow.report.live.stored import Stored

#: The words of a button by the ending of its file.
KINDS = {
    "svg": "Figure, SVG",
    "png": "Figure, PNG",
    "nc": "Selection, NetCDF",
    "yaml": "Plot, YAML",
}


class Files(NamedTuple):
    """What is seen, as files."""

    stored: Stored
    selection: Selection
    shown: Sequence[tuple[Picture, Marks]]
    solved: Sequence[Solved]
    values: Mapping[str, float]

    def content(self, kind: str) -> bytes:
        """The content of a file.

        Arguments:
            kind: one of `KINDS`.

        Returns:
            Its bytes.

        Raises:
            ConfigError: the selection is more than a browser is sent.
        """
        match kind:
            case "yaml":
                return plot_yaml(self.stored, self.selection).encode()
            case "nc":
                return self._netcdf()
            case _:
                groups = len(self.solved) > 1
                return paper_figure(self.shown, self.stored.config, kind, groups)

    def _netcdf(self) -> bytes:
        dataset = chosen_dataset(self.stored, self.selection, self.solved, self.values)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "selection.nc")
            write_dataset(dataset, path)
            return path.read_bytes()
