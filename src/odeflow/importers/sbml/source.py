"""Where a model's SBML or Antimony is, and its text. Imports neither libsbml nor Antimony."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from odeflow.config.model import ModelConfig
from odeflow.config.shipped import shipped_config
from odeflow.files.combine_archive import read_file
from odeflow.files.errors import ConfigError
from odeflow.files.plain_text import one_spelling
from odeflow.importers.refusal import ModelSource
from odeflow.importers.sbml.edits import edited, edits_of

#: The keys of the `model` group that name a model in another format.
FORMATS = ("sbml", "antimony")


def source_of(model: ModelConfig, study: Path) -> ModelSource | None:
    """The source of a validated model, as `model_source`."""
    keys = {*FORMATS, "omex", "edits"}
    return model_source(model.model_dump(mode="json", include=keys), study)


def model_source(model: Mapping[str, Any], study: Path) -> ModelSource | None:
    """The source that a `model` group names; None where it names a vector field.

    Beside `omex` the SBML file is one of that archive; `edits` are made in its text.
    Raises ConfigError where there is no such file.
    """
    for kind in FORMATS:
        value = model.get(kind)
        if isinstance(value, str):
            if kind == "antimony" and is_inline(value):
                return ModelSource("model.antimony", "the text", value, False, is_inline=True)
            archive = model.get("omex")
            key = f"model.{kind}" if archive is None else "model.omex"
            text = model_text(value, archive, study, key)
            try:
                text = edited(text, edits_of(model))
            except ValueError as error:
                raise ConfigError(f"model.edits: {value}: {error}") from None
            return ModelSource(key, value, text, kind == "sbml")
    return None


def model_text(name: str, archive: str | None, study: Path, key: str) -> str:
    """The text of a model's file, of the study or of an archive in it; raises ConfigError."""
    if archive is not None:
        return _decoded(read_file(find_file(archive, study, key), name, key), name, True, key)
    path = find_file(name, study, key)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ConfigError(f"{key}: {path.name} cannot be read: {error}") from None
    return _decoded(data, path.name, key != "model.antimony", key)


def is_inline(antimony: str) -> bool:
    """Whether it is Antimony's text itself, not the name of a file."""
    return re.search(r"[\n;=>]", antimony) is not None


def find_file(name: str, study: Path, key: str) -> Path:
    """The file in the study, or beside the models of the study or of those that ship."""
    folders = (
        lambda: study,
        lambda: study / "config" / "model",
        lambda: shipped_config() / "model",
    )
    for folder in folders:  # the last one is looked for only where it is needed
        if (folder() / name).is_file():
            return folder() / name
    raise ConfigError(f"{key}: no file {name!r} in the study folder ({study / name})")


def _decoded(data: bytes, name: str, is_xml: bool, key: str) -> str:
    """The file's text; XML in the encoding that it declares, and declared as UTF-8 from then on."""
    try:
        if not is_xml:
            return _one_text(data.decode("utf-8-sig"))
        declared = re.match(rb"""(?:\xef\xbb\xbf)?<\?xml[^>]*?encoding\s*=\s*["']([\w.-]+)""", data)
        encoding = declared[1].decode() if declared else "utf-8"
        if data.startswith((b"\xff\xfe", b"\xfe\xff")):
            encoding = "utf-16"
        elif encoding.lower() in ("utf-8", "utf8"):
            encoding = "utf-8-sig"
        text = data.decode(encoding)
    except (UnicodeDecodeError, LookupError) as error:
        raise ConfigError(f"{key}: {name} cannot be read: {error}") from None
    declaration = r"""^\ufeff?(<\?xml[^>]*?encoding\s*=\s*["'])[\w.-]+"""
    return _one_text(re.sub(declaration, r"\1UTF-8", text))


def _one_text(text: str) -> str:
    return one_spelling(text.replace("\r\n", "\n").replace("\r", "\n"))
