"""What the translator says where it cannot go on."""

from pathlib import Path
from typing import Any

import jax


class Refused(Exception):
    """Why an equation cannot be translated; the interpreter adds which one, and where it is."""


class UntranslatableError(Exception):
    """A function uses something that has no straight-line scalar program.

    `primitive` is JAX's name of it, `why` the reason, `where` the user's line ("" if unknown).
    """

    def __init__(self, primitive: str, why: str, where: str = "") -> None:
        self.primitive, self.why, self.where = primitive, why, where
        place = f" ({where})" if where else ""
        super().__init__(
            f"the native engine cannot run {primitive!r}{place}: {why}; "
            "the diffrax engine can run it"
        )


_JAX = Path(jax.__file__).parent


def source_line(source_info: Any) -> str:
    """`file:line in function` of the innermost frame of the user's, "" where JAX kept none.

    Where no frame is outside of installed packages, the innermost outside of JAX stands.
    """
    frames = getattr(getattr(source_info, "traceback", None), "frames", ())
    outside = [frame for frame in frames if not Path(frame.file_name).is_relative_to(_JAX)]
    users = [frame for frame in outside if "site-packages" not in Path(frame.file_name).parts]
    for frame in users or outside:
        function = frame.function_name.rpartition(".")[2]
        return f"{Path(frame.file_name).name}:{frame.line_num} in {function}"
    return ""
