"""The built documentation, in a real browser from disk: complete, quiet, searchable, readable."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.accessibility import axe
from tests.support.browser import OPENS_PAGES, PHONE, WIDE, Page, browser
from tests.support.snakes import PROJECT

pytestmark = OPENS_PAGES
#: One page of each kind, looked at more closely than the others.
KINDS = (
    "index.html",
    "tutorials/doses.html",
    "how-to/solving/give_doses.html",
    "reference/config/index.html",
    "reference/config/solver.html",
    "reference/python/ensemble_solve.html",
    "reference/commands/run.html",
    "reference/dataset.html",
    "reference/status/suspect.html",
    "explanation/trust.html",
    "project/benchmarks.html",
    "gallery/index.html",
)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site; its building fails at a warning, such as a link that leads nowhere."""
    folder = tmp_path_factory.mktemp("site")
    built = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--site-dir", str(folder)],
        cwd=PROJECT, env={**os.environ, "NO_MKDOCS_2_WARNING": "1"}, text=True, check=False,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    assert built.returncode == 0, built.stdout
    return folder


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    with browser(tmp_path_factory.mktemp("profile")) as page:
        yield page


def test_no_page_asks_the_network_or_is_wider_than_a_phone(site: Path, page: Page):
    places = sorted({*site.rglob("*.html")} - {site / "404.html"})  # that is for servers
    assert len(places) > 100
    wrong = {}
    for place in places:
        page.open(place, width=PHONE)
        width = page.evaluate("document.documentElement.scrollWidth")
        found = [*page.complaints, *page.requests, *([f"{width} wide"] if width > PHONE else [])]
        if found:
            wrong[place.relative_to(site).as_posix()] = found
    assert wrong == {}


@pytest.mark.parametrize("dark", [False, True])
def test_everybody_can_read_it(site: Path, page: Page, dark: bool, tmp_path: Path):
    source = axe(tmp_path / "axe")
    if source is None:
        pytest.skip("needs axe-core, of the npm registry")
    found = {}
    for kind in KINDS:
        for width in (WIDE, PHONE):
            page.open(site / kind, width=width, dark=dark)
            assert page.evaluate("document.body.dataset.mdColorScheme") == (
                "slate" if dark else "default"
            )
            time.sleep(0.2)  # colours fade in
            page.evaluate(source)
            for one in page.evaluate("axe.run().then(result => result.violations)"):
                if one["impact"] in ("serious", "critical"):
                    found[kind, width, one["id"]] = [node["target"] for node in one["nodes"][:3]]
    assert found == {}


def test_search_finds_keys_functions_and_statuses_without_a_server(site: Path, page: Page):
    for words, wanted in (
        ("max_steps_reached", "reference/status/max_steps_reached.html"),
        ("solver.atol", "reference/config/solver.html"),
        ("ensemble_solve", "reference/python/ensemble_solve.html"),
        ("infusion", "tutorials/doses.html"),
    ):
        found = _searched(page, site / "index.html", words)
        assert any(wanted in address for address in found), (words, found)
    assert page.complaints == [] and page.requests == []


def _searched(page: Page, place: Path, words: str) -> list[str]:
    """The addresses of what is found for words that are typed into the field."""
    page.open(place)
    page.evaluate("document.querySelector('.md-search__input').focus()")
    page.ask("Input.insertText", text=words)
    links = "[...document.querySelectorAll('a.md-search-result__link')].map(a => a.href)"
    for _ in range(100):
        page.press("Shift", 16)
        time.sleep(0.1)
        if found := page.evaluate(links):
            return found
    return []


def test_nothing_of_it_names_another_machine(site: Path):
    """Scripts and style sheets of pages are the site's own; links of text may lead anywhere."""
    for place in site.rglob("*.html"):
        text = place.read_text(encoding="utf-8")
        for kind, name in (("script", "src"), ("link", "href"), ("img", "src")):
            for address in re.findall(rf'<{kind}\b[^>]*\b{name}="([^"]+)"', text):
                assert not address.startswith(("http", "//")), f"{place.name}: {address}"
