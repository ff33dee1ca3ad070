"""`python -m odeflow schema` prints the JSON schema of the config, for editors."""

import argparse
import json

from odeflow.config.root import Config


def main() -> None:
    """Runs the command that the command line names."""
    parser = argparse.ArgumentParser(prog="python -m odeflow")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("schema", help="print the JSON schema of the config, for editors")
    parser.parse_args()
    print(config_schema(), end="")


def config_schema() -> str:
    """The JSON schema of a whole config; each group is one of its `$defs`."""
    return json.dumps(Config.model_json_schema(), indent=1) + "\n"


if __name__ == "__main__":
    main()
