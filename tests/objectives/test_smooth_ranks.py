"""ApproxNDCG."""

import numpy as np
import pytest
from scipy.special import expit

import gbrank
from gbrank.objectives import ApproxNDCG, Targets, _smooth_ranks
from gbrank.testing import check_objective


@pytest.mark.parametrize(
    "objective",
    [ApproxNDCG(), ApproxNDCG(gain="linear", temperature=1.0), ApproxNDCG(temperature=3.0, hessian_factor=2.0)],
    ids=repr,
)
def test_promises(objective):
    check_objective(objective)


def smooth_parts(y, s, temperature):
    """Return IDCG, gains, ranks and slopes of sigmoids, document by document."""
    gain, n = 2.0**y - 1, len(y)
    ideal = sum(gain / np.log2(2 + k) for k, gain in enumerate(sorted(gain, reverse=True)))
    sigmoid = [[expit((s[j] - s[i]) / temperature) for j in range(n)] for i in range(n)]
    rank = [1 + sum(sigmoid[i][j] for j in range(n) if j != i) for i in range(n)]
    slope = [[sigmoid[i][j] * (1 - sigmoid[i][j]) * (i != j) for j in range(n)] for i in range(n)]
    return ideal, gain, np.array(rank), np.array(slope)


def test_as_in_the_paper():
    y, s, temperature = np.array([2.0, 0.0, 1.0, 0.0, 1.0]), np.array([0.2, 0.5, -0.3, 1.0, 0.2]), 0.4
    ideal, gain, rank, slope = smooth_parts(y, s, temperature)
    objective = ApproxNDCG(temperature=temperature)
    np.testing.assert_allclose(objective.loss(y, s, [0, 5]), [-(gain / np.log2(1 + rank)).sum() / ideal])

    a = gain / (ideal * np.log(2) * (1 + rank) * np.log2(1 + rank) ** 2)
    gradient, hessian = objective.gradient_hessian(y, s, [0, 5])
    np.testing.assert_allclose(gradient, (a @ slope - a * slope.sum(axis=1)) / temperature, rtol=1e-10)
    np.testing.assert_allclose(hessian, np.abs(gradient) / (4 * temperature))


def test_temperature_is_the_unit_of_scores():
    y, s, ptr = [2, 0, 1, 0], np.array([0.1, 0.4, 0.2, -1.0]), [0, 4]
    steps = [ApproxNDCG(temperature=unit).gradient_hessian(y, unit * s, ptr) for unit in (1.0, 0.1)]
    np.testing.assert_allclose(steps[1][0], 10 * steps[0][0])
    np.testing.assert_allclose(steps[1][1], 100 * steps[0][1])


def test_low_temperature_is_ndcg():
    rng = np.random.default_rng(2)
    ptr = np.array([0, 7, 20, 21])
    y, s = rng.integers(0, 3, 21).astype(float), rng.permutation(21) / 10
    y[-1] = 1
    value = -ApproxNDCG(temperature=1e-3).loss(y, s, ptr)
    np.testing.assert_allclose(value, gbrank.measure("ndcg")(y, s, ptr), rtol=1e-12)


def test_equal_scores_have_a_gradient():
    gradient = ApproxNDCG().gradient_hessian([2, 0, 1], [0, 0, 0], [0, 3])[0]
    assert gradient[0] < 0 < gradient[1]


def test_weights_multiply_gains():
    y, s, ptr, w = [2, 0, 1], [0.1, 0.4, 0.2], [0, 3], np.array([0.5, 7.0, 3.0])
    parts = [ApproxNDCG().loss(y, s, ptr, w * chosen)[0] for chosen in np.eye(3)[[0, 2]]]
    np.testing.assert_allclose(ApproxNDCG().loss(y, s, ptr, w), [sum(parts)])
    whole = ApproxNDCG().loss(y, s, ptr, 2 * w)
    np.testing.assert_allclose(whole, [2 * sum(parts)])


def test_long_lists_need_no_matrix(monkeypatch):
    rng = np.random.default_rng(0)
    n = 10_000
    y, s = (np.arange(n) % 50 == 0) * rng.integers(1, 4, n).astype(float), rng.normal(size=n)
    compiled, blocks = (ApproxNDCG().gradient_hessian(y, s, [0, n], engine=engine) for engine in ("compiled", "numpy"))
    np.testing.assert_allclose(compiled, blocks, rtol=1e-8, atol=1e-14)
    monkeypatch.setattr(_smooth_ranks, "PAIRS_AT_ONCE", 30 * n)
    np.testing.assert_allclose(ApproxNDCG().gradient_hessian(y, s, [0, n], engine="numpy"), blocks, rtol=1e-10)


def test_result_does_not_depend_on_threads():
    rng = np.random.default_rng(0)
    ptr = np.append(0, np.cumsum(rng.integers(1, 60, 200)))
    y, s = rng.integers(0, 3, ptr[-1]).astype(float), rng.normal(size=ptr[-1])
    one, two = (ApproxNDCG().bind(Targets(y, ptr), n_jobs=k).gradient_hessian(s, 0) for k in (1, 2))
    np.testing.assert_array_equal(one, two)


def test_refusals():
    with pytest.raises(gbrank.DataError, match="nothing to learn"):
        ApproxNDCG().gradient_hessian([0, 0], [1, 2], [0, 2])
    with pytest.raises(gbrank.DataError, match="row 1"):
        ApproxNDCG(gain="linear").gradient_hessian([0, -1], [1, 2], [0, 2])
    with pytest.raises(gbrank.ParameterError, match="temperature"):
        ApproxNDCG(temperature=0)
