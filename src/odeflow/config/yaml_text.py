"""YAML 1.2, by its core schema: `NO`, `on` and `010` are what a reader takes them for.

PyYAML reads YAML 1.1, where nitric oxide, `NO`, is false, 010 is eight and 12:30 is 750. What reads
one way here and another way elsewhere is refused: clocks and decimal commas.

Reference: YAML Ain't Markup Language, revision 1.2.2, section 10.3, "Core Schema".
"""

import re
from collections.abc import Callable
from typing import Any

import yaml

from odeflow.files.errors import shown
from odeflow.files.plain_text import one_spelling

#: What is not a number in YAML 1.2, and was meant as one: tags of this module.
_CLOCK, _COMMA = "!clock", "!comma"
_DIGITS = list("-+.0123456789")
#: What plain scalars are: tag, pattern and first characters.
_IMPLICIT: list[tuple[str, str, list[str]]] = [
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("bool", r"true|True|TRUE|false|False|FALSE", list("tTfF")),
    ("int", r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+", _DIGITS),
    ("float", r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", _DIGITS),
    ("float", r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)", _DIGITS),
    ("merge", r"<<", ["<"]),
    (_CLOCK, r"[-+]?[0-9]+(:[0-5]?[0-9])+(\.[0-9]*)?", _DIGITS),
    (_COMMA, r"[-+]?[0-9]+(\.[0-9]{3})*,[0-9]+([eE][-+]?[0-9]+)?", _DIGITS),
]
_WHOLE, _FRACTION = re.compile(r"[-+]?[0-9]+"), re.compile(r"[0-9]+([eE][-+]?[0-9]+)?")


def read_yaml(text: str) -> Any:
    """The data of one YAML 1.2 document; None where it is empty.

    Raises yaml.YAMLError with the place for what is not YAML, for a key that is there twice, for
    clocks and for decimal commas.
    """
    loader = _Loader(one_spelling(text))
    try:
        return loader.get_single_data()
    finally:
        loader.dispose()


def write_yaml(data: Any) -> str:
    """Data as YAML text that YAML 1.1 and 1.2 read alike."""
    return yaml.dump(data, Dumper=_Dumper, sort_keys=False)


class _Loader(yaml.SafeLoader):
    def __init__(self, text: str):
        super().__init__(text)
        self._text = text

    def compose_sequence_node(self, anchor: Any) -> yaml.SequenceNode:
        """A list; refuses one in which a comma is both a decimal and a separator."""
        node = super().compose_sequence_node(anchor)
        if node.flow_style:
            self._refuse_commas(node.value)
        return node

    def compose_mapping_node(self, anchor: Any) -> yaml.MappingNode:
        """Keys and values; refuses a key that is there twice, and `{k: 1,5}`, which has a key 5."""
        node = super().compose_mapping_node(anchor)
        seen = set()
        for key in (key for key, _ in node.value if isinstance(key, yaml.ScalarNode)):
            if (key.tag, key.value) in seen:
                raise _mistake(f"the key {key.value} is there twice", key)
            seen.add((key.tag, key.value))
        if node.flow_style:
            for (_, before), (key, value) in zip(node.value, node.value[1:]):
                if _plain(value) == "" and self._is_tight(before, key):
                    self._refuse_comma(before, key)
        return node

    def _is_tight(self, one: yaml.Node, other: yaml.Node) -> bool:
        """Whether two items are digits with a comma alone between them."""
        between = self._text[one.end_mark.index : other.start_mark.index]
        whole, fraction = _plain(one) or "", _plain(other) or ""
        numbers = _WHOLE.fullmatch(whole) and _FRACTION.fullmatch(fraction)
        return bool(numbers) and between == ","

    def _refuse_commas(self, items: list[yaml.Node]) -> None:
        pairs = list(zip(items, items[1:]))
        tight = [self._is_tight(*pair) for pair in pairs]
        if any(tight) and not all(tight):
            self._refuse_comma(*pairs[tight.index(True)])

    def _refuse_comma(self, one: yaml.Node, other: yaml.Node) -> None:
        whole, fraction = _plain(one), _plain(other)
        raise _mistake(
            f"{whole},{fraction} may be one number or two; write {whole}.{fraction} for one, and "
            "a space after each comma of a list",
            one,
        )


class _Dumper(yaml.SafeDumper):
    """Quotes text that either version of YAML, or this reader, would take for something else."""

    def ignore_aliases(self, data: Any) -> bool:
        """Writes out what is there twice."""
        del data
        return True


def _plain(node: yaml.Node) -> str | None:
    """The text of a scalar without quotes, else None."""
    return node.value if isinstance(node, yaml.ScalarNode) and node.style is None else None


def _mistake(problem: str, node: yaml.Node) -> yaml.MarkedYAMLError:
    return yaml.constructor.ConstructorError(None, None, problem, node.start_mark)


def _typed(convert: Callable[[str], Any]) -> Callable[[_Loader, yaml.ScalarNode], Any]:
    def construct(loader: _Loader, node: yaml.ScalarNode) -> Any:
        text = str(loader.construct_scalar(node))
        try:
            return convert(text)
        except (ValueError, KeyError):
            raise _mistake(f"{shown(text)} is no {node.tag.rpartition(':')[2]}", node) from None

    return construct


def _integer(text: str) -> int:
    base = {"0o": 8, "0x": 16}.get(text[:2], 10)
    return int(text[2:], base) if base != 10 else int(text)


def _float(text: str) -> float:
    return float(re.sub(r"^([-+]?)\.(?=[in])", r"\1", text.lower()))


def _clock(loader: _Loader, node: yaml.ScalarNode) -> None:
    text = loader.construct_scalar(node)
    raise _mistake(
        f"{text} is a clock, not a number; write how many time units it is, such as 12.5, or "
        f'quote it where it is text: "{text}"',
        node,
    )


def _comma(loader: _Loader, node: yaml.ScalarNode) -> None:
    text = str(loader.construct_scalar(node))
    numbers = text.replace(".", "").replace(",", ".")
    if re.fullmatch(r"[-+]?[0-9]{1,3},[0-9]{3}", text):
        numbers += f" or {text.replace(',', '')}"
    raise _mistake(
        f"{text} has a comma for a decimal point; write {numbers}, or [...] around a list, or "
        f'quote it where it is text: "{text}"',
        node,
    )


_TAG = "tag:yaml.org,2002:"
_Loader.yaml_implicit_resolvers = {}
_Loader.yaml_constructors = {
    f"{_TAG}null": yaml.SafeLoader.construct_yaml_null,
    f"{_TAG}bool": _typed(lambda text: {"true": True, "false": False}[text.lower()]),
    f"{_TAG}int": _typed(_integer),
    f"{_TAG}float": _typed(_float),
    f"{_TAG}str": yaml.SafeLoader.construct_yaml_str,
    f"{_TAG}seq": yaml.SafeLoader.construct_yaml_seq,
    f"{_TAG}map": yaml.SafeLoader.construct_yaml_map,
    _CLOCK: _clock,
    _COMMA: _comma,
    None: yaml.SafeLoader.construct_undefined,
}
for _name, _pattern, _first in _IMPLICIT:
    _tag = _name if _name.startswith("!") else f"{_TAG}{_name}"
    for _class in (_Loader, _Dumper):
        _class.add_implicit_resolver(_tag, re.compile(rf"(?:{_pattern})\Z"), _first)
