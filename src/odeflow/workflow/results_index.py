"""The page of a study, written where a run ends."""

from pathlib import Path

from odeflow.files.whole_file import replaced_when_whole
from odeflow.report.study_index import index_page
from odeflow.workflow.chunks import RESULTS

#: In every page of odeflow's.
_MADE_HERE = '<meta name="generator" content="odeflow">'


def write_results_index(study: Path) -> None:
    """Writes `results/index.html`: every experiment that has a page, and those not run yet.

    Nothing where no experiment has a page, nor where the user has a page of that name. The bytes
    do not depend on which run writes it.

    Arguments:
        study: the study's folder.

    Raises:
        OSError: it cannot be written.
    """
    results = study / RESULTS
    if not any(results.glob("*/overview.html")):
        return
    own = [file.stem for file in (study / "config" / "experiment").glob("*.yaml")]
    page, path = index_page(results, own), results / "index.html"
    there = path.read_text(encoding="utf-8", errors="replace") if path.is_file() else None
    if there == page or (there is not None and _MADE_HERE not in there):
        return
    with replaced_when_whole(path) as temporary:
        temporary.write_text(page, encoding="utf-8")
