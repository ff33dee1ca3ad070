"""A finished experiment as an RO-Crate that other programs read."""

import hashlib
import json
import shutil
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from odeflow import compose, run
from odeflow.files.errors import ConfigError
from odeflow.provenance.records import Stage, checked_inputs, write_record
from odeflow.trust.reproduce import CRATE, reproduce
from odeflow.workflow.crate import write_crate
from tests.support.snakes import PROJECT, STUDY_YAML, make_study, snakemake


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    study = make_study(tmp_path_factory.mktemp("study"))
    (study / "study.yaml").write_text(STUDY_YAML)
    place = study / "results" / "decay"
    (place / "figures").mkdir(parents=True)
    run(compose("experiment=decay", study=study)).to_netcdf(place / "ensemble.nc")
    (place / "figures" / "time_courses.svg").write_text("<svg/>")
    (place / "notes.txt").write_text("no job wrote it")
    (place / "logs").mkdir()
    (place / "logs" / "passed").write_text("")
    ensemble, figure = (f"results/decay/{x}" for x in ("ensemble.nc", "figures/time_courses.svg"))
    made = Stage("assemble", "results/decay", "plan", {}, (ensemble,))
    write_record(made, {}, study)
    reads = {ensemble: made.record}
    for rule, file in (("plot", figure), ("verdict", "results/decay/logs/passed")):
        stage = Stage(rule, "results/decay", "plan", reads, (file, f"{file}.gone"))
        (study / f"{file}.gone").write_text("")
        write_record(stage, checked_inputs(stage, study), study)
        (study / f"{file}.gone").unlink()
    return place


def test_every_entity_that_is_named_is_there(results: Path, tmp_path: Path):
    files = write_crate(results, tmp_path / "crate", PROJECT / "Snakefile")
    record = json.loads((tmp_path / "crate" / CRATE).read_text())
    graph = {entity["@id"]: entity for entity in record["@graph"]}
    assert len(graph) == len(record["@graph"])
    root, action = graph["./"], graph["#run"]
    for entity in (root, action):
        for value in entity.values():
            for one in value if isinstance(value, list) else [value]:
                if isinstance(one, dict) and not one["@id"].startswith("https://w3id.org/ro/crate"):
                    assert one["@id"] in graph
    kept = {x["@id"] for x in root["hasPart"]} | {CRATE}
    assert kept == {str(file.relative_to(tmp_path / "crate")) for file in files}
    assert all(file.is_file() for file in files)
    assert {"ensemble.nc", "figures/time_courses.svg"} == {x["@id"] for x in action["result"]}
    assert {"study/models.py", "study/study.yaml"} < {x["@id"] for x in action["object"]}
    content = (tmp_path / "crate" / "ensemble.nc").read_bytes()
    assert graph["ensemble.nc"]["sha256"] == hashlib.sha256(content).hexdigest()
    assert root["license"] == "CC-BY-4.0" and root["keywords"] == "decay, kinetics"
    assert graph["https://orcid.org/0000-0000-0000-0000"]["name"] == "Ada Lovelace"
    main = graph[root["mainEntity"]["@id"]]
    assert main["@type"] == ["File", "SoftwareSourceCode", "ComputationalWorkflow"]
    assert action["instrument"] == root["mainEntity"] and action["@type"] == "CreateAction"


def test_the_crate_s_study_makes_it_again(results: Path, tmp_path: Path):
    write_crate(results, tmp_path / "crate", PROJECT / "Snakefile")
    again = run(compose("experiment=decay", study=tmp_path / "crate" / "study"))
    assert again.equals(run(compose("experiment=decay", study=results.parents[1])))


def test_another_program_reads_it(results: Path, tmp_path: Path):
    rocrate = pytest.importorskip("rocrate.rocrate", reason="pip install rocrate")
    write_crate(results, tmp_path / "crate", PROJECT / "Snakefile")
    crate = rocrate.ROCrate(tmp_path / "crate")
    assert crate.mainEntity.id == "workflow/Snakefile" and crate.license == "CC-BY-4.0"
    (action,) = crate.get_by_type("CreateAction")
    assert action["instrument"] == crate.mainEntity
    assert {x.id for x in action["result"]} == {"ensemble.nc", "figures/time_courses.svg"}
    assert not [x for x in crate.get_entities() if x.type == "Thing"]


def test_reproduce_names_the_crate(results: Path, tmp_path: Path):
    write_crate(results, tmp_path / "crate", PROJECT / "Snakefile")
    inside = reproduce(tmp_path / "crate" / "ensemble.nc", tmp_path / "crate" / "study")
    assert f"crate: {tmp_path / 'crate' / CRATE}" in inside.report().splitlines()
    assert "crate:" not in reproduce(results / "ensemble.nc", results.parents[1]).report()


