"""Each tutorial does what it says, as printed, and shows pictures that its commands make."""

import re

import pytest

from tests.support.snakes import PROJECT
from tests.support.tutorials import NAMES, PAGES, check, check_printed, text_of


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_a_tutorial_is_as_printed(name: str):
    check(name)


@pytest.mark.parametrize("name", NAMES)
def test_what_a_tutorial_links_to_is_there(name: str):
    for target in re.findall(r"\]\((?!http)([^)#]+)", text_of(name)):
        assert (PAGES / target).exists(), target
    for page, heading in re.findall(r"\]\(([^)#]*\.md)#([\w-]+)\)", text_of(name)):
        headings = re.findall(r"^#+ (.*)$", (PAGES / page).read_text(), re.MULTILINE)
        links = {re.sub(r"[^\w -]", "", text).lower().replace(" ", "-") for text in headings}
        assert heading in links, heading


def test_the_readme_names_every_tutorial():
    readme = (PROJECT / "README.md").read_text()
    assert {name for name in NAMES if f"docs/tutorials/{name}.md" not in readme} == set()


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
