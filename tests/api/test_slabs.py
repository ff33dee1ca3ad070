"""Trajectories whose rows have to be copied are solved in slabs: the same bits, less memory."""

import diffrax
import jax.numpy as jnp
import numpy as np
import pytest

import odeflow


def pair(t, y, k):
    a, b = y
    return -k * a, jnp.stack([k * a[0], -b[1]])


@pytest.mark.parametrize("ts", [None, [0.5, 1.0]])
def test_slabs_have_the_same_bits(ts, monkeypatch: pytest.MonkeyPatch):
    size, seen = 2500, []
    rng = np.random.default_rng(1)
    y0 = rng.random((size, 1)), rng.random((2, size)).astype(np.float32)
    k = rng.random(size)

    def solved(**settings):
        return odeflow.ensemble_solve(
            diffrax.ODETerm(pair), diffrax.Tsit5(), 0.0, 1.0, None, y0, k, in_axes=((0, 1), 0),
            saveat=diffrax.SaveAt(t1=True) if ts is None else diffrax.SaveAt(ts=jnp.array(ts)),
            stepsize_controller=diffrax.PIDController(rtol=1e-6, atol=1e-8), **settings,
        )  # fmt: skip

    whole = solved()
    monkeypatch.setattr("odeflow.api.slabs.SLAB_BYTES", 1)
    monkeypatch.setattr("odeflow.api.slabs._PART", 0)
    parts = solved(progress=seen.append)
    assert seen[-1] == size and {1024, 2048} <= set(seen)
    for one, other in zip((*parts.ys, parts.status, parts.ts), (*whole.ys, whole.status, whole.ts)):
        np.testing.assert_array_equal(one, other, strict=True)
    assert parts.stats.keys() == whole.stats.keys()
    np.testing.assert_array_equal(parts.stats["num_steps"], whole.stats["num_steps"])
    exact = y0[0][:, 0] * np.exp(-k)
    np.testing.assert_allclose(parts.ys[0][:, -1, 0], exact, rtol=1e-5)
