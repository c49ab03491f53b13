"""Softmax, ListNet and XE-NDCG."""

import lightgbm as lgb
import numpy as np
import pytest
from scipy.special import expit, log_softmax, softmax

import gbrank
from gbrank.objectives import XENDCG, ListNet, PairwiseLogistic, Softmax, Targets, _listwise
from gbrank.testing import check_objective

OBJECTIVES = (
    Softmax(),
    Softmax(gain="linear", temperature=0.5, hessian_factor=2.0),
    ListNet(),
    ListNet(target="exp", skip_equal=True),
    ListNet(target="linear", temperature=2.0),
    ListNet(target_temperature=0.3, temperature=0.5, skip_equal=True),
    XENDCG(),
    XENDCG(newton_terms=False, random_state=3),
    XENDCG(skip_equal=True, hessian_factor=2.0),
)


@pytest.mark.parametrize("objective", OBJECTIVES, ids=repr)
def test_promises(objective):
    check_objective(objective)


def test_two_documents_are_a_pair():
    y, s, ptr = [1, 0, 0, 1], [0.3, -0.8, 2.0, 0.5], [0, 2, 4]
    pairs, lists = PairwiseLogistic(), Softmax()
    np.testing.assert_allclose(lists.loss(y, s, ptr), pairs.loss(y, s, ptr))
    np.testing.assert_allclose(lists.gradient_hessian(y, s, ptr), pairs.gradient_hessian(y, s, ptr), rtol=1e-12)


def test_softmax_by_hand():
    # Gains 3, 1, 0; exp(s) = 1, 2, 1, so the probabilities are 1/4, 1/2, 1/4.
    y, s, ptr = [2, 1, 0], np.log([1, 2, 1]), [0, 3]
    gradient, hessian = Softmax().gradient_hessian(y, s, ptr)
    np.testing.assert_allclose(gradient, [4 / 4 - 3, 4 / 2 - 1, 4 / 4])
    np.testing.assert_allclose(hessian, [4 * 3 / 16, 4 / 4, 4 * 3 / 16])
    np.testing.assert_allclose(Softmax().loss(y, s, ptr), [3 * np.log(4) + np.log(2)])


def test_weights_multiply_gains_and_leave_the_competition_alone():
    y, s, ptr, w = [2, 1, 0], [0.1, 0.7, -0.2], [0, 3], [0.5, 3.0, 9.0]
    want = Softmax(gain="linear").gradient_hessian([1.0, 3.0, 0.0], s, ptr)
    np.testing.assert_allclose(Softmax(gain="linear").gradient_hessian(y, s, ptr, w), want)


@pytest.mark.parametrize("target", ["softmax", "exp", "linear"])
def test_listnet_as_in_the_paper(target):
    y, s = np.array([2.0, 0.0, 1.0, 1.0]), np.array([0.2, 1.5, -0.4, 0.9])
    wanted = {"softmax": softmax(y / 0.5), "exp": np.array([3, 0, 1, 1]) / 5, "linear": y / 4}[target]
    listnet = ListNet(target=target, target_temperature=0.5, temperature=2.0)
    np.testing.assert_allclose(listnet.loss(y, s, [0, 4]), [-(wanted * log_softmax(s / 2)).sum()])
    gradient, hessian = listnet.gradient_hessian(y, s, [0, 4])
    rho = softmax(s / 2)
    np.testing.assert_allclose(gradient, (rho - wanted) / 2)
    np.testing.assert_allclose(hessian, rho * (1 - rho) / 4)


def test_equal_labels_teach_ties_or_nothing():
    y, s, ptr = [1, 1, 0, 1], [2.0, -2.0, 0.3, 0.1], [0, 2, 4]
    gradient = ListNet().gradient_hessian(y, s, ptr)[0]
    assert gradient[0] > 0 > gradient[1]
    for objective in (ListNet(skip_equal=True), XENDCG(skip_equal=True)):
        gradient, hessian = objective.gradient_hessian(y, s, ptr)
        assert not gradient[:2].any()
        assert not hessian[:2].any()
        assert gradient[2:].all()


def xe_ndcg_step(s, phi):
    """Return gradient and hessian of one list as LightGBM's documentation of the method has them."""
    rho = np.exp(s - s.max()) / np.exp(s - s.max()).sum()
    first = rho - phi
    q = first / (1 - rho)
    second = rho * (q.sum() - q)
    r = second / (1 - rho)
    return first + second + rho * (r.sum() - r), rho * (1 - rho)


def lightgbm_draws(seed, count):
    """Return what LightGBM's generator draws: the high bits of a linear congruence."""
    out = []
    for _ in range(count):
        seed = (214013 * seed + 2531011) % 2**32
        out.append(np.float32(seed >> 16 & 0x7FFF) / np.float32(32768))
    return np.array(out, dtype=np.float64)


