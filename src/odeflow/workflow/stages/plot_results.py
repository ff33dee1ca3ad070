"""The stage that draws trajectories and metrics; `plot` draws beside it what the solver did.

It differs in the files that it is given: which these are is in `config.figure_choice`.
"""

from odeflow.workflow.stages.plot import plot as plot_results

__all__ = ["plot_results"]
