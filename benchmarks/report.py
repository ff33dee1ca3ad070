"""`README.md` from the results: ratios first, then every time with its error, then figures."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks import contenders
from benchmarks.figures import draw_figures
from benchmarks.gpu import PUBLISHED, SIZE
from benchmarks.problems import find_case
from benchmarks.ratios import ASKED, Ratio, ratio
from benchmarks.rival_cases import RIVALS
from benchmarks.rival_report import INTRODUCTION, SHOWN, losses, missing, rows_of, unreached

#: Seconds asked for: until a new model is compiled.
COMPILE_ASKED = {"ring_6": 3, "ring_24": 15, "pollution": 60}
SECOND_ASKED = 1.0


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table; the first column is text, the others are numbers."""
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def label(name: str) -> str:
    """A contender's name in tables, also where it is not installed; `native:METHOD` too."""
    name, _, method = name.partition(":")
    try:
        found = contenders.load(name).LABEL
    except ImportError:
        found = name
    return f"{'odeflow' if name == 'native' else found}, {method}" if method else found


def number(value: float) -> str:
    """Three significant digits, without an exponent from 1e-3 up to 1e5."""
    if value == 0 or 1e-3 <= abs(value) < 1e5:
        digits = f"{value:.3g}"
        return f"{float(digits):,.0f}" if "e" in digits else digits
    return f"{value:.1e}"


def write_report(results: Mapping[str, Any], folder: Path) -> None:
    """Writes `README.md` and its figures to a folder."""
    machine = results["machine"]
    versions = ", ".join(f"{name} {version}" for name, version in machine["versions"].items())
    parts = [
        "# Benchmarks",
        "Written by `make bench`; not to be edited. One run on "
        f"{machine['cores']} cores of {machine['cpu']}, Python {machine['python']}, float64, in "
        f"{sum(results['seconds'].values()) / 60:.0f} minutes. {versions}.",
        "The same problem, tolerances and saved times for all, in processes of their own; a time "
        "is the smallest of several runs after everything is compiled. An error is measured in "
        "units of the tolerance, |y - reference| / (atol + rtol |reference|), as the root mean "
        "square over 256 trajectories (as many as there are, if fewer), saved times and states.",
    ]
    rivals = results.get("rivals", {})
    if rivals or "size" in results:
        parts += ["## Where odeflow loses", *_losses(rivals, results.get("size", {}))]
    if results["cases"]:
        parts += ["## Ratios", _RATIOS, _ratios(results["cases"])]
    if "compile" in results:
        parts += ["## Compile time", _COMPILE, _compile(results["compile"])]
    if "pipeline" in results:
        parts += ["## The whole flow", *_pipeline(results["pipeline"])]
    if LARGE.exists():
        parts += ["## Large systems", _LARGE, _large(json.loads(LARGE.read_text("utf-8")))]
    if "gpu" in results:
        parts += ["## GPU", _GPU, _gpu(results["gpu"])]
    if results["cases"]:
        parts += ["## Times and errors", *_cases(results["cases"])]
    if rivals:
        parts += ["## Against rivals", INTRODUCTION, *_rivals(rivals)]
    parts += [f"## {title}\n\n![{title}]({name})" for name, title in draw_figures(results, folder)]
    (folder / "README.md").write_text("\n\n".join(parts) + "\n", "utf-8")


_RATIOS = (
    "Time of the contender over time of the native engine. *Same tolerance*: both at the "
    "tolerances of the problem. *Equal error*: both as exact as the more exact of these two runs, "
    "by a ladder of tolerances in steps of a factor of 3.2, up to ten times looser than the "
    "problem's; this one is held against what was asked. There the native engine takes the faster "
    "of Tsit5 and Rodas5P (Rodas5P where the problem is stiff), which is named; a contender "
    "that stays less exact on the whole ladder is compared as it is; errors below what the "
    "reference is certain to count as none. Numbers of trajectories, smaller for the slowest "
    "contenders, are below."
)
_GPU = (
    f"Lorenz, rho from 0 to 21, {SIZE:,} trajectories, float32, adaptive Tsit5, end values; the "
    "time of the kernel. Published for a V100 (Utkarsh et al. 2024, DiffEqGPU): "
    + ", ".join(f"{name} {time:,g} ms" for name, time in PUBLISHED.items())
    + "."
)
LARGE = Path(__file__).parent / "large.json"
_LARGE = (
    "64 trajectories by the native engine's `rodas5p` against CVODE's BDF by the best of its "
    "linear solvers, on one thread, at equal errors: `python -m benchmarks.large`. Compiling is "
    "the first solve of one trajectory; memory is that of the process with the engine alone."
)
_COMPILE = (
    "Seconds from a vector field to the first step: writing programs of lanes, then LLVM; and "
    "the same in a new process afterwards, with the code that is kept. Imports do not count."
)


