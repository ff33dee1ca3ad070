"""The user's functions, imported from the study's files or from installed modules."""

import importlib
import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from odeflow.files.errors import ConfigError


def load_function(reference: str, study: Path, key: str) -> Callable[..., Any]:
    """The function that `module:function` or `file.py:function` names.

    A file is relative to the study folder. Raises ConfigError naming `key` where the module,
    file or function does not exist or does not import.
    """
    module_name, function_name = reference.rsplit(":", 1)
    if module_name.endswith(".py"):
        module = _load_file(study / module_name, key, study)
    else:
        try:
            module = importlib.import_module(module_name)
        except Exception as error:
            raise ConfigError(
                f"{key}: cannot import {module_name!r}: {type(error).__name__}: {error}"
            ) from error
    function = getattr(module, function_name, None)
    if not callable(function):
        known = [n for n, v in vars(module).items() if callable(v) and not n.startswith("_")]
        raise ConfigError(
            f"{key}: {module_name} has no function {function_name!r}; "
            f"it has: {', '.join(known) or 'none'}"
        )
    return function


def _load_file(path: Path, key: str, study: Path) -> Any:
    if not path.is_file():
        raise ConfigError(f"{key}: no file {path.name!r} in the study folder ({path})")
    name = f"odeflow_study_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    # A model file may import its neighbours, as a script in that folder could.
    sys.path.insert(0, str(path.parent))
    try:
        sys.modules[name] = module
        spec.loader.exec_module(module)
    except Exception as error:
        raise ConfigError(
            f"{key}: {path.name} does not import: {type(error).__name__}: {error}"
        ) from error
    finally:
        sys.path.remove(str(path.parent))
    return module
