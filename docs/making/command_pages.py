"""Reference pages of the command line, from its parsers."""

import argparse
from collections.abc import Iterator

from odeflow.__main__ import _parser


def command_pages() -> dict[str, str]:
    """The pages, by their place in the site: one for each command of `odeflow`."""
    return {"reference/commands/index.md": _index()} | {
        page_of(name): _page(name, parser) for name, _, parser in commands()
    }


def page_of(command: str) -> str:
    """The place of a command's page."""
    return f"reference/commands/{command}.md"


def commands() -> Iterator[tuple[str, str, argparse.ArgumentParser]]:
    """Name, help and parser of each command."""
    for action in _parser()._actions:
        if isinstance(action, argparse._SubParsersAction):
            helps = {choice.dest: choice.help or "" for choice in action._choices_actions}
            for name, parser in action.choices.items():
                yield name, helps[name], parser


def _index() -> str:
    rows = [f"| [`odeflow {name}`]({name}.md) | {text} |" for name, text, _ in commands()]
    table = "\n".join(["| command | what it does |", "|---|---|", *rows])
    return (
        "# Command line\n\n`odeflow COMMAND --help` says the same in the terminal. A mistake is "
        "one line, with exit code 2 where the command line cannot be read, and 1 where a config is "
        f"wrong or a run fails.\n\n{table}\n\n`odeflow --version` prints the version.\n"
    )


def _page(name: str, parser: argparse.ArgumentParser) -> str:
    usage = parser.format_usage().removeprefix("usage: ").strip()
    parts = [
        f"# `odeflow {name}`",
        parser.description or "",
        f"```text\n{' '.join(usage.split())}\n```",
    ]
    rows = [_row(action) for action in parser._actions if action.dest != "help"]
    if rows:
        parts.append("\n".join(["| argument | what it is |", "|---|---|", *rows]))
    if parser.epilog:
        first, _, rest = parser.epilog.strip().partition("\n\n")
        parts += [first.replace("\n", " "), f"```text\n{rest}\n```"] if rest else [first]
    return "\n\n".join(parts) + "\n"


def _row(action: argparse.Action) -> str:
    shown = ", ".join(action.option_strings) or str(action.metavar or action.dest)
    if action.option_strings and action.nargs != 0:
        shown += f" {action.metavar or action.dest.upper()}"
    return f"| `{shown}` | {(action.help or '').replace('|', chr(92) + '|')} |"
