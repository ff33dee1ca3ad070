"""What a target makes a kernel of: programs of lanes, and the loop that calls them."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from odeflow.engines.native.program.lane_program import LaneProgram
from odeflow.engines.native.program.rolled import RolledProgram
from odeflow.engines.native.targets.layout import BufferLayout
from odeflow.files.digests import texts_digest


@dataclass(frozen=True)
class LoopModule:
    """Functions that compute, and those that move numbers.

    `loop` is the source of the latter, `solve` among them, and `constants` what that reads. Raises
    ValueError where two functions have one name.
    """

    layout: BufferLayout
    programs: Sequence[LaneProgram | RolledProgram]
    loop: str
    constants: Mapping[str, Any]

    def __post_init__(self) -> None:
        names = [program.name for program in self.programs]
        names += re.findall(r"^def (\w+)", self.loop, re.MULTILINE)
        if twice := {name for name in names if names.count(name) > 1}:
            raise ValueError(f"two functions of a loop have the name {twice.pop()}")

    @cached_property
    def text(self) -> str:
        """All of it, to read and to take digests of."""
        constants = [f"{name} = {value!r}" for name, value in self.constants.items()]
        parts = [repr(self.layout), "\n".join(constants), self.loop]
        return "\n\n\n".join([*parts, *(program.text() for program in self.programs)])

    @cached_property
    def digest(self) -> str:
        """Of the text; computed once, however often the module is solved with."""
        return texts_digest(self.text)

    @property
    def cost(self) -> int:
        """What it takes to compile, in additions."""
        return sum(program.cost for program in self.programs)
