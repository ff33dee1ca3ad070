"""The user's words that a figure, a page, a terminal or a spreadsheet takes for more."""

import csv
import html.parser
import io
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
from markupsafe import Markup
from matplotlib.figure import Figure

from odeflow.config.validate import validate
from odeflow.files.errors import ConfigError
from odeflow.files.plain_text import escaped, without_hidden
from odeflow.importers.study.compose import compose
from odeflow.report import pages
from odeflow.report.figures import style
from odeflow.report.figures.math_text import is_readable, wrapped
from tests.support.bad_input import MODEL
from tests.support.snakes import EXPERIMENT_YAML, MODEL_YAML, make_study, snakemake

UNREADABLE = [
    r"$\frac{1$",
    r"$x^$",
    r"$\unknown$",
    "$_$",
    "$" + "{" * 60 + "}" * 60 + "$",
    "$" + r"\frac{" * 60 + "$",
]
READABLE = [
    r"$\mu$g/L",
    "$x^2$",
    "x^",
    "$5",
    r"\$5 and \$6",
    "100 %",
    r"back\slash",
    "<b>&amp;",
    r"$\frac{a b c d e f g}{h i j k l m n o p q r s}$ of something that is long",
]


def drawn(*texts: str) -> tuple[Figure, str]:
    """A figure with texts wherever text may be, and as an element of a page."""
    figure, (ax,) = style.panels(1)
    for text in texts:
        attributes = {"long_name": text, "units": text}
        ax.set_xlabel(style.label(xr.DataArray(np.zeros(1), attrs=attributes, name="y")))
        ax.set_ylabel(text)
        ax.set_title(text)
        ax.plot([0, 1], [0, 1], label=text)
        figure.text(0, 0, text)
    figure.legend(title=texts[-1])
    return figure, style.svg_text(figure)


def test_a_figure_takes_any_text(tmp_path: Path):
    figure, page = drawn(*UNREADABLE, *READABLE)
    ElementTree.fromstring(page)
    style.save(figure, tmp_path / "figure.png", 30)
    style.save(figure, tmp_path / "figure.pdf", 30)
    read = {text.get_text(): text.get_parse_math() for text in figure.texts}
    assert read == dict.fromkeys(UNREADABLE, False) | dict.fromkeys(READABLE, True)
    assert all(map(is_readable, READABLE)) and not any(map(is_readable, UNREADABLE))


def test_mathematics_stays_on_one_line():
    text = r"the ratio $\frac{a + b + c}{d + e + f}$ of things, and $x$ dollars"
    lines = wrapped(text, 20).split("\n")
    assert r"$\frac{a + b + c}{d + e + f}$" in lines and max(len(x) for x in lines) == 29
    assert " ".join(lines) == text and all(map(is_readable, lines))
    assert wrapped("one two three", 7) == "one two\nthree"


HIDDEN = ["\x1b[31mred", "bell\a", "back\b", "nul\0", "\x9b31m", "\u202egnp.exe", "\ud800", "\x7f"]


@pytest.mark.parametrize("text", HIDDEN)
@pytest.mark.parametrize("key", ["title", "references", "time_units", "long_name", "units"])
def test_a_control_character_is_refused_and_named(text: str, key: str, tmp_path: Path):
    study = make_study(tmp_path)
    quoted = "".join(c if c.isascii() and c.isprintable() else f"\\u{ord(c):04x}" for c in text)
    model = f'{MODEL_YAML}\n{key}: "{quoted}"\n'
    if key == "time_units":
        model = MODEL_YAML.replace("time_units: h", f'time_units: "{quoted}"')
    if key in {"long_name", "units"}:
        model = MODEL_YAML.replace("long_name: amount", f'{key}: "{quoted}"')
        model = model.replace("units: mg, units", "units")
    (study / MODEL).write_text(model)
    with pytest.raises(ConfigError) as raised:
        compose("experiment=decay", study=study)
    message = str(raised.value)
    assert key in message and "\n" not in message, message
    assert message.isprintable(), ascii(message)


