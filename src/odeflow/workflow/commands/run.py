"""`odeflow run`: the `snakemake` command that an experiment needs, said and run."""

import os
import shlex
import sys
from argparse import Namespace, RawDescriptionHelpFormatter
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from odeflow.files.errors import ConfigError, shown
from odeflow.files.shipped import shipped
from odeflow.workflow.commands.parser import Commands

_EXAMPLES = """
What is set is a Hydra override; see config/README.md in the folder that `odeflow where` prints.
The command that it stands for is printed first. Snakemake's own flags follow after --.

  odeflow run                                            the default experiment
  odeflow run experiment=robertson solver=kvaerno5 solver.rtol=1e-8
  odeflow run experiment=a,b compare=a,b --cores 4       several, and a page that compares them
  odeflow run experiment=my_study -- --dry-run
  odeflow run --verbose                                  all that Snakemake says
  odeflow run -- prune                                   a rule: prune, advice
"""
#: The workflow's own settings, which are not overrides.
_SETTINGS = ("experiment", "compare", "resolvers")


def add(commands: Commands) -> None:
    """Adds the command."""
    parser = commands.add_parser(
        "run",
        help="solve an experiment by Snakemake: odeflow run experiment=NAME key=value",
        description="Runs experiments of the study in this folder, by Snakemake.",
        epilog=_EXAMPLES,
        formatter_class=RawDescriptionHelpFormatter,
        usage="%(prog)s [--cores N] [--verbose] [experiment=NAME] [key=value ...] "
        "[-- SNAKEMAKE'S FLAGS]",
    )
    parser.add_argument("settings", nargs="*", metavar="key=value", help="as after `--config`")
    parser.add_argument(
        "--cores",
        metavar="N",
        help="how many cores, or all (default: all, or what a profile after -- says)",
    )
    parser.add_argument(
        "--verbose",
        action="store_true",
        help="show all that Snakemake says, which is in .snakemake/log/ too, not a dozen lines",
    )
    parser.set_defaults(run=_run, flags=[])


def _run(given: Namespace) -> None:
    if find_spec("snakemake") is None:
        raise ModuleNotFoundError(name="snakemake")

    flags = [*(["--logger-odeflow-full"] if given.verbose else []), *given.flags]
    command = snakemake_command(given.settings, given.cores, flags, Path.cwd())
    print(shlex.join(command), file=sys.stderr, flush=True)
    os.execv(command[0], command)


def snakemake_command(
    settings: Sequence[str], cores: str | None, flags: Sequence[str], study: Path
) -> list[str]:
    """The command that makes what is asked for, of the study in a folder.

    Arguments:
        settings: `key=value`, Hydra's overrides and the workflow's own settings.
        cores: a number or `all`; None for all, or for what a profile among the flags says.
        flags: further arguments for Snakemake.
        study: the folder whose `config/` comes before the shipped one.

    Returns:
        The words of the command, which stay as they are where they are given to a shell by
        `shlex.join`.

    Raises:
        ConfigError: one line, where a setting cannot be read or contradicts another.
    """
    from odeflow.config.sources import SettingsSource, settle

    if "--config" in flags or "-C" in flags:
        raise ConfigError("--config after --: only one counts; name what it sets before --")
    own: dict[str, str] = {}
    overrides: list[str] = []
    for text in settings:
        key, _, value = text.partition("=")
        if len(text.split()) != 1:
            raise ConfigError(
                f"{shown(text)}: a setting has no spaces; write key=value, or put it into a file "
                "of the study's config/"
            )
        if key not in _SETTINGS:
            overrides.append(text)
        elif value and key not in own:
            own[key] = value
        else:
            raise ConfigError(f"{shown(text)}: {key} is given once, as {key}=NAME or {key}=A,B")
    settle([SettingsSource("odeflow run", {**own, "overrides": overrides})], study)
    config = [f"{key}={value}" for key, value in own.items()]
    config += [f"overrides={' '.join(overrides)}"] if overrides else []
    if cores is None and not any("profile" in flag for flag in flags):
        cores = "all"
    return [
        # -P as the command `snakemake` has it: a module of the study does not hide Python's own
        *(sys.executable, "-P", "-m", "snakemake", "-s", str(shipped() / "Snakefile")),
        *(["--cores", cores] if cores else []),
        *flags,
        *(["--config", *config] if config else []),  # last, since it takes all that follows
    ]
