"""The file of what is recorded: versions, then one line per case."""

import json
import platform
from importlib import metadata
from pathlib import Path

import llvmlite.binding

from tests.corpus.row import Row

FILE = Path(__file__).parent / "record.json"
_PACKAGES = ("jax", "numba", "llvmlite", "numpy")


def read(file: Path = FILE) -> dict[str, Row]:
    """The rows by the names of their cases."""
    data = json.loads(file.read_text(encoding="utf-8"))
    return {name: Row.of_data(row) for name, row in data["cases"].items()}


def write(rows: dict[str, Row], file: Path = FILE) -> None:
    """Writes all rows, with the versions by which they were made."""
    about = json.dumps(versions())
    lines = (
        f"{json.dumps(name)}: {json.dumps(row.as_data(), separators=(',', ':'))}"
        for name, row in rows.items()
    )
    text = ",\n".join(lines)
    file.write_text(f'{{"made by": {about},\n"cases": {{\n{text}\n}}}}\n', encoding="utf-8")


def versions() -> dict[str, str]:
    """What numbers may depend on in their last bits."""
    packages = {name: metadata.version(name) for name in _PACKAGES}
    processor = llvmlite.binding.get_host_cpu_name()
    return {"python": platform.python_version(), **packages, "processor": processor}
