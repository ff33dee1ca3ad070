"""The gallery: short studies, pages that show what the studies are, numbers that hold."""

import re
from pathlib import Path

import pytest

from tests.support.gallery_studies import (
    NAMES,
    PAGES,
    STUDIES,
    code_lines,
    known_numbers,
    near,
    run,
)

#: A study's YAML and its model's functions; a picture, in bytes.
MOST_LINES, MOST_BYTES = 59, 80_000


def test_there_are_twelve_and_those_that_everybody_knows():
    asked = {
        *("lorenz63", "repressilator", "robertson", "hodgkin_huxley", "gray_scott"),
        *("goldbeter1991", "theophylline", "sir_forced", "arenstorf"),
    }
    assert asked <= {*NAMES}
    assert len(NAMES) >= 12
    assert known_numbers().keys() == {*NAMES}


@pytest.mark.parametrize("name", NAMES)
def test_a_study_is_short(name: str):
    assert code_lines(name) <= MOST_LINES


@pytest.mark.parametrize("name", NAMES)
def test_a_page_has_its_picture_its_number_and_the_study_as_it_is(name: str):
    text = (PAGES / f"{name}.md").read_text(encoding="utf-8")
    found = known_numbers()[name]
    assert found.error <= found.limit
    assert f"**How near:** {found.sentence}." in text
    assert "**From** None" not in text
    assert f"]({name}.png)" in text
    assert 2_000 < (PAGES / f"{name}.png").stat().st_size <= MOST_BYTES
    files = [*(STUDIES / name).rglob("*.yaml"), *(STUDIES / name).glob("[mf]*.py")]
    assert files
    for file in files:
        assert file.read_text(encoding="utf-8").rstrip() in text, file.name


def test_the_first_page_links_to_all():
    text = (PAGES / "index.md").read_text(encoding="utf-8")
    assert {*re.findall(r"\]\((\w+)\.md\)", text)} == {*NAMES}
    for found in known_numbers().values():
        assert found.sentence[1:] in text


@pytest.mark.slow
@pytest.mark.parametrize("name", ["arenstorf", "enrichment"])
def test_a_study_still_gives_what_was_published(name: str, tmp_path: Path):
    found = near(name, run(name, tmp_path))
    assert found.error <= found.limit, found.sentence
    assert found.error == pytest.approx(known_numbers()[name].error, rel=0.5, abs=1e-10)
