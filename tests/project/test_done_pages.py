"""A page is done once, and again where it, or the program, is another."""

from pathlib import Path

import pytest

from tests.support import done_pages
from tests.support.recipes import RECIPES
from tests.support.snakes import PROJECT
from tests.support.tutorials import blocks, file_of


def test_a_page_is_done_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(done_pages, "PROJECT", tmp_path)
    monkeypatch.setattr(done_pages, "RECORDS", tmp_path / "records")
    monkeypatch.setattr(done_pages, "_program", lambda: "program")
    page, done = tmp_path / "page.md", []
    page.write_text("one")

    def once(again: bool = False) -> bool:
        return done_pages.done_once("page", [page], lambda: done.append(page.read_text()), again)

    assert [once(), once(), once(again=True)] == [True, False, True]
    page.write_text("two")
    assert [once(), once()] == [True, False]
    monkeypatch.setattr(done_pages, "_program", lambda: "another program")
    assert once() and done == ["one", "one", "two", "two"]


def test_what_fails_is_not_done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(done_pages, "PROJECT", tmp_path)
    monkeypatch.setattr(done_pages, "RECORDS", tmp_path / "records")
    page = tmp_path / "page.md"
    page.write_text("one")

    def wrong() -> None:
        raise AssertionError("not said: 1")

    with pytest.raises(AssertionError, match="not said"):
        done_pages.done_once("page", [page], wrong)
    assert done_pages.done_once("page", [page], lambda: None)


def test_every_recipe_has_something_to_do():
    for recipe in RECIPES:
        kinds = {kind for kind, _, _ in blocks((PROJECT / "docs" / recipe).read_text())}
        assert kinds - {"console", "text"}, recipe


@pytest.mark.parametrize(
    ("block", "name"),
    [
        ("# models.py\nx = 1\n", "models.py"),
        ("# @package _global_\n# config/experiment/a.yaml\nname: a\n", "config/experiment/a.yaml"),
        ("// model.ant\nmodel a()\n", "model.ant"),
        ("# Snakefile\nrule all:\n", "Snakefile"),
        ("import odeflow\n", None),
    ],
)
def test_the_first_line_names_the_file(block: str, name: str | None):
    assert file_of(block) == name


@pytest.mark.slow
def test_the_recipes_can_be_done():
    from tests.support.recipes import check

    check()
