"""The typical values of random effects: what the model says of parameters."""

from collections.abc import Mapping
from typing import Any


def with_typical_values(data: Mapping[str, Any]) -> dict[str, Any]:
    """The config's groups with the model's values of parameters that have random effects.

    What is not as it should be is left to the validation that follows.
    """
    design, model = data.get("design"), data.get("model")
    effects = design.get("random_effects") if isinstance(design, Mapping) else None
    of = effects.get("of") if isinstance(effects, Mapping) else None
    parameters = model.get("parameters") if isinstance(model, Mapping) else None
    if not isinstance(of, Mapping) or not isinstance(parameters, Mapping):
        return dict(data)
    typical = {
        name: parameters[name]["value"]
        for name in of
        if isinstance(parameters.get(name), Mapping) and "value" in parameters[name]
    }
    assert isinstance(design, Mapping) and isinstance(effects, Mapping)
    return {**data, "design": {**design, "random_effects": {**effects, "typical": typical}}}
