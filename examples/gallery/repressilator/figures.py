import numpy as np
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure


def unstable(alpha, beta, n=2):
    """Where the steady state p = alpha / (1 + p^n) is unstable: the paper's box 1."""
    p = np.linspace(0, 30, 300_001)
    p = np.interp(alpha, p * (1 + p**n), p)
    x = -alpha * n * p ** (n - 1) / (1 + p**n) ** 2
    return np.where(x <= -2, True, (beta + 1) ** 2 / beta < 3 * x**2 / (4 + 2 * x))


def stability(ensemble, summary):
    """How far LacI swings, and the line at which the steady state becomes unstable."""
    amplitude = summary["p_laci_amplitude"].transpose("alpha", "beta")
    alpha, beta = np.meshgrid(amplitude.alpha, amplitude.beta, indexing="ij")
    figure = Figure(figsize=(3.4, 2.8))
    ax = figure.subplots()
    image = ax.pcolormesh(
        beta, alpha, amplitude, norm=LogNorm(0.1, 5000, clip=True), rasterized=True
    )
    ax.contour(beta, alpha, unstable(alpha, beta), levels=[0.5], colors="#D55E00")
    ax.set(
        xscale="log",
        yscale="log",
        xlabel="Protein over mRNA decay rate, β (1)",
        ylabel="Strength of a free promoter, α (1)",
    )
    figure.colorbar(image, ax=ax).set_label("Amplitude of LacI (1)")
    return figure
