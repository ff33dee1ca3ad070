"""Chunks that a run is using stay where they are when chunks are pruned beside it."""

import io
import json
import os
import subprocess
import sys
import time
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from odeflow.files.errors import ConfigError
from odeflow.workflow import leases
from odeflow.workflow.leases import LEASES, HeldLease, Lease, leased, wait_for_pruning
from odeflow.workflow.processes import machine, start_of

CHUNK = "results/chunks/0123456789abcdef/00000.nc"
OWN = Lease(machine(), os.getpid(), start_of(os.getpid()), (CHUNK,))


def of_another(study: Path, **changes: object) -> Path:
    """The file of a lease that is not this process's."""
    lease = replace(OWN, **{"process": 1, "started": start_of(1), **changes})
    file = study / LEASES / f"{lease.process}-{time.time_ns()}.json"
    file.write_text(json.dumps(asdict(lease)))
    return file


@pytest.fixture
def study(tmp_path: Path) -> Path:
    (tmp_path / LEASES).mkdir(parents=True)
    return tmp_path


def aged(file: Path, seconds: float) -> Path:
    os.utime(file, (time.time() - seconds,) * 2)
    return file


def test_a_process_that_runs_keeps_its_chunks_whatever_the_age(study: Path):
    aged(of_another(study), 10**6)
    assert leased(study) == {CHUNK}


def test_one_that_has_ended_does_not(study: Path):
    done = subprocess.Popen([sys.executable, "-c", ""])
    done.wait()
    files = [
        of_another(study, process=done.pid, started="1"),
        of_another(study, started="another time"),  # the number was given to another process
    ]
    assert leased(study) == set()
    assert not any(file.exists() for file in files)


@pytest.mark.parametrize("lost", [{"where": "another machine"}, {"started": ""}])
def test_where_a_process_cannot_be_seen_the_age_decides(lost: dict[str, str], study: Path):
    file = of_another(study, **lost)
    assert leased(study) == {CHUNK}
    aged(file, leases._COUNTS - 60)
    assert leased(study) == {CHUNK}
    aged(file, leases._COUNTS + 60)
    assert leased(study) == set() and not file.exists()


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"where": 1}'])
def test_one_that_cannot_be_read_keeps_all_for_a_while(text: str, study: Path):
    file = study / LEASES / "1.json"
    file.write_text(text)
    assert leased(study) is None
    aged(file, leases._COUNTS + 60)
    assert leased(study) == set()


HOLDER = """
import sys, time
from pathlib import Path
from odeflow.workflow import leases
from odeflow.files.errors import ConfigError

leases._RENEWED = 0.05
study = Path(sys.argv[1])
leases.HeldLease(study, ["a", "b"], prunes=sys.argv[2] == "prunes")
print("held", flush=True)
sys.stdin.read()
"""


def holder(study: Path, what: str) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(study), what],
        text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None and process.stdout.readline() == "held\n"
    return process


@pytest.mark.slow
def test_a_lease_is_renewed_and_goes_with_its_process(tmp_path: Path):
    with holder(tmp_path, "needs") as process:
        assert leased(tmp_path) == {"a", "b"}
        (file,) = (tmp_path / LEASES).iterdir()
        for lost in (lambda: aged(file, 10**4), file.unlink):
            lost()
            deadline = time.monotonic() + 10
            while not file.exists() or time.time() - file.stat().st_mtime > 100:
                assert time.monotonic() < deadline
                time.sleep(0.02)
        process.communicate()
    assert not (tmp_path / "results").exists()  # which was made for it
    with holder(tmp_path, "needs") as process:
        process.kill()
        process.communicate()
    (file,) = (tmp_path / LEASES).iterdir()
    assert leased(tmp_path) == set() and not file.exists()


