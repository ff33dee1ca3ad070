"""Makes `.venv-bench`: the project's environment, seen through a path file, plus the extra `bench`.

The project's packages stay as they are: what is installed has to do with their versions. Each
package of the extra is installed apart: one that does not build here is missing from the report, no
more.

    .venv/bin/python benchmarks/environment.py .venv-bench
"""

import subprocess
import sys
import sysconfig
import tempfile
import tomllib
import venv
from importlib import metadata
from pathlib import Path

ROOT = Path(__file__).parents[1]


def main() -> None:
    """See the module."""
    folder = Path(sys.argv[1]).absolute()
    python = folder / "bin" / "python"
    if not python.exists():
        venv.create(folder, with_pip=True, symlinks=True)
    find = "import sysconfig; print(sysconfig.get_path('purelib'))"
    packages = subprocess.run([python, "-c", find], check=True, text=True, capture_output=True)
    path_file = Path(packages.stdout.strip()) / "odeflow-environment.pth"
    path_file.write_text(f"{sysconfig.get_path('purelib')}\n{ROOT / 'src'}\n", "utf-8")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    with tempfile.TemporaryDirectory() as temporary:
        constraints = Path(temporary) / "constraints.txt"
        constraints.write_text("\n".join(sorted(present())), "utf-8")
        command = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        for requirement in project["optional-dependencies"]["bench"]:
            one = [*command, "--constraint", constraints, requirement]
            if subprocess.run(one).returncode:
                print(f"{requirement} cannot be installed here: the benchmark runs without it")


def present() -> set[str]:
    """The project's packages, each at its version."""
    found = {d.metadata["Name"]: d.version for d in metadata.distributions()}
    return {f"{name}=={version}" for name, version in found.items() if name != "odeflow"}


if __name__ == "__main__":
    main()
