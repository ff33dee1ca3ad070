"""Whether the user's functions are there, by reading their files and not by running them."""

import ast
from pathlib import Path

from odeflow.config.model import ModelConfig
from odeflow.config.validate import nearest
from odeflow.files.errors import ConfigError
from odeflow.files.source_code import file_of_module


def check_functions(model: ModelConfig, study: Path) -> None:
    """Raises ConfigError where the file of a function does not exist, parse or define it."""
    for key in ("vector_field", "observables", "invariants"):
        given = getattr(model, key)
        reference = given if given is None or isinstance(given, str) else given.function
        if reference is not None:
            check_function(f"model.{key}", reference, study)
    for state, reference in model.initial_functions.items():
        check_function(f"model.states.{state}.initial", reference, study)


def check_function(key: str, reference: str, study: Path) -> None:
    """Raises ConfigError, naming `key`, where the file of a function does not define it."""
    target, function = reference.rsplit(":", 1)
    if target.endswith(".py"):
        path = study / target
        if path.is_dir():
            raise ConfigError(f"{key}: {target} is a folder; name a file in it")
        if not path.is_file():
            raise ConfigError(f"{key}: no file {target!r} in the study's folder")
    else:
        path = file_of_module(target)
        if path is None or path.suffix != ".py":
            return  # built in or compiled, or found when it is imported
    try:
        tree = ast.parse(path.read_bytes())
    except (SyntaxError, ValueError) as error:
        line = f", line {error.lineno}" if isinstance(error, SyntaxError) else ""
        raise ConfigError(f"{key}: {target}{line}: not Python: {error.args[0]}") from None
    except OSError as error:
        raise ConfigError(f"{key}: {target}: cannot be read: {error.strerror}") from None
    names = _defined(tree)
    if function not in names and "*" not in names:
        raise ConfigError(
            f"{key}: {target} has no function {function!r}"
            + nearest(function, _public_functions(tree))
        )


def _public_functions(tree: ast.Module) -> list[str]:
    """What a message offers: functions of the module's own, without those within others."""
    found = [
        node.name
        for node in tree.body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
    ]
    return [name for name in found if not name.startswith("_")]


def _defined(tree: ast.Module) -> list[str]:
    """Names that a module may define, wherever in it; `*` for what it takes from another one."""
    names = []
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.append(node.name)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            names += [(alias.asname or alias.name).split(".")[0] for alias in node.names]
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.append(node.id)
    return list(dict.fromkeys(names))
