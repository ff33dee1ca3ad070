"""The stage that sets experiments side by side."""

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from odeflow.analysis.differences import SolvedExperiment
from odeflow.config.root import Config
from odeflow.files.netcdf import atomic_path
from odeflow.files.opening import open_ensemble
from odeflow.report.comparison import comparison_page


def compare(
    configs: Sequence[Config], ensembles: Sequence[Path], summaries: Sequence[Path], path: Path
) -> None:
    """Writes the page that compares experiments.

    Arguments:
        configs: the experiments; the first is what the others are compared with.
        ensembles: the `ensemble.nc` of each.
        summaries: the `summary.nc` of each.
        path: the page to write, HTML.

    Raises:
        DamagedFileError: a result cannot be read.
    """
    with ExitStack() as stack, atomic_path(path) as temporary:
        opened = [
            [stack.enter_context(open_ensemble(file)) for file in files]
            for files in zip(ensembles, summaries)
        ]
        solved = [SolvedExperiment(config, *files) for config, files in zip(configs, opened)]
        temporary.write_text(comparison_page(solved), encoding="utf-8")
