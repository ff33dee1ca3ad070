"""A fingerprint of what JAX makes of a model: its equations and constants, bit for bit."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import Any

import jax
import numpy as np

from odeflow.config.model import ModelConfig
from odeflow.importers.loading import load_invariants, load_model
from odeflow.problem.model import Model
from odeflow.problem.start import ComputedStart


def fingerprint(config: ModelConfig, study: Path) -> str:
    """Digest of the programs of a model's functions, imported and traced again."""
    model = load_model(config, study)
    found = hashlib.sha256()
    if isinstance(model.start, ComputedStart):
        args = tuple(model.example()[2])
        for function in model.start.functions.values():
            closed: Any = jax.make_jaxpr(function)(args)
            _add(closed.jaxpr, closed.consts, found)
    models: list[Model | None] = [model, load_invariants(config, study)]
    for one in filter(None, models):
        for function in (one.vector_field, one.observables):
            closed = jax.make_jaxpr(function)(*one.example())
            _add(closed.jaxpr, closed.consts, found)
    return found.hexdigest()


def _add(jaxpr: Any, constants: Any, found: Any) -> None:
    for constant in constants:
        value = np.asarray(constant)
        found.update(f"{value.dtype}{value.shape}".encode() + value.tobytes())
    for equation in jaxpr.eqns:
        found.update(equation.primitive.name.encode())
        for variable in equation.invars:
            literal = getattr(variable, "val", None)
            if literal is not None:
                found.update(np.asarray(literal).tobytes())
            else:
                found.update(re.sub(r"0x[0-9a-f]+", "", str(variable.aval)).encode())
        for value in equation.params.values():
            for inner in value if isinstance(value, tuple | list) else [value]:
                if hasattr(inner, "consts") and hasattr(inner, "jaxpr"):
                    _add(inner.jaxpr, inner.consts, found)
                elif hasattr(inner, "eqns"):
                    _add(inner, (), found)