@pytest.mark.parametrize("text", HIDDEN)
def test_a_message_does_not_pass_control_characters_on(text: str):
    message = str(ConfigError(f"model.{text}: no such key"))
    assert message.isprintable() and message == f"model.{escaped(text)}: no such key"
    assert without_hidden(text).isprintable()


def test_keys_and_overrides_are_quoted_without_control_characters(tmp_path: Path):
    study = make_study(tmp_path)
    (study / MODEL).write_text(f'{MODEL_YAML}\n"\\e[2Jtitel": x\n')
    with pytest.raises(ConfigError) as raised:
        compose("experiment=decay", study=study)
    assert str(raised.value).isprintable()
    for override in ("model.\x1b[2J=1", "name=\x1b[2J", "experiment=\x1b[2J"):
        with pytest.raises(ConfigError) as raised:
            compose("experiment=decay", override, study=study)
        assert str(raised.value).isprintable()


FORMULAS = ["=cmd|' /C calc'!A0", "+1+1", "@SUM(A1)", "-2+3", "\t=1", "a,b", '"']


@pytest.mark.parametrize("name", FORMULAS)
@pytest.mark.parametrize("what", ["state", "parameter", "condition", "experiment", "model"])
def test_a_name_is_no_formula_of_a_spreadsheet(what: str, name: str, tmp_path: Path):
    """Names head the columns of failures.csv and of the tables that `reproduce --write` writes."""
    study = make_study(tmp_path)
    config = {
        "state": {"model": {"states": {name: {"initial": 1.0}}}},
        "parameter": {"model": {"parameters": {name: {"value": 1.0}}}},
        "condition": {"design": {"conditions": {name: {"k": 1.0}}}},
        "experiment": {"name": name},
        "model": {"model": {"name": name}},
    }[what]
    data = compose("experiment=decay", study=study).model_dump(mode="json")
    for group, values in config.items():
        data[group] = {**data[group], **values} if isinstance(values, dict) else values
    with pytest.raises(ConfigError):
        validate(data)


SCRIPTS = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "--><script>",
    "</svg><script>",
]


class Tags(html.parser.HTMLParser):
    def __init__(self, text: str):
        super().__init__()
        self.found: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.found += [tag, *(name for name, _ in attrs if name.startswith("on"))]


@pytest.mark.parametrize("text", SCRIPTS)
def test_html_is_text_on_a_page_and_in_its_figures(text: str):
    _, svg = drawn(text)
    parts = [pages.heading(text), pages.paragraph(text), pages.light("good", text)]
    parts += [pages.details(text, pages.table([text], [[text]], name=text))]
    page = pages.render(
        "compare.html", title=text, names=[text], parts_of_page=[*parts, Markup(svg)]
    )
    assert not {"script", "img", "onerror"} & set(Tags(page).found)
    assert "table" in Tags(page).found and "svg" in Tags(page).found


@pytest.mark.slow
def test_a_whole_run_takes_any_text(tmp_path: Path):
    text = r"$\frac{1$ x^ $\unknown$ =cmd|'/C calc'!A0 <script>alert(1)</script>"
    study = make_study(
        tmp_path, EXPERIMENT_YAML.replace("formats: [png]", "formats: [png, svg, pdf]")
    )
    quoted = text.replace("'", "''")
    model = MODEL_YAML.replace("long_name: amount", f"long_name: '{quoted}'")
    model = model.replace("units: mg", f"units: '{quoted}'").replace(
        "time_units: h", f"time_units: '{quoted}'"
    )
    (study / MODEL).write_text(f"{model}\ntitle: '{quoted}'\n")
    snakemake(study)
    results = study / "results/decay"
    page = (results / "overview.html").read_text()
    # one element of data, one of the page's own code; nothing of the user's
    assert Tags(page).found.count("script") == 2 and "alert(1)</script>" not in page
    assert len(list((results / "figures").iterdir())) >= 3
    rows = list(csv.reader(io.StringIO((results / "failures.csv").read_text())))
    assert not [cell for row in rows for cell in row if cell[:1] in {"=", "+", "@", "\t"}]
