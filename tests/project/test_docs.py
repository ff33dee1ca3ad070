"""The documentation is complete: every key, function, command and status has its page."""

import ast
import posixpath
import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

import odeflow
from docs.making import command_pages, config_pages, python_pages, status_pages
from docs.making.config_keys import config_groups
from docs.making.links import with_site_links
from docs.making.navigation import expanded, named
from docs.making.pages import generated_pages
from docs.making.repository import OUTSIDE, anchor, headings
from odeflow.config.root import Config
from odeflow.problem.status import ADVICE, Status
from tests.support.snakes import PROJECT

DOCS = PROJECT / "docs"
PAGES = generated_pages()


def _records(schema: Any) -> Iterator[dict[str, Any]]:
    """Every record of the config's schema that has keys."""
    if isinstance(schema, dict):
        if isinstance(schema.get("properties"), dict):
            yield schema
        for part in schema.values():
            yield from _records(part)
    elif isinstance(schema, list):
        for part in schema:
            yield from _records(part)


def test_every_config_key_has_a_place_with_a_default_and_words():
    """By another way than the pages are made: names of keys anywhere in the schema."""
    names = {
        name for record in _records(Config.model_json_schema()) for name in record["properties"]
    }
    for group in config_groups():
        page = PAGES[config_pages.page_of(group.name)]
        for key in group.keys:
            assert f"{{ #{config_pages.key_anchor(key)} }}" in page, key.path
            assert key.description, f"{key.path}: no description in the schema"
            assert key.default and key.kind, key.path
            assert (
                f"{group.name}.md#{config_pages.key_anchor(key)}"
                in PAGES["reference/config/index.md"]
            ), key.path
            names.discard(key.path.split(".")[-1])
        names.discard(group.name)
    assert names == set()


def test_keys_say_their_defaults_and_units():
    keys = {key.path: key for group in config_groups() for key in group.keys}
    assert keys["solver.rtol"].default == "`1e-06`"
    assert keys["model.t1"].default == "needed"
    assert keys["solver.dt0"].units == "`model.time_units`"
    assert keys["verify.budget"].units == "s"
    assert keys["model.states.<name>.initial"].kind == "number, or list, or record, or text"
    assert "factor" in keys["runtime.retry.max_steps"].kind
    assert keys["analyse.estimate.parameters.<name>.bounds"].default == "needed"


def test_every_public_name_has_a_page():
    assert {python_pages.page_of(name) for name in odeflow.__all__} <= PAGES.keys()


def test_every_command_has_a_page_with_its_arguments():
    for name, _, parser in command_pages.commands():
        page = PAGES[command_pages.page_of(name)]
        for action in parser._actions:
            if action.dest != "help":
                shown = action.option_strings or [str(action.metavar or action.dest)]
                assert shown[0] in page, f"{name} {shown[0]}"


def test_every_status_has_a_page_with_its_advice():
    for status in Status:
        page = DOCS / f"reference/status/{status.name}.md"
        text = status_pages.filled(status.name, page.read_text(encoding="utf-8"))
        assert ADVICE[status] in text and "<!--" not in text, status.name


def test_every_cause_is_on_a_page():
    """Causes as the program's text has them, against those that the examples lead to."""
    tree = ast.parse((PROJECT / "src/odeflow/trust/diagnosis.py").read_text())
    causes = {
        call.args[0].value
        for call in ast.walk(tree)
        if isinstance(call, ast.Call)
        and getattr(call.func, "id", "") == "Diagnosis"
        and isinstance(call.args[0], ast.Constant)
    }
    assert causes == {diagnosis.cause for diagnosis in status_pages.diagnoses()}


def test_every_page_is_in_the_navigation():
    settings = yaml.safe_load((PROJECT / "mkdocs.yml").read_text())
    found = list(named(expanded(settings["nav"], list(PAGES))))
    there = {page.relative_to(DOCS).as_posix() for page in DOCS.rglob("*.md")}
    assert sorted(found) == sorted(there | PAGES.keys() | OUTSIDE.keys())


def test_no_link_leads_nowhere():
    """What MkDocs says, too, but in a second: pages and places in them, as the site has them."""
    texts = {page.relative_to(DOCS).as_posix(): page.read_text() for page in DOCS.rglob("*.md")}
    texts |= PAGES | {place: (PROJECT / source).read_text() for place, source in OUTSIDE.items()}
    places = {place: _places(text) for place, text in texts.items()}
    wrong = []
    for place, text in texts.items():
        shown = re.sub(r"```.*?```|`[^`\n]*`", "", with_site_links(place, text), flags=re.DOTALL)
        for target, _, spot in re.findall(r"\]\((?!\w+:)([^()#\s]+)(#([^()\s]+))?\)", shown):
            there = posixpath.normpath(posixpath.join(posixpath.dirname(place), target))
            is_file = (DOCS / there).is_file() or (place in OUTSIDE and target.endswith(".png"))
            if (there not in texts and not is_file) or (spot and spot not in places.get(there, {})):
                wrong.append(f"{place}: {target}#{spot}")
    assert wrong == []


def _places(text: str) -> set[str]:
    """The anchors of a page."""
    found = headings(text)
    named = {name for heading in found for name in re.findall(r"\{ #(\S+) \}", heading)}
    return named | {anchor(heading) for heading in found}


def test_every_recipe_is_in_the_list_of_recipes():
    listed = re.findall(r"\]\((\w+/\w+\.md)\)", (DOCS / "how-to/index.md").read_text())
    assert len(listed) >= 30
    there = {page.relative_to(DOCS / "how-to").as_posix() for page in DOCS.glob("how-to/*/*.md")}
    assert sorted(listed) == sorted(there)


_CODE = "```text\n[a](../config/README.md)\n```"


@pytest.mark.parametrize(
    ("page", "written", "shown"),
    [
        ("sbml.md", "[a](../config/README.md#doses)", "[a](reference/config-in-words.md#doses)"),
        ("reference/config-in-words.md", "[SBML](../docs/sbml.md)", "[SBML](../sbml.md)"),
        ("index.md", "[the lock](../requirements.lock)", "the lock (`requirements.lock`)"),
        ("index.md", "[gone](gone.md)", "[gone](gone.md)"),
        ("index.md", _CODE, _CODE),
        ("index.md", "```text rtol=0.02\n1\n```", "```text\n1\n```"),
    ],
)
def test_links_lead_to_pages_of_the_site(page: str, written: str, shown: str):
    assert with_site_links(page, written) == shown
