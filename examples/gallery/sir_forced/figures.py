from matplotlib.figure import Figure


def each_year(ensemble, summary):
    """Infections on the last 31 New Year's Days of 200 years."""
    figure = Figure(figsize=(3.4, 2.6))
    ax = figure.subplots()
    ax.plot(ensemble["forcing"], ensemble["log_infectious"], ".", color="#0072B2", markersize=1)
    ax.set(
        xlabel="Strength of the seasons (1)",
        ylabel="Logarithm of the infectious share\non each New Year's Day (1)",
    )
    return figure
