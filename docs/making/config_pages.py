"""Reference pages of the config: one for each group, with every key, and one list of all."""

from docs.making.config_keys import Group, Key, config_groups
from docs.making.repository import ROOT, anchor, headings

_CHOICES = ("design", "solver", "verify", "analyse")


def config_pages() -> dict[str, str]:
    """The pages, by their place in the site."""
    groups = config_groups()
    pages = {"reference/config/index.md": _index(groups)}
    for group in groups:
        pages[page_of(group.name)] = _page(group)
    return pages


def page_of(group: str) -> str:
    """The place of a group's page."""
    return f"reference/config/{group}.md"


def _index(groups: list[Group]) -> str:
    parts = [
        "# All keys of the config",
        "Made from the schema that checks a config, so that nothing is missing and every default "
        "is what the program takes. A key is set in a file of the study, or on the command line as "
        "`solver.rtol=1e-8`. Names in angle brackets are yours: `model.states.<name>.initial` is "
        "`model.states.prey.initial` for a state `prey`. [The config in "
        "words](../config-in-words.md) says how the keys work together.",
    ]
    for group in groups:
        parts += [f"## {group.name} {{ #{group.name} }}", _sentence(group.description)]
        rows = ["| key | default | what it is |", "|---|---|---|"]
        rows += [
            f"| [`{key.path}`]({group.name}.md#{key_anchor(key)}) | {_cell(key.default)} "
            f"| {_cell(_escaped(key.description))} |"
            for key in group.keys
        ]
        parts.append("\n".join(rows))
    return "\n\n".join(parts) + "\n"


def _page(group: Group) -> str:
    parts = [f"# `{group.name}`", _sentence(group.description)]
    parts += [_in_words(group.name), _choices(group.name)]
    for key in group.keys:
        parts.append(f"## `{key.path}` {{ #{key_anchor(key)} }}")
        parts.append(_sentence(_escaped(key.description)))
        facts = [f"**Default**: {key.default}", f"**Value**: {key.kind}"]
        facts += [f"**Units**: {key.units}"] if key.units else []
        parts.append("\n".join(f"- {fact}" for fact in facts))
    return "\n\n".join(part for part in parts if part) + "\n"


def key_anchor(key: Key) -> str:
    """The anchor of a key: `model.states.name.initial`."""
    return key.path.replace("<", "").replace(">", "")


def _in_words(group: str) -> str:
    """A link to the section of the config's page that explains the group, where there is one."""
    text = (ROOT / "config/README.md").read_text(encoding="utf-8")
    found = [heading for heading in headings(text) if heading.startswith(f"`{group}`")]
    if group == "about":
        found = [heading for heading in headings(text) if "study.yaml" in heading]
    links = [f"[{heading}](../config-in-words.md#{anchor(heading)})" for heading in found]
    return f"How the keys work together: {'; '.join(links)}." if links else ""


def _choices(group: str) -> str:
    """What ships for a group, chosen by `group=name`, with what each file says of itself."""
    if group not in _CHOICES:
        return ""
    rows = []
    for file in sorted((ROOT / "config" / group).glob("*.yaml")):
        first = file.read_text(encoding="utf-8").partition("\n")[0]
        if first.startswith("# "):
            rows.append(f"| `{group}={file.stem}` | {_cell(first[2:])} |")
    return "\n".join(["| choice | what it is |", "|---|---|", *rows])


def _sentence(text: str) -> str:
    """The text with a capital letter and a full stop, unless it begins with a name in code."""
    text = text if text.startswith(("`", "{", "[", "<")) else text[:1].upper() + text[1:]
    return text if not text or text.endswith((".", ":")) else text + "."


def _escaped(text: str) -> str:
    """The text with names in angle brackets and lists in brackets as they stand."""
    parts = text.split("`")
    outside = [
        part.replace("<", "&lt;").replace("[", "\\[").replace("|", "&#124;") for part in parts
    ]
    return "`".join(
        one if index % 2 == 0 else inside for index, (one, inside) in enumerate(zip(outside, parts))
    )


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
