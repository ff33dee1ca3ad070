"""Where the config groups that ship with the project are."""

import os
from pathlib import Path

from odeflow.files.errors import ConfigError


def shipped_config() -> Path:
    """The project's `config/` folder: beside `src/`, or the one `ODEFLOW_CONFIG` names."""
    named = os.environ.get("ODEFLOW_CONFIG")
    folder = Path(named) if named else Path(__file__).resolve().parents[3] / "config"
    if not (folder / "config.yaml").is_file():
        raise ConfigError(
            f"no shipped config in {folder}: install odeflow with `pip install -e` from its "
            "checkout, or name the folder in ODEFLOW_CONFIG"
        )
    return folder
