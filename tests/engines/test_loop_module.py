"""What a target makes a kernel of."""

import pytest

from odeflow.engines.native.program.lane_program import LaneBuilder
from odeflow.engines.native.targets.layout import BufferLayout
from odeflow.engines.native.targets.loop_module import LoopModule


@pytest.mark.parametrize("loop", ["def solve():\n    pass", "def look():\n    pass"])
def test_a_name_stands_for_one_function(loop: str):
    layout = BufferLayout("float64", 8, 1, ("t",), (), {})
    programs = [LaneBuilder().finished(name, "all", "Nothing.") for name in ("step", "look")]
    if "look" in loop:
        with pytest.raises(ValueError, match="two functions of a loop have the name look"):
            LoopModule(layout, programs, loop, {})
    else:
        assert LoopModule(layout, programs, loop, {}).programs == programs
    with pytest.raises(ValueError, match="have the name step"):
        LoopModule(layout, [*programs, programs[0]], loop.replace("look", "solve"), {})
