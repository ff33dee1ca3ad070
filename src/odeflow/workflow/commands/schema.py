"""`odeflow schema`: the JSON schema of the config."""

import json
from argparse import Namespace

from odeflow.workflow.commands.parser import Commands


def add(commands: Commands) -> None:
    """Adds the command."""
    parser = commands.add_parser(
        "schema",
        help="print the JSON schema of the config, for editors",
        description="Prints the JSON schema of a whole config; each group is one of its $defs.",
    )
    parser.set_defaults(run=_schema)


def _schema(_: Namespace) -> None:
    print(config_schema(), end="")


def config_schema() -> str:
    """The JSON schema of a whole config; each group is one of its `$defs`."""
    from odeflow.config.root import Config

    return json.dumps(Config.model_json_schema(), indent=1) + "\n"
