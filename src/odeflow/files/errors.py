"""The error that says what is wrong with what a user wrote, in one line."""

from typing import Any

from odeflow.files.plain_text import escaped


class ConfigError(ValueError):
    """A mistake in the user's configuration: says which key, which value, and what is allowed.

    What a terminal would obey is escaped, whoever wrote what the message quotes.
    """

    def __init__(self, message: str):
        super().__init__(escaped(message))


def shown(value: Any, most: int = 80) -> str:
    """A value as a message shows it: one line, long ones cut in the middle."""
    text = repr(value)
    return text if len(text) <= most else f"{text[: most - 20]}...{text[-15:]}"
