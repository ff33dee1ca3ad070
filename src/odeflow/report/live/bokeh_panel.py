"""One picture on the live page, by Bokeh; what is solved is put into it as it comes."""

from typing import Any, NamedTuple

import numpy as np
from bokeh.models import (
    BasicTicker,
    ColorBar,
    ColumnDataSource,
    HoverTool,
    LinearColorMapper,
    LogColorMapper,
)
from bokeh.palettes import Cividis256
from bokeh.plotting import figure

from odeflow.report.figures.math_text import wrapped
from odeflow.report.figures.style import (
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    PURPLE,
    SKY,
    VERMILION,
    YELLOW,
)
from odeflow.report.live.picture import CellMap, Marks, Picture, edges

#: Pixels, of a panel alone and of one among others.
_HEIGHT, _LOWER = 400, 290
#: Of a line of a label.
_LETTERS = 34
#: Names by which tests and scripts find what is solved and what is stored nearest to it.
SOLVED, NEAREST = "solved", "nearest"


class Inks(NamedTuple):
    """The colours of a page that is light, or dark."""

    ink: str
    quiet: str
    line: str
    solved: str
    single: float
    band: float
    #: Of the first group, the second and so on; what is solved under a condition has its colour.
    groups: tuple[str, ...]

    def of(self, number: int) -> str:
        """The colour of a group."""
        return self.groups[number % len(self.groups)]


_BROWN = "#8c6d1f"
_LIGHT = Inks(
    "#1a1c1e", "#56606a", "#d8dde2", VERMILION, 0.16, 0.2,
    (BLUE, GREEN, PURPLE, ORANGE, SKY, _BROWN, GREY),
)  # fmt: skip
_DARK = Inks(
    "#e8eaed", "#a9b3bd", "#363d44", "#ff8a3d", 0.25, 0.3,
    (SKY, "#3fc79a", PURPLE, ORANGE, "#8fa8ff", YELLOW, "#c0c6cc"),
)  # fmt: skip


