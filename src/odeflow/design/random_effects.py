"""Subjects that differ at random: parameters of individuals from typical ones, and draws of these.

A subject's effects depend on the seed, the row of the design and its number there alone, so that
more subjects keep the first ones.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Float, Int

from odeflow.config.random_effects import BoxCox, Effect, RandomEffectsConfig
from odeflow.config.theta import ThetaConfig, ThetaScale
from odeflow.design.streams import open_unit, stream
from odeflow.files.errors import ConfigError
from odeflow.problem.axis_names import REPLICATE, occasion_name

#: How a draw on a scale changes a typical value: as an effect of a subject does.
_EFFECTS: Mapping[ThetaScale, Effect] = {
    "lin": "add", "log": "exp", "log10": "exp", "logit": "logit",
}  # fmt: skip


def with_effects(
    effects: RandomEffectsConfig,
    columns: Mapping[str, Float[np.ndarray, " row"]],
    sets: Int[np.ndarray, " row"],
    subjects: Int[np.ndarray, " row"],
    occasions: Sequence[int] = (),
) -> dict[str, np.ndarray]:
    """Columns of a design with the parameters of individuals.

    Arguments:
        effects: which parameters differ, and how.
        columns: typical values, where the design has them.
        sets: the row of the design that each is of.
        subjects: its number there.
        occasions: numbers of the occasions of a data set.

    Returns:
        The columns, in which individual values stand in place of typical ones, or come after them.

    Raises:
        ConfigError: a typical value that its effect cannot change.
    """
    eta = _effects(sets, subjects, effects.omega, f"random effects {effects.seed}")
    changed = dict(columns)
    for (name, effect), own in zip(effects.of.items(), eta):
        typical = columns.get(name, np.full(len(sets), effects.typical.get(name, np.nan)))
        if effect == "logit" and not ((typical > 0) & (typical < 1)).all():
            raise ConfigError(
                f"design.random_effects.of.{name}: logit needs a typical value between 0 and 1"
            )
        changed[name] = _individual(effect, typical, own)
    if effects.occasion is None:
        return changed
    own = effects.occasion
    kappas = [
        _effects(sets, subjects, own.omega, f"occasion {number} {effects.seed}")
        for number in occasions
    ]
    for place, (name, effect) in enumerate(own.of.items()):
        usual = changed.get(name, np.full(len(sets), effects.typical.get(name, np.nan)))
        for number, kappa in zip(occasions, kappas):
            changed[occasion_name(name, number)] = _individual(effect, usual, kappa[place])
    return changed


def with_theta(
    theta: ThetaConfig,
    columns: Mapping[str, Float[np.ndarray, " row"]],
    replicates: Int[np.ndarray, " row"],
) -> dict[str, np.ndarray]:
    """Columns of a design with drawn typical values.

    A draw depends on the seed and its number alone, so that more keep the first ones.

    Arguments:
        theta: which parameters are not known, and how well the others are.
        columns: their means, where the design has them.
        replicates: the number of the draw that each row is of.

    Returns:
        The columns, drawn values in place of means or after them, with `replicate`.

    Raises:
        ConfigError: a mean that is not on its scale.
    """
    first, last = int(replicates.min(initial=0)), int(replicates.max(initial=-1)) + 1
    drawn = _normal(f"theta {theta.seed}", theta.covariance, first, last)[:, replicates - first]
    changed = {**columns, REPLICATE: replicates.astype(np.int64)}
    for (name, scale), own in zip(theta.of.items(), drawn):
        mean = columns.get(name, np.full(len(replicates), theta.typical.get(name, np.nan)))
        if scale in ("log", "log10") and not (mean > 0).all():
            raise ConfigError(f"design.theta.of.{name}: {scale} needs a typical value above 0")
        if scale == "logit" and not ((mean > 0) & (mean < 1)).all():
            raise ConfigError(
                f"design.theta.of.{name}: logit needs a typical value between 0 and 1"
            )
        eta = own * np.log(10.0) if scale == "log10" else own
        changed[name] = _individual(_EFFECTS[scale], mean, eta)
    return changed


def _individual(effect: Effect, typical: np.ndarray, eta: np.ndarray) -> np.ndarray:
    if isinstance(effect, BoxCox):
        shape = effect.boxcox
        return typical * np.exp(np.expm1(shape * eta) / shape if shape else eta)
    if effect == "exp":
        return typical * np.exp(eta)
    if effect == "add":
        return typical + eta
    return 1 / (1 + (1 - typical) / typical * np.exp(-eta))


def _effects(
    sets: np.ndarray, subjects: np.ndarray, omega: list[list[float]], key: str
) -> Float[np.ndarray, "effect row"]:
    """Normal effects of each row with the covariance asked for."""
    found = np.empty((len(omega), len(sets)))
    for one in np.unique(sets):
        here = sets == one
        first, last = int(subjects[here].min()), int(subjects[here].max()) + 1
        drawn = _normal(f"{key} {one}", omega, first, last)
        found[:, here] = drawn[:, subjects[here] - first]
    return found


def _normal(
    key: str, covariance: list[list[float]], first: int, last: int
) -> Float[np.ndarray, "number draw"]:
    """Draws first..last of normal numbers with this covariance from a stream."""
    from scipy.special import ndtri

    size = len(covariance)
    words = stream(key, first * size, last * size).reshape(-1, size)
    normal = ndtri(np.ascontiguousarray(open_unit(words).T))
    factor = _root(np.array(covariance))
    # by sums of their own: products of matrices may add in another order for other sizes
    return np.stack([sum(factor[i, j] * normal[j] for j in range(i + 1)) for i in range(size)])


def _root(omega: np.ndarray) -> np.ndarray:
    """The lower triangular root of a covariance matrix, which may be singular."""
    root = np.zeros_like(omega)
    for j in range(len(omega)):
        rest = omega[j, j] - root[j, :j] @ root[j, :j]
        if rest <= 1e-14 * omega[j, j]:
            continue
        root[j, j] = np.sqrt(rest)
        for i in range(j + 1, len(omega)):
            root[i, j] = (omega[i, j] - root[i, :j] @ root[j, :j]) / root[j, j]
    return root
