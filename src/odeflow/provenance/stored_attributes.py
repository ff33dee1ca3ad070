"""What a result file says of how it was made, checked: the file may be anyone's."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from odeflow.files.digests import text_digest
from odeflow.files.errors import ConfigError, shown
from odeflow.files.netcdf import DamagedFileError
from odeflow.files.plain_text import escaped
from odeflow.importers.model_data import restored

#: Attributes that each result has, and those of them that are JSON: text by name.
_TEXTS = ("odeflow_config", "odeflow_model_source", "odeflow_model_sha256", "odeflow_version")
_TEXTS += ("odeflow_versions", "odeflow_source_digest")
_RECORDS = ("odeflow_model_source", "odeflow_versions")
#: Beside files whose name begins with a dot, what a program obeys that is started in a folder.
_OBEYED = {"snakefile", "makefile", "gnumakefile"}
_OBEYED_ENDINGS = {".smk", ".yaml", ".yml", ".pth"}


#: Bytes of a name that common file systems take.
_LONGEST_NAME = 255


def stored_attributes(
    path: Path, attributes: Mapping[Any, Any], needed: Sequence[str] = _TEXTS
) -> dict[str, str]:
    """The attributes of odeflow that are text, those that `reproduce` needs among them.

    Raises ConfigError where one is missing, is not text, or is not what was written.
    """
    known = {str(key): value for key, value in attributes.items() if isinstance(value, str)}
    missing = [key for key in needed if key not in known]
    if missing:
        raise ConfigError(
            f"{path}: has no attribute {' and '.join(missing)}; give the ensemble.nc of an "
            "experiment"
        )
    if needed is not _TEXTS:
        return known
    if text_digest(known["odeflow_model_source"]) != known["odeflow_model_sha256"]:
        raise DamagedFileError(
            f"{path}: the model source stored in it is not what was written (odeflow_model_sha256 "
            "differs)"
        )
    for key in _RECORDS:
        _check_record(path, key, known[key])
    return known


def _check_record(path: Path, key: str, text: str) -> None:
    """Raises DamagedFileError where an attribute is not JSON of text by name."""
    try:
        record = json.loads(text)
    except (ValueError, RecursionError):
        record = None
    if not isinstance(record, dict) or not all(isinstance(x, str) for x in record.values()):
        raise DamagedFileError(f"{path}: the attribute {key} is not what odeflow writes there")


def restored_data(path: Path, text: str) -> dict[str, bytes]:
    """The content of the model's files of data; raises DamagedFileError where it is not that."""
    _check_record(path, "odeflow_model_data", text)
    try:
        return restored(json.loads(text))
    except ValueError:
        raise DamagedFileError(
            f"{path}: the attribute odeflow_model_data is not what odeflow writes there"
        ) from None


def check_file_name(name: str) -> None:
    """Raises ConfigError for the name of a stored file that does not belong to a model.

    Outside of the study, hidden, or one that Snakemake, make or Python obey where they find it: to
    look at a study must run nothing of it. The experiment's own config is not among them.
    """
    path = PurePosixPath(name)
    if escaped(name) != name or not name.strip() or path.is_absolute() or ".." in path.parts:
        raise ConfigError(f"the stored file {name!r} is not inside a study")
    if max(len(part.encode()) for part in path.parts) > _LONGEST_NAME:
        raise ConfigError(f"the stored file {shown(name)} has a name that no file can have")
    own = path.suffix == ".yaml" and str(path.parent) in {"config/model", "config/experiment"}
    own = own or name == "study.yaml"
    obeyed = path.name.lower() in _OBEYED or path.suffix.lower() in _OBEYED_ENDINGS
    if any(part.startswith(".") for part in path.parts) or (obeyed and not own):
        raise ConfigError(
            f"the stored file {name!r} is refused: it is a setting, not a model's file"
        )
