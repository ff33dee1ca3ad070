"""What has changed between what a stage was asked for and what it is asked for, in phrases."""

from collections.abc import Iterator, Mapping
from typing import Any

#: Keys of a config's groups that decide what its others mean.
_LEADING = ("name", "method", "kind", "vector_field", "sbml", "antimony", "petab", "omex", "task")
#: Changes of what is no setting, by the key of what is asked.
_OTHERS = {
    "model": "the model's code changed",
    "data": "the model's data changed",
    "reading": "what the model reads changed",
    "measurements": "the measurements changed",
    "table": "rows of the table changed",
    "functions": "code of the study's own figures changed",
    "style": "the style sheet changed",
    "source": "odeflow's code changed",
    "templates": "odeflow's pages changed",
    "notes": "what is known of the model's files changed",
}
#: Characters of a value that is shown.
_LONGEST = 24


def changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """What has changed, in phrases; none where nothing has.

    Arguments:
        old: what was asked for when the files were made, `Stage.asked`.
        new: what is asked for now.

    Returns:
        Settings by their keys, the most telling first; what is no setting only where no setting
        has changed of which it might be a consequence.
    """
    phrases = list(_settings(old.get("config", {}), new.get("config", {})))
    grown = new.get("samples", 0) - old.get("samples", 0)
    if grown and "samples" in old:
        more = f"{abs(grown):,} {'more' if grown > 0 else 'fewer'} samples"
        if len(phrases) == 1 and phrases[0].startswith("design.size "):
            return [more]
        if any(phrase.startswith("design.") for phrase in phrases):
            phrases.append(more)
    phrases += [text for key, text in _OTHERS.items() if key in new and old.get(key) != new[key]]
    if any(_replaces(phrase) for phrase in phrases):
        phrases = [phrase for phrase in phrases if phrase not in _CONSEQUENCES]
    if _OTHERS["model"] in phrases:  # with code goes what it reads
        phrases = [phrase for phrase in phrases if phrase != _OTHERS["reading"]]
    return phrases + list(_packages(old.get("packages", {}), new.get("packages", {})))


#: What another model or another design brings about too.
_CONSEQUENCES = {_OTHERS[key] for key in ("model", "data", "reading", "table", "functions")}


def is_setting(phrase: str) -> bool:
    """Whether a phrase is of a setting, and not of code, data and the like."""
    return phrase not in _OTHERS.values()


def _replaces(phrase: str) -> bool:
    return phrase.startswith(("model.name ", "model.vector_field ", "design.", "plot.functions"))


def _settings(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    """A phrase for each group of settings, or for each setting of a group with few changes."""
    for group in [*new, *(key for key in old if key not in new)]:
        before, after = dict(_leaves(group, old.get(group))), dict(_leaves(group, new.get(group)))
        different = [key for key in {**after, **before} if before.get(key) != after.get(key)]
        changed = list(dict.fromkeys(_told_as(key) for key in different))
        leading = [key for key in changed if key.rpartition(".")[2] in _LEADING]
        told = [key for key in leading if key.count(".") == 1][:1] or changed
        for key in told[:2]:
            known = key in before or key in after
            yield _phrase(key, before.get(key), after.get(key)) if known else f"{key} changed"
        if len(told) > 2:
            yield f"{len(told) - 2} more of {group}"


def _told_as(key: str) -> str:
    """An axis is told as one: its law is a key that is not null among many; and so are records."""
    if key.startswith("design.records."):
        return "design.records"
    return ".".join(key.split(".")[:3]) if key.startswith("design.axes.") else key


def _leaves(key: str, value: Any) -> Iterator[tuple[str, Any]]:
    """Every setting below a key, by its key."""
    if isinstance(value, Mapping) and value:
        for name, inner in value.items():
            yield from _leaves(f"{key}.{name}", inner)
    else:
        yield key, value


def _phrase(key: str, before: Any, after: Any) -> str:
    texts = [_text(value) for value in (before, after)]
    if any(text is None for text in texts):
        return f"{key} changed"
    return f"{key} {texts[0]} -> {texts[1]}"


def _text(value: Any) -> str | None:
    """A value as YAML has it; None for one that is too long for a phrase."""
    if isinstance(value, Mapping | list | tuple):
        return None
    text = {None: "null", True: "true", False: "false"}.get(value) if _is_word(value) else None
    text = f"{value:g}" if isinstance(value, float) else text or str(value)
    return text if len(text) <= _LONGEST else None


def _is_word(value: Any) -> bool:
    return value is None or isinstance(value, bool)


def _packages(old: Mapping[str, str], new: Mapping[str, str]) -> Iterator[str]:
    changed = [name for name in new if old and old.get(name) != new[name]]
    for name in changed[:1]:
        yield f"{name} {old.get(name, 'none')} -> {new[name]}"
    if len(changed) > 1:
        yield f"{len(changed) - 1} more packages"