def _ratios(cases: Mapping[str, Any]) -> str:
    rows = []
    for asked in ASKED:
        if asked.case not in cases:
            continue
        case, found = find_case(asked.case), ratio(asked, cases[asked.case])
        start = [f"{case.title}, {case.saved}", label(asked.against)]
        wanted = f"{asked.ratio:g}"
        if found is None:
            reason = cases[asked.case][asked.against].get("reason", "the native engine did not run")
            rows.append([*start, "-", "-", wanted, f"not measured: {reason}", "-", "-"])
        else:
            rows.append([*start, *_ratio_cells(found, wanted)])
    head = ["problem, saved", "against", "same tolerance", "equal error", "asked", "",
            "error, native", "error, other"]  # fmt: skip
    return table(head, rows)


def _ratio_cells(found: Ratio, wanted: str) -> list[str]:
    errors = [number(found.native["error"]), number(found.other["error"])]
    if found.method is not None:
        errors[0] += f" ({found.method})"
    same, equal = number(found.same_tolerance), number(found.equal_error)
    return [same, f"**{equal}**", wanted, found.verdict, *errors]


def _compile(results: Mapping[str, Any]) -> str:
    rows = []
    for name, times in results.items():
        first, second = times["first"], times["second"]
        total, again = sum(first.values()), sum(second.values())
        limit = COMPILE_ASKED.get(name)
        met = (limit is None or total <= limit) and again <= SECOND_ASKED
        asked = f"{f'{limit}' if limit else '-'} / {SECOND_ASKED:g}"
        rows.append(
            [find_case(name).title, f"{first['translate']:.2f}", f"{first['compile']:.2f}",
             f"{total:.2f}", f"{again:.2f}", asked, "met" if met else "missed"]
        )  # fmt: skip
    head = ["model", "translate", "LLVM", "first run", "second run", "asked", ""]
    return table(head, rows)


def _large(found: Mapping[str, Any]) -> str:
    rows = []
    for name, one in found.items():
        for rtol, error, theirs, ours, linear in one["against"]:
            ratio = f"**{number(theirs / ours)}**"
            compiled, memory = number(one["compile"]), f"{one['memory']:.0f}"
            cells = [number(x) for x in (rtol, error, theirs, ours)]
            rows.append([name.replace("_", " "), *cells, ratio, linear, compiled, memory])
    head = ["problem", "CVODE at", "error", "CVODE, us", "native, us", "times as fast",
            "linear solver", "compile, s", "memory, MiB"]  # fmt: skip
    return table(head, rows)


def _pipeline(found: Mapping[str, Any]) -> list[str]:
    """The flow against the solve alone and one write, and the share of trust."""
    parts = found["solve"] + found["save"]
    begun, trust = parts + found["begin"], found["with"] - found["without"] + found["provenance"]
    largest = max(found["memory"], key=lambda name: found["memory"][name])
    rows = [
        ["`snakemake`, from nothing to figures", f"{found['flow']:.1f} s"],
        ["the solve alone, compiled", f"{found['solve']:.1f} s"],
        [f"`numpy.save` of the same {found['bytes'] / 1e9:.2f} GB", f"{found['save']:.1f} s"],
        ["imports and compiling, which a script pays too", f"{found['begin']:.1f} s"],
        ["flow / (solve + save), asked: 3 at most", f"**{found['flow'] / parts:.2f}**"],
        ["flow / (imports + compiling + solve + save)", f"{found['flow'] / begun:.2f}"],
        [f"largest process ({largest}), asked: under 2048 MiB",
         f"{found['memory'][largest]:.0f} MiB"],
    ]  # fmt: skip
    share = [
        ["the run", f"{found['with']:.1f} s"],
        ["the run with `verify=skip`", f"{found['without']:.1f} s"],
        ["provenance: digests, sources, versions", f"{found['provenance']:.2f} s"],
        ["verification and provenance, asked: 10% at most", f"**{trust / found['with']:.1%}**"],
    ]
    return [
        f"`seed_million` with {found['size']:,} trajectories: 121 times, 2 states.",
        table(["", "measured"], rows),
        f"What trust costs, with {found['smaller']:,} trajectories; the least of three runs each.",
        table(["", "measured"], share),
    ]


