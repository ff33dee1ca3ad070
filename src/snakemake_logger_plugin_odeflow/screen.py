"""The lines and the bar of a run on the user's terminal."""

import shutil
from collections import Counter
from typing import TextIO

#: Lines of a kind that are shown at most; those of a kind that is not here are all shown.
MOST = {"plan": 2, "note": 2, "progress": 2, "failure": 2, "end": 2}
_BAR = 24


class Screen:
    """Writes lines, and below them a bar that overwrites itself where a person is watching."""

    def __init__(self, stream: TextIO):
        self._stream = stream
        #: Whether a person is watching.
        self.is_watched = bool(getattr(stream, "isatty", lambda: False)())
        self._has_bar = False
        self._shown: Counter[str] = Counter()

    def line(self, text: str, kind: str = "") -> bool:
        """Writes a text of one or more lines, unless there are enough of its kind.

        Arguments:
            text: what is said.
            kind: see `MOST`.

        Returns:
            Whether it was written.
        """
        self._shown[kind] += 1
        if self._shown[kind] > MOST.get(kind, self._shown[kind]):
            return False
        self._write(f"{self._cleared()}{text}\n")
        return True

    def left_out(self, kind: str) -> int:
        """How many texts of a kind were not written."""
        return max(0, self._shown[kind] - MOST.get(kind, self._shown[kind]))

    def bar(self, text: str, fraction: float | None = None) -> None:
        """Shows how far the run is, in place of what was shown before.

        Arguments:
            text: what is done; it is cut to the width of the terminal.
            fraction: how much of it is done; None shows no bar.
        """
        if not self.is_watched:
            return
        filled = round(_BAR * min(max(fraction or 0.0, 0.0), 1.0))
        drawn = "" if fraction is None else f"[{'#' * filled}{'-' * (_BAR - filled)}] "
        width = shutil.get_terminal_size().columns - 1
        self._write(f"{self._cleared()}{(drawn + text)[:width]}")
        self._has_bar = True

    def close(self) -> None:
        """Takes the bar away."""
        self._write(self._cleared())

    def _cleared(self) -> str:
        """What takes the bar away, if there is one."""
        cleared, self._has_bar = ("\r\033[K" if self._has_bar else ""), False
        return cleared

    def _write(self, text: str) -> None:
        # a terminal that is gone must not hide how the run ends
        try:
            self._stream.write(text)
            self._stream.flush()
        except (OSError, ValueError):
            self.is_watched = False
