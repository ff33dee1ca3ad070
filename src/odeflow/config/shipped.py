"""Where the config groups that ship with the project are."""

from pathlib import Path

from odeflow.files.shipped import shipped


def shipped_config() -> Path:
    """The `config/` folder that ships."""
    return shipped() / "config"
