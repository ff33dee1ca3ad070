"""The terminal of a run: a logger plugin of Snakemake's, for `--logger odeflow`.

At most a dozen lines: what is done again and why, how far it is, what failed, where the page is.
Most of it the workflow says itself: its records have an attribute `odeflow` with their kind. What
Snakemake says goes to its own log in `.snakemake/log/`, and to the terminal in a dry run, with
`--verbose` and `--logger-odeflow-full`.

Snakemake imports this in every run of its own, of any workflow. So it is small, and imports nothing
of `odeflow`: the Snakefile decides which of those is run.
"""

from snakemake_logger_plugin_odeflow.handler import LogHandler
from snakemake_logger_plugin_odeflow.settings import LogHandlerSettings

__all__ = ["LogHandler", "LogHandlerSettings"]
