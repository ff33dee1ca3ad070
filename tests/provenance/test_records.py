"""Records of what made a file, and the marks of what is not as asked: without Snakemake."""

import os
from pathlib import Path
from typing import Any

import pytest

from odeflow.files.netcdf import DamagedFileError
from odeflow.provenance.records import Stage, checked_inputs, content_digest, is_stale, write_record
from odeflow.workflow.staleness import renew_marks, stale_stages, what_is_left


@pytest.fixture
def stages(tmp_path: Path) -> list[Stage]:
    """Two stages of which the second reads what the first made; both done."""
    first = Stage("one", "results/x", "p", {}, ("results/x/a",))
    second = Stage("two", "results/x", "q", {"results/x/a": first.record}, ("results/x/b",))
    for stage in (first, second):
        (tmp_path / "results/x").mkdir(parents=True, exist_ok=True)
        (tmp_path / stage.outputs[0]).write_text(stage.plan)
        write_record(stage, checked_inputs(stage, tmp_path), tmp_path)
    return [first, second]


def other(stage: Stage, **changes: Any) -> Stage:
    return Stage(**(stage.as_data() | changes))


def test_what_was_made_as_asked_is_not_stale(stages: list[Stage], tmp_path: Path):
    assert stale_stages(stages, tmp_path) == []
    assert stale_stages([Stage(**one.as_data()) for one in stages], tmp_path) == []


def test_another_plan_or_a_missing_record_is_stale(stages: list[Stage], tmp_path: Path):
    first, second = stages
    assert is_stale(other(first, plan="p2"), tmp_path)
    assert is_stale(other(first, outputs=["results/x/a", "results/x/more"]), tmp_path)
    for broken in ("", "[]", '{"plan": "q"}'):
        (tmp_path / second.record).write_text(broken)
        assert is_stale(second, tmp_path)
    (tmp_path / second.outputs[0]).unlink()
    assert not is_stale(second, tmp_path)  # it is missing, which Snakemake sees


def test_what_was_made_of_another_input_is_stale(stages: list[Stage], tmp_path: Path):
    first, second = stages
    (tmp_path / "results/x/a").write_text("made again")
    write_record(first, {}, tmp_path)
    assert stale_stages(stages, tmp_path) == [second]


def test_what_is_made_of_stale_files_is_stale_too(stages: list[Stage], tmp_path: Path):
    first, second = stages
    assert stale_stages([second, other(first, plan="p2")], tmp_path) == [
        second,
        other(first, plan="p2"),
    ]
    (tmp_path / second.outputs[0]).unlink()
    assert stale_stages([second, other(first, plan="p2")], tmp_path) == [other(first, plan="p2")]


def test_an_edited_input_is_refused_with_the_command(stages: list[Stage], tmp_path: Path):
    (tmp_path / "results/x/a").write_text("edited")
    with pytest.raises(DamagedFileError, match=r"results/x/a: is not what .* \(rm results/x/a\)"):
        checked_inputs(stages[1], tmp_path)


@pytest.fixture
def as_large(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files are told by their state, however small."""
    monkeypatch.setattr("odeflow.provenance.records._LARGE", 0)


@pytest.mark.usefixtures("as_large")
def test_a_large_file_that_nobody_touched_is_not_read_again(
    stages: list[Stage], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    first, second = stages
    write_record(first, {}, tmp_path)
    known = checked_inputs(second, tmp_path)
    monkeypatch.setattr("odeflow.provenance.records.content_digest", lambda path: "read")
    assert checked_inputs(second, tmp_path) == known
    (tmp_path / "results/x/a").touch()
    with pytest.raises(DamagedFileError):  # it was read
        checked_inputs(second, tmp_path)


@pytest.mark.usefixtures("as_large")
def test_a_change_of_a_large_file_is_seen_whatever_its_date_says(
    stages: list[Stage], tmp_path: Path
):
    file = tmp_path / "results/x/a"
    write_record(stages[0], {}, tmp_path)
    known, text = file.stat(), file.read_text()
    with file.open("r+") as other:  # the same file, the same length
        other.write("?" * len(text))
    os.utime(file, ns=(known.st_atime_ns, known.st_mtime_ns))
    with pytest.raises(DamagedFileError):
        checked_inputs(stages[1], tmp_path)
    copy = tmp_path / "copy"
    copy.write_text(text)
    os.utime(copy, ns=(known.st_atime_ns, known.st_mtime_ns))
    copy.replace(file)  # another file with what was written
    assert checked_inputs(stages[1], tmp_path)


def test_a_mark_is_newer_than_stale_files_and_new_each_time(stages: list[Stage], tmp_path: Path):
    stale = [other(stages[0], plan="p2")]
    (mark,) = renew_marks(stale, tmp_path, write=True).values()
    text = (tmp_path / mark).read_text()
    assert renew_marks(stale, tmp_path, write=True) == {}  # newer than the files already
    later = (tmp_path / mark).stat().st_mtime_ns + 10**9
    os.utime(tmp_path / "results/x/a", ns=(later, later))  # as `--touch` does
    assert renew_marks(stale, tmp_path, write=False).keys() == {mark}
    assert (tmp_path / mark).read_text() == text
    os.utime(tmp_path / "results/x/a", ns=(0, 0))
    (tmp_path / mark).unlink()
    ((_, place),) = renew_marks(stale, tmp_path, write=False).items()
    assert Path(place).is_file() and not (tmp_path / mark).exists()


def test_the_digest_of_a_folder_or_a_large_file_is_that_of_its_content(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("odeflow.provenance.records._PART", 7)
    file, same = tmp_path / "file", tmp_path / "same"
    file.write_bytes(bytes(range(100)))
    same.write_bytes(bytes(range(100)))
    found = {content_digest(file)}
    assert content_digest(same) in found
    for place in (0, 6, 7, 50, 99):
        content = bytearray(range(100))
        content[place] ^= 1
        same.write_bytes(content)
        found.add(content_digest(same))
    assert len(found) == 6
    folder = tmp_path / "folder"
    (folder / "part").mkdir(parents=True)
    (folder / "part/a").write_text("1")
    before = content_digest(folder)
    (folder / ".snakemake_timestamp").write_text("")
    assert content_digest(folder) == before
    (folder / "part/a").rename(folder / "part/b")
    assert content_digest(folder) != before


def test_what_a_run_leaves_is_said_by_folder(stages: list[Stage]):
    (line,) = what_is_left(stages)
    assert line.startswith("results/x: left as they were, not of the settings,")
    assert "asked for: one, two; a run without --touch, --until" in line