def _gpu(found: Mapping[str, Any]) -> str:
    if "reason" in found:
        return f"The native engine: {found['reason']}."
    head = ["the native engine on", "N", "ms", "failed", "steps, mean"]
    row = [found["device"], f"{found['size']:,}", number(found["milliseconds"]),
           str(found["failed"]), number(found["mean_steps"])]  # fmt: skip
    return table(head, [row])


def _cases(cases: Mapping[str, Any]) -> list[str]:
    parts = []
    for name, results in cases.items():
        case = find_case(name)
        parts.append(
            f"### {case.title}, {case.saved}\n\nrtol {case.rtol:g}, atol {case.atol:g}, t from 0 "
            f"to {case.t1:g}. The reference differs from SciPy's "
            f"{'Radau' if case.stiff else 'DOP853'} by {number(results['certainty'])} of the "
            "tolerance at most."
        )
        rows, missing = [], []
        for contender in contenders.NAMES:
            result = results[contender]
            if "base" not in result:
                missing.append(f"- {label(contender)}: {result['reason']}")
                continue
            base = result["base"]
            rows.append(
                [label(contender), f"{base['size']:,}", number(base["microseconds"]),
                 number(base["error"]), number(base["largest"]), str(base["failed"]),
                 f"{result['compile_seconds']:.1f}", f"{result['peak_mib']:,.0f}"]
            )  # fmt: skip
        head = ["", "N", "us a trajectory", "error", "largest error", "failed", "compile, s",
                "memory, MiB"]  # fmt: skip
        parts.append(table(head, rows))
        if missing:
            parts.append("Not here:\n\n" + "\n".join(missing))
    return parts


def _losses(rivals: Mapping[str, Any], sizes: Mapping[str, Any]) -> list[str]:
    """What is lost at equal errors, and for few trajectories at equal tolerances."""
    rows = []
    for name, worst, end in losses(rivals):
        many = f"errors {worst.error:.0e} to {end:.0e}" if end != worst.error else f"{end:.0e}"
        rows.append(
            [f"{find_case(name).title}, {many}", label(worst.rival), number(worst.theirs),
             label(worst.method), number(worst.ours), f"**{number(1 / worst.ratio)}**"]
        )  # fmt: skip
    own = {run["size"]: run["microseconds"] for run in sizes.get("native", [])}
    for size, ours in own.items():
        others = {
            name: run["microseconds"]
            for name, runs in sizes.items()
            for run in runs
            if name not in ("native", "diffrax") and run["size"] == size
        }
        best = min(others, key=others.__getitem__, default=None)
        if best is not None and others[best] < ours:
            rows.append(
                [f"seed system, end, {size:,} trajectories", label(best), number(others[best]),
                 label("native"), number(ours), f"**{number(ours / others[best])}**"]
            )  # fmt: skip
    words = [f"- {find_case(n).title}: {w}." for n, c in rivals.items()
             if "contenders" in c and (w := unreached(c))]  # fmt: skip
    unknown = [find_case(name).title for name in RIVALS if name not in rivals]
    if unknown:
        words.append(f"- Not measured yet: {'; '.join(unknown)}.")
    if not rows:
        return ["Nowhere of what is measured below.", *(["\n".join(words)] if words else [])]
    head = ["problem", "the fastest other", "us a trajectory", "the fastest of odeflow", "us",
            "times as slow"]  # fmt: skip
    said = "At equal errors, each region at its worst; a contender that is not as exact counts not."
    return [said, table(head, rows), *(["\n".join(words)] if words else [])]


def _rivals(cases: Mapping[str, Any]) -> list[str]:
    parts = []
    for name, case in cases.items():
        parts.append(f"### {find_case(name).title}")
        if "reason" in case:
            parts.append(f"Not measured: {case['reason']}.")
            continue
        parts.append(f"Microseconds a trajectory; certain to {number(case['certainty'])}.")
        head = ["error", *(f"{error:.0e}" for error in SHOWN), "least error", "compile, s"]
        parts.append(table(head, rows_of(case, number, label)))
        if reasons := missing(case, label):
            parts.append("Not here, or not to the end:\n\n" + "\n".join(reasons))
    return parts
