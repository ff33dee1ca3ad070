"""What every workflow script does around its stage: a log, and one-line errors."""

import errno
import io
import os
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress
from pathlib import Path
from typing import Any, NoReturn

from odeflow.files.errors import ConfigError
from odeflow.provenance.records import Stage, checked_inputs, write_record
from odeflow.workflow.processes import end_with_starter
from odeflow.workflow.progress import logs_are_read

#: What the system says where there is no space.
_UNWRITABLE = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS}


def without_equinox_checks() -> None:
    """Turns off Equinox's run-time checks, of times that are validated already, in this process.

    They are host callbacks, and JAX's persistent cache refuses programs with those.
    """
    os.environ["EQX_ON_ERROR"] = "off"  # read when Equinox is imported
    if imported := sys.modules.get("equinox._errors"):  # in a copy of the worker it is there
        imported.EQX_ON_ERROR = "off"  # type: ignore[attr-defined]


@contextmanager
def logged(log: str) -> Iterator[None]:
    """Sends what a stage prints to its log; a user's mistake ends the job with one line."""
    end_with_starter()
    path = Path(log)
    with _log_file(path) as file, redirect_stdout(file), redirect_stderr(file):
        try:
            yield
        except ConfigError as error:
            _end(path, file, str(error))
        except FileNotFoundError as error:
            traceback.print_exc(file=file)
            what = error.filename or error
            _end(
                path,
                file,
                f"{what}: is gone, another run or person took it away; run again, and one at a "
                "time where `--nolock` was used",
            )
        except OSError as error:
            traceback.print_exc(file=file)
            if error.errno not in _UNWRITABLE:
                raise
            what = f"{error.filename or path.parent}: cannot be written ({error.strerror})"
            _end(path, file, f"{what}; check space and permissions there, then run again")
        except Exception:
            traceback.print_exc(file=file)
            if logs_are_read():
                sys.exit(1)
            raise


def _end(path: Path, log: io.TextIOWrapper, reason: str) -> NoReturn:
    """Ends the job with the reason in one line: the last of its log, from which it may be read."""
    said = f"odeflow: {reason}"
    print(said, file=log)
    if not (logs_are_read() and _ends_with(path, said)):
        print(said, file=sys.__stderr__)
    sys.exit(1)


def _ends_with(log: Path, said: str) -> bool:
    """Whether a log has it: there may be no space for it."""
    try:
        return log.read_text(encoding="utf-8", errors="replace").rstrip().endswith(said.rstrip())
    except OSError:
        return False


class _Lossy(io.FileIO):
    """A file that loses what the disk has no space for: a log must not hide why a job failed."""

    def write(self, data: Any) -> int:
        """Writes what can be written; the length of all of it."""
        with suppress(OSError):
            super().write(data)
        return len(data)


def _log_file(path: Path) -> io.TextIOWrapper:
    """A log that is written line by line. Ends the job with one line where there cannot be one."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return io.TextIOWrapper(_Lossy(path, "w"), encoding="utf-8", line_buffering=True)
    except OSError as error:
        sys.exit(
            f"odeflow: {path}: cannot be written ({error.strerror}); check space and permissions "
            "there, then run again"
        )


@contextmanager
def recorded(log: str, stage: dict[str, Any]) -> Iterator[None]:
    """As `logged`, around a stage whose files are checked before and recorded after it.

    A stage that fails has no record, so that it runs again: Snakemake puts back what was there
    before with a new date, and would take it for good.
    """
    with logged(log):
        told = Stage(**stage)
        Path(told.record).unlink(missing_ok=True)
        read = checked_inputs(told)
        yield
        write_record(told, read)
