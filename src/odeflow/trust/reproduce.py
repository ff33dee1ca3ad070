"""A result rebuilt from its file alone: the config, the model's source, the design, the numbers."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import xarray as xr
from jaxtyping import Float

from odeflow.config.root import Config
from odeflow.config.study_files import keys_and_values
from odeflow.config.validate import validate
from odeflow.design import END, SUBJECT, rows
from odeflow.ensemble.event_names import event_of
from odeflow.ensemble.labels import RECORD, trajectory
from odeflow.files.digests import text_digest
from odeflow.files.errors import ConfigError
from odeflow.files.netcdf import DamagedFileError
from odeflow.files.opening import open_ensemble
from odeflow.problem.axis_names import axis_coordinate
from odeflow.provenance.sources import FITTING, SOLVING, all_sources, source_digest
from odeflow.provenance.stored_attributes import restored_data, stored_attributes
from odeflow.provenance.stored_study import study_files, with_stored_functions, write_files
from odeflow.provenance.versions import VERSION, versions
from odeflow.trust.answers import check_indices, check_starts, ensemble_of, kind_of

#: The file that makes a folder an RO-Crate; `odeflow.workflow.crate` writes it.
CRATE = "ro-crate-metadata.json"


class NotReproducedError(ConfigError):
    """A result that does not come out the same here."""


def reproduce(path: Path | str, study: Path | str = ".") -> Reproduction:
    """What a result says of how it was made, and what differs here.

    Nothing is solved, and no code of the file is run.

    Arguments:
        path: an `ensemble.nc` or a Zarr store of an ensemble, an `indices.nc` with these beside it,
            or an `estimates.nc`.
        study: the folder where the model's own files are looked for.

    Returns:
        A `Reproduction`: the config, the sources and data of the model, and what differs. Its
        `check` solves trajectories again, computes indices again or fits starts again; its `write`
        makes a study of the file.

    Raises:
        ConfigError: the file is not an odeflow dataset, or its config is not one for this
            version.
        DamagedFileError: it cannot be read, or the model's data in it are not what was written.

    Example:
        >>> import odeflow
        >>> cfg = odeflow.compose("design.axes={vmax: {values: [8, 10]}}", "saveat.ts=[0, 60]")
        >>> _ = odeflow.run(cfg).to_netcdf("ensemble.nc")
        >>> made = odeflow.reproduce("ensemble.nc")
        >>> made.config.name, made.versions, made.same_odeflow
        ('quickstart', {}, True)
        >>> print(made.check(number=2))
        check: 2 of 2 trajectories solved again, the same bit for bit
    """
    path = answers = Path(path)
    try:
        with open_ensemble(path) as dataset:
            kind = kind_of(dataset)
        path = ensemble_of(path) if kind == "indices" else path
        with open_ensemble(path) as ensemble:
            known = stored_attributes(path, ensemble.attrs)
    except ConfigError:
        raise
    except (OSError, ValueError) as error:
        raise DamagedFileError(f"{path}: cannot be read as NetCDF ({error})") from error
    data = known.get("odeflow_model_data", "{}")
    if data != "{}" and text_digest(data) != known.get("odeflow_model_data_sha256"):
        raise DamagedFileError(
            f"{path}: the model's data stored in it are not what was written "
            "(odeflow_model_data_sha256 differs)"
        )
    stored = keys_and_values(known["odeflow_config"], f"{path}: odeflow_config")
    config = validate(stored).in_study(Path(study))
    recorded = {"odeflow": known["odeflow_version"], **json.loads(known["odeflow_versions"])}
    here = {"odeflow": VERSION, **versions(recorded)}
    return Reproduction(
        path,
        config,
        json.loads(known["odeflow_model_source"]),
        restored_data(path, data),
        {p: (v, here.get(p)) for p, v in recorded.items() if here.get(p) != v},
        known["odeflow_source_digest"]
        == source_digest(FITTING if kind == "estimates" else SOLVING),
        kind,
        answers,
        known.get("odeflow_data_digest", ""),
    )


@dataclass(frozen=True)
class Reproduction:
    """How a file was made.

    `config` is the experiment's, with chunk size, threads, figures and verification at their
    defaults; `sources` the text of the model's files by name, `data` the content
    of those of `model.data`; `versions` has the packages whose
    version differs: recorded, and installed here or None; `same_odeflow` says whether the code of
    odeflow that solves is the same. `kind` is what was named: `ensemble`, `estimates`, or
    `indices`, of which `path` is the ensemble and `answers` themselves; `measured` is the digest of
    the measurements of estimates.
    """

    path: Path
    config: Config
    sources: Mapping[str, str]
    data: Mapping[str, bytes]
    versions: Mapping[str, tuple[str, str | None]]
    same_odeflow: bool
    kind: str = "ensemble"
    answers: Path = Path()
    measured: str = ""

    @property
    def changed_sources(self) -> list[str]:
        """Names of the model's files that are not here, or not with the text that was run."""
        here = all_sources(self.config.model, self.config.study)
        names = {**self.sources, **here}
        changed = [name for name in names if self.sources.get(name) != here.get(name)]
        return changed + [
            name for name, content in self.data.items() if not self._is_here(name, content)
        ]

    def _is_here(self, name: str, content: bytes) -> bool:
        """Whether the study has this file of data."""
        try:
            return (self.config.study / name).read_bytes() == content
        except OSError:
            return False

    def report(self) -> str:
        """A few lines: the experiment, and whether versions and sources are as recorded."""
        config, changed = self.config, self.changed_sources
        sources, data = (
            [f"{name} ({'differs' if name in changed else 'same'})" for name in files]
            for files in (self.sources, self.data)
        )
        return "\n".join(
            [
                f"experiment: {config.name}, model {config.model.name}, method "
                f"{config.solver.method}, design {config.design.kind}",
                self._version_line,
                f"source of odeflow: {'as recorded' if self.same_odeflow else 'differs'}",
                f"source of the model: {', '.join(sources) or 'none was recorded'}",
                *([f"data of the model: {', '.join(data)}"] if data else []),
                *([f"crate: {crate}"] if (crate := self.path.parent / CRATE).is_file() else []),
            ]
        )

    def check(self, number: int = 32, seed: int = 0, run_stored_source: bool = False) -> str:
        """Solves a random part of the trajectories again and compares every bit.

        Arguments:
            number: how many trajectories.
            seed: of the choice of them.
            run_stored_source: take the model's source from the file and not from the study:
                **the code in the file is run**, with all that it may do.

        Returns:
            One line that says that they are the same. Of estimates so many starts are fitted, of
            indices all are computed.

        Raises:
            NotReproducedError: a value differs.
            ConfigError: the model's source on disk is not the stored one, and not
                `run_stored_source`; or `number` is below 1.
        """
        if number < 1:
            raise ConfigError(f"check: {number} trajectories; 1 or more are needed")
        if run_stored_source:
            with tempfile.TemporaryDirectory() as folder:
                write_files({**self.sources, **self.data}, Path(folder))
                config = with_stored_functions(self.config, self.sources)
                return self._check(config, Path(folder), number, seed)
        changed = self.changed_sources
        if changed:
            raise ConfigError(
                f"{self.path}: the model was solved with another source than is here "
                f"({', '.join(changed)}); name the folder that has it (--study), or read the "
                "stored source and run that (--run-stored-source)"
            )
        return self._check(self.config, self.config.study, number, seed)

    def _check(self, config: Config, study: Path, number: int, seed: int) -> str:
        from odeflow.engines.choice import Resources
        from odeflow.ensemble.solve import configure_jax, solve_axes

        if self.kind == "estimates":
            return self._check_starts(config, study, number, seed)
        if self.kind == "indices":
            return self._check_indices(config, study)
        resources = Resources()
        configure_jax(resources)
        with open_ensemble(self.path) as ensemble:
            total = ensemble["status"].size
            some = np.random.default_rng(seed).permutation(total)[:number]
            chosen = np.sort(some)
            recorded = [trajectory(ensemble, int(row)) for row in chosen]
            engine = ensemble.attrs["odeflow_engine"]
            coordinates = _axis_coordinates(config, ensemble)
        axes = {
            axis: np.array([float(one[name]) for one in recorded])
            for axis, name in coordinates.items()
        }
        solved = solve_axes(config, study, axes, 0, resources)
        different = _different(recorded, solved)
        if different:
            names, samples = different
            raise NotReproducedError(
                f"{self.path}: {len(samples)} of {len(chosen)} trajectories differ, in "
                f"{', '.join(names)}, the first in row {chosen[samples[0]]} of the design; engine "
                f"{engine} recorded, {solved.attrs['engine']} here; {self._version_line}"
            )
        return (
            f"check: {len(chosen):,} of {total:,} trajectories solved again, the same bit for bit"
        )

    def _check_starts(self, config: Config, study: Path, number: int, seed: int) -> str:
        chosen, differ = check_starts(self.path, self.measured, config, study, number, seed)
        if differ:
            raise NotReproducedError(
                f"{self.path}: {len(differ)} of {len(chosen)} starts end elsewhere, the first is "
                f"number {differ[0]}; {self._version_line}"
            )
        return f"check: {len(chosen):,} starts fitted again, the same bit for bit"

    def _check_indices(self, config: Config, study: Path) -> str:
        differ = check_indices(self.answers, self.path, config, study)
        if differ:
            raise NotReproducedError(
                f"{self.answers}: {', '.join(differ)} differ; {self._version_line}"
            )
        return "check: all indices computed again, the same bit for bit"

    @property
    def _version_line(self) -> str:
        found = [f"{p} {was} (here {now or 'none'})" for p, (was, now) in self.versions.items()]
        return f"versions: {'differ: ' + ', '.join(found) if found else 'as recorded'}"

    def table(self) -> dict[str, Float[np.ndarray, " sample"]]:
        """The samples of the design by axis, in order: for a table, what its file held."""
        with open_ensemble(self.path) as ensemble:
            coordinates = _axis_coordinates(self.config, ensemble)
            if self.config.design.kind == "grid":
                return rows(self.config.design, 0, ensemble["status"].size, self.config.study)
            return {axis: ensemble[name].values for axis, name in coordinates.items()}

    def write(self, folder: Path) -> list[Path]:
        """Writes a study that makes the file again: config, model files and the design's table.

        What is written is not run.

        Arguments:
            folder: where the study goes; made where it is not there.

        Returns:
            The files.

        Raises:
            ConfigError: one of them is there already, or the file is of estimates, whose
                measurements it does not hold.
        """
        if self.kind == "estimates":
            raise ConfigError(
                f"{self.path}: holds no measurements; write the study from the ensemble.nc beside "
                "it"
            )
        table = self.table() if self.config.design.kind == "table" else None
        texts = study_files(self.config, self.sources, table)
        return write_files({**texts, **self.data}, folder)


