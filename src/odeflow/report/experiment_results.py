"""What is known of an experiment when its page is written."""

from dataclasses import dataclass, field

import xarray as xr

from odeflow.config.root import Config
from odeflow.ensemble.labels import design_dims
from odeflow.report.failed import Failed


@dataclass(frozen=True)
class ExperimentResults:
    """An experiment's results, maybe opened lazily; None for what it has not."""

    config: Config
    ensemble: xr.Dataset
    summary: xr.Dataset | None = None
    failed: Failed = field(default_factory=Failed)
    verification: xr.Dataset | None = None
    indices: xr.Dataset | None = None
    estimates: xr.Dataset | None = None
    training: xr.Dataset | None = None

    @property
    def title(self) -> str:
        """What the experiment is, as a heading."""
        return str(self.ensemble.attrs["title"])

    @property
    def subtitle(self) -> str:
        """The design with its sizes."""
        ensemble = self.ensemble
        dims = [f"{name} {ensemble.sizes[name]:,}" for name in design_dims(ensemble)]
        number = ensemble.sizes.get("time", 0)
        times = f", {number:,} saved time{'' if number == 1 else 's'}" if number else ""
        return f"{self.config.design.kind.capitalize()} design: {' × '.join(dims)}{times}."
