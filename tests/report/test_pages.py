"""The pages in a real browser: overview, index, comparison; on a phone and wide, light and dark."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.accessibility import axe, barriers
from tests.support.browser import OPENS_PAGES, PHONE, WIDE, Page, browser
from tests.support.snakes import make_study, snakemake

pytestmark = OPENS_PAGES

#: 4,096 trajectories, as many as the first paint is measured with.
MANY = """# @package _global_
defaults:
  - override /model: decay
  - override /design: grid
  - override /solver: tsit5
name: many
design:
  axes:
    k: {linspace: [0.5, 2.0, 64]}
    y: {linspace: [1, 3, 64]}
saveat: {ts: {linspace: [0, 2, 121]}}
"""
PAGES = ("decay/overview.html", "many/overview.html", "index.html", "compare/decay-many.html")


@pytest.fixture(scope="module")
def results(tmp_path_factory) -> Path:
    study = make_study(tmp_path_factory.mktemp("study"))
    (study / "config/experiment/many.yaml").write_text(MANY)
    (study / "config/experiment/later.yaml").write_text(MANY.replace("many", "later"))
    snakemake(study, config="experiment=decay,many compare=decay,many")
    return study / "results"


@pytest.fixture(scope="module")
def page(tmp_path_factory) -> Iterator[Page]:
    with browser(tmp_path_factory.mktemp("browser")) as opened:
        yield opened


@pytest.fixture(scope="module")
def checker(tmp_path_factory) -> str | None:
    return axe(tmp_path_factory.mktemp("axe"))


@pytest.mark.parametrize("width", [PHONE, WIDE])
@pytest.mark.parametrize("name", PAGES)
def test_nothing_is_wrong_in_a_browser(name: str, width: int, results: Path, page: Page):
    page.open(results / name, width)
    for place in ("0", "document.body.scrollHeight"):  # what is drawn when it is seen
        page.evaluate(f"window.scrollTo(0, {place})")
        time.sleep(0.2)
    assert page.complaints == [] and page.requests == []
    assert page.evaluate("document.documentElement.scrollWidth") == width
    assert (results / name).stat().st_size < 5_000_000


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("name", PAGES)
def test_everyone_can_read_it(name: str, dark: bool, results: Path, page: Page, checker):
    page.open(results / name, WIDE, dark=dark)
    page.evaluate("for (const one of document.querySelectorAll('details')) one.open = true")
    assert barriers(page, checker) == []


def test_the_check_of_accessibility_sees_barriers(tmp_path: Path, page: Page, checker):
    file = tmp_path / "bad.html"
    file.write_text("<body><h3 style='color: #ccc'>pale</h3><img src='data:,'><input id='x'>")
    page.open(file)
    found = " ".join(barriers(page, checker))
    for barrier in ("contrast", "a picture without words", "a field without a name", "a level"):
        assert barrier in found
    assert checker is None or "axe: image-alt" in found


def test_the_first_paint_of_4096_trajectories_takes_less_than_a_second(results: Path, page: Page):
    times = []
    for _ in range(3):
        page.open(results / "many/overview.html", WIDE)
        times.append(page.largest_paint())
    assert 0 < min(times) < 1000, times


def test_it_prints_to_a4(results: Path, page: Page):
    page.open(results / "many/overview.html", WIDE)
    printed = page.printed()
    assert printed.startswith(b"%PDF")
    assert b"/MediaBox [0 0 595" in printed or b"/MediaBox [0 0 594" in printed


def test_a_reader_selects_and_picks_by_keyboard(results: Path, page: Page):
    """A range of an axis, then a trajectory in it, without a pointer."""
    page.open(results / "many/overview.html", WIDE)
    page.evaluate("document.getElementById('explore').scrollIntoView()")
    time.sleep(0.5)
    said = "document.getElementById('said').textContent"
    page.evaluate("document.getElementById('brush-to').focus()")
    page.evaluate(
        "document.activeElement.value = '1.0';"
        "document.activeElement.dispatchEvent(new Event('change'))"
    )
    chosen = page.evaluate(said)
    # levels of k from 0.5 to 1.0: 22 of 64
    assert chosen == f"{22 * 64} of 4096 trajectories selected."
    page.evaluate("document.getElementById('courses').focus()")
    page.press("ArrowRight", 39)
    picked = page.evaluate(said)
    assert picked.startswith("Trajectory 0. ") and "rate" in picked
    page.press("ArrowRight", 39)
    assert page.evaluate(said) != picked
    page.press("Escape", 27)
    assert page.evaluate(said) == "No trajectory picked."


def test_a_click_on_a_cell_shows_its_course(results: Path, page: Page):
    page.open(results / "many/overview.html", WIDE)
    page.evaluate("document.getElementById('explore').scrollIntoView()")
    time.sleep(0.5)
    place = page.evaluate(
        "(b => [b.left + b.width / 2, b.top + b.height / 2])"
        "(document.getElementById('design').getBoundingClientRect())"
    )
    for kind in ("mousePressed", "mouseReleased"):
        page.ask("Input.dispatchMouseEvent", type=kind, x=place[0], y=place[1], button="left",
                 clickCount=1)  # fmt: skip
    time.sleep(0.3)
    said = page.evaluate("document.getElementById('said').textContent")
    assert said.startswith("Trajectory ") and not page.complaints
    number = int(said.split(".")[0].removeprefix("Trajectory ").replace(",", ""))
    row, column = divmod(number, 64)  # the middle of the picture is that of both axes
    assert abs(row - 32) < 8 and abs(column - 32) < 8


def test_the_index_names_every_experiment(results: Path):
    text = (results / "index.html").read_text(encoding="utf-8")
    assert 'href="decay/overview.html"' in text and 'href="many/overview.html"' in text
    assert 'href="compare/decay-many.html"' in text
    assert "experiment=later" in text and "4,096 trajectories were solved" in text
