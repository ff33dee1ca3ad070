# Composes and checks every experiment before any job: a mistake is one line, and nothing runs.
import atexit
import os
import sys
from functools import cache
from pathlib import Path

from snakemake.exceptions import WorkflowError
from snakemake.logging import logger

# The checkout's own source, whatever else is installed; also where a workflow of the user's has
# this one as a module. In a wheel there is none, and what is installed is imported.
SOURCE = Path(workflow.current_basedir.get_path_or_uri(secret_free=True), "../../src")
if SOURCE.is_dir():
    sys.path.insert(0, str(SOURCE))

from odeflow.workflow import collector

collector.put_off()  # until all is planned

from odeflow.workflow.processes import share_source
from odeflow.workflow.warm.foresight import Foresight
from odeflow.workflow.warm.jobs import WarmJobs


def runs_jobs_here():
    """Whether jobs are to run, as far as is known while rules are read, and on this machine."""
    dry = workflow.dryrun or workflow.output_settings.dryrun
    return workflow.is_main_process and not dry and workflow.resource_settings.nodes is None


share_source()
# Rules call what is named `script` here. Without a worker it is what Snakemake calls so.
script = WarmJobs(
    script, Path(workflow.current_basedir.get_path_or_uri(secret_free=True), "../scripts")
)
# Before all else is imported: the worker has as much to import, and another core to do it on.
FORESIGHT = Foresight(f"{config}", Path.cwd())
if runs_jobs_here() and FORESIGHT.has_jobs:
    script.begin(FORESIGHT.first_script)

from odeflow.workflow import job_resources
from odeflow.files.errors import ConfigError
from odeflow.config.sources import SettingsSource, settle
from odeflow.config.study_files import read_settings
from odeflow.files.source_code import keep_parsed
from odeflow.workflow.leases import HeldLease, wait_for_pruning
from odeflow.provenance.observed.manifest import keep_manifests, trust_surroundings
from odeflow.workflow.ownership import check_results, check_space
from odeflow.workflow.plan import (
    chunk_table,
    compared,
    comparison_file,
    comparison_stage,
    plan,
)
from odeflow.provenance.records import mark_file
from odeflow.workflow.staleness import renew_marks, stale_stages, what_is_left
from odeflow.workflow.terminal.telling import Telling
from odeflow.config.small_states import small_state_notes

#: Snakemake's side of the config, shipped and the study's own.
STUDY_FILE = "config/workflow.yaml"


def sources():
    """Where settings come from, each put over the ones before it."""
    if workflow.modifier.skip_configfile:  # a module of a workflow that gives it a config
        return [SettingsSource("the module's config", config)]
    settings, files = workflow.config_settings, []
    if not settings.replace_workflow_config:
        shipped = os.path.join(workflow.basedir, STUDY_FILE)
        own = [STUDY_FILE] if os.path.isfile(STUDY_FILE) else []
        files = [(shipped, f"the shipped {STUDY_FILE}"), *((file, file) for file in own)]
    files += [(file, f"--configfile {file.name}") for file in settings.configfiles]
    read = [SettingsSource(name, read_settings(Path(file), name)) for file, name in files]
    return [*read, SettingsSource("--config", settings.config)]


trust_surroundings(not workflow.is_main_process)


try:
    REQUEST = settle(sources(), Path.cwd())
    EXPERIMENTS = plan(REQUEST, Path.cwd())
    COMPARED = compared(REQUEST, EXPERIMENTS)
    CHUNKS = chunk_table(EXPERIMENTS)
    check_results(EXPERIMENTS.values(), Path.cwd())
except ConfigError as error:
    raise WorkflowError(f"config: {error}") from None

COMPARISON = comparison_stage(COMPARED) if COMPARED else None
TELLING = Telling(logger, EXPERIMENTS, CHUNKS, Path.cwd())


def all_stale():
    """Stages whose files are there and not of this plan."""
    stages = [stage for experiment in EXPERIMENTS.values() for stage in experiment.made]
    return stale_stages([*stages, *([COMPARISON] if COMPARED else [])], Path.cwd())


def say_what_is_left():
    """Where the run ends: what it was not asked to make, or could not."""
    for line in what_is_left(all_stale()):
        print(line, file=sys.stderr)


