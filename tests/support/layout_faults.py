"""What is wrong with a figure's layout, by bounding boxes: text that is cut off or overlaps."""

from collections.abc import Iterator
from itertools import combinations

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.legend import Legend
from matplotlib.text import Text
from matplotlib.transforms import Bbox

#: Pixels by which boxes may touch or reach over an edge: they hold a font's ascent and descent.
_SLACK = 1.5


def layout_faults(figure: Figure) -> list[str]:
    """One line for each text that leaves the figure, covers another, or lies on a panel."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    renderer = canvas.get_renderer()
    texts = [(text, text.get_window_extent(renderer)) for text in _texts(figure)]
    whole, faults = figure.bbox, []
    for text, box in texts:
        if (
            box.x0 < whole.x0 - _SLACK or box.y0 < whole.y0 - _SLACK
            or box.x1 > whole.x1 + _SLACK or box.y1 > whole.y1 + _SLACK
        ):  # fmt: skip
            faults.append(f"{_words(text)} is cut off")
    for (one, box), (other, beside) in combinations(texts, 2):
        if _overlap(box, beside):
            faults.append(f"{_words(one)} overlaps {_words(other)}")
    for ax in figure.axes:
        area = ax.get_window_extent(renderer)
        for text, box in texts:
            if text not in _inside(ax) and _overlap(box, area):
                faults.append(f"{_words(text)} lies on a panel")
    return faults


def _texts(figure: Figure) -> Iterator[Text]:
    """All text that is drawn; of ticks those within the limits."""
    ticks: set[int] = set()
    for ax in figure.axes:
        for axis in (ax.xaxis, ax.yaxis):
            low, high = sorted(axis.get_view_interval())
            every = [*axis.get_major_ticks(), *axis.get_minor_ticks()]
            for tick in every:
                ticks |= {id(tick.label1), id(tick.label2)}
                within = low - 1e-9 * abs(low) <= tick.get_loc() <= high + 1e-9 * abs(high)
                if within and tick.get_visible() and ax.axison:
                    yield from (x for x in (tick.label1, tick.label2) if _is_seen(x))
    for text in figure.findobj(Text):
        if isinstance(text, Text) and id(text) not in ticks and _is_seen(text):
            yield text


def _is_seen(text: Text) -> bool:
    return text.get_visible() and bool(text.get_text().strip())


def _inside(ax: Axes) -> set[Text]:
    """Text that belongs into a panel: what is written there, its legend."""
    found = set(ax.texts)
    for legend in ax.findobj(Legend):
        found |= {text for text in legend.findobj(Text) if isinstance(text, Text)}
    return found


def _overlap(one: Bbox, other: Bbox) -> bool:
    width = min(one.x1, other.x1) - max(one.x0, other.x0)
    height = min(one.y1, other.y1) - max(one.y0, other.y0)
    return width > _SLACK and height > _SLACK


def _words(text: Text) -> str:
    return repr(text.get_text()[:40])
