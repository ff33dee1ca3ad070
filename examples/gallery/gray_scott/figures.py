from matplotlib.figure import Figure


def patterns(ensemble, summary):
    """The concentration of V at the end, at each feed rate F and kill rate k."""
    figure = Figure(figsize=(5, 5))
    v = ensemble["v"].isel(time=-1).sortby("feed", ascending=False)
    axes = figure.subplots(v.sizes["feed"], v.sizes["kill"], gridspec_kw={"wspace": 0, "hspace": 0})
    for row, feed in zip(axes, v.feed):
        row[0].set_ylabel(f"F = {float(feed):.3f}")
        for ax, kill in zip(row, v.kill):
            ax.imshow(v.sel(feed=feed, kill=kill), vmin=0, vmax=0.4)
            ax.set(xticks=[], yticks=[])
    for ax, kill in zip(axes[-1], v.kill):
        ax.set_xlabel(f"k = {float(kill):.3f}")
    return figure
