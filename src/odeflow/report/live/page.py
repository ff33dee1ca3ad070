"""The live page: what is chosen and set becomes pictures, a line of words, and files."""

import base64
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import panel as pn

from odeflow.ensemble.one_trajectory import OneTrajectory
from odeflow.files.errors import ConfigError
from odeflow.report.live.bokeh_panel import BokehPanel
from odeflow.report.live.choices import Choices
from odeflow.report.live.elements import Exports, Legend, Said, Sliders, slider_row
from odeflow.report.live.files_of import KINDS, Files
from odeflow.report.live.parts import MOST_GROUPS
from odeflow.report.live.picture import Marks, Picture
from odeflow.report.live.plot_yaml import OPTION
from odeflow.report.live.quantities import Quantity, by_coordinate, quantities, to_solve
from odeflow.report.live.selection import Selection, interval_around
from odeflow.report.live.solved import Solved
from odeflow.report.live.stored import Stored
from odeflow.report.live.template_text import common_style, template_text
from odeflow.report.live.views import marks, pictures
from odeflow.report.live.words import said

#: Solves one trajectory: values by name, and the condition, if any.
Solve = Callable[[Mapping[str, float], str | None], OneTrajectory]
#: Axes of the design that stand above the fold.
_FIRST = 8
#: Panels beside one another where there is room.
_SIDE_BY_SIDE = """
:host {
  display: grid !important; gap: .5rem 1rem;
  grid-template-columns: repeat(auto-fit, minmax(min(100%, 21rem), 1fr));
}
:host::before, .scroll-button { display: none !important; }
"""


@dataclass(frozen=True)
class Explored:
    """An experiment to explore.

    `solve` is None where nothing can be solved; `solving` says by what it is, or why not. `notes`
    are lines on what is missing or stale.
    """

    stored: Stored
    title: str
    subtitle: str
    solve: Solve | None
    solving: str
    notes: Sequence[str] = ()


