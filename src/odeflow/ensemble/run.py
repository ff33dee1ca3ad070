"""The whole flow in memory, for notebooks and tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

from odeflow.config.root import Config

if TYPE_CHECKING:
    import xarray as xr


def run(config: Config) -> xr.Dataset:
    """Design, solve and label: the dataset that `ensemble.nc` would hold.

    Model files and tables are looked for in the study the config was composed for.

    Arguments:
        config: what `compose` gives.

    Returns:
        A dimension for each axis of a grid, else `sample` with the axes as coordinates; a variable
        for each state and observable, (*axes, time, *shape of the state), with its `units` and
        `long_name`; `status` (*axes), a `Status`, and numbers of steps. A trajectory that fails
        has a status that is not `success`, and NaN from where it failed; none is dropped.

    Raises:
        ConfigError: the model does not load, or a table of the design has changed.

    Example:
        >>> import odeflow
        >>> cfg = odeflow.compose("design.axes={vmax: {values: [8, 10, 12]}}", "saveat.ts=[0, 60]")
        >>> ds = odeflow.run(cfg)
        >>> dict(ds.sizes)
        {'vmax': 3, 'time': 2}
        >>> ds["substrate"].attrs["units"], bool((ds["status"] == odeflow.Status.success).all())
        ('mmol/L', True)
    """
    # Imported here so that `import odeflow`, which the Snakefile does, stays free of JAX.
    from odeflow.design import number_of_samples
    from odeflow.engines.choice import Resources
    from odeflow.ensemble.assemble import assemble_in_memory
    from odeflow.ensemble.solve import configure_jax, solve_slabs

    resources = Resources()
    configure_jax(resources)
    total = number_of_samples(config.design, config.study)
    slabs = solve_slabs(config, config.study, 0, total, resources, notes=False)
    return assemble_in_memory(config, total, slabs)
