"""Writes `docs/reliability.md` from the rows of the tests:

python -m tests.support.reliability_page > docs/reliability.md
"""

import re
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

import tests.conftest  # noqa: F401  (float64, as in the tests)
from odeflow.files.errors import ConfigError
from odeflow.trust.verification import verify
from tests.config.test_bad_input import message_of
from tests.config.test_security import ATTACKS
from tests.support.bad_input import BAD_INPUTS
from tests.support.faults import FAULTS, SLURM_FAULTS, Fault
from tests.support.hostile import CASES
from tests.support.scales import EXPONENTS, error_over_scale, scaled_ensemble
from tests.support.snakes import PROJECT
from tests.support.wrong_on_purpose import WRONG, wrong_study
from tests.workflow import (  # noqa: F401  (their tests are rows of FAULTS and SLURM_FAULTS)
    test_faults,
    test_kills,
    test_nolock,
    test_prune,
    test_slurm,
    test_surroundings,
)

PAGE = PROJECT / "docs" / "reliability.md"
_PAGE = """\
# Reliability

What happens when something goes wrong. Each row of the tables is a test, which does what the row
says: real Snakemake runs in temporary folders, real signals, real damage. Made by
`python -m tests.support.reliability_page > docs/reliability.md`; the tests are
`test_faults.py`, `test_kills.py`, `test_surroundings.py`, `test_nolock.py`, `test_prune.py` and
`test_determinism.py` in `tests/workflow`, `test_bad_input.py` and `test_security.py` in
`tests/config`.

## Faults

"The same bytes" means: `design.nc`, `ensemble.nc`, `summary.nc`, the figures and the overview page
are, byte for byte, those of a run that nothing happened to. The tests run
Snakemake with `--workflow-profile none`; the default profile that ships here gives
`--rerun-incomplete` by itself.

{faults}

The stages are the design, solving, assembling, the summary, the verification, the diagnosis of
failures, the figures, the overview and the verdict. On Linux a job ends with the Snakemake that
started it; elsewhere a job of one that is killed by SIGKILL runs to its end. Snakemake
notices that a home cannot be written before it reads the workflow, so the message is its own, and
longer.

A run leases the files that it reads and writes (`results/chunks/.leases`): `prune` keeps the chunks
of a run that is going on, and a second run does not write what another is using, with `--nolock` or
without: it ends with one line, and of two that begin at one time both may. The lease of a process
that has ended counts no more; that of one on another machine is renewed every minute, and counts
for a quarter of an hour.

Every file is written under a temporary name, synced, and renamed. A process is killed at 60 moments
of writing: under its final name a file is whole, or is what it was before. What a killed process
leaves under the temporary name, `snakemake --cores 1 prune` removes a day later.

A chunk carries a digest of its content and of its attributes, and the name of the folder it was
solved for: damage, a chunk of other settings and a chunk in another's place are found when it is
assembled. All other files carry checksums, which reading verifies, and a digest of each is kept in
`results/<experiment>/records/`: what was edited by hand is found by the stages that read it.

## Faults on Slurm

On a Slurm of one node, started by `make test-slurm`, through `profiles/slurm` as it ships,
which has two retries; `tests/workflow/test_slurm.py`. The bytes are those of a run on two local
cores.

{slurm_faults}

## Determinism

Two runs in two folders, on one core and on two, in one chunk and in three, by either engine, of a
grid and of a sampled design: all results are the same bytes, SVG and PNG figures included. No
result holds a date, an absolute path or a host name. This holds on one machine with the same
versions of the packages.

## Wrong numbers

What is solved is wrong on purpose, in one way a row, by the native engine at the default
tolerances (`rtol` 1e-6, `atol` 1e-8); this is the verdict of the verification, which is given the
right problem. `tests/support/wrong_on_purpose.py`. What passes is within a hundred tolerances.

{wrong}

States of any size at the default tolerances, a chain of two from (s, 0):
`tests/support/scales.py`. The error is that against the closed form, relative to the scale of the
variable. Nothing passes with one above 1%.

{scales}

## Bad input

The exit code is not 0, no result is written or overwritten, and this line says why. Mistakes in
what a function returns are found by the first solving job, which traces the model before it solves;
all others when Snakemake reads the config, `--dry-run` included.

{bad_input}

## Results that are not this study's

A study has a random name, kept in `.snakemake/` beside Snakemake's records of how each file was
made. The folder `results/<experiment>/` is marked with it by the first job that writes there. Files
of odeflow in a folder without the mark (a colleague's results, a folder copied without
`.snakemake/`) could be stale without Snakemake knowing, so the run is refused: move or delete the
folder. Solved chunks in `results/chunks/` need no mark, their folder's name says all that decides
their numbers.

## Compiled code

What the engines compile is kept for later runs of all studies in `$ODEFLOW_CACHE/odeflow`, else
`$XDG_CACHE_HOME/odeflow`, else `~/.cache/odeflow`: a folder that is made with mode 0700. One that
is a link, belongs to another user, or that others may write or put another in the place of (a
folder on the way to it is theirs, or open to them and not as `/tmp` is) is not used. Where none
can be used, `results/cache` of the study takes its place, and where that cannot either, each run
compiles. A line in the job's log says so. Above 1 GiB the entries that were not used for longest
are removed, and no other file; all of it may be deleted at any time.

An entry is named by a digest of all that it depends on (source, versions of the compilers,
processor) and carries a digest of that and of its content, compared before anything in it is read;
so is whether the file is ours, and ours alone to write. The slow tests of
`tests/files/test_compile_cache.py` cut, flip, swap, empty, lengthen and garble entries of each
kind, 520 times, and put entries of another machine in their place: each time the result is right,
one line says that the entry was removed, and it is compiled again. Of two processes that compile
the same code, one is killed.

## Security

A config is data. The model file is a program: it is run when a model is solved, and by a
plan (a dry run too) where what it reads is not known yet or has changed.

- `_target_` and its kin are refused; methods are chosen by name from a list.
- YAML is read by a safe loader; tags that name Python objects are refused, and aliases that stand
  for more than a million values.
- `${{oc.env:...}}` and all other resolvers of OmegaConf are refused. A study that wants one says so
  in its `config/workflow.yaml`: `resolvers: [oc.env]`. `${{model.t1}}`, the value of another key,
  is allowed.
- Overrides with a character that a shell would act on are refused.
- Text (titles, names, units) passes through the whole workflow as text; on the page it is escaped.
- Compiled code is run as it is, so it is kept in a folder that is yours alone (above).

Attempts that must be refused, and create nothing:

{attacks}

Files that others may have written. Each is refused with this line, and nothing is made or read
elsewhere (`tests/support/hostile.py`). What a title, a name or a unit may be on figures, pages, in
terminals and spreadsheets is in `tests/report/test_hostile_text.py`.

{hostile}

The loader is given random mutations of valid files and overrides for more than a minute in the slow
tests: only one-line config errors may come out.
"""


