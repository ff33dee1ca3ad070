"""The widgets by which a reader chooses what is seen, and the selection that they make together."""

from collections.abc import Callable, Mapping
from typing import Any

import panel as pn

from odeflow.report.live.choices_of import available_views, beginning, groupable
from odeflow.report.live.elements import look_of_widgets
from odeflow.report.live.selection import Selection, View
from odeflow.report.live.stored import Stored
from odeflow.report.scales import is_log_time

#: More variables than these are a list with a bar to scroll.
_MOST_BOXES = 8
_NONE, _ALL = "none", "all"
_SCALES: dict[str, bool | None] = {"as fits": None, "linear": False, "logarithmic": True}
_WORDS: dict[View, str] = {
    "courses": "Time courses",
    "phase": "Phase portrait",
    "metric": "Metric",
    "space": "Space and time",
}


class Choices:
    """The widgets, and what they say.

    Arguments:
        stored: the experiment.
        changed: called when a reader has chosen something else.
    """

    def __init__(self, stored: Stored, changed: Callable[[], Any]):
        self._stored = stored
        names, metrics, axes = stored.variables, stored.metrics, stored.axes
        first = beginning(stored)
        arrays = [name for name in names if stored.places_of(name)]
        self._views = available_views(stored)
        self.view = pn.widgets.RadioButtonGroup(
            options={_WORDS[view]: view for view in self._views},
            value=self._views[0], stylesheets=[look_of_widgets()], margin=(0, 0, 8, 0),
        )  # fmt: skip
        self._boxes = _boxes("variables", names, first.variables[:4])
        pair = [name for name in first.variables if name not in arrays][:2]
        pair = pair if len(pair) == 2 else names[:2]
        self._across = _select("across", names, next(iter(pair), None))
        self._up = _select("up", names, pair[1] if len(pair) > 1 else None)
        self._array = _select("variable", arrays, next(iter(arrays), None))
        self._metric = _select("metric", metrics, first.metric, 280)
        self._x = _select("over", axes, next(iter(axes), None))
        second = axes[1] if len(axes) > 1 and len(stored.dims) > 1 else _NONE
        self._y = _select("and over", [_NONE, *axes], second)
        self._group = _select("colours", [_NONE, *groupable(stored)], _NONE)
        self._condition = _select("condition", [_ALL, *stored.conditions], _ALL)
        self._time = _select("time axis", ["linear", "logarithmic"], "linear")
        if is_log_time(stored.ensemble["time"], stored.config):
            self._time.value = "logarithmic"
        self._scale = _select("values", [*_SCALES], "as fits")
        self.all = [
            self._boxes, self._across, self._up, self._array, self._metric, self._x, self._y,
            self._group, self._condition, self._time, self._scale,
        ]  # fmt: skip
        self._show()
        for widget in (self.view, *self.all):
            widget.param.watch(lambda _: (self._show(), changed()), "value")

    def selection(
        self, slices: Mapping[str, tuple[float, float]], places: Mapping[str, int]
    ) -> Selection:
        """What is chosen, with slices and places that are chosen elsewhere."""
        view: View = self.view.value
        variables = {
            "courses": tuple(self._boxes.value),
            "phase": (self._across.value, self._up.value),
            "space": (self._array.value,),
            "metric": (),
        }[view]
        axes = tuple(dict.fromkeys((self._x.value, self._y.value)))
        return Selection(
            view=view,
            variables=variables,
            axes=tuple(axis for axis in axes if axis != _NONE) if view == "metric" else (),
            metric=self._metric.value if view == "metric" else None,
            group=None if self._group.value == _NONE or view == "space" else self._group.value,
            condition=None if self._condition.value == _ALL else self._condition.value,
            slices=dict(slices),
            places=dict(places),
            log_time=self._time.value == "logarithmic",
            log_values=_SCALES[self._scale.value],
        )

    def _show(self) -> None:
        """Only what means something in the view."""
        view = self.view.value
        own = {
            "courses": (self._boxes, self._group, self._time, self._scale),
            "phase": (self._across, self._up, self._group, self._scale),
            "metric": (self._metric, self._x, self._y, self._group, self._scale),
            "space": (self._array, self._time),
        }[view]
        for widget in self.all:
            widget.visible = widget in own
        self._condition.visible = bool(self._stored.conditions)
        plain = view != "metric" or self._y.value == _NONE
        self._group.visible = self._group.visible and len(self._group.options) > 1 and plain


def _select(name: str, options: list[str], value: str | None, width: int = 190) -> Any:
    return pn.widgets.Select(
        name=name, options=options, value=value, stylesheets=[look_of_widgets()],
        width=width, margin=(0, 12, 6, 0),
    )  # fmt: skip


def _boxes(name: str, options: list[str], value: list[str]) -> Any:
    if len(options) <= _MOST_BOXES:
        return pn.widgets.CheckBoxGroup(
            name=name, options=options, value=value, inline=True,
            stylesheets=[look_of_widgets()], margin=(0, 12, 6, 0), sizing_mode="stretch_width",
        )  # fmt: skip
    return pn.widgets.MultiSelect(
        name=name, options=options, value=value, size=6, stylesheets=[look_of_widgets()],
        width=250, margin=(0, 12, 6, 0),
    )  # fmt: skip
