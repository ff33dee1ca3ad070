"""Compiled code that is kept: damaged entries are compiled again, nobody else's code is run."""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax._src import compilation_cache
from numba import njit

from odeflow.engines.native import engine as native_engine
from odeflow.engines.native.targets.kernel import forget_kernels
from odeflow.files.compiled import folder, store
from odeflow.files.compiled.jax_cache import keep_programs
from odeflow.files.compiled.machine import machine
from odeflow.files.compiled.numba_cache import keep
from odeflow.files.compiled.store import Store, open_store
from odeflow.files.source_code import PACKAGE
from tests.support.problems import decay_problem
from tests.support.snakes import PROJECT


def entries(place: Path) -> list[Path]:
    return sorted(place.glob("*.code"))


# What is kept, by kind: each is solved or called as by a new process, with what is in the folder.


def lane_loop(place: Path) -> float:
    """A whole solve: exp(-1)."""
    forget_kernels()
    problem, lanes = decay_problem()
    solution = native_engine.solve(problem, lanes, threads=1, cache_dir=place)
    return float(solution.values["y"][0, -1])


def compiled_function(place: Path) -> float:
    return keep(njit(lambda x: x * 2 + 1), "a source", lambda: open_store(place))(20.5)


def jax_program(place: Path) -> float:
    keep_programs(open_store(place))
    compilation_cache.reset_cache()
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
    jax.clear_caches()
    try:
        return float(jax.jit(lambda x: jnp.sin(x) ** 2 + jnp.cos(x) ** 2)(0.7))
    finally:
        jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.2)
        jax.config.update("jax_compilation_cache_dir", None)
        compilation_cache.reset_cache()


#: The modules whose entries say of which machine they are.
WITH_MACHINE = [
    "files.compiled.numba_cache", "files.compiled.jax_cache", "engines.native.targets.kernel",
]  # fmt: skip
KINDS: dict[str, tuple[Callable[[Path], float], float]] = {
    "lane loop": (lane_loop, np.exp(-1.0)),
    "function": (compiled_function, 42.0),
    "program of JAX": (jax_program, 1.0),
}


# What may happen to a file, given all of them and chance.


def cut(path: Path, others: list[Path], chance: random.Random) -> None:
    text = path.read_bytes()
    path.write_bytes(text[: chance.randrange(len(text))])


def flip(path: Path, others: list[Path], chance: random.Random) -> None:
    text = bytearray(path.read_bytes())
    for _ in range(chance.choice([1, 1, 2, 50])):
        text[chance.randrange(len(text))] ^= 1 << chance.randrange(8)
    if bytes(text) != path.read_bytes():
        path.write_bytes(text)


def swap(path: Path, others: list[Path], chance: random.Random) -> None:
    shutil.copyfile(chance.choice([other for other in others if other != path]), path)


def empty(path: Path, others: list[Path], chance: random.Random) -> None:
    path.write_bytes(b"")


def longer(path: Path, others: list[Path], chance: random.Random) -> None:
    path.write_bytes(path.read_bytes() + chance.randbytes(chance.randrange(1, 100)))


def garbled(path: Path, others: list[Path], chance: random.Random) -> None:
    path.write_bytes(chance.randbytes(chance.randrange(1, 3000)))


DAMAGE = [cut, flip, swap, empty, longer, garbled]


def filled(place: Path, kind: str) -> tuple[Path, dict[Path, bytes]]:
    """A folder with the entries of a kind, one of which is damaged, and a copy of it all."""
    call, expected = KINDS[kind]
    assert call(place) == pytest.approx(expected, rel=1e-4)
    mine = entries(place)
    assert mine, "nothing is kept"
    Store(place).put("another", b"the content of another entry, that is whole")
    return mine[0], {path: path.read_bytes() for path in entries(place)}


def damaged_again(place: Path, kind: str, times: int, seed: int, told: Callable[[], str]) -> None:
    """Damages an entry of a kind again and again; each call after that is right and says so."""
    call, expected = KINDS[kind]
    target, whole = filled(place, kind)
    chance = random.Random(seed)
    for number in range(times):
        damage = DAMAGE[number % len(DAMAGE)]
        for path, text in whole.items():
            path.write_bytes(text)
        damage(target, list(whole), chance)
        changed = target.read_bytes() != whole[target]
        told()
        assert call(place) == pytest.approx(expected, rel=1e-4), (number, damage)
        lines = told()
        assert ("is damaged" in lines) is changed and "Traceback" not in lines, (number, lines)
        assert target.exists(), (number, damage)  # compiled and kept again


