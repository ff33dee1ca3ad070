"""The figure and the ratios of the README, from the results of the last `make bench`:

    python -m benchmarks.speed

writes `docs/speed.png`: how many times as long others take as the native engine, at equal error;
and puts the ratios in `README.md` and the guide, where they are said in words.
"""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

from benchmarks.figures import COLORS
from benchmarks.problems import CASES
from benchmarks.ratios import ASKED, ratio
from benchmarks.report import number

RESULTS = Path(__file__).parent / "results.json"
ROOT = Path(__file__).resolve().parents[1]
FIGURE = ROOT / "docs" / "speed.png"
#: Pages that say the ratios.
PAGES = (ROOT / "README.md", ROOT / "docs/guide/features.md")
_NAMES = {
    "naive": "jit(vmap(diffeqsolve)), Diffrax",
    "numbalsoda": "LSODA, numbalsoda",
    "cpp": "hand-written C++ for this problem",
}
_MARKERS = {"naive": "o", "numbalsoda": "s", "cpp": "D"}


def points(results: Mapping[str, Any]) -> dict[str, dict[str, float]]:
    """Times of contenders over that of the native engine at equal error, by problem.

    Arguments:
        results: what `make bench` measured of the cases, by case and contender.
    """
    found: dict[str, dict[str, float]] = {}
    for asked in ASKED:
        known = ratio(asked, results[asked.case])
        if known is not None:
            case = CASES.get(asked.case)
            words = f"{case.title}, {case.saved}" if case else asked.case.replace("_", " of ")
            words = words.replace("seed system", "enzyme kinetics")
            found.setdefault(words, {})[asked.against] = known.equal_error
    return found


def figure(ratios: Mapping[str, Mapping[str, float]]) -> Figure:
    """A row for each problem, those with the largest gain on top."""
    rows = sorted(ratios, key=lambda problem: max(ratios[problem].values()))
    drawn = Figure((7.2, 0.28 * len(rows) + 1.0), layout="constrained")
    axes = drawn.add_subplot()
    axes.axvline(1.0, color=COLORS["native"], linewidth=3)
    for contender, name in _NAMES.items():
        at = [(ratios[p][contender], y) for y, p in enumerate(rows) if contender in ratios[p]]
        x, y = zip(*at, strict=True)
        style = {"color": COLORS[contender], "marker": _MARKERS[contender], "zorder": 3}
        axes.scatter(x, y, s=28, label=name, **style)
        for value, place in at:
            near = {"xytext": (6, 0), "textcoords": "offset points", "va": "center_baseline"}
            around = {"facecolor": "white", "edgecolor": "none", "pad": 1}
            axes.annotate(number(value), (value, place), bbox=around, **near)
    for place, problem in enumerate(rows):
        axes.plot([1, max(ratios[problem].values())], [place] * 2, color="0.8", zorder=1)
    axes.set(xscale="log", xlim=(0.8, 8000), ylim=(-0.6, len(rows) - 0.4))
    axes.set_yticks(range(len(rows)), rows)
    axes.set_xlabel("time for the same error; odeflow = 1")
    axes.grid(visible=False)
    axes.tick_params(axis="y", length=0)
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:,g}")
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    drawn.legend(loc="outside upper left", ncols=3, frameon=False, handletextpad=0.1)
    return drawn


def with_ratios(text: str, ratios: Mapping[str, Mapping[str, float]]) -> str:
    """A page's text with the ratios that it says: least and largest, by contender."""
    spans = {
        name: [number(pick(row[name] for row in ratios.values() if name in row))
               for pick in (min, max)]
        for name in _NAMES
    }  # fmt: skip
    for name, word in (("naive", "`jit"), ("numbalsoda", "numbalsoda")):
        place = rf"[\d.,]+(\s+to\s+)[\d.,]+(?=\s+times\s+as\s+fast\s+as\s+{word})"
        low, high = spans[name]
        text = re.sub(place, rf"{low}\g<1>{high}", text)
    whole = lambda name: [f"{float(x.replace(',', '')):,.0f}" for x in spans[name]]
    shown = (
        f"odeflow: {' to '.join(whole('naive'))} for jit(vmap(diffeqsolve)), "
        f"{' to '.join(whole('numbalsoda'))} for numbalsoda, {whole('cpp')[1]} for C++]"
    )
    return re.sub(r"odeflow: [^\]]* for C\+\+\]", shown, text)


def main() -> None:
    """Draws the figure, and puts the ratios in the pages."""
    results = json.loads(RESULTS.read_text(encoding="utf-8"))["cases"]
    with mpl.rc_context({"font.size": 9}):
        # no date or version in the file: the same figure is the same bytes
        figure(points(results)).savefig(FIGURE, dpi=150, metadata={"Software": None})
    for page in PAGES:
        page.write_text(with_ratios(page.read_text("utf-8"), points(results)), "utf-8")


if __name__ == "__main__":
    main()
