"""The loop around the lanes as LLVM: the few statements of Python that it is written in.

The loop is text, and calls functions of lanes, which are programs. It needs `while`, `for` over a
range, `if`, assignments, and arithmetic of scalars and of elements of arrays; a general compiler of
Python spends seconds on finding out what its types are. Here parameters say them (`real[:, :]`,
`int64`), and a variable has the kind of what is first put into it. Functions are written into their
callers; each ends with its only `return`, if it has one.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from llvmlite import ir

from odeflow.engines.native.targets.lane_code import LaneFunction
from odeflow.engines.native.targets.lane_loops import loop
from odeflow.engines.native.targets.lane_saving import LaneSaving
from odeflow.engines.native.targets.loop_values import (
    WORD,
    Array,
    Cell,
    Kind,
    Scalar,
    Scalars,
    loaded,
    place,
    store,
)

_BINARY: dict[type, str] = {
    ast.Add: "add", ast.Sub: "sub", ast.Mult: "mul", ast.Div: "truediv", ast.Mod: "mod",
    ast.BitAnd: "and_", ast.BitOr: "or_", ast.BitXor: "xor", ast.LShift: "lshift",
    ast.RShift: "rshift",
}  # fmt: skip
_COMPARISONS: dict[type, str] = {
    ast.Lt: "lt", ast.LtE: "le", ast.Gt: "gt", ast.GtE: "ge", ast.Eq: "eq", ast.NotEq: "ne",
}  # fmt: skip


def write_loop(
    module: ir.Module,
    functions: Mapping[str, ast.FunctionDef],
    constants: Mapping[str, Any],
    real: ir.Type,
) -> None:
    """Writes a function `solve` into a module whose only argument points to 64-bit words.

    These are what `solve` among the functions takes, one after another: of an array its address and
    its lengths, of a tuple its entries. `constants` are all other names, functions of lanes among
    them. Raises TypeError where the source holds what has no code.
    """
    function = ir.Function(module, ir.FunctionType(ir.VoidType(), [WORD.as_pointer()]), "solve")
    builder: Any = ir.IRBuilder(function.append_basic_block("entry"))
    body = builder.append_basic_block("body")
    builder.branch(body)  # variables have their places in the block before
    builder.position_at_end(body)
    solve = functions["solve"]
    words = _Words(builder, function.args[0], constants, real)
    names = {x.arg: words.read(x.annotation) for x in solve.args.args}
    _Body(Scalars(builder, real), functions, constants, names).run(solve.body)
    builder.ret_void()


class _Words:
    """The arguments as they come, read in order."""

    def __init__(self, builder: Any, words: ir.Value, constants: Mapping[str, Any], real: ir.Type):
        self._builder, self._words, self._constants, self._next = builder, words, constants, 0
        self._types: dict[str, tuple[Kind, ir.Type]] = {
            "real": ("real", real),
            "int64": ("int", WORD),
            "int8": ("int", ir.IntType(8)),
        }

    def read(self, annotation: Any) -> Any:
        """What an annotation says that comes next."""
        match annotation:
            case ast.Name("int64"):
                return Scalar("int", self._word())
            case ast.Tuple(elements):
                return tuple(map(self.read, elements))
            case ast.BinOp(ast.Tuple([element]), ast.Mult(), ast.Name(count)):
                return tuple(self.read(element) for _ in range(self._constants[count]))
            case ast.Subscript(ast.Name(name), index):
                kind, stored = self._types[name]
                pointer = self._builder.inttoptr(self._word(), stored.as_pointer())
                axes = len(index.elts) if isinstance(index, ast.Tuple) else 1
                return Array(pointer, kind, [self._word() for _ in range(axes)])
        raise TypeError(f"no type of an argument: {ast.unparse(annotation)}")

    def _word(self) -> ir.Value:
        where = self._builder.gep(self._words, [ir.Constant(WORD, self._next)], inbounds=True)
        self._next += 1
        return self._builder.load(where)


class _Body:
    """The statements of one function, written where its caller is."""

    def __init__(
        self,
        scalars: Scalars,
        functions: Mapping[str, ast.FunctionDef],
        constants: Mapping[str, Any],
        names: dict[str, Any],
    ):
        self._scalars, self._builder = scalars, scalars.builder
        self._functions, self._constants, self._names = functions, constants, names
        self._loops: list[tuple[ir.Block, ir.Block]] = []  # where `continue` and `break` lead

    def run(self, statements: Sequence[ast.stmt]) -> Any:
        """Writes statements; the value of a `return` at their end."""
        for statement in statements:
            if self._builder.block.is_terminated:
                return None
            if isinstance(statement, ast.Return):
                return None if statement.value is None else self.value(statement.value)
            getattr(self, f"_{type(statement).__name__.lower()}")(statement)
        return None

    def _pass(self, statement: ast.Pass) -> None:
        pass

    def _expr(self, statement: ast.Expr) -> None:
        if not isinstance(statement.value, ast.Constant):  # else its description
            self.value(statement.value)

    def _assign(self, statement: ast.Assign) -> None:
        (target,) = statement.targets
        self._put(target, self.value(statement.value))

    def _augassign(self, statement: ast.AugAssign) -> None:
        before = self.value(statement.target)
        name = _BINARY[type(statement.op)]
        self._put(statement.target, self._scalars.binary(name, before, self.value(statement.value)))

    def _put(self, target: ast.expr, value: Any) -> None:
        match target:
            case ast.Name(name) if isinstance(value, (Array, tuple)):
                self._names[name] = value
            case ast.Name(name):
                if not isinstance(self._names.get(name), Cell):
                    self._names[name] = Cell(self._scalars, self._scalars.kind(value))
                cell = self._names[name]
                self._builder.store(self._scalars.to(cell.kind, value), cell.place)
            case ast.Subscript(array, ast.Slice(None, None, None)):
                self._fill(self.value(array), value)
            case ast.Subscript(array, index):
                store(self._scalars, self.value(array), self._index(index), value)
            case _:
                raise TypeError(f"nothing is put into {ast.unparse(target)}")

    def _if(self, statement: ast.If) -> None:
        condition = self.value(statement.test)
        if not isinstance(condition, Scalar):
            self.run(statement.body if condition else statement.orelse)
            return
        builder = self._builder
        then, other, after = (
            builder.append_basic_block(name) for name in ("then", "else", "after")
        )
        builder.cbranch(condition.value, then, other)
        for block, statements in ((then, statement.body), (other, statement.orelse)):
            builder.position_at_end(block)
            self.run(statements)
            if not builder.block.is_terminated:
                builder.branch(after)
        builder.position_at_end(after)

    def _while(self, statement: ast.While) -> None:
        def condition() -> Any:
            return self.value(statement.test)

        self._repeat(condition, statement.body, lambda: None)

    def _for(self, statement: ast.For) -> None:
        match statement:
            case ast.For(ast.Name(name), ast.Call(ast.Name("range"), bounds)):
                values = [self.value(bound) for bound in bounds]
            case _:
                raise TypeError(f"no loop over {ast.unparse(statement.iter)}")
        start, stop = (0, values[0]) if len(values) == 1 else values[:2]
        step = values[2] if len(values) == 3 else 1
        scalars, builder = self._scalars, self._builder
        counter = Cell(scalars, "int")
        builder.store(scalars.to("int", start), counter.place)
        self._names[name] = counter

        def number() -> Scalar:
            return Scalar("int", builder.load(counter.place))

        def advance() -> None:
            builder.store(scalars.to("int", scalars.binary("add", number(), step)), counter.place)

        self._repeat(lambda: scalars.compare("lt", number(), stop), statement.body, advance)

    def _repeat(
        self, condition: Callable[[], Any], body: Sequence[ast.stmt], advance: Callable[[], None]
    ) -> None:
        builder = self._builder
        test, inside, onward, after = map(
            builder.append_basic_block, ("test", "inside", "onward", "after")
        )
        builder.branch(test)
        builder.position_at_end(test)
        builder.cbranch(self._scalars.to("bool", condition()), inside, after)
        builder.position_at_end(inside)
        self._loops.append((onward, after))
        self.run(body)
        self._loops.pop()
        if not builder.block.is_terminated:
            builder.branch(onward)
        builder.position_at_end(onward)
        advance()
        builder.branch(test)
        builder.position_at_end(after)

    def _continue(self, statement: ast.Continue) -> None:
        self._builder.branch(self._loops[-1][0])

    def _break(self, statement: ast.Break) -> None:
        self._builder.branch(self._loops[-1][1])

    def value(self, expression: ast.expr) -> Any:
        """The value of an expression."""
        match expression:
            case ast.Constant(value):
                return value
            case ast.Name(name):
                value = self._names[name] if name in self._names else self._constants[name]
                if isinstance(value, Cell):
                    return Scalar(value.kind, self._builder.load(value.place))
                return value
            case ast.BinOp(left, sign, right):
                a, b = self.value(left), self.value(right)
                return self._scalars.binary(_BINARY[type(sign)], a, b)
            case ast.UnaryOp(ast.USub(), operand):
                return self._scalars.negative(self.value(operand))
            case ast.UnaryOp(ast.Not(), operand):
                return self._scalars.inverted(self.value(operand))
            case ast.BoolOp(sign, operands):
                return self._joined(isinstance(sign, ast.And), operands)
            case ast.Compare(left, [ast.In()], [ast.Tuple(elements)]):
                equal = [ast.Compare(left, [ast.Eq()], [element]) for element in elements]
                return self._joined(False, equal)
            case ast.Compare(left, [sign], [right]):
                a, b = self.value(left), self.value(right)
                return self._scalars.compare(_COMPARISONS[type(sign)], a, b)
            case ast.IfExp(test, body, orelse):
                return self._scalars.chosen(*map(self.value, (test, body, orelse)))
            case ast.Subscript(ast.Attribute(array, "shape"), ast.Constant(axis)):
                return Scalar("int", self.value(array).lengths[axis])
            case ast.Subscript(array, index):
                found = self.value(array)
                if isinstance(found, tuple):
                    return found[self.value(index)]
                return loaded(self._scalars, found, self._index(index))
            case ast.Call(ast.Name(name), arguments):
                return self._called(name, [self.value(argument) for argument in arguments])
        raise TypeError(f"this has no code: {ast.unparse(expression)}")

    def _index(self, index: ast.expr) -> list[Any]:
        parts = index.elts if isinstance(index, ast.Tuple) else [index]
        return [self.value(part) for part in parts]

    def _joined(self, is_and: bool, operands: Sequence[ast.expr]) -> Any:
        """`and` or `or`, of which what comes later is looked at where it decides."""
        first, *others = operands
        value = self.value(first)
        if not others:
            return value
        if not isinstance(value, Scalar):
            return self._joined(is_and, others) if bool(value) == is_and else value
        builder = self._builder
        before = builder.block
        more, after = (builder.append_basic_block(name) for name in ("more", "decided"))
        builder.cbranch(value.value, *((more, after) if is_and else (after, more)))
        builder.position_at_end(more)
        rest = self._scalars.to("bool", self._joined(is_and, others))
        end = builder.block
        builder.branch(after)
        builder.position_at_end(after)
        result = builder.phi(ir.IntType(1))
        result.add_incoming(ir.Constant(ir.IntType(1), not is_and), before)
        result.add_incoming(rest, end)
        return Scalar("bool", result)

    def _called(self, name: str, values: list[Any]) -> Any:
        if name in self._functions:
            function = self._functions[name]
            names = dict(zip((x.arg for x in function.args.args), values, strict=True))
            body = _Body(self._scalars, self._functions, self._constants, names)
            return body.run(function.body)
        known = self._constants.get(name)
        if isinstance(known, LaneFunction):
            rows, settings, lane = values
            written = known.written(self._builder.module)
            lane = self._scalars.to("int", lane)
            result = self._builder.call(written, [rows.pointer, settings.pointer, lane])
            return Scalar("int", result)
        if isinstance(known, LaneSaving):
            return known.write(self._scalars, *values)
        write = getattr(self, f"_called_{name.lower()}", None)
        if write is None:
            raise TypeError(f"no function of the loop: {name}")
        return write(*values)

    def _called_real(self, x: Any) -> Scalar:
        return Scalar("real", self._scalars.to("real", x))

    def _called_int(self, x: Any) -> Scalar:
        return Scalar("int", self._scalars.to("int", x))

    def _called_len(self, array: Array) -> Scalar:
        return Scalar("int", array.lengths[0])

    def _called_abs(self, x: Any) -> Any:
        return self._scalars.function("llvm.fabs", x)

    def _called_ceil(self, x: Any) -> Any:
        return self._scalars.function("llvm.ceil", x)

    def _called_nextafter(self, x: Any, y: Any) -> Any:
        return self._scalars.function("nextafter", x, y)

    def _called_min(self, x: Any, y: Any) -> Any:
        return self._scalars.chosen(self._scalars.compare("lt", y, x), y, x)

    def _called_lowest_bit(self, word: Any) -> Scalar:
        zero_is_undefined = ir.Constant(ir.IntType(1), 1)
        return Scalar("int", self._builder.cttz(self._scalars.to("int", word), zero_is_undefined))

    def _called_integers(self, length: int, value: int) -> Array:
        """An array of the function's own."""
        with self._builder.goto_entry_block():
            pointer = self._builder.alloca(WORD, length)
        array = Array(pointer, "int", [ir.Constant(WORD, length)])
        self._fill(array, value)
        return array

    def _fill(self, array: Array, value: Any) -> None:
        scalars, builder = self._scalars, self._builder
        given = scalars.to(array.kind, value)
        for index in loop(builder, 0, array.lengths[0]):
            builder.store(given, place(scalars, array, [Scalar("int", index)]))
