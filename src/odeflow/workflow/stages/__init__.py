"""The stages: paths and a config in, files out. None of them knows of Snakemake.

One module each, named as the rule: what it imports is what decides whether its files are stale. So
nothing is imported here, and the stage that solves needs JAX, the others do not.

Example:
    An experiment in files, without Snakemake:

    >>> from pathlib import Path
    >>> import odeflow
    >>> from odeflow.engines.choice import Resources
    >>> from odeflow.files.opening import open_ensemble
    >>> from odeflow.workflow.stages.assemble import assemble
    >>> from odeflow.workflow.stages.design import write_design
    >>> from odeflow.workflow.stages.solve import solve_chunk
    >>> from odeflow.workflow.stages.summarise import summarise
    >>> cfg = odeflow.compose("design.axes={vmax: {values: [8, 10]}}", "saveat.ts=[0, 60]")
    >>> design, chunk, solved, metrics = map(
    ...     Path, ["design.nc", "00000.nc", "ensemble.nc", "summary.nc"]
    ... )
    >>> write_design(cfg, cfg.study, design)
    >>> solve_chunk(cfg, cfg.study, 0, 2, chunk, Resources(threads=1))
    2
    >>> assemble(cfg, cfg.study, design, [chunk], solved)
    >>> summarise(cfg, cfg.study, solved, metrics)
    >>> with open_ensemble(solved) as ensemble:
    ...     ensemble["substrate"].dims
    ('vmax', 'time')
"""
