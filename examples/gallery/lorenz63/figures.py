import numpy as np
from matplotlib.figure import Figure


def growth(ensemble, summary):
    """How far a neighbour moves away: each sixteenth trajectory, and the mean of all."""
    slope = sum(ensemble[f"d_{v}_d_initial_x"] ** 2 for v in "xyz") ** 0.5
    logs = np.log((slope / slope.isel(time=0)).transpose("time", "sample").values)
    time = ensemble["time"].values - 5
    figure = Figure(figsize=(3.4, 2.6))
    ax = figure.subplots()
    ax.plot(time, logs[:, ::16], color="#7f7f7f", linewidth=0.4, alpha=0.5)
    ax.plot(time, logs.mean(axis=1), color="#0072B2", label="mean of 1,024")
    ax.plot(time, 0.9056 * time, "--", color="#D55E00", label="0.9056 t (published)")
    ax.set(
        xlabel="Time on the attractor (1)", ylabel="Logarithm of the distance\nto a neighbour (1)"
    )
    ax.legend()
    return figure