class LivePage:
    """The page as one reader has it.

    Arguments:
        explored: the experiment.
    """

    def __init__(self, explored: Explored):
        self._explored, self._stored = explored, explored.stored
        self._known = quantities(self._stored)
        self._places = _places(self._stored)
        self._values = {one.name: one.value for one in (*self._known, *self._places)}
        self._slices: set[str] = set()
        self._panels: list[BokehPanel] = []
        self._solved: list[Solved] = []
        self._said = Said(sizing_mode="stretch_width")
        self._legend = Legend(sizing_mode="stretch_width")
        self._pictures = pn.Column(sizing_mode="stretch_width", stylesheets=[_SIDE_BY_SIDE])
        self._sliders = self._made_sliders()
        self._exports = Exports(kinds=KINDS, sizing_mode="stretch_width")
        self._exports.param.watch(self._export, "asked")
        self._choices = Choices(self._stored, self._redraw)
        self._selection = self._selected()
        self._sliders.param.watch(lambda event: self.answer(event.new), "asked")
        self._sliders.param.watch(lambda _: self._redraw(), "dark")
        self._redraw()

    def template(self) -> Any:
        """What Panel serves."""
        explored = self._explored
        page = pn.Template(template_text("page.html"))
        for name, value in (
            ("heading", explored.title),
            ("subtitle", explored.subtitle),
            ("notes", list(explored.notes)),
            ("solving", explored.solving),
            ("style", common_style() + template_text("page.css")),
        ):
            page.add_variable(name, value)
        page.add_panel("views", self._choices.view)
        page.add_panel("choices", pn.FlexBox(*self._choices.all, align_items="flex-end"))
        page.add_panel("pictures", self._pictures)
        page.add_panel("legend", self._legend)
        page.add_panel("said", self._said)
        page.add_panel("sliders", self._sliders)
        page.add_panel("exports", self._exports)
        return page

    def _made_sliders(self) -> Sliders:
        rows = []
        for number, one in enumerate(self._known):
            words = "" if one.coordinate is None else "only stored trajectories near this"
            rows.append(slider_row(one, one.coordinate is not None and number < _FIRST, words))
        rows += [{**slider_row(one, True), "whole": True} for one in self._places]
        values = {row["name"]: row["value"] for row in rows}
        return Sliders(rows=rows, values=values, sizing_mode="stretch_width")

    def answer(self, asked: Mapping[str, Any]) -> None:
        """Shows what a reader has set, and says that it is shown.

        Arguments:
            asked: `values` by the names of quantities, names of `slices`, the question's `number`.
        """
        known = {name: float(value) for name, value in asked["values"].items()}
        places = [one.name for one in self._places]
        moved = {name for name, value in known.items() if self._values.get(name) != value}
        slices = set(asked["slices"])
        again = slices != self._slices or moved & (slices | {*places})
        self._values, self._slices = {**self._values, **known}, slices
        try:
            if again:
                self._redraw()
            else:
                self._solve_and_mark()
        finally:
            self._sliders.answered = int(asked["number"])

    def _selected(self) -> Selection:
        slices = {}
        for one in self._known:
            if one.coordinate is None or one.name not in self._slices:
                continue
            levels, value = self._stored.levels(one.coordinate), self._values[one.name]
            if levels is not None:
                level = float(levels[abs(levels - value).argmin()])
                slices[one.coordinate] = (level, level)
            else:
                slices[one.coordinate] = interval_around(value, one.low, one.high, one.log)
        places = {one.coordinate or "": round(self._values[one.name]) for one in self._places}
        return self._choices.selection(slices, places)

    def _redraw(self) -> None:
        """All pictures again."""
        self._selection = selection = self._selected()
        took = self._solve()
        stored, values = self._stored, by_coordinate(self._known, self._values)
        nearest = self._nearest()
        grouped = len(self._solved) > 1
        drawn = pictures(stored, selection)
        self._panels, entries = [], []
        for picture in drawn:
            on = self._marks(picture, values, nearest)
            alone = len(drawn) == 1
            self._panels.append(BokehPanel(picture, on, self._sliders.dark, grouped, alone))
            entries += self._panels[-1].legend(on)
        self._legend.entries = [one for i, one in enumerate(entries) if one not in entries[:i]]
        self._pictures.objects = [
            pn.pane.Bokeh(one.figure, sizing_mode="stretch_width", min_width=0, margin=0)
            for one in self._panels
        ]
        self._say(took, nearest)

    def _solve_and_mark(self) -> None:
        """What is solved again, on the pictures that are there."""
        took = self._solve()
        nearest = self._nearest()
        values = by_coordinate(self._known, self._values)
        for one in self._panels:
            one.mark(self._marks(one.picture, values, nearest))
        self._say(took, nearest)

    def _nearest(self) -> int | None:
        values = by_coordinate(self._known, self._values)
        return self._stored.nearest(values, self._selection.condition)

    def _solve(self) -> float | str:
        """Solves under each condition that is shown; milliseconds, or why there is nothing."""
        self._solved = []
        if self._explored.solve is None:
            return ""
        chosen = self._selection.condition
        conditions = [chosen] if chosen is not None else [*self._stored.conditions[:MOST_GROUPS]]
        began, found = time.perf_counter(), []
        try:
            for condition in conditions or [None]:
                values = to_solve(self._known, self._values)
                found.append(Solved(condition or "", self._explored.solve(values, condition)))
        except ConfigError as error:
            return str(error)
        self._solved = found
        return 1000 * (time.perf_counter() - began)

    def _say(self, took: float | str, nearest: int | None) -> None:
        self._said.text = said(
            self._stored,
            self._selection,
            [one.picture for one in self._panels],
            self._solved,
            took,
            nearest,
        )

    def _export(self, event: Any) -> None:
        """Sends a file; where that cannot be, says why."""
        values = by_coordinate(self._known, self._values) | to_solve(self._known, self._values)
        nearest = self._nearest()
        shown = [(one.picture, self._marks(one.picture, values, nearest)) for one in self._panels]
        files = Files(self._stored, self._selection, shown, self._solved, values)
        kind = event.new["kind"]
        try:
            content = files.content(kind)
        except ConfigError as error:
            self._said.text = str(error)
            return
        name = f"{self._stored.config.name}_explored.{kind}"
        if kind == "yaml":
            name = f"{OPTION}.yaml"
        self._exports.file = {"name": name, "content": base64.b64encode(content).decode()}

    def _marks(self, picture: Picture, values: Mapping[str, float], nearest: int | None) -> Marks:
        return marks(self._stored, self._selection, picture, self._solved, values, nearest)


def _places(stored: Stored) -> list[Quantity]:
    """The dimensions of array states, of which time courses show one place."""
    sizes: dict[str, int] = {}
    for name in stored.variables:
        sizes |= {dim: stored.ensemble.sizes[dim] for dim in stored.places_of(name)}
    return [
        Quantity(f"place {dim}", dim, f"place along {dim}", "", 0, size - 1, size // 2, False)
        for dim, size in sizes.items()
        if size > 1
    ]
