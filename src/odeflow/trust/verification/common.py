"""What all trajectories of an ensemble have in common while they are verified."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import xarray as xr

from odeflow.config.root import Config
from odeflow.problem.derivative_names import sensitivity_names, time_derivative_names
from odeflow.problem.model import Model
from odeflow.trust.verification.judgement import (
    TIME_REACHED,
    Limits,
)
from odeflow.trust.verification.tolerances import ComponentTolerances
from odeflow.trust.verification.trajectory import Trajectories


class Common:
    """Config, model and dataset; which variables and derivatives are compared, and how strictly."""

    def __init__(self, config: Config, model: Model, study: Path, ensemble: xr.Dataset):
        self.config, self.model, self.ensemble = config, model, ensemble
        self.names = [str(n) for n, v in ensemble.data_vars.items() if "time" in v.dims]
        self.trajectories = Trajectories(config, model, study)
        self.functions = self.trajectories.functions
        self.followed = self.trajectories.followed.names
        asked = config.solver.tolerances(config.model.states)
        self.tolerances = ComponentTolerances(asked, model, np.dtype(config.runtime.precision))
        self.limits = Limits(
            np.inf if config.verify.max_error is None else config.verify.max_error,
            np.inf if config.verify.max_error_ratio is None else config.verify.max_error_ratio,
        )
        variables = [*model.declared.states, *model.observable_names]
        axes = config.saveat.sensitivities or []
        self.derivatives = {
            name: pair
            for name, pair in sensitivity_names(variables, axes, model.declared).items()
            if name in self.names
        }
        if config.stop is not None:
            self.derivatives |= {
                name: (TIME_REACHED, axis)
                for name, axis in time_derivative_names(axes, model.declared).items()
                if name in ensemble
            }
