"""Equations that are linear in one name, solved for it."""

from odeflow.importers.expressions.expression import Call, Expression, Number, Symbol, call, names


def solved_for(name: str, expression: Expression) -> Expression | None:
    """What a name is where an expression is zero; None unless it is a number times it plus a rest.

    The rest does not have the name.
    """
    form = _linear(name, expression)
    if form is None or form[0] == 0:
        return None
    factor, rest = form
    return call("div", rest, Number(-factor))


def _linear(name: str, expression: Expression) -> tuple[float, Expression] | None:
    """The factor of the name and the rest; None where it is not linear."""
    if isinstance(expression, Symbol) and expression.name == name:
        return 1.0, Number(0.0)
    if name not in names(expression):
        return 0.0, expression
    assert isinstance(expression, Call)
    forms = [_linear(name, operand) for operand in expression.operands]
    known = [form for form in forms if form is not None]
    if len(known) < len(forms):
        return None
    match expression.operation, known, expression.operands:
        case "neg", [(factor, rest)], _:
            return -factor, call("neg", rest)
        case "add", [(one, rest), (other, last)], _:
            return one + other, call("add", rest, last)
        case "sub", [(one, rest), (other, last)], _:
            return one - other, call("sub", rest, last)
        case "mul", [(factor, rest), _], (_, Number(value)):
            return factor * value, call("mul", rest, Number(value))
        case "mul", [_, (factor, rest)], (Number(value), _):
            return value * factor, call("mul", Number(value), rest)
        case "div", [(factor, rest), _], (_, Number(value)):
            return factor / value, call("div", rest, Number(value))
    return None
