"""The picture and the figures of `docs/explore.md`.

    python -m tests.support.explore_page

solves an experiment that ships, opens its page in Chromium, draws the picture, and prints how long
opening and answering took.
"""

import re
import tempfile
import time
from pathlib import Path

import numpy as np

import odeflow
from odeflow.report.live.page import LivePage
from odeflow.report.live.quantities import quantities
from odeflow.workflow.commands.explore import explored
from tests.support.browser import browser
from tests.support.explored import write_results
from tests.support.live_page import SAID, SOLVED, live, move, wait
from tests.support.snakes import PROJECT

PICTURE = PROJECT / "docs/explore.png"
EXPERIMENT = "pk_population"


def main() -> None:
    """Draws the picture and prints the times."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        study = Path(folder)
        write_results(odeflow.compose(f"experiment={EXPERIMENT}", study=study))
        began = time.monotonic()
        with live(study, f"results/{EXPERIMENT}") as address, browser(study / "browser") as page:
            started = time.monotonic()
            page.open(address, 1280, 960)
            wait(page, f"{SOLVED} !== null && ({SAID} || '').includes('Solved in')")
            shown = time.monotonic()
            took, answered = [], []
            for place in range(40, 360, 8):
                before = page.evaluate(f"{SOLVED}[5]")
                began_to_move = time.monotonic()
                move(page, 1, place)
                wait(page, f"{SOLVED}[5] !== {before!r}")
                answered.append(1000 * (time.monotonic() - began_to_move))
                found = re.search(r"Solved in ([\d.]+) ms", str(page.evaluate(SAID)))
                took.append(float(found.group(1)) if found else np.nan)
            move(page, 1, 330)
            time.sleep(1)
            page.screenshot(PICTURE, whole=False)
        server = _server_time(study / "results" / EXPERIMENT)
    print(f"from the command to its address: {started - began:.1f} s")
    print(f"from the address to the first curve: {shown - started:.1f} s")
    print(f"a new trajectory: median {np.median(took):.2g} ms, most {np.max(took):.2g} ms")
    print(f"with three pictures, on the server: median {server:.2g} ms")
    print(f"from slider to the curve in the browser: median {np.median(answered):.0f} ms")


def _server_time(results: Path) -> float:
    """Milliseconds from a slider's value to the numbers of all pictures."""
    with explored(results) as found:
        page = LivePage(found)
        first = quantities(found.stored)
        values, took = {one.name: one.value for one in first}, []
        for number in range(200):
            values[first[0].name] *= 1.001
            began = time.perf_counter()
            page.answer({"values": values, "slices": [], "number": number})
            took.append(1000 * (time.perf_counter() - began))
    return float(np.median(took))


if __name__ == "__main__":
    main()