@pytest.mark.slow
def test_it_is_a_workflow_run_crate(results: Path, tmp_path: Path):
    """All that the profile requires, says the validator, which fetches the vocabularies."""
    services = pytest.importorskip("rocrate_validator.services", reason="pip install roc-validator")
    from rocrate_validator.models import Severity

    try:
        socket.getaddrinfo("w3id.org", 443)
    except OSError:
        pytest.skip("the vocabularies of w3id.org cannot be fetched here")
    write_crate(results, tmp_path / "crate", PROJECT / "Snakefile")
    settings = services.ValidationSettings(
        rocrate_uri=str(tmp_path / "crate"),
        profile_identifier="workflow-run-crate",
        requirement_severity=Severity.REQUIRED,
    )
    found = services.validate(settings)
    assert not found.has_issues(), [issue.message for issue in found.get_issues()]


def test_mistakes_are_one_line(results: Path, tmp_path: Path):
    with pytest.raises(ConfigError, match="is there already; name a new folder"):
        write_crate(results, tmp_path, PROJECT / "Snakefile")
    with pytest.raises(ConfigError, match=r"no ensemble.nc; name the folder"):
        write_crate(tmp_path, tmp_path / "crate", PROJECT / "Snakefile")
    assert not (tmp_path / "crate").exists()


@pytest.mark.parametrize("inside", ["decay/crate", "decay/new/crate", "crate"])
def test_no_crate_among_results(inside: str, results: Path):
    with pytest.raises(ConfigError, match="is among results; name a new folder outside"):
        write_crate(results, results.parent / inside, PROJECT / "Snakefile")
    assert not (results.parent / inside).exists()


def edit(place: Path) -> None:
    (place / "figures" / "time_courses.svg").write_text("<svg>another</svg>")


def damage(place: Path) -> None:
    with (place / "ensemble.nc").open("r+b") as file:
        file.seek(-9, 2)
        file.write(b"?")


def solve_again(place: Path) -> None:
    (place / "ensemble.nc").write_bytes((place / "ensemble.nc").read_bytes() + b" ")
    write_record(
        Stage("assemble", "results/decay", "new", {}, ("results/decay/ensemble.nc",)),
        {}, place.parents[1],
    )  # fmt: skip


def link(place: Path) -> None:
    (place / "figures").rename(place / "drawn")
    (place / "figures").symlink_to("drawn")


def lose_a_record(place: Path) -> None:
    (place / "records" / "assemble.json").unlink()
    (place / "records" / "plot.json").unlink()
    (place / "records" / "verdict.json").unlink()


def cut_a_record(place: Path) -> None:
    (place / "records" / "plot.json").write_text("{")


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (edit, r"time_courses.svg: is not what was written, .*; delete it"),
        (damage, r"ensemble.nc: is not what was written, .*; delete it"),
        (solve_again, r"time_courses.svg: was made of another ensemble.nc than is recorded now"),
        (link, r"figures: is a link"),
        (lose_a_record, r"decay: has no record of ensemble.nc, .*; run the experiment again"),
        (cut_a_record, r"plot.json: is not a record; delete it"),
    ],
)
def test_only_what_was_written_is_packed(
    change: Callable[[Path], None], why: str, results: Path, tmp_path: Path
):
    place = tmp_path / "results" / "decay"
    shutil.copytree(results, place)
    write_crate(place, tmp_path / "before", PROJECT / "Snakefile")
    assert not (tmp_path / "before" / "notes.txt").exists()
    change(place)
    with pytest.raises(ConfigError, match=why):
        write_crate(place, tmp_path / "crate", PROJECT / "Snakefile")
    assert not (tmp_path / "crate").exists()


def test_results_that_were_moved_and_a_folder_of_results(results: Path, tmp_path: Path):
    """A Zarr store is a folder, in which Snakemake leaves a file of its own."""
    moved = tmp_path / "archive"
    shutil.copytree(results, moved)
    (moved / "figures" / "time_courses.svg").unlink()
    folder = moved / "table.zarr"
    folder.mkdir()
    (folder / "0").write_text("numbers")
    (folder / ".snakemake_timestamp").write_text("")
    (moved.parent / "results").mkdir()
    (moved.parent / "results" / "decay").symlink_to(moved)
    write_record(Stage("t", "results/decay", "", {}, ("results/decay/table.zarr",)), {}, tmp_path)
    files = write_crate(moved, tmp_path / "crate", PROJECT / "Snakefile")
    names = {str(file.relative_to(tmp_path / "crate")) for file in files}
    assert {"ensemble.nc", "table.zarr/0"} < names
    assert not [name for name in names if "snakemake_" in name or "figures" in name]


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["netcdf", "zarr"])
def test_all_results_of_a_run_are_packed(kind: str, tmp_path: Path):
    study = make_study(tmp_path / "study")
    config = f"experiment=decay verify__number=2 assemble__format={kind}"
    snakemake(study, config=config)
    place = study / "results" / "decay"
    files = write_crate(place, tmp_path / "crate", PROJECT / "Snakefile")
    names = {str(file.relative_to(tmp_path / "crate")) for file in files}
    for file in place.rglob("*"):
        name = str(file.relative_to(place))
        if file.is_file() and not name.startswith(("logs/", "records/", "benchmarks/", ".odeflow")):
            assert name in names or ".snakemake" in name, name
