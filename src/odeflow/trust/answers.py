"""Whether estimates and sensitivity indices come out the same here, bit for bit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import xarray as xr

from odeflow.config.root import Config
from odeflow.config.study_files import keys_and_values
from odeflow.config.validate import validate
from odeflow.files.errors import ConfigError
from odeflow.files.netcdf import DamagedFileError, read_dataset
from odeflow.files.opening import open_ensemble
from odeflow.provenance.stored_attributes import stored_attributes

#: What a start of an estimation gives.
_OF_START = ("start_point", "end_point", "objective", "gradient_norm", "num_steps")
#: What indices add to the attributes of their ensemble.
_ANALYSE = "odeflow_analyse"


def kind_of(dataset: xr.Dataset) -> str:
    """What a result file is: `ensemble`, `estimates` or `indices`.

    Arguments:
        dataset: the file, opened.

    Returns:
        The kind.
    """
    if "end_point" in dataset.variables:
        return "estimates"
    return "indices" if "sensitivity_methods" in dataset.attrs else "ensemble"


def ensemble_of(indices: Path) -> Path:
    """The ensemble beside indices, which they are of.

    Arguments:
        indices: the file.

    Returns:
        The ensemble's file or store.

    Raises:
        ConfigError: there is none, or it is not what the indices are of.
    """
    for name in ("ensemble.nc", "ensemble.zarr"):
        if (indices.parent / name).exists():
            path = indices.parent / name
            with open_ensemble(path) as solved, open_ensemble(indices) as found:
                mine, other = found.attrs, solved.attrs
            known = ("odeflow_model_sha256", "title")
            differ = [key for key in known if mine.get(key) != other.get(key)]
            if differ:
                raise ConfigError(f"{indices}: is not of {path}: {', '.join(differ)} differ")
            return path
    raise ConfigError(
        f"{indices}: has no ensemble.nc beside it, which indices are made of; give the folder of "
        "the experiment"
    )


def check_indices(indices: Path, ensemble: Path, config: Config, study: Path) -> list[str]:
    """Computes indices again of the ensemble and the summary beside them.

    Arguments:
        indices: the file.
        ensemble: what it was made of.
        config: the experiment.
        study: the folder that its tables are relative to.

    Returns:
        The variables that differ.

    Raises:
        ConfigError: there is no summary beside it, or the file does not say what was asked for.
        DamagedFileError: a file cannot be read.
    """
    from odeflow.analysis.sensitivity.indices import sensitivity_indices

    summary, recorded = indices.parent / "summary.nc", read_dataset(indices)
    if not summary.is_file():
        raise ConfigError(f"{indices}: has no summary.nc beside it, which indices are made of")
    text = stored_attributes(indices, recorded.attrs, needed=(_ANALYSE,))[_ANALYSE]
    asked = keys_and_values(text, f"{indices}: {_ANALYSE}")
    whole = validate({**config.model_dump(), "analyse": asked}).in_study(study)
    with open_ensemble(ensemble) as solved, open_ensemble(summary) as metrics:
        found = sensitivity_indices(whole, study, solved, metrics)
    names = {*map(str, recorded.data_vars), *map(str, found.data_vars)}
    return sorted(name for name in names if not _are_same(recorded, found, name))


def check_starts(
    estimates: Path, measured: str, config: Config, study: Path, number: int, seed: int
) -> tuple[list[int], list[int]]:
    """Fits some starts of an estimation again.

    Arguments:
        estimates: the file.
        measured: the digest of what was measured.
        config: the experiment, with `analyse.estimate`.
        study: the folder of its measurements and its model's files.
        number: how many starts.
        seed: of the choice of them.

    Returns:
        The starts that were fitted, and those that differ.

    Raises:
        ConfigError: the measurements here are not those that were fitted.
    """
    from odeflow.analysis.estimation.estimates import fit_numbers, make_objective
    from odeflow.engines.choice import Resources
    from odeflow.ensemble.solve import configure_jax
    from odeflow.importers.estimation import data_digest

    if data_digest(config, study) != measured:
        raise ConfigError(
            f"{estimates}: was fitted to other measurements than are here; name the folder that "
            "has them (--study)"
        )
    asked = config.analyse.estimate
    if asked is None:
        raise DamagedFileError(f"{estimates}: odeflow_config has no analyse.estimate")
    recorded, resources = read_dataset(estimates), Resources()
    configure_jax(resources)
    starts = recorded["start"].values
    chosen = np.sort(np.random.default_rng(seed).permutation(starts)[:number])
    objective = make_objective(config, study, resources)
    found = fit_numbers(objective, chosen.tolist(), asked)
    differ = [
        int(start)
        for start in chosen
        if not all(
            _are_same(recorded.sel(start=start), found.sel(start=start), name) for name in _OF_START
        )
    ]
    return chosen.tolist(), differ


def _are_same(one: xr.Dataset, other: xr.Dataset, name: str) -> bool:
    """Whether a variable is there in both with the same content, any NaN being as good."""
    if name not in one or name not in other:
        return False
    a, b = one[name].values, other[name].values
    return a.shape == b.shape and np.array_equal(a, b, equal_nan=a.dtype.kind == "f")
