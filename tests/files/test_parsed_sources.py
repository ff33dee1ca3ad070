"""What was parsed of source is kept by digest: the next process gets the same, or parses."""

from pathlib import Path

import pytest

import odeflow.files.source_code
from odeflow.files.compiled.parsed_sources import ParsedSources
from odeflow.files.source_code import PACKAGE, _parsed_now

FILES = sorted(PACKAGE.rglob("*.py"))
TEXT = b'"""A module."""\nimport os\nfrom . import beside  # why\nx = "\xc3\xa9#"\n'


@pytest.fixture
def parser(tmp_path: Path) -> Path:
    file = tmp_path / "parser.py"
    file.write_text("1")
    return file


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "cache" / "odeflow"


def kept(folder: Path, parser: Path, text: bytes = TEXT) -> None:
    sources = ParsedSources(folder, parser)
    sources.add(text, _parsed_now(text))
    sources.keep()


def test_the_next_process_gets_what_was_parsed(folder: Path, parser: Path):
    assert ParsedSources(folder, parser).get(TEXT) is None
    assert not folder.exists()  # reading makes nothing
    sources = ParsedSources(folder, parser)
    for file in FILES:
        sources.add(file.read_bytes(), _parsed_now(file.read_bytes()))
    sources.add(TEXT, _parsed_now(TEXT))
    sources.keep()
    again = ParsedSources(folder, parser)
    for text in (TEXT, *(file.read_bytes() for file in FILES)):
        assert again.get(text) == _parsed_now(text)


def test_other_text_is_parsed(folder: Path, parser: Path):
    kept(folder, parser)
    assert ParsedSources(folder, parser).get(TEXT + b"#") is None


def test_what_another_parser_made_is_not_used(folder: Path, parser: Path):
    kept(folder, parser)
    parser.write_text("2")
    assert ParsedSources(folder, parser).get(TEXT) is None


def test_what_is_damaged_is_not_used(folder: Path, parser: Path):
    kept(folder, parser)
    (entry,) = folder.glob("sources-*")
    data = bytearray(entry.read_bytes())
    data[-3] ^= 1
    entry.write_bytes(data)
    assert ParsedSources(folder, parser).get(TEXT) is None
    kept(folder, parser)
    assert ParsedSources(folder, parser).get(TEXT) == _parsed_now(TEXT)


def test_what_others_may_write_is_not_used(folder: Path, parser: Path):
    kept(folder, parser)
    folder.chmod(0o777)
    assert ParsedSources(folder, parser).get(TEXT) is None


def test_both_of_two_that_write_are_read(folder: Path, parser: Path):
    kept(folder, parser)
    kept(folder, parser, b"import sys\n")
    again = ParsedSources(folder, parser)
    assert again.get(TEXT) and again.get(b"import sys\n")


def test_without_a_cache_everything_is_parsed(parser: Path):
    sources = ParsedSources(None, parser)
    sources.add(TEXT, _parsed_now(TEXT))
    sources.keep()
    assert ParsedSources(None, parser).get(TEXT) is None
    assert odeflow.files.source_code.bare_code(TEXT) == _parsed_now(TEXT)[0]
