"""`odeflow explore`: a page of this machine to look at results, and at trajectories beside them."""

import webbrowser
from argparse import Namespace
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from odeflow.files.errors import ConfigError
from odeflow.workflow.chunks import RESULTS
from odeflow.workflow.commands.parser import Commands

if TYPE_CHECKING:
    from odeflow.report.live.page import Explored, Solve
    from odeflow.report.live.stored import Stored

_ENSEMBLES = ("ensemble.nc", "ensemble.zarr")


def add(commands: Commands) -> None:
    """Adds the command."""
    parser = commands.add_parser(
        "explore",
        help="open a page to look at an experiment's results, and to solve more beside them",
        description="Opens a page in the browser, for this machine alone: time courses, phase "
        "portraits and metrics of the stored trajectories, and sliders that solve new ones.",
    )
    parser.add_argument("results", type=Path, help="the experiment's folder, results/NAME")
    parser.add_argument(
        "--study", type=Path, help="folder with the model's files (default: the one of results/)"
    )
    parser.add_argument(
        "--run-stored-source",
        action="store_true",
        help="solve with the model's source that is stored in the results: read it first",
    )
    parser.add_argument("--port", type=int, default=0, help="default: one that is free")
    parser.add_argument("--no-browser", action="store_true", help="only print the page's address")
    parser.set_defaults(run=_explore)


def _explore(given: Namespace) -> None:
    from odeflow.report.live.server import serve

    def opened(address: str) -> None:
        print(f"{address}\nThe page is for this machine only. Ctrl-C ends it.", flush=True)
        if not given.no_browser:
            webbrowser.open(address)

    with explored(given.results, given.study, given.run_stored_source) as found:
        try:
            serve(found, given.port, opened)
        except OSError as error:
            raise ConfigError(
                f"--port: {given.port} cannot be listened on ({error.strerror}); name another one, "
                "or none"
            ) from None


@contextmanager
def explored(
    results: Path, study: Path | None = None, run_stored_source: bool = False
) -> Iterator["Explored"]:
    """An experiment's results opened, with what solves more of it.

    Arguments:
        results: the experiment's folder.
        study: where the model's files are; by default the folder that `results/` is in.
        run_stored_source: whether the source in the results is run in place of the study's.

    Raises:
        ConfigError: there are no results, or they cannot be read.
    """
    from odeflow.files.opening import open_ensemble
    from odeflow.report.experiment_results import ExperimentResults
    from odeflow.report.live.choices_of import available_views
    from odeflow.report.live.page import Explored
    from odeflow.report.live.stored import Stored
    from odeflow.trust.reproduce import reproduce
    from odeflow.workflow.commands.explored_notes import as_in_study, missing_or_stale
    from odeflow.workflow.commands.solving_at_once import solving

    path = ensemble_of(results)
    folder = path.parent
    study = _study_of(folder) if study is None else study
    made = reproduce(path, study)
    summary = folder / "summary.nc"
    config, notes = as_in_study(made.config)
    with ExitStack() as stack:
        ensemble = stack.enter_context(open_ensemble(path))
        metrics = stack.enter_context(open_ensemble(summary)) if summary.is_file() else None
        stored = Stored(config, ensemble, metrics)
        if not available_views(stored):
            raise ConfigError(
                f"{path}: one trajectory without saved times is nothing to explore; give the "
                "design an axis, or save more times (saveat.ts)"
            )
        solve, words = stack.enter_context(
            solving(made, tuple(map(stored.axis_name, stored.axes)), run_stored_source)
        )
        if solve is not None:
            _warm_up(solve, stored)
        notes += missing_or_stale(folder, config.name)
        found = ExperimentResults(config, ensemble)
        yield Explored(stored, found.title, found.subtitle, solve, words, notes)


def _warm_up(solve: "Solve", stored: "Stored") -> None:
    """Solves what the page begins with, so that what has to be compiled is when it opens."""
    from odeflow.report.live.quantities import quantities, to_solve

    known = quantities(stored)
    with suppress(ConfigError):  # the page says it
        solve(to_solve(known, {one.name: one.value for one in known}), None)


def ensemble_of(results: Path) -> Path:
    """The ensemble in a results folder, or the file itself.

    Raises ConfigError, one line, where there is none.
    """
    if results.name in _ENSEMBLES and results.exists():
        return results
    for name in _ENSEMBLES:
        if (results / name).exists():
            return results / name
    there = sorted({str(file.parent) for name in _ENSEMBLES for file in RESULTS.glob(f"*/{name}")})
    some = f", or name one of {', '.join(there[:5])}" if there else ""
    raise ConfigError(
        f"{results}: has no ensemble.nc or ensemble.zarr; run odeflow run experiment="
        f"{results.name}{some}"
    )


def _study_of(results: Path) -> Path:
    """The folder that has `results/NAME`; where it is elsewhere, this one."""
    whole = results.resolve()
    return whole.parents[1] if whole.parent.name == RESULTS.name else Path.cwd()
