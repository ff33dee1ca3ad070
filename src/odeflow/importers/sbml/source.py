"""Where a model's SBML or Antimony is, and its text. Imports neither libsbml nor Antimony."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from odeflow.config.shipped import shipped_config
from odeflow.files.errors import ConfigError
from odeflow.files.plain_text import one_spelling
from odeflow.importers.refusal import ModelSource

#: The keys of the `model` group that name a model in another format.
FORMATS = ("sbml", "antimony")


def model_source(model: Mapping[str, Any], study: Path) -> ModelSource | None:
    """The source that a `model` group names; None where it names a vector field.

    Raises ConfigError where there is no such file.
    """
    for kind in FORMATS:
        value = model.get(kind)
        if isinstance(value, str):
            if kind == "antimony" and is_inline(value):
                return ModelSource("model.antimony", "the text", value, False, is_inline=True)
            path = find_file(value, study, f"model.{kind}")
            return ModelSource(f"model.{kind}", value, _read(path, f"model.{kind}"), kind == "sbml")
    return None


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


def _read(path: Path, key: str) -> str:
    """The file's text; XML in the encoding that it declares, and declared as UTF-8 from then on."""
    try:
        data = path.read_bytes()
        if key != "model.sbml":
            return _one_text(data.decode("utf-8-sig"))
        declared = re.match(rb"""(?:\xef\xbb\xbf)?<\?xml[^>]*?encoding\s*=\s*["']([\w.-]+)""", data)
        encoding = declared[1].decode() if declared else "utf-8"
        if data.startswith((b"\xff\xfe", b"\xfe\xff")):
            encoding = "utf-16"
        elif encoding.lower() in ("utf-8", "utf8"):
            encoding = "utf-8-sig"
        text = data.decode(encoding)
    except (OSError, UnicodeDecodeError, LookupError) as error:
        raise ConfigError(f"{key}: {path.name} cannot be read: {error}") from None
    declaration = r"""^\ufeff?(<\?xml[^>]*?encoding\s*=\s*["'])[\w.-]+"""
    return _one_text(re.sub(declaration, r"\1UTF-8", text))


def _one_text(text: str) -> str:
    return one_spelling(text.replace("\r\n", "\n").replace("\r", "\n"))
