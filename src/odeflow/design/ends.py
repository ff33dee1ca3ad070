"""The axis `t1`: each trajectory's own end."""

from collections.abc import Iterable

from odeflow.config.root import Config

#: Its name.
END = "t1"


def has_own_ends(config: Config, axes: Iterable[str]) -> bool:
    """Whether one of the axes is the end of the trajectories.

    It is not where a state or a parameter has that name, or where a dose names the axis: then it
    is what the dose says, such as the time of a first dose in a table with columns t1, t2, t3.

    Arguments:
        config: the experiment.
        axes: names of the design's axes.

    Returns:
        Whether each trajectory has an end of its own.
    """
    named = {name for dose in config.plain_doses for _, name in dose.named()}
    return END in axes and END not in {*config.model.states, *config.model.parameters, *named}
