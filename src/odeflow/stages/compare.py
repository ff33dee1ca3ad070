"""The stage that sets experiments side by side."""

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from odeflow.comparison import comparison_page
from odeflow.config.root import Config
from odeflow.differences import Solved
from odeflow.ensemble_file import open_ensemble
from odeflow.netcdf import atomic_path


def compare(
    configs: Sequence[Config], ensembles: Sequence[Path], summaries: Sequence[Path], path: Path
) -> None:
    """Writes the page that compares experiments; the first is what the others are compared with."""
    with ExitStack() as stack, atomic_path(path) as temporary:
        opened = [
            [stack.enter_context(open_ensemble(file)) for file in files]
            for files in zip(ensembles, summaries)
        ]
        solved = [Solved(config, *files) for config, files in zip(configs, opened)]
        temporary.write_text(comparison_page(solved), encoding="utf-8")
