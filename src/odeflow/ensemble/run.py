"""The whole flow in memory, for notebooks and tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

from odeflow.config.root import Config

if TYPE_CHECKING:
    import xarray as xr


def run(config: Config) -> xr.Dataset:
    """Design, solve and label: the dataset that `ensemble.nc` would hold.

    Model files and tables are looked for in the study the config was composed for. Raises
    ConfigError where the model does not load. A trajectory that fails has a status that is not
    `success`, and NaN from where it failed; none is dropped.
    """
    # Imported here so that `import odeflow`, which the Snakefile does, stays free of JAX.
    from odeflow.design import number_of_samples
    from odeflow.engines.choice import Resources
    from odeflow.ensemble.assemble import assemble_in_memory
    from odeflow.ensemble.solve import configure_jax, solve_samples

    resources = Resources()
    configure_jax(resources)
    total = number_of_samples(config.design, config.study)
    samples = solve_samples(config, config.study, 0, total, resources)
    return assemble_in_memory(config, total, [samples])
