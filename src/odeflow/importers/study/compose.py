"""One experiment from its files: composed, filled from its model's file, validated, checked."""

from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

from odeflow.config.composing import composed_data
from odeflow.config.dates import with_dates
from odeflow.config.dose_windows import with_dose_windows
from odeflow.config.root import Config
from odeflow.config.study_files import read_settings
from odeflow.config.tolerances import scaled_tolerances
from odeflow.config.validate import validate
from odeflow.importers.arrays import with_arrays
from odeflow.importers.nonmem.config import with_nonmem
from odeflow.importers.petab.config import with_petab
from odeflow.importers.sbml.config import imported_model
from odeflow.importers.sedml.config import names_sedml, with_sedml
from odeflow.importers.study.check import check
from odeflow.importers.study.random_effects import with_typical_values
from odeflow.importers.study.training_set import with_priors

#: The model that `config/config.yaml` chooses.
_DEFAULT_MODEL = "michaelis_menten"
#: What a study says of itself.
_ABOUT = "study.yaml"


def compose(*overrides: str, study: Path | str = ".", resolvers: Collection[str] = ()) -> Config:
    """The validated config of one experiment. Nothing is solved, and JAX is not imported.

    Arguments:
        overrides: settings in Hydra's grammar; a group's choice or a value, the later wins.
        study: the folder whose `config/` is searched before the shipped one, and whose model
            files and tables are meant by relative names.
        resolvers: OmegaConf's resolvers that the config may use: `["oc.env"]` for
            `${oc.env:NAME}`; none by default, since a config is data.

    Returns:
        The `Config`, of which every value has been checked.

    Raises:
        ConfigError: a mistake, in one line that names the key, the value and what is allowed.

    Example:
        >>> import odeflow
        >>> cfg = odeflow.compose("experiment=robertson", "solver.rtol=1e-8")
        >>> cfg.model.name, cfg.solver.rtol
        ('robertson', 1e-08)
        >>> odeflow.compose("solver.rtol=loose")
        Traceback (most recent call last):
        odeflow.files.errors.ConfigError: solver.rtol: expected a number (got 'loose')
    """
    data = composed_data(overrides, Path(study), resolvers)
    if _brings_a_model(data):
        data = _without_default_model(data, overrides, Path(study), resolvers)
        data = with_sedml(with_petab(data, Path(study)), Path(study))
    if "model" in data:
        data["model"] = imported_model(with_arrays(data["model"], Path(study)), Path(study))
    data = with_typical_values(with_nonmem(with_dose_windows(with_dates(data)), Path(study)))
    data = scaled_tolerances(with_priors(data))
    if "about" not in data and (Path(study) / _ABOUT).is_file():
        data["about"] = read_settings(Path(study) / _ABOUT, _ABOUT)
    config = validate(data).in_study(Path(study))
    check(config, Path(study))
    return config


def _brings_a_model(data: Mapping[str, Any]) -> bool:
    """Whether the design names a problem that a model belongs to, or the model a task."""
    design = data.get("design")
    has_problem = isinstance(design, Mapping) and design.get("petab") is not None
    return has_problem or names_sedml(data.get("model"))


def _without_default_model(
    data: dict[str, Any], overrides: Iterable[str], study: Path, resolvers: Collection[str]
) -> dict[str, Any]:
    """The same without the model that the root's defaults choose, where none else is chosen."""
    model = data.get("model")
    if not isinstance(model, Mapping) or model.get("name") != _DEFAULT_MODEL:
        return data
    return composed_data([*overrides, "~model"], study, resolvers)
