"""XPath to elements of an SBML file, as SED-ML writes it: the steps that lead to one element."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from odeflow.files.xml_tree import Element

_STEP = re.compile(r"(//?)(?:[\w.-]+:)?([\w.-]+|\*)((?:\[[^\]]*\])*)")
_CONDITION = r"""@(?:[\w.-]+:)?([\w.-]+)\s*=\s*(?:"([^"]*)"|'([^']*)')"""
_CONDITIONS = re.compile(rf"\[\s*{_CONDITION}(?:\s+and\s+{_CONDITION})*\s*\]")
_ATTRIBUTE = re.compile(r"/@(?:[\w.-]+:)?([\w.-]+)$")


@dataclass(frozen=True)
class Step:
    """To the children of a name (`*`: any; `anywhere`: all below) that have these attributes."""

    name: str
    attributes: tuple[tuple[str, str], ...]
    anywhere: bool

    def fits(self, element: Element) -> bool:
        """Whether an element is what it leads to."""
        has = element.attributes
        return self.name in ("*", element.name) and all(has.get(k) == v for k, v in self.attributes)


@dataclass(frozen=True)
class XPath:
    """The steps to an element, and its attribute, where one is named.

    Prefixes are left out: names of SBML's elements are plain without them, and files name other
    levels and versions of SBML than those of the model.
    """

    text: str
    steps: tuple[Step, ...]
    attribute: str | None

    def found(self, root: Element) -> Element:
        """The element in a document; raises ValueError where there is none, or several."""
        nodes: list[Element] = [root]
        first, *others = self.steps
        candidates = root.descendants() if first.anywhere else [root]
        nodes = [x for x in candidates if first.fits(x)]
        for step in others:
            nodes = list(dict.fromkeys(x for x in _below(nodes, step.anywhere) if step.fits(x)))
        if len(nodes) != 1:
            raise ValueError(f"{self.text} leads to {len(nodes) or 'no'} elements of the model")
        return nodes[0]


def _below(nodes: Iterable[Element], anywhere: bool) -> Iterator[Element]:
    for node in nodes:
        for child in node.children:
            yield from child.descendants() if anywhere else [child]


def parse_target(text: str) -> XPath:
    """The target that an XPath is: names, `//`, and attributes in brackets.

    Raises ValueError for any other XPath.
    """
    text = text.strip()
    found = _ATTRIBUTE.search(text)
    path = text[: found.start()] if found else text
    steps, at = [], 0
    while at < len(path):
        step = _STEP.match(path, at)
        if step is None:
            break
        attributes = _attributes(step[3])
        if attributes is None:
            break
        steps.append(Step(step[2], attributes, step[1] == "//"))
        at = step.end()
    if at < len(path) or not steps:
        raise ValueError(
            f"{text!r} is not understood; write it as /sbml:sbml/sbml:model/"
            "sbml:listOfParameters/sbml:parameter[@id='k']"
        )
    return XPath(text, tuple(steps), found[1] if found else None)


def _attributes(text: str) -> tuple[tuple[str, str], ...] | None:
    """The attributes that brackets ask for; None where they ask for something else."""
    brackets = re.findall(r"\[[^\]]*\]", text)
    if not all(_CONDITIONS.fullmatch(x) for x in brackets):
        return None
    pairs = (match for x in brackets for match in re.findall(_CONDITION, x))
    return tuple((name, double or single) for name, double, single in pairs)
