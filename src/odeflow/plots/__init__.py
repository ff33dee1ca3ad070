"""STUB."""


def draw(kind, e, s, c):
    from matplotlib.figure import Figure

    return Figure()


def save(f, p, dpi):
    f.savefig(p)