@pytest.mark.slow
def test_a_plan_waits_while_chunks_are_removed(tmp_path: Path):
    said = io.StringIO()
    wait_for_pruning(tmp_path, said)
    with holder(tmp_path, "needs") as process:
        wait_for_pruning(tmp_path, said)
        process.communicate()
    assert said.getvalue() == ""
    code = "import sys; from pathlib import Path\n"
    code += "from odeflow.workflow.leases import wait_for_pruning\n"
    code += "wait_for_pruning(Path(sys.argv[1]), sys.stdout); print('planned', flush=True)"
    with holder(tmp_path, "prunes") as process:
        command = [sys.executable, "-c", code, str(tmp_path)]
        with subprocess.Popen(command, text=True, stdout=subprocess.PIPE) as waiting:
            assert waiting.stdout is not None
            assert waiting.stdout.readline().endswith("waiting for a process that prunes\n")
            time.sleep(0.3)
            assert waiting.poll() is None
            process.communicate()
            assert waiting.stdout.read() == "planned\n"


def test_where_nothing_can_be_written_a_run_goes_on(tmp_path: Path):
    (tmp_path / "results").write_text("a file")
    HeldLease(tmp_path, ["a"])
    assert leased(tmp_path) == set()


@pytest.mark.parametrize(
    "other, shared",
    [
        ({"writes": ["b"]}, "b"),
        ({"writes": ["a"]}, "a"),
        ({"reads": ["b"]}, "b"),
        ({"reads": ["a"]}, None),
        ({"writes": ["c"]}, None),
        ({}, None),  # still planning
        ({"writes": ["b"], "started": "before"}, None),  # it has ended
    ],
)
def test_no_two_runs_are_at_a_file_of_which_one_writes_it(
    other: dict[str, object], shared: str | None, study: Path
):
    of_another(study, **other)
    held = HeldLease(study)
    if shared is None:
        held.claim({"a"}, {"b"})
        (file,) = (study / LEASES).glob(f"{os.getpid()}-*")
        assert json.loads(file.read_text())["writes"] == ["b"]
    else:
        with pytest.raises(ConfigError, match=rf"^{shared}: another run .*process 1 on .*ended$"):
            held.claim({"a"}, {"b"})
        assert not list((study / LEASES).glob(f"{os.getpid()}-*"))


@pytest.mark.parametrize("clock", [-5, 0, 5])
def test_of_two_claims_at_one_time_no_more_than_one_goes_on(
    clock: int, study: Path, monkeypatch: pytest.MonkeyPatch
):
    """Whatever the clocks say, and whichever claim was begun or written first."""
    now, others, seen = time.time_ns(), leases._others, []
    monkeypatch.setattr(time, "time_ns", lambda: now + clock * 10**9)

    def looked(place: Path) -> object:
        """What others see is there when they are looked for."""
        (own,) = place.glob(f"{LEASES}/{os.getpid()}-*.json")
        seen.extend(json.loads(own.read_text())["writes"])
        return others(place)

    held = HeldLease(study)
    file = of_another(study, writes=["b"])
    monkeypatch.setattr(leases, "_others", looked)
    with pytest.raises(ConfigError, match="another run is using it"):
        held.claim({"a"}, {"b"})
    assert seen == ["b"]
    file.unlink()
    HeldLease(study).claim({"a"}, {"b"})  # what was refused has left nothing


@pytest.mark.parametrize("running, left", [(10, True), (100, True), (500, False), (2000, True)])
def test_a_machine_of_the_same_name_is_another_one(
    running: float, left: bool, study: Path, monkeypatch: pytest.MonkeyPatch
):
    """Process 1 is here too; a lease that was not renewed since this machine started is its own."""
    monkeypatch.setattr(leases, "since_start", lambda: running)
    file = of_another(study, where=f"{machine().rpartition(' ')[0]} another-start", started="0")
    aged(file, 30)
    assert leased(study) == {CHUNK}
    aged(file, 110 if running < 500 else 600)
    assert (leased(study) == {CHUNK}) is left and file.exists() is left


def test_a_claim_that_was_not_written_is_written_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(leases, "_RENEWED", 0.01)
    held = HeldLease(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", lambda *_: (_ for _ in ()).throw(OSError(28, "full")))
        held.claim({"a"}, {"b"})
    (file,) = (tmp_path / LEASES).glob(f"{os.getpid()}-*.json")
    deadline = time.monotonic() + 10
    while json.loads(file.read_text())["writes"] != ["b"]:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    held.release()


def test_a_lease_is_of_this_process():
    lease = OWN
    assert lease.chunks == (CHUNK,) and lease.process == os.getpid() and lease.started
    assert start_of(2**30) == ""