def _axis_coordinates(config: Config, dataset: xr.Dataset) -> dict[str, str]:
    """Coordinate in a dataset of every axis of the design, by the axis' name, in order."""
    model = config.model
    dosed = [name for dose in config.plain_doses for _, name in dose.named()]
    names = [END, SUBJECT, *model.states, *model.parameters, *model.arrays, *model.categories]
    names += dosed
    names += config.design.records.occasion_columns if config.design.records else ()
    axes = {axis_coordinate(name, model): name for name in names}
    return {axes[str(name)]: str(name) for name in dataset.coords if name in axes}


def _different(
    recorded: Sequence[xr.Dataset], solved: xr.Dataset
) -> tuple[list[str], list[int]] | None:
    """Variables and positions of the trajectories that are not the same bit for bit."""
    found = [
        (str(name), i)
        for i, one in enumerate(recorded)
        for name, variable in one.data_vars.items()
        if not _is_of_file(name, one)
        and (name not in solved or not _is_same(variable.variable, solved[name].variable, i))
    ]
    if not found:
        return None
    return list(dict.fromkeys(name for name, _ in found)), list(dict.fromkeys(i for _, i in found))


def _is_of_file(name: object, one: xr.Dataset) -> bool:
    """Whether a variable says what stands in a data set, and nothing that was solved for."""
    return str(name).startswith(f"{RECORD}_") and one[name].dims == (RECORD,)


def _is_same(recorded: xr.Variable, solved: xr.Variable, i: int) -> bool:
    """Whether the bits are the same as of trajectory i, without what is behind the last record or
    crossing of it.
    """
    values = solved.values[i]
    if RECORD in recorded.dims or event_of(solved) is not None:
        values = np.asarray(values)[: len(recorded)]
    return _bits(recorded.values) == _bits(values)


def _bits(values: np.ndarray | np.generic) -> tuple[str, bytes]:
    """Type and content, any NaN being as good as another."""
    if values.dtype.kind == "f":
        values = np.where(np.isnan(values), np.asarray(np.nan, values.dtype), values)
    return values.dtype.str, values.tobytes()
