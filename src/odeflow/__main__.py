"""`odeflow`, also as `python -m odeflow`: one command each in `workflow/commands/`."""

import sys
from collections.abc import Sequence

from odeflow.files.errors import ConfigError
from odeflow.files.extras import needed
from odeflow.workflow.commands import (
    answers,
    antimony,
    crate,
    explore,
    new,
    reproduce,
    run,
    schema,
    where,
)
from odeflow.workflow.commands.parser import Parser

_COMMANDS = (run, answers, explore, new, reproduce, crate, schema, antimony, where)


def main(words: Sequence[str] | None = None) -> None:
    """Runs the command that the command line names; a mistake is one line and exit code 1 or 2.

    Arguments:
        words: the command line without the program's name; by default this process' own.
    """
    words = list(sys.argv[1:] if words is None else words)
    flags: list[str] = []
    if words[:1] == ["run"] and "--" in words:
        at = words.index("--")
        words, flags = words[:at], words[at + 1 :]
    given = _parser().parse_args(words)
    if flags:
        given.flags = flags
    try:
        with needed(given.command):
            given.run(given)
    except ConfigError as error:
        print(f"odeflow: {error}", file=sys.stderr)
        sys.exit(1)


def _parser() -> Parser:
    from odeflow.provenance.versions import VERSION

    parser = Parser(prog="odeflow", description="Declarative, batched ODE solving.")
    parser.add_argument("--version", action="version", version=f"odeflow {VERSION}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for command in _COMMANDS:
        command.add(commands)
    return parser


if __name__ == "__main__":
    main()
