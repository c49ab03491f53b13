"""Estimators of propensities: written out, recovered from simulated users, refused."""

import itertools
import warnings

import numpy as np
import pytest
from scipy.optimize import minimize

from gbrank import DataError, GBRanker, GbrankWarning, ParameterError, RankingData
from gbrank.clicks import (
    ClickLog,
    PlackettLuce,
    PositionBased,
    RandomSwaps,
    concat_click_logs,
    estimate,
    estimate_propensities,
    simulate_clicks,
)
from gbrank.clicks._bias import METHODS
from gbrank.clicks._intervals import resampled

TRUTH = np.array([1.0, 0.7, 0.5, 0.35, 0.25])
N = 100_000
HARVEST = ("all_pairs", "adjacent", "pivot", "pbm")


@pytest.fixture(scope="module")
def data():
    """Queries of eight documents, whose features tell attraction but for little."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(240, 4))
    return RankingData(X, 1 / (1 + np.exp(-X[:, 0] - X[:, 1])), np.repeat(np.arange(30), 8))


@pytest.fixture(scope="module")
def users():
    return PositionBased(TRUTH)


def shown(data, users, ranking, n=N, seed=0, **options):
    return simulate_clicks(data, ranking, users, n, seed, top_k=5, attraction=data.y, **options)


def of_rankers(data, users, n=N, seed=0):
    scores = [data.X[:, j] + 0.3 * data.X[:, 0] for j in range(4)]
    return concat_click_logs([shown(data, users, each, n // 4, seed + j, policy=j) for j, each in enumerate(scores)])


@pytest.fixture(scope="module")
def rankers_log(data, users):
    return of_rankers(data, users)


@pytest.mark.parametrize("pairs", ["first", "adjacent"])
@pytest.mark.parametrize("ranking", ["score", "drawn"])
def test_swaps_recover_the_truth(data, users, pairs, ranking):
    base = data.X[:, 0] if ranking == "score" else PlackettLuce(data.X[:, 0])
    log = shown(data, users, RandomSwaps(base, pairs))
    np.testing.assert_allclose(estimate_propensities(log, "swaps", n_resamples=0), TRUTH, rtol=0.05)


@pytest.mark.parametrize("method", HARVEST)
def test_harvests_recover_the_truth(rankers_log, method):
    found = estimate_propensities(rankers_log, method, n_resamples=20)
    np.testing.assert_allclose(found, TRUTH, rtol=0.05)
    spread = (found.high - found.low)[1:]
    assert (spread > 0.002).all()
    assert (np.abs(found.values - TRUTH)[1:] < 1.5 * spread).all()


@pytest.mark.parametrize("backend", ["lightgbm", "xgboost"])
def test_regression_recovers_the_truth(data, users, backend):
    log = shown(data, users, PlackettLuce(data.X[:, 0]))
    regressor = GBRanker(backend=backend, n_estimators=60, max_leaves=7, n_jobs=1)
    found = estimate_propensities(log, "regression", data=data, regressor=regressor)
    np.testing.assert_allclose(found, TRUTH, rtol=0.05)
    assert found.low is None


def test_regression_on_features_of_each_document_is_the_click_model(data, users):
    """With a leaf for each document nothing is smoothed: both are the maximum of the same likelihood."""
    few = RankingData(np.arange(16.0)[:, None], data.y[:16], data.qid[:16])
    log = shown(few, users, PlackettLuce(np.zeros(16)), 20_000)
    own = GBRanker(
        n_estimators=150, max_leaves=16, min_docs_in_leaf=1, learning_rate=0.3, n_jobs=1,
        backend_params={"min_sum_hessian_in_leaf": 0, "min_data_in_bin": 1},
    )  # fmt: skip
    one = estimate_propensities(log, "regression", data=few, regressor=own, tolerance=1e-4, max_iterations=200)
    two = estimate_propensities(log, "pbm", n_resamples=0)
    np.testing.assert_allclose(one, two, rtol=0.01)


def test_confounded_clicks_are_not_propensities(rankers_log):
    """Rates of clicks by rank are far from the truth here, so that the tests above test something."""
    rates = rankers_log.click_rates()
    assert (np.abs(rates / rates[0] / TRUTH - 1)[2:] > 0.15).all()


def tiny_log(seed=0, n_sessions=60):
    """A few lists of three of four documents, in any order."""
    rng = np.random.default_rng(seed)
    lists = np.array(list(itertools.permutations(range(4), 3)))[rng.integers(24, size=n_sessions)]
    click = rng.random(lists.shape) < np.array([0.6, 0.4, 0.3])
    session = np.repeat(np.arange(n_sessions), 3)
    query = np.where(session % 2, "a", "b")
    return ClickLog(session, query, lists.ravel(), np.tile([1, 2, 3], n_sessions), click.ravel())


def by_hand(log):
    """For each two ranks, clicks and showings at both of what was shown at both."""
    counts = {}
    for row in log.to_frame().itertuples():
        cell = counts.setdefault((row.query, row.document), {}).setdefault(row.rank, [0, 0])
        cell[0] += row.click
        cell[1] += 1
    sets = {}
    for ranks in counts.values():
        for k, m in itertools.permutations(ranks, 2):
            size = ranks[k][1] * ranks[m][1] / (ranks[k][1] + ranks[m][1])
            found = sets.setdefault((k, m), [0.0, 0.0])
            found[0] += size * ranks[k][0] / ranks[k][1]
            found[1] += size
    return sets


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_harvests_are_as_written_out(seed):
    log = tiny_log(seed)
    sets = by_hand(log)
    rate = {key: clicks / size for key, (clicks, size) in sets.items()}
    second, third = rate[2, 1] / rate[1, 2], rate[3, 1] / rate[1, 3]
    found = {name: estimate_propensities(log, name, n_resamples=0).values for name in HARVEST}
    np.testing.assert_allclose(found["pivot"], [1, second, third], rtol=1e-12)
    np.testing.assert_allclose(found["adjacent"], [1, second, second * rate[3, 2] / rate[2, 3]], rtol=1e-12)

    def loss(x):  # negative log-likelihood, of logarithms of two propensities and three attractions
        p = dict(zip((1, 2, 3), (0, *x[:2]), strict=True))
        r = dict(zip(((1, 2), (1, 3), (2, 3)), x[2:], strict=True))
        total = 0.0
        for (k, m), (clicks, size) in sets.items():
            log_mean = min(p[k] + r[min(k, m), max(k, m)], -1e-9)
            total -= clicks * log_mean + (size - clicks) * np.log1p(-np.exp(log_mean))
        return total

    best = minimize(loss, np.full(5, -0.7), method="Nelder-Mead", options={"maxiter": 20_000, "fatol": 1e-12})
    np.testing.assert_allclose(found["all_pairs"], [1, *np.exp(best.x[:2])], rtol=0.02)


def test_swaps_are_as_written_out():
    policy = ["1-2", "1-3", "none", "1-2", "1-3", "2-3"] * 20
    log = tiny_log(n_sessions=120)
    frame = log.to_frame()
    log = ClickLog.from_frame(frame.assign(policy=np.repeat(policy, 3)))
    both = frame.assign(policy=np.repeat(policy, 3))
    wanted = [1.0]
    for k in (2, 3):
        at = both[both["policy"] == f"1-{k}"]
        wanted.append(at.loc[at["rank"] == k, "click"].sum() / at.loc[at["rank"] == 1, "click"].sum())
    only = log.take(log.policy != "2-3")
    np.testing.assert_allclose(estimate_propensities(only, "swaps", n_resamples=0), wanted, rtol=1e-12)
    mixed = estimate_propensities(log, "swaps", n_resamples=0).values  # of all three pairs: not the same, but near
    assert 0 < np.abs(mixed - wanted).max() < 0.3


@pytest.mark.parametrize("method", METHODS[:-1])
@pytest.mark.parametrize("unit", ["session", "query"])
def test_intervals_are_quantiles_over_resampled_logs(data, users, method, unit):
    log = shown(data, users, RandomSwaps(data.X[:, 0]) if method == "swaps" else PlackettLuce(data.X[:, 0]), 2000)
    found = estimate_propensities(log, method, n_resamples=5, unit=unit, random_state=3, confidence=0.8, n_ranks=3)
    curves = [
        estimate_propensities(log.take(np.repeat(np.arange(len(log)), weight)), method, n_resamples=0, n_ranks=3)
        for weight in resampled(log, 5, unit, 3)
    ]
    low, high = np.quantile(curves, [0.1, 0.9], axis=0)
    np.testing.assert_allclose([found.low, found.high], [low, high], rtol=1e-3)
    assert found.confidence == 0.8
    assert found.n_sessions == 2000


def test_a_resample_draws_whole_units(data, users):
    log = shown(data, users, data.X[:, 0], 3000)
    weights = np.array(list(resampled(log, 200, "query", 0)))
    for query in np.unique(log.query)[:5]:
        own = weights[:, log.query == query]
        assert (own == own[:, :1]).all()
    sessions = np.array(list(resampled(log, 200, "session", 0)))
    assert sessions.mean() == pytest.approx(1, abs=0.01)
    assert sessions.var(axis=0).mean() == pytest.approx(1, abs=0.02)


@pytest.mark.parametrize("method", ["swaps", "pivot"])
def test_intervals_cover(data, users, method):
    """At 95 %, in 40 runs: fewer than 33 hits at a rank have a probability of 2e-4."""
    hits = np.zeros(3)
    for seed in range(40):
        policy = RandomSwaps(data.X[:, 0]) if method == "swaps" else PlackettLuce(np.zeros(240))
        log = shown(data, users, policy, 2000, seed)
        found = estimate_propensities(log, method, n_resamples=60, random_state=seed, n_ranks=3)
        hits += (found.low <= TRUTH[:3]) & (TRUTH[:3] <= found.high)
    assert hits[0] == 40
    assert hits[1:].min() >= 33


@pytest.mark.parametrize("method", METHODS[:-1])
def test_names_and_orders_do_not_matter(data, users, method):
    log = shown(data, users, RandomSwaps(data.X[:, 0]) if method == "swaps" else PlackettLuce(data.X[:, 0]), 3000)
    frame = log.to_frame().sample(frac=1, random_state=0)
    frame["document"] = "d" + frame["document"].astype(str)
    frame["session"] = -frame["session"]
    one = estimate_propensities(log, method, n_resamples=0, n_ranks=3)
    other = estimate_propensities(ClickLog.from_frame(frame), method, n_resamples=0, n_ranks=3)
    np.testing.assert_allclose(one, other, rtol=1e-4)


def test_estimated_propensities_evaluate_and_wrong_ones_are_doubted(data, users, rankers_log):
    found = estimate_propensities(rankers_log, n_resamples=0)
    new = -data.X[:, 2]
    values = {}
    for name, each in {"found": found.clipped(), "truth": TRUTH, "wrong": np.ones(5)}.items():
        with warnings.catch_warnings(action="ignore", category=GbrankWarning):  # of documents that are never shown
            answer = estimate(rankers_log, new, data=data, propensity=each, reward="dcg@5", method="ips")
        values[name] = answer.table.loc["ips", "estimate"]
        assert any(doubt.kind == "propensity" for doubt in answer.doubts) == (name == "wrong")
    assert values["found"] == pytest.approx(values["truth"], rel=0.05)
    assert abs(values["wrong"] / values["truth"] - 1) > 0.2


def log_of(clicks, policy=None, documents=None):
    """Sessions with two documents each; one list after the other."""
    n = len(clicks)
    shown_documents = documents or ["a", "b"] * n
    policies = None if policy is None else np.repeat(policy, 2)
    return ClickLog(np.repeat(np.arange(n), 2), ["q"] * 2 * n, shown_documents, [1, 2] * n, np.ravel(clicks),
                    policy=policies)  # fmt: skip


@pytest.mark.parametrize(
    ("log", "method", "options", "told"),
    [
        (log_of([[1, 1]] * 4), "all_pairs", {}, r"at rank 2 and at .* \(1 policy\); bring logs of several rankers"),
        (log_of([[1, 1]] * 4, policy=[0, 1, 0, 1]), "pivot", {}, r"at rank 2 and at rank 1 .* \(2 policies\)"),
        (log_of([[1, 1]] * 4), "pbm", {}, "bring logs of several rankers"),
        (log_of([[1, 0]] * 4), "adjacent", {}, "click: none at rank 2, of 4 showings; log more .*, or give n_ranks=1"),
        (log_of([[0, 1]] * 4), "adjacent", {}, "click: none at rank 1, of 4 showings; log more sessions.$"),
        (log_of([[1, 1]] * 4), "swaps", {}, "policy: the log has none"),
        (log_of([[1, 1]] * 4, policy=["none"] * 4), "swaps", {}, "no session has a swap"),
        (log_of([[1, 1]] * 4, policy=["2-1"] * 4), "swaps", {}, "'2-1' is no swap; write two ranks"),
        (log_of([[1, 1]] * 4, policy=[7] * 4), "swaps", {}, "7 is no swap"),
        (log_of([[1, 1]] * 4, policy=["1-3"] * 4), "swaps", {}, "session 0 has the swap 1-3, but 2 ranks"),
        (log_of([[1, 1]] * 4, policy=["1-2"] * 4), "swaps", {"n_ranks": 1}, "no session has a swap among the first 1"),
        (log_of([[1, 1]] * 4), "regression", {}, "needs the documents' features"),
        (log_of([[1, 1]] * 4), "pairs", {}, "method='pairs': choose one of"),
        (log_of([[1, 1]] * 4), "pivot", {"n_ranks": 3}, "n_ranks=3: the log shows 2 ranks"),
        (log_of([[1, 1]] * 4), "pivot", {"n_resamples": -1}, "n_resamples=-1"),
        (log_of([[1, 1]] * 4), "pivot", {"confidence": 95}, "confidence=95"),
        (log_of([[1, 1]] * 4), "pivot", {"unit": "row"}, "unit='row'"),
        (log_of([[1, 1]] * 4), "pivot", {"data": 1}, "the method 'pivot' takes none"),
        (log_of([[1, 0], [1, 1]], documents=["a", "b", "b", "a"]), "pivot", {}, "resamples say nothing of rank 2"),
    ],
)
def test_refuses(log, method, options, told):
    with pytest.raises((DataError, ParameterError), match=told):
        estimate_propensities(log, method, **options)


def test_regression_refuses(data, users):
    log = shown(data, users, data.X[:, 0], 200)
    with pytest.raises(DataError, match=r"has no document .* which the log shows"):
        estimate_propensities(log, "regression", data=data.take([0, 1]))
    with pytest.raises(ParameterError, match="regressor: is a int"):
        estimate_propensities(log, "regression", data=data, regressor=3)
    with pytest.warns(UserWarning, match="has not converged in max_iterations=1"):
        estimate_propensities(log, "regression", data=data, max_iterations=1, n_ranks=3, n_jobs=1)
