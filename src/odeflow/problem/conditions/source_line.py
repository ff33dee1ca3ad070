"""The user's line that an equation of a jaxpr comes from."""

from pathlib import Path
from typing import Any

import jax

from odeflow.files.source_code import PACKAGE

_JAX = Path(jax.__file__).parent
#: What writes new equations: the importers, and the engines, which evaluate those of others.
_OWN = tuple(PACKAGE / room for room in ("importers", "engines", "problem/conditions"))


def source_line(source_info: Any) -> str:
    """`file:line in function` of the user's innermost frame, "" where JAX kept none.

    Where no frame is outside of installed packages, the innermost outside of JAX stands; an
    imported model, whose functions are odeflow's, has no line.
    """
    frames = getattr(getattr(source_info, "traceback", None), "frames", ())
    outside = [frame for frame in frames if not Path(frame.file_name).is_relative_to(_JAX)]
    if outside and any(Path(outside[0].file_name).is_relative_to(own) for own in _OWN):
        return ""
    users = [frame for frame in outside if "site-packages" not in Path(frame.file_name).parts]
    for frame in users or outside:
        function = frame.function_name.rpartition(".")[2]
        return f"{Path(frame.file_name).name}:{frame.line_num} in {function}"
    return ""
