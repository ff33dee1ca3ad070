"""Each tutorial does what it says, as printed, and shows pictures that its commands make."""

import re
from pathlib import Path

import pytest
from matplotlib.image import imread

from tests.support.snakes import PROJECT
from tests.support.tutorials import NAMES, PAGES, check_printed, do, pictures, text_of


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_a_tutorial_is_as_printed(name: str, tmp_path: Path):
    do(name, tmp_path)
    shown = pictures(name, tmp_path)
    assert shown
    for picture in shown:
        made, there = imread(picture.made), imread(picture.shown)
        assert made.shape == there.shape, picture.shown.name
        # draws of a sampler and fonts may move a little between machines
        assert abs(made - there).mean() < 0.05, picture.shown.name


@pytest.mark.parametrize("name", NAMES)
def test_what_a_tutorial_links_to_is_there(name: str):
    for target in re.findall(r"\]\((?!http)([^)#]+)", text_of(name)):
        assert (PAGES / target).exists(), target
    for page, heading in re.findall(r"\]\(([^)#]*\.md)#([\w-]+)\)", text_of(name)):
        headings = re.findall(r"^#+ (.*)$", (PAGES / page).read_text(), re.MULTILINE)
        links = {re.sub(r"[^\w -]", "", text).lower().replace(" ", "-") for text in headings}
        assert heading in links, heading


def test_a_page_names_every_tutorial():
    pages = [PROJECT / "docs/guide/commands.md", PAGES / "index.md"]
    text = "".join(page.read_text() for page in pages if page.is_file())
    assert {name for name in NAMES if f"{name}.md)" not in text and name != "index"} == set()


def test_output_that_is_not_as_printed_is_noticed():
    check_printed("a\nx is 1.02 (2)\nb", "x is 1.00 (2)\nb", 0.05)
    for printed, expected, rtol in (
        ("x is 1.2", "x is 1.0", 0.05),
        ("y is 1.0", "x is 1.0", 0.05),
        ("x is 1.2", "x is 1.0", 0),
        ("b\na", "a\nb", 0),
        ("", "a", 0),
    ):
        with pytest.raises(AssertionError, match="not said"):
            check_printed(printed, expected, rtol)
