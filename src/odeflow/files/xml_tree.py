"""XML as a tree of elements that know where they stand in the text; no entity is looked up."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from xml.parsers import expat

#: Levels of elements within each other; the recursion of libsbml ends at some thousands.
DEEPEST = 1000


class XmlError(ValueError):
    """What is wrong in a text, and on which line."""

    def __init__(self, line: int, text: str) -> None:
        super().__init__(f"line {line}: {text}")


@dataclass(eq=False)
class Element:
    """An element: names are without their prefixes; `start` is the first byte of its tag.

    `text` is what stands in it before its first child, `tail` what follows it.
    """

    name: str
    attributes: dict[str, str]
    start: int
    line: int
    parent: "Element | None"
    children: "list[Element]" = field(default_factory=list)
    text: str = ""
    tail: str = ""

    def descendants(self) -> "Iterator[Element]":
        """The element and all below it, in the order of the text."""
        pending: list[Element] = [self]
        while pending:
            element = pending.pop()
            yield element
            pending += reversed(element.children)


def read_xml(data: bytes) -> Element:
    """The root of a document in UTF-8, or in the encoding that it declares.

    Raises XmlError for what is not XML, for a document type, and for elements that are too deep.
    """
    builder = _Builder()
    try:
        builder.parser.Parse(data, True)
    except expat.ExpatError as error:
        raise XmlError(error.lineno, expat.errors.messages[error.code]) from None
    assert builder.root is not None
    return builder.root


def end_of_tag(data: bytes, start: int) -> int:
    """The byte after the tag that begins at `start`; `>` within quotes does not end it."""
    match = re.compile(rb"""(?:[^>"']|"[^"]*"|'[^']*')*>""").match(data, start)
    assert match is not None
    return match.end()


class _Builder:
    def __init__(self) -> None:
        self.root: Element | None = None
        self._open: list[Element] = []
        self.parser = expat.ParserCreate()
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._characters
        self.parser.StartDoctypeDeclHandler = self._document_type

    def _document_type(self, *_: object) -> None:
        line = self.parser.CurrentLineNumber
        raise XmlError(line, "a document type is refused; remove the DOCTYPE")

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        parser, parent = self.parser, self._open[-1] if self._open else None
        local = {key.rpartition(":")[2]: value for key, value in attributes.items()}
        name = name.rpartition(":")[2]
        at = parser.CurrentByteIndex
        element = Element(name, local, at, parser.CurrentLineNumber, parent)
        if parent is None:
            self.root = element
        else:
            parent.children.append(element)
        self._open.append(element)
        if len(self._open) > DEEPEST:
            raise XmlError(element.line, f"more than {DEEPEST} levels of elements")

    def _end(self, _: str) -> None:
        self._open.pop()

    def _characters(self, text: str) -> None:
        here = self._open[-1]
        if here.children:
            here.children[-1].tail += text
        else:
            here.text += text
