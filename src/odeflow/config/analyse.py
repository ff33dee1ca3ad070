"""The `analyse` group: what is made of the model besides its trajectories."""

from pydantic import Field

from odeflow.config.base import Strict
from odeflow.config.estimate import EstimateConfig


class AnalyseConfig(Strict):
    """Analyses of an experiment, each of which is left out where it is null."""

    estimate: EstimateConfig | None = Field(
        None, description="estimate parameters from measurements; null: no estimation"
    )
