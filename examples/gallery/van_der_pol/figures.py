import numpy as np
from matplotlib.figure import Figure


def period(ensemble, summary):
    """The period over the damping: solved, and the first two terms for strong damping."""
    mu = ensemble["mu"]
    periods = 2 * (ensemble["time_reached"] - summary["x_first_time_below"])
    figure = Figure(figsize=(3.4, 2.6))
    ax = figure.subplots()
    ax.loglog(mu, periods / mu, color="#0072B2", label="solved")
    ax.loglog(
        mu, 3 - 2 * np.log(2) + 7.014 * mu ** (-4 / 3), "--", color="#D55E00", label="asymptotics"
    )
    ax.set(xlabel="Damping, µ (1)", ylabel="Period over µ (1)")
    ax.legend()
    return figure
