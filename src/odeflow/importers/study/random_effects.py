"""The typical values of random effects and of `design.theta`: what the model says of parameters."""

from collections.abc import Mapping
from typing import Any


def with_typical_values(data: Mapping[str, Any]) -> dict[str, Any]:
    """The config's groups with the model's values of parameters that differ at random.

    What is not as it should be is left to the validation that follows.
    """
    design, model = data.get("design"), data.get("model")
    parameters = model.get("parameters") if isinstance(model, Mapping) else None
    if not isinstance(design, Mapping) or not isinstance(parameters, Mapping):
        return dict(data)
    design = dict(design)
    for key in ("random_effects", "theta"):
        asked = design.get(key)
        of = asked.get("of") if isinstance(asked, Mapping) else None
        occasion = asked.get("occasion") if isinstance(asked, Mapping) else None
        more = occasion.get("of") if isinstance(occasion, Mapping) else None
        of = {**of, **more} if isinstance(of, Mapping) and isinstance(more, Mapping) else of
        if isinstance(asked, Mapping) and isinstance(of, Mapping):
            typical = {
                name: parameters[name]["value"]
                for name in of
                if isinstance(parameters.get(name), Mapping) and "value" in parameters[name]
            }
            design[key] = {**asked, "typical": typical}
    return {**data, "design": design}
