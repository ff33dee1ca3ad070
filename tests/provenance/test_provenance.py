"""Digests change with what they cover, and with nothing else."""

from pathlib import Path

from odeflow.files.digests import canonical_json, digest
from odeflow.importers.study.compose import compose
from odeflow.provenance.sources import model_source_digest, model_sources, source_digest
from odeflow.workflow.chunks import chunk_size, chunks, solve_digest


def test_canonical_json_has_no_order():
    assert canonical_json({"b": 1, "a": [1.5, None]}) == '{"a":[1.5,null],"b":1}'
    assert digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1})
    assert digest({"a": 1}) != digest({"a": 2})


def test_a_stage_depends_on_what_it_imports():
    assert source_digest("odeflow.ensemble.solve") != source_digest("odeflow.report.figures")
    assert source_digest("odeflow.ensemble.solve") == source_digest("odeflow.ensemble.solve")


def test_a_model_file_counts_with_the_neighbours_it_imports(tmp_path: Path):
    (tmp_path / "models.py").write_text("from rates import rate\n\ndef f(t, y, args): ...\n")
    (tmp_path / "rates.py").write_text("rate = 1.0\n")
    (tmp_path / "other.py").write_text("x = 1\n")
    before = model_source_digest("models.py:f", tmp_path)
    (tmp_path / "other.py").write_text("x = 2\n")
    assert model_source_digest("models.py:f", tmp_path) == before
    (tmp_path / "rates.py").write_text("rate = 2.0\n")
    assert model_source_digest("models.py:f", tmp_path) != before


def test_model_sources_are_named_without_the_machine(tmp_path: Path):
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts/models.py").write_text("from rates import rate\nimport numpy\n")
    (tmp_path / "parts/rates.py").write_bytes(b"rate = 1.0\r\n")
    found = model_sources(["parts/models.py:f", "odeflow.models.enzyme:michaelis_menten"], tmp_path)
    assert list(found) == ["odeflow/models/enzyme.py", "parts/models.py", "parts/rates.py"]
    assert found["parts/rates.py"] == "rate = 1.0\n"
    # of an installed package its own files, not those of what it imports
    installed = model_sources(["yaml.composer:Composer"], tmp_path)
    assert "yaml/composer.py" in installed
    assert {name.split("/")[0] for name in installed} == {"yaml"}


def test_what_changes_the_numbers_changes_the_digest_and_nothing_else_does(tmp_path: Path):
    def of(*overrides: str) -> str:
        return solve_digest(compose(*overrides, study=tmp_path), tmp_path)

    base = of()
    for same in ("plot.dpi=99", "summary.metrics=[final]", "name=other", "runtime.threads=1"):
        assert of(same) == base, same
    for other in (
        "solver.rtol=1e-7",
        "solver=dopri5",
        "saveat.ts.linspace=[0,120,61]",
        "design.axes.vmax.linspace=[8,12,65]",
        "model.parameters.vmax.value=11",
        "runtime.precision=float32",
        "runtime.chunk_size=128",
    ):
        assert of(other) != base, other


def test_chunks_of_a_longer_run_begin_with_those_of_a_shorter_one(tmp_path: Path):
    def files(size: int) -> list[str]:
        config = compose(
            "experiment=robertson", f"design.size={size}", "runtime.chunk_size=64", study=tmp_path
        )
        return [chunk.file for chunk in chunks(config, tmp_path)]

    assert files(256)[:2] == files(128)
    assert files(100)[0] == files(256)[0]
    assert files(100)[1] != files(256)[1]  # a last chunk that is not full has its own file


def test_chunk_size_does_not_depend_on_the_number_of_samples(tmp_path: Path):
    small = compose("experiment=robertson", "design.size=16", study=tmp_path)
    large = compose("experiment=robertson", "design.size=1048576", study=tmp_path)
    assert chunk_size(small) == chunk_size(large)


def test_a_grown_table_keeps_its_whole_chunks(tmp_path: Path):
    table = tmp_path / "table.csv"

    def files(rows: int) -> list[str]:
        table.write_text("vmax\n" + "\n".join(str(8 + i / 10) for i in range(rows)) + "\n")
        config = compose(
            "~experiment", "design=table", "design.path=table.csv", "runtime.chunk_size=4",
            study=tmp_path,
        )  # fmt: skip
        return [chunk.file for chunk in chunks(config, tmp_path)]

    short, long = files(10), files(14)
    assert short[:2] == long[:2]
    assert short[2] != long[2]
