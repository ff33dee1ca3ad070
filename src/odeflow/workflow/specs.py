"""What a stage is given and depends on besides its input files: plain data, in a rule's `params`.

Snakemake runs a stage again where its spec has changed. Cheap, and without JAX.
"""

from functools import cache
from pathlib import Path
from typing import Any

from odeflow.config.design import SEQUENTIAL
from odeflow.config.metrics import reduced_summary
from odeflow.config.outputs import EFFORT, RuntimeConfig
from odeflow.config.root import Config
from odeflow.design import axis_names, has_own_ends, number_of_samples, table_digest
from odeflow.files.digests import ShownAsDigest, digest
from odeflow.files.shipped import shipped
from odeflow.files.source_code import PACKAGE
from odeflow.importers.estimation import data_digest
from odeflow.importers.petab.of_study import measurements_digest
from odeflow.provenance.observed.manifest import observed
from odeflow.provenance.sources import model_source_digest, source_digest
from odeflow.workflow.chunks import Chunk

_STAGE_GROUPS = {
    "design": ("model", "design", "doses"),
    "assemble": (
        "about",
        "model",
        "design",
        "doses",
        "stop",
        "solver",
        "saveat",
        "runtime",
        "summary",
    ),
    "summarise": ("model", "design", "saveat", "summary"),
    "sensitivity": ("model", "design", "doses", "solver", "saveat", "summary", "analyse"),
    "verify": ("model", "design", "doses", "stop", "solver", "saveat", "runtime", "verify"),
    "estimate": ("model", "design", "doses", "solver", "runtime", "analyse"),
    "simulate_for_inference": ("model", "design", "doses", "summary", "analyse"),
    "plot_estimates": ("model", "design", "plot"),
    "plot": ("model", "design", "solver", "saveat", "summary", "plot"),
    "plot_results": ("model", "design", "solver", "saveat", "summary", "plot"),
    "plot_verification": ("model", "design", "plot"),
    "plot_sensitivity": ("model", "design", "plot", "analyse"),
    "plot_training": ("model", "design", "plot"),
    "diagnose": ("model", "design", "solver", "saveat", "runtime"),
    "overview": (
        *("model", "design", "doses", "stop", "solver", "saveat", "summary", "runtime", "plot"),
        *("verify", "analyse", "about", "assemble"),
    ),
    "compare": ("model", "design", "solver", "saveat"),
}
#: Of stages of one analysis which it is: another one is nothing to them.
_ANALYSES = {
    "sensitivity": "sensitivity",
    "plot_sensitivity": "sensitivity",
    "estimate": "estimate",
    "simulate_for_inference": "simulate_for_inference",
}
#: Stages that write pages, and what is in these besides code.
_PAGES = ("overview", "compare")
#: Stages that draw figures.
_DRAWING = ("plot", "plot_results", "plot_verification", "plot_sensitivity", "plot_estimates")
#: All stages but solving.
STAGES = tuple(_STAGE_GROUPS)


def stage_spec(config: Config, study: Path, stage: str) -> dict[str, Any]:
    """What a stage is given, except those of solving.

    `config` is the experiment's config, with the groups that the stage does not use left at
    what they are for every experiment; `source` is a digest of the code that runs, `measurements`
    one of what the results are compared with, `table` one of the rows of a design's file, and
    `notes` what the page says of things that the model reads and that cannot be recorded.
    """
    kept = ("max_failed",) if stage == "overview" else ()
    measured = measurements_digest(config, study) if stage == "summarise" else None
    if stage == "estimate" and config.analyse.estimate is not None:
        measured = data_digest(config, study)
    table = None
    if stage == "design" and config.design.kind == "table":
        rows = number_of_samples(config.design, study)
        table = table_digest(config.design, study, 0, rows)
    notes = observed(config.model, study).notes if stage == "overview" else ()
    data = _numbers_of(config, *kept).slice("name", *_STAGE_GROUPS[stage])
    if stage == "verify":  # which compares those metrics
        data["summary"] = _reduced(config)
    if (analysis := _ANALYSES.get(stage)) is not None:
        data["analyse"] = {analysis: data["analyse"][analysis]}
    spec = {
        "config": data,
        "source": source_digest(f"odeflow.workflow.stages.{stage}"),
        **({} if measured is None else {"measurements": measured}),
        **({} if table is None else {"table": table}),
        **({"notes": list(notes)} if notes else {}),
        **({"templates": _templates_digest()} if stage in _PAGES else {}),
        **_made_by(config, study, stage),
    }
    return ShownAsDigest(spec)


@cache
def _templates_digest() -> str:
    """Digest of what pages are made of besides code: templates, styles, scripts, captions."""
    folders = [PACKAGE / "report" / "templates", shipped() / "workflow" / "report"]
    return digest(
        [[f.name, f.read_text(encoding="utf-8")] for d in folders for f in sorted(d.iterdir())]
    )


def _made_by(config: Config, study: Path, stage: str) -> dict[str, Any]:
    """Digests of the user's files that decide on figures and metrics: functions, a style."""
    found: dict[str, Any] = {}
    style = config.plot.style
    if stage in _DRAWING and style is not None and style.endswith(".mplstyle"):
        found["style"] = digest((study / style).read_text(encoding="utf-8"))
    own = {"plot": config.plot.functions.values(), "summarise": config.summary.functions}
    if references := own.get(stage):
        found["functions"] = [model_source_digest(reference, study) for reference in references]
    return found


def solve_config(config: Config) -> dict[str, Any]:
    """The config of an experiment's chunks: the same for every experiment that shares them."""
    groups = ("model", "design", "doses", "stop", "solver", "saveat", "runtime")
    data = _numbers_of(config).slice(*groups)
    # the first job tries the functions, too, which decide nothing of what it solves
    tried = config.summary.model_dump(mode="json", include={"functions", "function_units"})
    data["summary"] = _reduced(config) | tried
    return {"name": "shared", **data}


def _reduced(config: Config) -> dict[str, Any]:
    """The part of `summary` that is computed while solving."""
    own_ends = has_own_ends(config, axis_names(config.design, config.study))
    return reduced_summary(config, own_ends).model_dump(mode="json")


def chunk_spec(solve_config: dict[str, Any], chunk: Chunk, rows: int) -> dict[str, Any]:
    """What solving one chunk is given, from `solve_config` of an experiment that has it.

    `rows` are trajectories for each of the design's `size`.
    """
    data, design = solve_config, solve_config["design"]
    if design["kind"] in SEQUENTIAL and design["size"] is not None:
        # rows before it do not depend on what follows
        data = data | {"design": design | {"size": -(-chunk.stop // rows)}}
    # the file's name is a digest of all of it that decides a number
    return ShownAsDigest({"config": data, "start": chunk.start, "stop": chunk.stop}, chunk.file)


def _numbers_of(config: Config, *kept: str) -> Config:
    """The config without what cannot change a number: no stage is to run again for that.

    Except for the keys of `runtime` that are to be kept.
    """
    standard = RuntimeConfig.model_validate({})
    effort = {key: getattr(standard, key) for key in EFFORT if key not in kept}
    return config.model_copy(update={"runtime": config.runtime.model_copy(update=effort)})