def write_index():
    """Writes `results/index.html`, of all experiments that have a page by now."""
    script.take_no_more()  # its worker ends meanwhile
    from odeflow.workflow.results_index import write_results_index

    if not workflow.is_main_process:
        return
    try:
        write_results_index(Path.cwd())
    except OSError as error:
        logger.warning(f"results/index.html: not written: {error.strerror}")


def say_what_is_done():
    """Where jobs begin: what they make, and why."""
    if workflow.is_main_process:
        TELLING.started(workflow.dag.needrun_jobs())


def say_what_came_of_it(whole):
    """Where the run ends, well or not: the verdict, the page, the time."""
    if workflow.is_main_process:
        TELLING.ended(all_stale, whole)


def claim_files():
    """Refuses to start beside a run that is at the same files, where locks are ignored."""
    if not workflow.is_main_process:
        return
    jobs = list(workflow.dag.needrun_jobs())
    files = [{str(file) for job in jobs for file in job.input}]
    files.append({str(file) for job in jobs for file in job.output})
    try:
        HELD.claim(*({file for file in some if file not in CHUNKS} for some in files))
    except ConfigError as error:
        raise WorkflowError(str(error)) from None


def start_worker():
    """Lets one process import what the jobs need, where they are to run on this machine."""
    executor = getattr(workflow.executor_plugin, "name", None)
    if workflow.is_main_process and executor == "local":
        keep_parsed()  # the first job that looks for its source has it
        script.start(
            {Path(job.rule.script).stem for job in workflow.dag.needrun_jobs() if job.rule.script}
        )
        start_jobs_at_once()
    else:
        script.end()


def start_jobs_at_once():
    """Takes away Snakemake's limit of a hundred jobs a second, unless another one is asked for.

    It is for clusters. A timer of one second keeps it, and a run that has ended waits for that.
    """
    limit = getattr(workflow.scheduler, "job_rate_limiter", None)
    if limit is not None and (limit.max_jobs, limit.timespan) == (100, 1):
        workflow.scheduler.job_rate_limiter = None


# Files that are there and not of this plan; a job knows its own.
MARKS = {}
if workflow.is_main_process:
    # A dry run writes nothing, and says what would be done all the same.
    dry = workflow.dryrun or workflow.output_settings.dryrun
    if not dry:
        try:
            check_space(Path.cwd())
        except ConfigError as error:
            raise WorkflowError(str(error)) from None
        keep_manifests()
        atexit.register(keep_parsed)  # of runs without jobs, too, and what is looked at later
        FORESIGHT.remember()
        HELD = HeldLease(Path.cwd(), [f for e in EXPERIMENTS.values() for f in e.kept_files])
        wait_for_pruning(Path.cwd(), sys.stderr)
    try:
        stale = all_stale()
        MARKS = renew_marks(stale, Path.cwd(), write=not dry)
        if stale and not dry:  # not a hook, which a run that finds nothing to do leaves out
            atexit.register(say_what_is_left)
    except ConfigError as error:
        raise WorkflowError(str(error)) from None
    except FileNotFoundError as error:
        raise WorkflowError(f"{error.filename}: taken away by another run; run again") from None
    for line in REQUEST.replaced:
        logger.info(f"config: replaced {line}", extra={"odeflow": "note"})
    TELLING.planned(stale)
    for name, experiment in EXPERIMENTS.items():
        for line in (*small_state_notes(experiment.config), *experiment.reading_notes):
            logger.warning(f"config of {name}: {line}", extra={"odeflow": "note"})

collector.take_up()


wildcard_constraints:
    experiment="|".join(EXPERIMENTS),


# Chunk 0 that is full, and the others: `-n...` in a name is the length of one that is not.
PILOT_CHUNKS = "[0-9a-f]{16}/0+(-[0-9a-f]+)?"
OTHER_CHUNKS = r"[0-9a-f]{16}/(\d*[1-9]\d*|0+-n)[0-9a-z-]*"


def experiment_of(wildcards):
    return EXPERIMENTS[wildcards.experiment]


def spec_of(stage):
    return lambda wildcards: experiment_of(wildcards).stage_spec(stage)


def stage_of(name):
    """What the job of a stage records, and what it checks."""
    return lambda wildcards: experiment_of(wildcards).stage(name).as_data()


