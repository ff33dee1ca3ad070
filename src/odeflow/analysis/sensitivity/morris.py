"""Morris' elementary effects, from trajectories or radial steps: a screening of many parameters.

An effect is the change of an output over the change of a parameter, as a part of its range: of the
probability of its law. `mu_star` is large where a parameter matters, `sigma` where it acts together
with others or not linearly.

References:
    Morris (1991), Factorial sampling plans for preliminary computational experiments, Technometrics
    33. Campolongo, Cariboni, Saltelli (2007), An effective screening design for sensitivity
    analysis of large models, Environ. Model. Softw. 22. Campolongo, Saltelli, Cariboni (2011), From
    screening to quantitative sensitivity analysis, Comput. Phys. Commun. 182.
"""

from collections.abc import Sequence

import numpy as np

from odeflow.analysis.sensitivity.block_sums import Outputs, Points


class Morris:
    """Effects of groups of axes, each moved once in a block: `groups` are the places of their axes.

    Where `radial`, each step of a block starts from its first row, else from the row before.
    """

    def __init__(self, groups: Sequence[Sequence[int]], radial: bool):
        self._groups, self._radial = groups, radial
        self._alone = np.array([len(group) == 1 for group in groups])
        self.number_of_terms = self.number_of_leading = 3 * len(groups)

    def reference(self, y: Outputs, x: Points) -> np.ndarray:
        """Effects of one block, about which the others are."""
        effects = self._effects(y, x)
        known = np.isfinite(effects)
        return np.take_along_axis(effects, np.argmax(known, axis=0)[None], axis=0)[0]

    def terms(self, y: Outputs, x: Points, reference: np.ndarray) -> np.ndarray:
        """Effects of all groups less the reference, their sizes, and the first ones squared."""
        effects = self._effects(y, x)
        less = effects - reference
        return np.concatenate([less, np.abs(effects), less * less], axis=1)

    def indices(
        self, means: np.ndarray, counts: np.ndarray, reference: np.ndarray
    ) -> dict[str, np.ndarray]:
        """`mu`, `mu_star` and `sigma` (*, parameter, output).

        Groups of several axes have `mu_star` alone: they move up and down at once.
        """
        parts = means.reshape(*means.shape[:-2], 3, -1, means.shape[-1])
        less, sizes, squares = (parts[..., i, :, :] for i in range(3))
        number = counts[..., None, :]
        variance = (squares - less**2) * number / np.where(number > 1, number - 1, np.nan)
        alone = self._alone[:, None]
        return {
            "mu_star": sizes,
            "mu": np.where(alone, less + reference, np.nan),
            "sigma": np.where(alone, np.sqrt(np.maximum(variance, 0.0)), np.nan),
        }

    def _effects(self, y: Outputs, x: Points) -> np.ndarray:
        """Effect of each group in each block, (block, group, output)."""
        origin = slice(0, 1) if self._radial else slice(0, -1)
        dy, dx = y[:, 1:] - y[:, origin], x[:, 1:] - x[:, origin]
        effects = np.empty((len(y), len(self._groups), y.shape[-1]))
        blocks = np.arange(len(y))
        for place, group in enumerate(self._groups):
            step = np.argmax(dx[:, :, group[0]] != 0, axis=1)
            effects[:, place] = dy[blocks, step] / dx[blocks, step, group[0]][:, None]
        return effects
