"""What solves more trajectories of a stored experiment, and by whose source."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from odeflow.config.root import Config
from odeflow.files.errors import ConfigError
from odeflow.provenance.stored_study import with_stored_functions, write_files
from odeflow.trust.reproduce import Reproduction

#: The function, if there can be one, and a sentence on what it is.
Solving = tuple[Callable | None, str]


@contextmanager
def solving(
    made: Reproduction, axes: tuple[str, ...], run_stored_source: bool
) -> Iterator[Solving]:
    """What solves trajectories as those of a result were.

    Arguments:
        made: how the result was made.
        axes: the design's axes.
        run_stored_source: whether the source in the result is run; else the study's is, if it is
            the same.
    """
    if run_stored_source:
        with tempfile.TemporaryDirectory() as folder:
            write_files({**made.sources, **made.data}, Path(folder))
            config = with_stored_functions(made.config, made.sources)
            yield _solving(config, Path(folder), axes)
        return
    changed = made.changed_sources
    if changed:
        yield (
            None,
            f"Nothing new can be solved: the model's source is not here as it was run "
            f"({', '.join(changed)}). Name its folder (--study), or read what the results hold and "
            "run that (--run-stored-source).",
        )
        return
    yield _solving(made.config, made.config.study, axes)


def _solving(config: Config, study: Path, axes: tuple[str, ...]) -> Solving:
    from odeflow.ensemble.at_once import AtOnce

    try:
        solve = AtOnce(config, study, axes)
    except ConfigError as error:
        return None, f"Nothing new can be solved: {error}."
    name, reason, _ = solve.engine
    if name == "native":
        return solve, "Each move solves a new trajectory, by the native engine."
    return solve, f"Each move solves a new trajectory, by Diffrax, which takes longer: {reason}."
