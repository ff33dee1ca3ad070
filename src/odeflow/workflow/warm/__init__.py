"""Jobs without the seconds that Python takes to import JAX, xarray and Matplotlib.

`jobs.py` is called where a rule runs its script. It hands jobs to `worker.py`, a process that has
imported what stages need (`imports.py`) and copies itself for each of them: the copy, `job.py`,
runs the script as a new process would. The worker belongs to one run of Snakemake and holds no
result. Where anything speaks against it, Snakemake starts the script as it always does. Nothing
of a stage is decided here.
"""
