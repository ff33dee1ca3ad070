"""Attributes of an SBML file that are changed before it is read, in its text: lines stay."""

import re
from collections.abc import Iterable, Mapping
from typing import Any
from xml.sax.saxutils import quoteattr

from odeflow.files.xml_tree import Element, end_of_tag, read_xml
from odeflow.importers.sbml.targets import parse_target

_ATTRIBUTE = re.compile(r"""\s+([\w:.-]+)\s*=\s*(?:"[^"]*"|'[^']*')""")
#: The target of an attribute, and its new value; None: it is taken away.
Edit = tuple[str, str | None]


def edits_of(model: Mapping[str, Any]) -> list[Edit]:
    """The edits that a `model` group lists; what the schema refuses is left out."""
    given = model.get("edits")
    records = given if isinstance(given, list) else []
    return [(str(x.get("target")), x.get("value")) for x in records if isinstance(x, Mapping)]


def edited(text: str, edits: Iterable[Edit]) -> str:
    """The text with the edits made; of two of one attribute the later holds.

    Raises ValueError where a target names no attribute, or not one element.
    """
    edits = list(edits)
    if not edits:
        return text
    data = text.encode()
    root = read_xml(data)
    changed: dict[Element, dict[str, str | None]] = {}
    for path, value in edits:
        target = parse_target(path)
        if target.attribute is None:
            raise ValueError(f"{path} names no attribute; end it with /@value or the like")
        changed.setdefault(target.found(root), {})[target.attribute] = value
    for element in sorted(changed, key=lambda x: x.start, reverse=True):
        stop = end_of_tag(data, element.start)
        tag = data[element.start : stop].decode()
        for name, value in changed[element].items():
            tag = _with_attribute(tag, name, value)
        data = data[: element.start] + tag.encode() + data[stop:]
    return data.decode()


def _with_attribute(tag: str, name: str, value: str | None) -> str:
    text = "" if value is None else f" {name}={quoteattr(value)}"
    for found in _ATTRIBUTE.finditer(tag):
        if found[1].rpartition(":")[2] == name:
            lines = "\n" * found[0].count("\n")
            return tag[: found.start()] + text + lines + tag[found.end() :]
    first = re.match(r"<[^\s/>]+", tag)
    assert first is not None
    return tag[: first.end()] + text + tag[first.end() :]