@pytest.mark.parametrize("kind", KINDS)
def test_a_damaged_entry_is_compiled_again(kind: str, tmp_path: Path, capfd: Any):
    damaged_again(tmp_path, kind, len(DAMAGE), 1, lambda: capfd.readouterr().err)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "times"), [("lane loop", 240), ("function", 120), ("program of JAX", 240)]
)
def test_five_hundred_damages(kind: str, times: int, tmp_path: Path, capfd: Any):
    damaged_again(tmp_path, kind, times, 20, lambda: capfd.readouterr().err)


def test_content_of_a_damaged_entry_reaches_nobody(tmp_path: Path):
    """Nothing is unpickled before the digest has been compared: 500 damages of an entry."""
    kept, chance = Store(tmp_path), random.Random(3)
    kept.put("key", content := chance.randbytes(500))
    kept.put("other", b"x" * 500)
    path = kept._path("key")
    text = path.read_bytes()
    for number in range(500):
        path.write_bytes(text)
        DAMAGE[number % len(DAMAGE)](path, entries(tmp_path), chance)
        whole = path.read_bytes() == text
        assert kept.get("key") == (content if whole else None)
        assert path.exists() is whole
    assert kept.get("other") == b"x" * 500


@pytest.mark.parametrize("kind", KINDS)
def test_an_entry_of_another_machine_is_not_used(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: Any
):
    call, expected = KINDS[kind]
    ours = machine()
    for module in WITH_MACHINE:
        monkeypatch.setattr(f"odeflow.{module}.machine", lambda: ours + "\n+avx9000")
    call(tmp_path)
    (theirs,) = entries(tmp_path)
    for module in WITH_MACHINE:
        monkeypatch.setattr(f"odeflow.{module}.machine", lambda: ours)
    assert call(tmp_path) == pytest.approx(expected, rel=1e-4)
    (mine,) = set(entries(tmp_path)) - {theirs}  # another name: nothing is wrong with theirs
    capfd.readouterr()
    shutil.copyfile(theirs, mine)
    assert call(tmp_path) == pytest.approx(expected, rel=1e-4)
    assert "of another machine: removed, compiled again" in capfd.readouterr().err


