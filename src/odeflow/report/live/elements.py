"""The parts of the live page that are its own: native elements, which screen readers can name."""

from functools import cache

import panel as pn
import param

from odeflow.report.live.quantities import Quantity
from odeflow.report.live.template_text import template_text


@cache
def look_of_widgets() -> str:
    """The style of Panel's own widgets, in the colours of the page."""
    return template_text("widgets.css")


class Sliders(pn.custom.JSComponent):
    """A slider and a number for each quantity.

    `asked` is what a reader has set: `values` by name, the names of `slices`, and the `number` of
    the question, which `answered` becomes once that is shown. `dark` says what the reader prefers.
    """

    rows = param.List(default=[])
    values = param.Dict(default={})
    slices = param.List(default=[])
    asked = param.Dict(default={})
    answered = param.Integer(default=0)
    dark = param.Boolean(default=False)

    _esm = template_text("sliders.js")
    _stylesheets = [template_text("sliders.css")]  # noqa: RUF012


class Exports(pn.custom.JSComponent):
    """A button for each kind of file: `asked` has the `kind`, `file` its `name` and `content`."""

    kinds = param.Dict(default={})
    asked = param.Dict(default={})
    file = param.Dict(default={})

    _esm = template_text("exports.js")
    _stylesheets = [template_text("exports.css")]  # noqa: RUF012


class Legend(pn.custom.JSComponent):
    """What lines, areas and points are; `entries` have `name`, `kind`, `colour`, `opacity`."""

    entries = param.List(default=[])

    _esm = template_text("legend.js")
    _stylesheets = [template_text("legend.css")]  # noqa: RUF012


class Said(pn.custom.JSComponent):
    """A line of text, which is no HTML."""

    text = param.String(default="")

    _esm = template_text("said.js")
    _stylesheets = [template_text("said.css")]  # noqa: RUF012


def slider_row(one: Quantity, first: bool, slice_words: str = "") -> dict[str, object]:
    """A quantity as the script has it.

    Arguments:
        one: the quantity.
        first: whether it stands above the fold.
        slice_words: of a box that lets only stored trajectories be seen that are near its value.
    """
    return {
        "name": one.name, "label": one.label, "units": one.units.replace("\u00a0", " "),
        "low": one.low, "high": one.high, "value": one.value, "log": one.log, "first": first,
        "slice": slice_words,
    }  # fmt: skip
