"""What the translator says where it cannot go on."""

#: What ends the message of an `UntranslatableError`.
ELSEWHERE = "; the diffrax engine can run it"


class Refused(Exception):
    """Why an equation cannot be translated; the interpreter adds which one, and where it is."""


class UntranslatableError(Exception):
    """A function uses something that has no straight-line scalar program.

    `primitive` is JAX's name of it, `why` the reason, `where` the user's line ("" if unknown).
    """

    def __init__(self, primitive: str, why: str, where: str = "") -> None:
        self.primitive, self.why, self.where = primitive, why, where
        place = f" ({where})" if where else ""
        text = f"the native engine cannot run {primitive!r}{place}: {why}"
        super().__init__(text + ELSEWHERE)