def test_a_whole_entry_that_does_not_load_is_compiled_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: Any
):
    """As of another Numba, which its entries do not say; those of lane loops say all."""
    compiled_function(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(Store, "get", lambda *_: b"no pickle")
        assert compiled_function(tmp_path) == 42.0
    assert "does not load (UnpicklingError): removed" in capfd.readouterr().err
    assert compiled_function(tmp_path) == 42.0
    assert not capfd.readouterr().err


@pytest.mark.parametrize("kind", KINDS)
def test_what_was_kept_is_used(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    call, expected = KINDS[kind]
    assert call(tmp_path) == pytest.approx(expected, rel=1e-4)
    (path,) = entries(tmp_path)
    text = path.read_bytes()
    monkeypatch.setattr(Store, "put", lambda *_: pytest.fail("compiled again"))
    assert call(tmp_path) == pytest.approx(expected, rel=1e-4)
    assert path.read_bytes() == text


# Which folder.


def study_in(place: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (place / "study" / "results").mkdir(parents=True)
    monkeypatch.chdir(place / "study")
    return place / "study" / "results" / "cache"


def test_the_folder_is_the_user_s(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    in_study = study_in(tmp_path, monkeypatch)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setenv("ODEFLOW_CACHE", "")
    assert folder.candidates() == (tmp_path / ".cache" / "odeflow", in_study)
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    assert folder.candidates()[0] == tmp_path / ".cache" / "odeflow"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert folder.candidates()[0] == tmp_path / "xdg" / "odeflow"
    monkeypatch.setenv("ODEFLOW_CACHE", str(tmp_path / "mine"))
    assert folder.candidates() == (tmp_path / "mine" / "odeflow", in_study)
    assert open_store().folder == tmp_path / "mine" / "odeflow"
    assert (tmp_path / "mine" / "odeflow").stat().st_mode & 0o777 == 0o700


def test_a_folder_of_the_user_s_stays_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """The variable names any folder: what is in it is not removed, nor is it closed."""
    monkeypatch.setattr(store, "LIMIT", 100)
    monkeypatch.setattr(store, "_LEFT", 50)
    tmp_path.chmod(0o755)
    (tmp_path / "thesis.code").write_bytes(b"z" * 1000)
    os.utime(tmp_path / "thesis.code", (1, 1))
    monkeypatch.setenv("ODEFLOW_CACHE", str(tmp_path))
    assert compiled_function_in(open_store()) == 42.0
    assert tmp_path.stat().st_mode & 0o777 == 0o755
    assert {path.name for path in tmp_path.iterdir()} == {"thesis.code", "odeflow"}


def test_without_a_home_it_is_the_study_s(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def no_home() -> Path:
        raise RuntimeError("Could not determine home directory.")

    in_study = study_in(tmp_path, monkeypatch)
    for name in ("ODEFLOW_CACHE", "XDG_CACHE_HOME", "HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(Path, "home", no_home)
    assert open_store().folder == in_study


def others_may_write(place: Path) -> None:
    place.mkdir()
    place.chmod(0o777)


def group_may_write(place: Path) -> None:
    place.mkdir()
    place.chmod(0o770)


def another_s(place: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root gives a folder to another user")
    place.mkdir(mode=0o700)
    os.chown(place, 12345, 12345)


def below_a_file(place: Path) -> None:
    place.write_text("")


def linked(place: Path) -> None:
    place.with_name("ours").mkdir(mode=0o700)
    place.symlink_to("ours")


def linked_to_itself(place: Path) -> None:
    place.symlink_to(place)


def in_a_folder_of_all(place: Path) -> None:
    place.parent.chmod(0o777)


def in_a_folder_of_a_group(place: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root gives a folder to another group")
    os.chown(place.parent, 0, 12345)
    place.parent.chmod(0o775)


def in_another_s(place: Path) -> None:
    place.parent.rmdir()
    another_s(place.parent)


def behind_a_link_into_a_folder_of_all(place: Path) -> None:
    place.parent.rmdir()
    target = place.parents[1] / "open" / "own"
    target.mkdir(parents=True)
    target.parent.chmod(0o777)
    place.parent.symlink_to(target)


def behind_a_link_to_itself(place: Path) -> None:
    place.parent.rmdir()
    place.parent.symlink_to(place.parent)


@pytest.mark.parametrize(
    ("prepare", "why"),
    [
        (others_may_write, "others may write there"),
        (group_may_write, "others may write there"),
        (another_s, "belongs to another user"),
        (linked, "is a link"),
        (linked_to_itself, "is a link"),
        (below_a_file, "cannot be written"),
        (in_a_folder_of_all, "user, on the way to it: chmod go-w"),
        (in_a_folder_of_a_group, "user, on the way to it: chmod go-w"),
        (in_another_s, "user, on the way to it, belongs to another user"),
        (behind_a_link_into_a_folder_of_all, "open, on the way to it: chmod go-w"),
        (behind_a_link_to_itself, "cannot be written (Too many levels of symbolic links)"),
    ],
)
def test_a_folder_that_is_not_ours_alone_is_not_used(
    prepare: Callable[[Path], None], why: str, tmp_path: Path, monkeypatch: Any, capfd: Any
):
    in_study = study_in(tmp_path, monkeypatch)
    (tmp_path / "user").mkdir()
    prepare(tmp_path / "user" / "odeflow")
    before = set(tmp_path.rglob("*"))
    monkeypatch.setenv("ODEFLOW_CACHE", str(tmp_path / "user"))
    assert open_store().folder == in_study
    lines = capfd.readouterr().err.splitlines()
    assert len(lines) == 1 and why in lines[0] and str(tmp_path / "user" / "odeflow") in lines[0]
    assert set(tmp_path.rglob("*")) - before == {in_study}
    in_study.chmod(0o777)  # nowhere at all: code is compiled and not kept
    store._open.cache_clear()
    assert open_store().folder is None
    assert compiled_function_in(open_store()) == 42.0
    assert "code is compiled in each run" in capfd.readouterr().err


def compiled_function_in(kept: Store) -> float:
    return keep(njit(lambda x: x * 2 + 1), "a source", lambda: kept)(20.5)


def test_the_mode_of_a_folder_that_is_there_is_its_owner_s(tmp_path: Path):
    tmp_path.chmod(0o755)
    assert folder.unfit(tmp_path) is None
    assert tmp_path.stat().st_mode & 0o777 == 0o755
    assert folder.unfit(tmp_path / "new" / "below") is None
    assert (tmp_path / "new" / "below").stat().st_mode & 0o777 == 0o700


def test_a_home_that_is_a_link_is_fine(tmp_path: Path):
    """So is one in a folder such as `/tmp`, where each user may move only their own."""
    (tmp_path / "disk" / "me").mkdir(parents=True)
    (tmp_path / "disk").chmod(0o1777)
    (tmp_path / "me").symlink_to("disk/me")
    (tmp_path / "home").symlink_to(tmp_path / "nowhere" / ".." / "me")
    (tmp_path / "nowhere").mkdir()
    place = tmp_path / "home" / ".cache" / "odeflow"
    assert open_store(place).folder == place
    assert (tmp_path / "disk" / "me" / ".cache").stat().st_mode & 0o777 == 0o700


def test_an_entry_that_is_not_ours_alone_is_not_used(tmp_path: Path, capfd: Any):
    kept = Store(tmp_path)

    def moved(path: Path) -> None:
        path.rename(tmp_path / "elsewhere")
        path.symlink_to(tmp_path / "elsewhere")

    def pipe(path: Path) -> None:
        path.unlink()
        os.mkfifo(path, 0o600)

    changes = [lambda path: path.chmod(0o620), lambda path: path.chmod(0o602), moved, pipe]
    if os.geteuid() == 0:
        changes.append(lambda path: os.chown(path, 12345, 12345))
    for change in changes:
        kept.put("key", b"content")
        assert kept.get("key") == b"content" and not capfd.readouterr().err
        change(kept._path("key"))
        assert kept.get("key") is None
        (line,) = capfd.readouterr().err.splitlines()
        assert line.endswith("removed, compiled again")
        assert not kept._path("key").is_symlink() and not kept._path("key").exists()


# Its size, and a disk that is full.


def test_the_oldest_entries_make_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(store, "LIMIT", 10_000)
    monkeypatch.setattr(store, "_LEFT", 7_500)
    kept = Store(tmp_path)
    for number in range(9):
        kept.put(str(number), b"x" * 1000)
        os.utime(kept._path(str(number)), (number, number))
    assert kept.get("0") is not None  # used: it is the newest now
    half, now = (kept._path("half").with_suffix(f".code.{x * 8}.tmp") for x in "ab")
    users = [tmp_path / "thesis.code", tmp_path / "my-thesis.code", tmp_path / "draft.code.tmp"]
    for path in (half, now, *users):
        path.write_bytes(b"z" * 20_000)
    for path in (half, *users):
        os.utime(path, (1, 1))
    Store(tmp_path).put("new", b"x" * 1000)
    left = {key for key in [*map(str, range(9)), "new"] if kept._path(key).exists()}
    assert left == {"0", "4", "5", "6", "7", "8", "new"} and len(entries(tmp_path)) == 9
    assert not half.exists() and now.exists() and all(path.exists() for path in users)


def test_a_full_disk_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: Any):
    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    assert compiled_function(tmp_path) == 42.0
    assert not list(tmp_path.iterdir())
    (line,) = capfd.readouterr().err.splitlines()
    assert "No space left on device" in line and "ODEFLOW_CACHE" in line


# Whole processes.

SOLVE = """
import sys
from pathlib import Path
import jax
jax.config.update("jax_enable_x64", True)
sys.path.insert(0, sys.argv[2])
from tests.support.problems import decay_problem
from odeflow.engines.native import engine
problem, lanes = decay_problem()
print("ready", flush=True)
found = engine.solve(problem, lanes, threads=1, cache_dir=Path(sys.argv[1]))
print(repr(float(found.values["y"][0, -1])))
"""


def started(place: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", SOLVE, str(place), str(PROJECT)]
    return subprocess.Popen(
        command, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )  # fmt: skip


@pytest.mark.slow
def test_two_processes_compile_at_once_and_one_is_killed(tmp_path: Path):
    alone, error = started(tmp_path / "alone").communicate()
    assert not error and alone
    chance, place = random.Random(5), tmp_path / "cache"
    for _ in range(4):
        shutil.rmtree(place, ignore_errors=True)
        killed, other = started(place), started(place)
        assert killed.stdout is not None and killed.stdout.readline() == "ready\n"
        time.sleep(chance.uniform(0.0, 2.0))
        killed.send_signal(signal.SIGKILL)
        killed.communicate()
        assert other.communicate() == (alone, "")
        assert started(place).communicate() == (alone, "")
        assert len(entries(place)) == 1


@pytest.mark.slow
def test_nothing_is_written_beside_the_package(tmp_path: Path):
    """As where it is installed for all users of a machine, who may only read it."""
    shutil.copytree(PACKAGE, tmp_path / "lib" / "odeflow", ignore=lambda *_: {"__pycache__"})
    before = {path for path in (tmp_path / "lib").rglob("*") if path.name != "__pycache__"}
    place = tmp_path / "cache"
    environment = {**os.environ, "PYTHONPATH": str(tmp_path / "lib")}
    environment |= {"ODEFLOW_CACHE": str(place), "PYTHONDONTWRITEBYTECODE": "1"}
    script = SOLVE.replace("cache_dir=Path(sys.argv[1])", "cache_dir=None")
    command = [sys.executable, "-c", f"{script}\nprint(engine.__file__)", "", str(PROJECT)]
    done = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
    assert done.stdout.splitlines()[-1] == str(tmp_path / "lib/odeflow/engines/native/engine.py")
    assert set((tmp_path / "lib").rglob("*")) == before
    assert len(entries(tmp_path / "cache" / "odeflow")) == 1
