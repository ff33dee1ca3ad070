"""An experiment and the files it has. Cheap, and without JAX."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from odeflow.config.figure_choice import drawing_stage, figure_kinds
from odeflow.config.root import Config
from odeflow.design import number_of_samples
from odeflow.files.digests import ShownAsDigest, digest
from odeflow.provenance.records import Stage, record_file
from odeflow.report.captions import figure_slice
from odeflow.workflow import specs
from odeflow.workflow.chunks import RESULTS, Chunk, chunks, solve_sources, trajectory_bytes
from odeflow.workflow.estimation import StartChunk, fit_config, start_chunks
from odeflow.workflow.solve_time import MOST_READ


@dataclass(frozen=True)
class Experiment:
    """One validated experiment: its config and its files, relative to the study."""

    config: Config
    study: Path

    @property
    def name(self) -> str:
        """The experiment's name."""
        return self.config.name

    @property
    def folder(self) -> Path:
        """Its results folder, relative to the study."""
        return RESULTS / self.name

    @property
    def reading_notes(self) -> Sequence[str]:
        """A line on each thing that its model reads and that cannot be recorded."""
        return self.stage_spec("overview").get("notes", ())

    @cached_property
    def chunks(self) -> list[Chunk]:
        """The solved chunks it is made of, in order."""
        return chunks(self.config, self.study)

    @property
    def chunk_files(self) -> list[str]:
        """Files of the chunks, relative to the study."""
        return [chunk.file for chunk in self.chunks]

    @property
    def measured_chunks(self) -> dict[str, Any]:
        """The chunks from whose times that of the whole solve follows."""
        files = self.chunk_files
        return ShownAsDigest({"chunks": files[:MOST_READ], "number": len(files)})

    def stage_spec(self, stage: str) -> dict[str, Any]:
        """What a stage is given and depends on besides its input files."""
        if stage not in self._specs:
            self._specs[stage] = specs.stage_spec(self.config, self.study, stage)
        return self._specs[stage]

    @cached_property
    def _specs(self) -> dict[str, dict[str, Any]]:
        return {}

    @cached_property
    def _stage_files(self) -> dict[str, tuple[dict[str, str], list[str]]]:
        """Of each stage but solving: the files that it reads, with their rules, and its own."""
        folder = str(self.folder)
        verified = {} if self.verification is None else {self.verification: "verify"}
        indices = {} if self.indices is None else {self.indices: "sensitivity"}
        ensemble = {self.ensemble: self.rule_of("assemble")}
        design, summary = {f"{folder}/design.nc": "design"}, {f"{folder}/summary.nc": "summarise"}
        failures = {f"{folder}/failures.csv": "diagnose"}
        verdict = {f"{folder}/verdict.json": "overview"}
        estimated = {} if self.estimates is None else {self.estimates: "estimate"}
        stage = "simulate_for_inference"
        training = {} if self.training is None else {self.training: self.rule_of(stage)}
        of_ensemble = ensemble | summary
        read = {"plot": of_ensemble, "plot_results": of_ensemble, "plot_verification": verified,
                "plot_sensitivity": indices, "plot_estimates": estimated,
                "plot_training": training}  # fmt: skip
        drawn = {rule: (files, self.drawn_by(rule)) for rule, files in read.items()}
        shown = {file: rule for rule, (_, figures) in drawn.items() for file in figures}
        return {
            "design": ({}, [*design]),
            "assemble": (design, [*ensemble]),
            "summarise": (ensemble, [*summary]),
            "diagnose": (ensemble, [*failures]),
            **drawn,
            "overview": (
                of_ensemble | failures | verified | indices | estimated | training | shown,
                [f"{folder}/overview.html", *verdict],
            ),
            "verdict": (verdict, self.checks),
            **({"verify": (ensemble, [*verified])} if verified else {}),
            **({"sensitivity": (of_ensemble, [*indices])} if indices else {}),
            **({"estimate": ({}, [*estimated])} if estimated else {}),
            **({stage: (of_ensemble, [*training])} if training else {}),
        }

    @property
    def made(self) -> list[Stage]:
        """Its stages but solving that have files already."""
        there = {file for file in (*self.targets, *self.checks) if (self.study / file).exists()}
        return [
            self.stage(name)
            for name, (_, outputs) in self._stage_files.items()
            if not there.isdisjoint(outputs)
        ]

    def stage(self, name: str) -> Stage:
        """A stage with what it is asked for and the files it has."""
        inputs, outputs = self._stage_files[name]
        chunks = {"assemble": self.chunk_files, "estimate": self.start_files}.get(name, [])
        spec = self.stage_spec(name) if name != "verdict" else {}
        folder = str(self.folder)
        records = {file: record_file(folder, rule) for file, rule in inputs.items()}
        asked = {**spec, **(self._solved_by if chunks else {}), "samples": self.number_of_samples}
        made = (digest(spec, chunks), records, tuple(outputs))
        return Stage(self.rule_of(name), folder, *made, asked if spec else {})

    @cached_property
    def number_of_samples(self) -> int:
        """Trajectories of its design."""
        return number_of_samples(self.config.design, self.study)

    @cached_property
    def _solved_by(self) -> dict[str, Any]:
        """What decides numbers of its chunks besides the config."""
        return solve_sources(self.config, self.study)

    def rule_of(self, stage: str) -> str:
        """The rule of a stage."""
        training = self.config.analyse.simulate_for_inference
        formats = {
            "assemble": self.config.assemble.format,
            "simulate_for_inference": training and training.format,
        }
        return f"{stage}_zarr" if formats.get(stage) == "zarr" else stage

    def chunk_spec(self, chunk: Chunk) -> dict[str, Any]:
        """What solving one of its chunks is given."""
        design = self.config.design
        return specs.chunk_spec(self._solve_config, chunk, design.runs * design.block_rows)

    @cached_property
    def _solve_config(self) -> dict[str, Any]:
        """The config of its chunks, as plain data; once, since there may be many."""
        return specs.solve_config(self.config)

    @cached_property
    def trajectory_bytes(self) -> int:
        """Bytes of the results of one trajectory."""
        return trajectory_bytes(self.config)

    @cached_property
    def figures(self) -> list[str]:
        """Kinds of figures it draws."""
        return figure_kinds(self.config)

    def figure_files(self, kind: str) -> list[str]:
        """Files of one kind of figure, one file per format."""
        return [str(self.folder / "figures" / f"{kind}.{f}") for f in self.config.plot.formats]

    def kinds_of(self, stage: str) -> list[str]:
        """Kinds of figures that a stage draws."""
        return [kind for kind in self.figures if drawing_stage(kind) == stage]

    def drawn_by(self, stage: str) -> list[str]:
        """Files of the figures that a stage draws."""
        return [file for kind in self.kinds_of(stage) for file in self.figure_files(kind)]

    @property
    def all_figures(self) -> list[str]:
        """Files of all of its figures."""
        return [file for kind in self.figures for file in self.figure_files(kind)]

    @property
    def captions(self) -> dict[str, str]:
        """By the kind of a figure, what it is of: the metric, the slice, how many trajectories."""
        return ShownAsDigest({kind: figure_slice(self.config, kind) for kind in self.figures})

    @property
    def tables(self) -> list[str]:
        """The user's files that the design is read from."""
        design = self.config.design
        return [
            *([] if design.path is None else [design.path]),
            *([] if design.nonmem is None else [design.nonmem.file]),
        ]

    @property
    def verification(self) -> str | None:
        """File of the verification, if trajectories are verified."""
        return str(self.folder / "verification.nc") if self.config.is_verified else None

    @property
    def indices(self) -> str | None:
        """File of the sensitivity indices, if any are asked for."""
        return None if self.config.analyse.sensitivity is None else str(self.folder / "indices.nc")

    @property
    def estimates(self) -> str | None:
        """File of the estimates, if parameters are estimated."""
        return str(self.folder / "estimates.nc") if self.config.analyse.estimate else None

    @property
    def training(self) -> str | None:
        """Folder of the training set, if one is asked for."""
        asked = self.config.analyse.simulate_for_inference
        return None if asked is None else str(self.folder / asked.folder)

    @property
    def folders(self) -> set[str]:
        """Which of its targets are folders."""
        store = [self.ensemble] if self.config.assemble.format == "zarr" else []
        return {*store, *([self.training] if self.training else [])}

    @cached_property
    def _start_chunks(self) -> list[StartChunk]:
        return start_chunks(self.config, self.study)

    @property
    def start_files(self) -> list[str]:
        """Files of the starts of the estimation, in order."""
        return [chunk.file for chunk in self._start_chunks]

    @property
    def kept_files(self) -> list[str]:
        """Files that pruning keeps: of chunks, and of starts."""
        return [*self.chunk_files, *self.start_files]

    @property
    def measured(self) -> list[str]:
        """Files of the study that measurements are read from."""
        estimate = self.config.analyse.estimate
        own = [estimate.data] if estimate and estimate.data else []
        return [file for file in own if (self.study / file).is_file()]

    def fit_spec(self, name: str) -> dict[str, Any]:
        """What fitting the starts of one file is given; `name` is the file's, without `.nc`."""
        chunk = next(x for x in self._start_chunks if x.file.endswith(f"/{name}.nc"))
        spec = {"config": fit_config(self.config), "first": chunk.first, "last": chunk.last}
        return ShownAsDigest(spec, chunk.file)

    @property
    def targets(self) -> list[str]:
        """The files that a finished experiment has."""
        names = ("design.nc", "summary.nc", "failures.csv", "overview.html")
        fixed = [str(self.folder / name) for name in names]
        verification = [self.verification] if self.verification else []
        answers = [file for file in (self.indices, self.estimates, self.training) if file]
        return [self.ensemble, *fixed, *verification, *answers, *self.all_figures]

    @property
    def checks(self) -> list[str]:
        """The further files that it has if nothing speaks against its results."""
        return [str(self.folder / "logs" / "passed")]

    @property
    def ensemble(self) -> str:
        """The file, or the folder, of all trajectories."""
        return str(self.folder / self.config.assemble.file)