def page() -> str:
    """The page as Markdown."""
    rows = []
    for number, case in enumerate(BAD_INPUTS, start=1):
        with tempfile.TemporaryDirectory() as folder:
            message = message_of(case, case.make(Path(folder)))
        rows.append((str(number), case.where, case.what, _code(_without_lists(message))))
    bad_input = _table(("", "where", "what", "the line"), rows)
    attacks = "\n".join(
        f"- {_code(attack.encode('unicode_escape').decode())}" for attack in ATTACKS
    )
    return _PAGE.format(
        faults=_fault_table(FAULTS),
        wrong=wrong_table(),
        scales=scale_table(),
        slurm_faults=_fault_table(SLURM_FAULTS),
        bad_input=bad_input,
        attacks=attacks,
        hostile=hostile_table(),
    )


def hostile_table() -> str:
    """What each hostile file gets for an answer."""
    rows = []
    for case in CASES:
        with tempfile.TemporaryDirectory() as folder:
            try:
                case.attempt(Path(folder))
            except ConfigError as error:
                message = _without_lists(str(error)).replace(f"{folder}/", "")
        rows.append((case.where, case.what, _code(_cut(message))))
    return _table(("file", "what it holds", "the line"), rows)


def _cut(message: str) -> str:
    return message if len(message) < 300 else f"{message[:120]} ... {message[-120:]}"


def wrong_table() -> str:
    """The verdict on what is wrong on purpose."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        study = wrong_study(Path(folder))
        for case in WRONG:
            config, ensemble = case.solved(study)
            found = verify(config, study, ensemble)
            error, ratio = (
                found.attrs[x] for x in ("relative_error_largest", "error_ratio_largest")
            )
            verdict = found.attrs["verdict"]
            rows.append((case.what, case.size, f"{error:.2g}", f"{ratio:.3g}", verdict))
    return _table(("wrong", "by", "error over scale", "tolerances", "verdict"), rows)


def scale_table() -> str:
    """The verdict on states of any size."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for exponent in EXPONENTS:
            config, ensemble = scaled_ensemble(exponent, Path(folder))
            found = verify(config, Path(folder), ensemble)
            error = error_over_scale(exponent, ensemble)
            rows.append((f"1e{exponent}", f"{error:.2g}", found.attrs["verdict"]))
    return _table(("s", "error over scale", "verdict"), rows)


def _fault_table(faults: Iterable[Fault]) -> str:
    return _table(("fault", "then", "outcome"), ((f.what, f.then, f.outcome) for f in faults))


def _without_lists(message: str) -> str:
    """Without the lists of what there is, which grow with the project."""
    return re.sub(r"known: .*", "known: ...", message)


def _code(text: str) -> str:
    return f"`` {text} ``" if "`" in text else f"`{text}`"


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(
        f"| {' | '.join(c.replace('|', chr(92) + '|') for c in line)} |" for line in lines
    )


if __name__ == "__main__":
    print(page(), end="")