def test_xe_ndcg_is_lightgbms_given_its_draws(monkeypatch):
    rng = np.random.default_rng(0)
    ptr, seed = np.array([0, 9, 10, 24, 31]), 5
    n, sizes = ptr[-1], np.diff(ptr)
    y, s = rng.integers(0, 4, n).astype(float), rng.normal(size=n)
    params = {
        "objective": "rank_xendcg", "objective_seed": seed, "num_leaves": n, "min_data_in_leaf": 1, "learning_rate": 1,
        "min_sum_hessian_in_leaf": 0, "min_data_in_bin": 1, "max_bin": 255, "boost_from_average": False,
        "verbosity": -1, "num_threads": 1,
    }  # fmt: skip
    X = np.arange(n)[:, None]
    tree = lgb.train(params, lgb.Dataset(X, y, group=sizes, init_score=s), 1)
    leaf = tree.predict(X, pred_leaf=True)[:, 0]
    assert leaf.max() >= n - 3  # almost each document has a leaf of its own

    draws = iter([lightgbm_draws(seed + q, size) for q, size in enumerate(sizes)])
    monkeypatch.setattr(_listwise, "uniform", lambda seed, count: next(draws))
    gradient, hessian = XENDCG().gradient_hessian(y, s, ptr, engine="numpy")
    steps = -np.bincount(leaf, gradient) / np.bincount(leaf, hessian)
    np.testing.assert_allclose(tree.predict(X, raw_score=True), steps[leaf], rtol=1e-5, atol=1e-5)


def test_newton_terms_as_written(monkeypatch):
    monkeypatch.setattr(_listwise, "uniform", lambda seed, count: np.array([0.5, 0.25, 0.125]))
    y, s = [1, 0, 2], np.array([0.4, 1.0, -0.3])
    phi = np.array([1.5, 0.75, 3.875]) / 6.125
    step = xe_ndcg_step(s, phi)
    np.testing.assert_allclose(XENDCG().gradient_hessian(y, s, [0, 3], engine="numpy"), step, rtol=1e-12)
    plain = XENDCG(newton_terms=False).gradient_hessian(y, s, [0, 3], engine="numpy")
    np.testing.assert_allclose(plain[0], softmax(s) - phi, rtol=1e-12)


def test_newton_terms_are_finite_and_exact_where_one_document_has_all_the_probability():
    y, s = np.array([1.0, 0.0, 2.0]), np.array([30.0, 0.0, -1.0])
    both = [XENDCG().gradient_hessian(y, s, [0, 3], engine=engine)[0] for engine in ("numpy", "compiled")]
    np.testing.assert_allclose(*both, rtol=1e-10)
    # As s_0 grows, what the first document's terms give to the others has a limit.
    far = XENDCG().gradient_hessian(y, s + np.array([1.0, 0, 0]), [0, 3])[0]
    np.testing.assert_allclose(both[1], far, rtol=1e-9)
    assert np.isfinite(XENDCG().gradient_hessian(y, [800.0, 0.0, -800.0], [0, 3])).all()


def test_promises_follow_the_parameter():
    assert not XENDCG().gradient_of_loss
    assert not XENDCG().exact_hessian
    exact = XENDCG().with_params(newton_terms=False)
    assert exact.gradient_of_loss
    assert exact.exact_hessian


def test_draws_are_those_of_seed_round_and_query():
    rng = np.random.default_rng(1)
    ptr = np.append(0, np.cumsum(rng.integers(1, 40, 300)))
    y, s = rng.integers(0, 3, ptr[-1]).astype(float), rng.normal(size=ptr[-1])

    def gradient(round, engine="compiled", n_jobs=1, **params):
        return XENDCG(**params).bind(Targets(y, ptr), engine=engine, n_jobs=n_jobs).gradient_hessian(s, round)[0]

    one = gradient(4)
    assert (one == gradient(4, n_jobs=2)).all()
    np.testing.assert_allclose(gradient(4, "numpy"), one, rtol=1e-9, atol=1e-12)
    for other in (gradient(5), gradient(4, random_state=1)):
        assert abs(np.corrcoef(one, other)[0, 1]) < 0.99


def test_mean_over_draws():
    y, s, draws = np.array([2.0, 0.0, 1.0]), np.array([0.1, 0.5, -0.2]), 4000
    bound = XENDCG(newton_terms=False).bind(Targets(y, np.array([0, 3])), n_jobs=1)
    sampled = np.array([bound.gradient_hessian(s, round)[0] for round in range(draws)])
    phi = 2.0**y - np.random.default_rng(0).uniform(size=(200_000, 3))
    want = softmax(s) - (phi / phi.sum(axis=1, keepdims=True)).mean(axis=0)
    assert (np.abs(sampled.mean(axis=0) - want) < 4.5 * sampled.std(axis=0) / np.sqrt(draws)).all()


@pytest.mark.parametrize("objective", [Softmax(), ListNet(), XENDCG()], ids=repr)
def test_nothing_to_learn_is_refused(objective):
    with pytest.raises(gbrank.DataError, match="nothing to learn"):
        objective.gradient_hessian([0, 0, 0], [1, 2, 3], [0, 2, 3])


def test_values_are_refused():
    for params in ({"temperature": 0.0}, {"target": "uniform"}, {"skip_equal": 2}, {"target_temperature": -1}):
        with pytest.raises(gbrank.ParameterError, match=next(iter(params))):
            ListNet(**params)
    with pytest.raises(gbrank.ParameterError, match="random_state"):
        XENDCG(random_state=-1)
    with pytest.raises(gbrank.DataError, match="row 1"):
        XENDCG().gradient_hessian([0.0, 0.5], [0, 0], [0, 2])
    assert ListNet().gradient_hessian([0.0, -0.5], [0, 0], [0, 2])[0] == pytest.approx(
        [0.5 - expit(0.5), expit(0.5) - 0.5]
    )
