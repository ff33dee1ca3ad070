"""The page of a study, written where a run ends."""

from pathlib import Path

from odeflow.files.whole_file import replaced_when_whole
from odeflow.report.study_index import index_page
from odeflow.workflow.chunks import RESULTS


def write_results_index(study: Path) -> None:
    """Writes `results/index.html`: every experiment that has a page, and those not run yet.

    Nothing where no experiment has a page. The bytes do not depend on which run writes it.

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
    if path.is_file() and path.read_text(encoding="utf-8") == page:
        return
    with replaced_when_whole(path) as temporary:
        temporary.write_text(page, encoding="utf-8")