def mark(folder, rule):
    """The file that makes a rule run where its files are not what is asked for, if it has one."""
    file = mark_file(folder, rule)
    return MARKS.get(file) or (file if os.path.isfile(file) else [])


def mark_of(name):
    def found(wildcards):
        experiment = experiment_of(wildcards)
        return mark(str(experiment.folder), experiment.rule_of(name))

    return found


def ensemble_of(wildcards):
    return experiment_of(wildcards).ensemble


def chunk_of(wildcards):
    """The chunk that a file holds, and an experiment that has it."""
    file = f"results/chunks/{wildcards.chunk}.nc"
    if file not in CHUNKS:
        raise WorkflowError(
            f"{file}: nothing that is asked for now; was the model changed meanwhile?"
        )
    return CHUNKS[file]


def chunk_spec(wildcards):
    experiment, chunk = chunk_of(wildcards)
    return experiment.chunk_spec(chunk)


def verification_of(experiment):
    """The verification as an input by name, if trajectories are verified."""
    return {} if experiment.verification is None else {"verification": experiment.verification}


def indices_of(experiment):
    """The sensitivity indices as an input by name, if any are asked for."""
    return {} if experiment.indices is None else {"indices": experiment.indices}


def estimates_of(experiment):
    """The estimates as an input by name, if parameters are estimated."""
    return {} if experiment.estimates is None else {"estimates": experiment.estimates}


def training_of(experiment):
    """The training set as an input by name, if one is asked for."""
    return {} if experiment.training is None else {"training": experiment.training}


def settled(file, dependent):
    """A file whose date says nothing to a dependent that is there already.

    Where the dependent is missing it waits as usual: of what only `ancient` files lead to, Snakemake
    makes nothing in a run that makes one of those files anew (`--rerun-incomplete`).
    """
    folder, name = os.path.split(dependent)
    return ancient(file) if name in names_of(folder) else file


@cache
def names_of(folder):
    """What is in a folder when the run is planned: one look for ten thousand chunks."""
    return frozenset(os.listdir(folder)) if os.path.isdir(folder) else frozenset()


def chunk_needs(wildcards):
    """What a chunk waits for: its table, and what the pilot measured. One function for both, since
    it is called for each of ten thousand chunks.
    """
    experiment, chunk = chunk_of(wildcards)
    tables = [ancient(table) for table in experiment.tables]
    if chunk.pilot is None or chunk.is_pilot:
        return tables
    return [*tables, settled(chunk.pilot, chunk.file)]


def chunks_of(wildcards):
    """The chunks of an experiment, which its ensemble is made of."""
    experiment = experiment_of(wildcards)
    return [settled(chunk, experiment.ensemble) for chunk in experiment.chunk_files]


def chunk_threads(wildcards):
    experiment, chunk = chunk_of(wildcards)
    if not (workflow.non_local_exec or workflow.remote_exec):
        return job_resources.threads(experiment, chunk, workflow.cores)
    # A job on a cluster plans once more, and would see all cores of a node that does not confine it.
    cores = int(os.environ.setdefault("ODEFLOW_CORES", str(workflow.cores)))
    return job_resources.threads(experiment, chunk, cores, apart=True)


# What a job asks a cluster for; twice as much if it comes to its end for want of it.
def chunk_memory(wildcards, attempt):
    experiment, chunk = chunk_of(wildcards)
    return job_resources.memory_mb(experiment, chunk) * 2 ** (attempt - 1)


def chunk_minutes(wildcards, threads, attempt):
    _, chunk = chunk_of(wildcards)
    return job_resources.minutes(chunk, threads) * 2 ** (attempt - 1)


def figures_of(experiment, stage):
    """What a stage draws, file by name; the first format of each kind goes into the report."""
    files, own = {}, experiment.config.plot.functions
    for kind in experiment.kinds_of(stage):
        shown, *others = map(update, experiment.figure_files(kind))
        files[kind] = report(
            shown,
            caption=f"../report/{'own_figure' if kind in own else kind}.rst",
            category=experiment.name,
            labels={"page": kind.replace("_", " ")},
        )
        files |= {f"{kind}_{Path(str(other)).suffix[1:]}": other for other in others}
    return files
