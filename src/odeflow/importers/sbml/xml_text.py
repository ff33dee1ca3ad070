"""SBML's text before libsbml reads it: how deep it is, and without what is only drawn.

libsbml walks documents and formulas by recursion, so deep ones would end the process, and refuses
packages of Level 3 that are declared in a file of Level 2. Both are dealt with on the text.
"""

import re
from collections.abc import Iterable
from xml.parsers import expat

from odeflow.files.errors import ConfigError
from odeflow.files.xml_tree import DEEPEST, end_of_tag
from odeflow.importers.refusal import ModelSource

#: Elements of one formula, calls of functions written out: libsbml takes time that grows with the
#: square, compiling takes minutes.
LONGEST_FORMULA = 20_000
#: Packages that say nothing of what a model's numbers are (SBML Level 3, `required="false"`).
IGNORED_PACKAGES = ("layout", "render", "groups", "fbc")
_PACKAGE = re.compile(
    rb"http://www\.sbml\.org/sbml/level3/version\d+/(?:%b)/version\d+"
    % "|".join(IGNORED_PACKAGES).encode()
)
_DECLARATION = re.compile(rb"""\sxmlns:([\w.-]+)\s*=\s*("[^"]*"|'[^']*')""")


def checked_text(source: ModelSource, text: str) -> str:
    """The text without the elements and attributes of `IGNORED_PACKAGES`, on the same lines.

    Raises ConfigError where elements are too deep within each other or entities are declared, here
    or elsewhere.
    What is not XML stays as it is: libsbml has the message.
    """
    data = text.encode()
    scan = _Scan(data)
    try:
        scan.run()
    except _TooDeepError as error:
        raise ConfigError(
            f"{source.place(error.line)}: more than {DEEPEST} levels of elements or formulas "
            "within each other; write the formula with fewer parentheses, or in parts"
        ) from None
    except _TooLongError as error:
        raise ConfigError(
            f"{source.place(error.line)}: a formula of more than {LONGEST_FORMULA:,} numbers and "
            "operations; divide it into assignment rules"
        ) from None
    except _EntityError as error:
        raise ConfigError(
            f"{source.place(error.line)}: entity declarations are refused; write out what "
            "they stand for"
        ) from None
    except _ElsewhereError as error:
        raise ConfigError(
            f"{source.place(error.line)}: a document type that is kept elsewhere is refused; "
            "remove the DOCTYPE"
        ) from None
    except expat.ExpatError:
        return text
    return scan.without_drawings().decode()


class _AtLineError(Exception):
    def __init__(self, line: int) -> None:
        super().__init__(line)
        self.line = line


class _TooDeepError(_AtLineError):
    pass


class _TooLongError(_AtLineError):
    pass


class _EntityError(_AtLineError):
    pass


class _ElsewhereError(_AtLineError):
    pass


class _Scan:
    """One pass over a document. `cuts` are ranges of bytes that are left out."""

    def __init__(self, data: bytes) -> None:
        self.cuts: list[tuple[int, int]] = []
        self._data = data
        self._depth = 0
        self._formula = (0, 0, 0)  # the depth of `math`, its line, and elements so far
        self._prefixes: dict[str, int] = {}  # of ignored packages, and the depth of declaration
        self._cut_from: tuple[int, int] | None = None  # depth and first byte
        self._ignores = _PACKAGE.search(data) is not None
        self._parser = expat.ParserCreate("UTF-8")
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.EntityDeclHandler = self._entity
        self._parser.StartDoctypeDeclHandler = self._document_type

    def run(self) -> None:
        self._parser.Parse(self._data, True)

    def without_drawings(self) -> bytes:
        """The document with line breaks only in place of what is cut."""
        parts, at = [], 0
        for start, stop in sorted(self.cuts):
            parts += [self._data[at:start], b"\n" * self._data.count(b"\n", start, stop)]
            at = stop
        return b"".join([*parts, self._data[at:]])

    def _entity(self, *_: object) -> None:
        raise _EntityError(self._parser.CurrentLineNumber)

    def _document_type(self, name: str, system: str | None, public: str | None, _: int) -> None:
        if system is not None or public is not None:
            raise _ElsewhereError(self._parser.CurrentLineNumber)

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        if self._depth > DEEPEST:
            raise _TooDeepError(self._parser.CurrentLineNumber)
        self._count(name)
        if not self._ignores or self._cut_from is not None:
            return
        declared = [
            key.removeprefix("xmlns:")
            for key, value in attributes.items()
            if key.startswith("xmlns:") and _PACKAGE.fullmatch(value.encode())
        ]
        for prefix in declared:
            self._prefixes.setdefault(prefix, self._depth)
        start = self._parser.CurrentByteIndex
        if _prefix(name) in self._prefixes:
            self._cut_from = (self._depth, start)
        elif declared or self._prefixes.keys() & map(_prefix, attributes):
            self._cut_attributes(start, self._prefixes)

    def _count(self, name: str) -> None:
        """Counts the elements of a formula."""
        depth, line, size = self._formula
        if name.rpartition(":")[2] == "math":
            self._formula = self._depth, self._parser.CurrentLineNumber, 0
        elif depth and self._depth > depth:
            self._formula = depth, line, size + 1
            if size == LONGEST_FORMULA:
                raise _TooLongError(line)

    def _cut_attributes(self, start: int, prefixes: Iterable[str]) -> None:
        stop = end_of_tag(self._data, start)
        names = b"|".join(re.escape(prefix.encode()) for prefix in prefixes)
        found = re.compile(
            rb"""\s+(?:xmlns:(?:%b)|(?:%b):[\w.-]+)\s*=\s*(?:"[^"]*"|'[^']*')""" % (names, names)
        )
        self.cuts += [match.span() for match in found.finditer(self._data, start, stop)]

    def _end(self, name: str) -> None:
        if self._cut_from is not None and self._cut_from[0] == self._depth:
            # an empty element ends where it starts
            stop = end_of_tag(self._data, self._parser.CurrentByteIndex)
            self.cuts.append((self._cut_from[1], stop))
            self._cut_from = None
        self._prefixes = (
            {prefix: depth for prefix, depth in self._prefixes.items() if depth < self._depth}
            if self._prefixes
            else {}
        )
        self._depth -= 1


def _prefix(name: str) -> str:
    return name.split(":", 1)[0] if ":" in name else ""
