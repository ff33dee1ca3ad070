"""The checker of annotations, shapes included: pytest's `addopts` have it for most of `odeflow`."""

from beartype import BeartypeConf, beartype


class ViolationError(TypeError):
    """A value is not what its annotation says; noted, since the code may catch the error."""

    noted: list[str] = []  # noqa: RUF012

    def __init__(self, message: str):
        super().__init__(message)
        self.noted.append(message)


#: An integer is a number where `float` is annotated, as for pyright.
checked = beartype(conf=BeartypeConf(is_pep484_tower=True, violation_type=ViolationError))
