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


def test_what_is_only_computed_where_a_mask_holds_is_known_there_alone():
    b = LaneBuilder()
    x, y = b.row("x"), b.row("y")
    with b.only_where(x > 1.0):
        b.store("y", x * y)
        with b.only_where(x > 2.0):
            b.store("z", x * y + b.row("y"))
    b.store("x", x * y + b.row("y"))
    program = b.finished("step", "all", "Nothing.")
    operations = [s.operation for s in program.program.statements]
    inside = operations[operations.index("open") : -1 - operations[::-1].index("close")]
    assert operations.count("open") == operations.count("close") == 2
    # outside, the product is computed and the row is read again
    assert operations.count("mul") == 2 and operations.count("load") == 3
    assert inside.count("mul") == 1 and inside.count("load") == 0
    # without branches what is stored is known
    flat = [s.operation for s in program.unconditional.statements]
    assert "open" not in flat and "close" not in flat and flat.count("load") == 2
