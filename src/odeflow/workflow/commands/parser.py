"""The parser of a command line, whose mistakes are one line."""

import argparse
from typing import NoReturn


class Parser(argparse.ArgumentParser):
    """As argparse's, with one line for a mistake instead of the usage and a line."""

    def error(self, message: str) -> NoReturn:
        """Ends with exit code 2."""
        self.exit(2, f"{self.prog}: {message}; see `{self.prog} --help`\n")


#: What a command adds its own parser to.
Commands = argparse._SubParsersAction  # argparse has no public name for it
