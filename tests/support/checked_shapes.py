"""The checker of annotations, shapes included: pytest's `addopts` have it for most of `odeflow`."""

from beartype import BeartypeConf, beartype

#: An integer is a number where `float` is annotated, as for pyright.
checked = beartype(conf=BeartypeConf(is_pep484_tower=True))
