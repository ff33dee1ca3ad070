"""The verdict on a finished run. Cheap: the last job of every run."""

import json
from pathlib import Path

from odeflow.files.errors import ConfigError


class RunFailedError(ConfigError):
    """Results that are complete, and that the config's own limits speak against."""


def judge(name: str, verdict: Path) -> None:
    """Raises RunFailedError, one line, where the overview has found complaints."""
    complaints = json.loads(verdict.read_text(encoding="utf-8"))["complaints"]
    if complaints:
        raise RunFailedError(f"{name}: all results are written, but " + "; ".join(complaints))
