"""Formulas as a person writes them, `v - 0.5 * tanh(w)`, read as expressions; nothing is run."""

import ast
from functools import reduce

from odeflow.importers.expressions.expression import Expression, Number, Symbol, call

_BINARY = {ast.Add: "add", ast.Sub: "sub", ast.Mult: "mul", ast.Div: "div", ast.Pow: "power"}
#: Functions of one number, by what they are called in a formula.
_FUNCTIONS = {
    "abs": "abs", "exp": "exp", "log": "ln", "sqrt": "sqrt", "sin": "sin", "cos": "cos",
    "tan": "tan", "sinh": "sinh", "cosh": "cosh", "tanh": "tanh", "arcsin": "arcsin",
    "arccos": "arccos", "arctan": "arctan",
}  # fmt: skip
#: Logarithms by their bases, and functions of any number of numbers.
_LOGARITHMS, _SEVERAL = {"log2": 2.0, "log10": 10.0}, ("min", "max")
FUNCTIONS = (*_FUNCTIONS, *_LOGARITHMS, *_SEVERAL)


def parsed(formula: str) -> Expression:
    """The expression that a formula is: numbers, names, + - * / **, brackets and functions.

    Raises ValueError, which says what is wrong.
    """
    try:
        tree = ast.parse(formula.strip(), mode="eval")
    except SyntaxError as error:
        raise ValueError(f"{formula!r} is no formula: {error.msg}") from None
    return _expression(tree.body, formula)


def _expression(node: ast.expr, formula: str) -> Expression:
    match node:
        case ast.Constant(int() | float() as value) if not isinstance(value, bool):
            return Number(float(value))
        case ast.Name(name):
            return Symbol(name)
        case ast.UnaryOp(ast.USub(), operand):
            return call("neg", _expression(operand, formula))
        case ast.UnaryOp(ast.UAdd(), operand):
            return _expression(operand, formula)
        case ast.BinOp(left, sign, right) if type(sign) in _BINARY:
            operands = (_expression(left, formula), _expression(right, formula))
            return call(_BINARY[type(sign)], *operands)
        case ast.Call(ast.Name(name), [operand], []) if name in _FUNCTIONS:
            inner = _expression(operand, formula)
            if name == "sqrt":
                return call("root", Number(2.0), inner)
            return call(_FUNCTIONS[name], inner)
        case ast.Call(ast.Name(name), [operand], []) if name in _LOGARITHMS:
            return call("log", Number(_LOGARITHMS[name]), _expression(operand, formula))
        case ast.Call(ast.Name(name), [_, *_] as operands, []) if name in _SEVERAL:
            inner = [_expression(operand, formula) for operand in operands]
            return reduce(lambda x, y: call(name, x, y), inner)
    raise ValueError(
        f"{ast.unparse(node)!r} in {formula!r} is not understood; a formula has numbers, names, "
        f"+ - * / **, brackets, and {', '.join(FUNCTIONS)}"
    )