class BokehPanel:
    """A figure of Bokeh's, made of a picture.

    Arguments:
        picture: what is stored.
        marks: what is solved.
        dark: whether the page is.
        groups: whether what is solved has the colours of groups, one for each condition.
        alone: whether there is no other panel.
    """

    def __init__(self, picture: Picture, marks: Marks, dark: bool, groups: bool, alone: bool):
        self.picture, self._inks, self._groups = picture, _DARK if dark else _LIGHT, groups
        self.figure: Any = figure(
            height=_HEIGHT if alone else _LOWER,
            sizing_mode="stretch_width",
            x_axis_type="log" if picture.x.log else "linear",
            y_axis_type="log" if picture.y.log else "linear",
            tools="pan,box_zoom,wheel_zoom,reset",
            active_drag="box_zoom",
            x_axis_label=wrapped(picture.x.label, _LETTERS),
            y_axis_label=wrapped(picture.y.label, _LETTERS),
            name=picture.key,
        )
        self._sources = {
            name: ColumnDataSource(data={"xs": [], "ys": [], "colour": []}, name=name)
            for name in (NEAREST, SOLVED)
        }
        self._points = ColumnDataSource(data={"x": [], "y": [], "colour": []}, name="solved_points")
        self._image = ColumnDataSource(data={"image": [], "x": [], "y": [], "dw": [], "dh": []})
        self._mapper = self._mapped(picture, marks)
        self._stored()
        self._solved()
        self._dress()
        self.mark(marks)

    def mark(self, marks: Marks) -> None:
        """Shows what is solved in place of what was before."""
        for name, source in self._sources.items():
            lines = [line for line in marks.lines if line.role == name]
            source.data = {
                "xs": [line.x for line in lines],
                "ys": [line.y for line in lines],
                "colour": [self._colour(line.number) for line in lines],
            }
        self._points.data = {
            "x": np.concatenate([one.x for one in marks.points] or [np.empty(0)]),
            "y": np.concatenate([one.y for one in marks.points] or [np.empty(0)]),
            "colour": [self._colour(one.number) for one in marks.points for _ in one.x],
        }
        if marks.cells is not None:
            self._show_image(marks.cells)

    def legend(self, marks: Marks) -> list[dict[str, Any]]:
        """What lines, areas and points are: name, kind and colour of each, opacity of areas."""
        inks, picture, found = self._inks, self.picture, []

        def entry(name: str, kind: str, colour: str, opacity: float = 1.0) -> None:
            found.append({"name": name, "kind": kind, "colour": colour, "opacity": opacity})

        several = len(picture.bands) > 1
        for band in picture.bands:
            entry(band.name or "stored, 5 to 95 %", "area", inks.of(band.number), 2 * inks.band)
        for line in picture.lines if not several else ():
            if line.role == "median":
                entry("their median", "line", inks.of(line.number))
            elif not picture.bands:
                entry(line.name or "stored", "thin", inks.of(line.number))
        if several:
            entry("median, and 5 to 95 % of what is stored", "line", inks.quiet)
        for one in picture.points:
            if one.value is None:
                entry(one.name or "stored", "point", inks.of(one.number))
        if any(line.role == "nearest" for line in marks.lines):
            entry("nearest stored", "dashed", inks.ink)
        colour = inks.ink if self._groups else inks.solved
        if any(line.role == "solved" for line in marks.lines):
            entry("solved now", "thick", colour)
        if marks.points:
            entry("start" if marks.lines else "solved now", "diamond", colour)
        return [one for i, one in enumerate(found) if one not in found[:i]]

    def _colour(self, number: int) -> str:
        return self._inks.of(number) if self._groups else self._inks.solved

    def _stored(self) -> None:
        picture, plot, inks = self.picture, self.figure, self._inks
        banded = bool(picture.bands)
        for band in picture.bands:
            colour = inks.of(band.number)
            plot.varea(band.x, band.low, band.high, color=colour, alpha=inks.band)
        for number in {line.number for line in picture.lines if line.role == "stored"}:
            own = [x for x in picture.lines if x.role == "stored" and x.number == number]
            colour = inks.quiet if banded else inks.of(number)
            alpha = inks.single if banded else 0.45
            plot.multi_line(
                [x.x for x in own], [x.y for x in own], color=colour, alpha=alpha, line_width=1
            )
        for line in (x for x in picture.lines if x.role == "median"):
            colour = inks.of(line.number)
            plot.line(line.x, line.y, color=colour, line_width=1.5)
        for one in picture.points:
            data = {"x": one.x, "y": one.y}
            if one.value is not None:
                data["value"] = one.value
                colour: Any = {"field": "value", "transform": self._mapper}
            else:
                colour = inks.of(one.number)
            size = float(np.clip(300 / np.sqrt(max(len(one.x), 1)), 3, 9))
            plot.scatter(
                "x", "y", source=data, size=size, color=colour, alpha=0.75, line_color=None
            )
        if picture.cells is not None:
            self._cells(picture.cells)
        if self._mapper is not None and picture.colour is not None:
            bar = ColorBar(
                color_mapper=self._mapper, title=wrapped(picture.colour.label, _LETTERS),
                width=10, padding=6,
                background_fill_color=None, major_label_text_color=inks.quiet,
                title_text_color=inks.quiet, title_text_font_style="normal",
                title_text_font_size="12px", bar_line_color=None,
            )  # fmt: skip
            plot.add_layout(bar, "right")

    def _cells(self, cells: CellMap) -> None:
        x, y = edges(cells.x, self.picture.x.log), edges(cells.y, self.picture.y.log)
        left, bottom = np.meshgrid(x[:-1], y[:-1])
        right, top = np.meshgrid(x[1:], y[1:])
        values = cells.values
        if self.picture.colour is not None:
            values = self.picture.colour.shown(values)
        data = {
            "left": left.ravel(), "right": right.ravel(), "bottom": bottom.ravel(),
            "top": top.ravel(), "value": values.ravel(),
        }  # fmt: skip
        colour = {"field": "value", "transform": self._mapper}
        # lines of their colour, since cells that only touch leave seams
        self.figure.quad(source=data, left="left", right="right", bottom="bottom", top="top",
                         fill_color=colour, line_color=colour)  # fmt: skip

    def _solved(self) -> None:
        plot, inks = self.figure, self._inks
        if self._mapper is not None and self.picture.cells is None and not self.picture.points:
            mapper = {"color_mapper": self._mapper}
            plot.image(image="image", x="x", y="y", dw="dw", dh="dh", source=self._image, **mapper)
            return
        nearest = plot.multi_line(
            "xs", "ys", source=self._sources[NEAREST], color=inks.ink, line_width=1.2,
            line_dash=[4, 3], alpha=0.8,
        )  # fmt: skip
        solved = plot.multi_line(
            "xs", "ys", source=self._sources[SOLVED], color="colour", line_width=2.6,
        )  # fmt: skip
        plot.scatter("x", "y", source=self._points, size=13, fill_color="colour", marker="diamond",
                     line_color=inks.ink, line_width=1.5)  # fmt: skip
        if self.picture.lines:
            plot.add_tools(HoverTool(renderers=[solved, nearest], line_policy="nearest",
                                     tooltips=[("", "$x{0.0000g}, $y{0.0000g}")]))  # fmt: skip
        else:
            nearest.visible = solved.visible = False

    def _show_image(self, cells: CellMap) -> None:
        shown = cells.values
        if self.picture.colour is not None:
            shown = self.picture.colour.shown(shown)
        x, y = edges(cells.x, False), edges(cells.y, False)
        known = shown[np.isfinite(shown)]
        if self._mapper is not None and known.size:
            self._mapper.update(low=float(known.min()), high=float(known.max()))
        self._image.data = {
            "image": [shown], "x": [x[0]], "y": [y[0]], "dw": [x[-1] - x[0]], "dh": [y[-1] - y[0]],
        }  # fmt: skip

    def _mapped(self, picture: Picture, marks: Marks) -> Any:
        values = [one.value for one in picture.points if one.value is not None]
        values += [cells.values for cells in (picture.cells, marks.cells) if cells is not None]
        if picture.colour is None or not values:
            return None
        known = picture.colour.shown(np.concatenate([one.ravel() for one in values]))
        known = known[np.isfinite(known)]
        low, high = (float(known.min()), float(known.max())) if known.size else (0.0, 1.0)
        kind = LogColorMapper if picture.colour.log and low > 0 else LinearColorMapper
        return kind(palette=Cividis256, low=low, high=high, nan_color="rgba(127,127,127,0.25)")

    def _dress(self) -> None:
        """The look of the other pages, light or dark."""
        plot, inks = self.figure, self._inks
        plot.background_fill_color = plot.border_fill_color = None
        plot.outline_line_color = None
        plot.toolbar.logo = None
        plot.toolbar.autohide = True
        plot.grid.grid_line_color = inks.line
        plot.grid.grid_line_alpha = 0.7
        plot.min_border_right = 18
        plot.title.update(text=self.picture.title, text_color=inks.quiet, text_font_style="normal")
        for axis in plot.axis:
            axis.axis_label_text_color = inks.ink
            axis.major_label_text_color = inks.quiet
            axis.axis_line_color = axis.major_tick_line_color = inks.quiet
            axis.minor_tick_line_color = None
            axis.axis_label_text_font_style = "normal"
            axis.axis_label_text_font_size = "13px"
            axis.major_label_text_font_size = "12px"
        if self.picture.y.label.endswith("(number)"):
            plot.yaxis.ticker = BasicTicker(min_interval=1)
