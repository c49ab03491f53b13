"""Unbiased LambdaRank: its curves against a written-out loop, simulated clicks, and what must not change them."""

import itertools

import numpy as np
import pytest

import gbrank
from gbrank.clicks import PlackettLuce, PositionBased, simulate_clicks
from gbrank.objectives import LambdaRank, Targets, UnbiasedLambdaRank

ENGINES = ["numpy", "compiled"]
SIZES = np.array([1, 3, 9, 40, 30, 12])
QUERY_PTR = np.concatenate(([0], np.cumsum(SIZES)))
N = QUERY_PTR[-1]
SHOWN = np.concatenate([np.arange(1, size + 1) for size in SIZES])


def clicks(seed=0, **fields):
    rng = np.random.default_rng(seed)
    y = (rng.random(N) < 0.3 / np.sqrt(SHOWN) + 0.1).astype(float)
    y[QUERY_PTR[2]] = 1.0
    position = np.concatenate([rng.permutation(size) + 1 for size in SIZES])
    return Targets(y, QUERY_PTR, position=position)._replace(**fields), rng.normal(size=(3, N))


def by_loop(data, scores, n_positions, power):
    """Return t+ and t- after each round of unbiased RankNet, from the formula; positions beyond share the last."""
    t_plus, t_minus = np.ones(n_positions), np.ones(n_positions)
    place = np.minimum(data.position, n_positions) - 1
    for score in scores:
        plus, minus = np.zeros(n_positions), np.zeros(n_positions)
        for q, (a, b) in enumerate(itertools.pairwise(data.query_ptr)):
            for i, j in itertools.permutations(range(a, b), 2):
                if data.y[i] > data.y[j]:
                    cost = np.log1p(np.exp(score[j] - score[i])) * data.query_weight[q]
                    plus[place[i]] += cost / t_minus[place[j]]
                    minus[place[j]] += cost / t_plus[place[i]]
        weight = np.repeat(data.query_weight, np.diff(data.query_ptr))
        share = weight[data.position == n_positions].sum() / weight[data.position >= n_positions].sum()
        plus[-1], minus[-1] = plus[-1] * share, minus[-1] * share
        t_plus, t_minus = (plus / plus[0]) ** power, (minus / minus[0]) ** power
        yield t_plus, t_minus


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("bias_norm", [0.0, 1.0])
def test_the_curves_from_a_written_out_loop(bias_norm, engine):
    data, scores = clicks(query_weight=np.array([1.0, 2, 0.5, 1, 3, 1]))
    plain = {"weight": "uniform", "truncation": None, "score_norm": False, "query_norm": False}
    objective = UnbiasedLambdaRank(**plain, bias_norm=bias_norm, n_positions=7)
    bound = objective.bind(data, engine=engine, n_jobs=1)
    wanted = by_loop(data, scores, 7, 1 / (1 + bias_norm))
    for number, (score, curves) in enumerate(zip(scores, wanted, strict=True)):
        bound.gradient_hessian(score, number)
        bound.loss(-score)
        bound.end_round(score)
        found = objective.position_bias(bound.state())
        np.testing.assert_allclose([found["click_bias"], found["skip_bias"]], curves, rtol=1e-11)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_pair_is_divided_by_both_curves(engine):
    data = Targets(np.array([0.0, 1, 0]), np.array([0, 3]), position=np.array([3, 2, 1]))
    bound = UnbiasedLambdaRank(weight="uniform", truncation=None, score_norm=False, query_norm=False).bind(
        data, engine=engine, n_jobs=1
    )
    bound.resume({"click_bias": np.array([1, 0.5, 0]), "skip_bias": np.array([1, 2, 0.25])}, 1)
    np.testing.assert_allclose(bound.gradient_hessian(np.zeros(3), 1)[0], [4, -5, 1], rtol=1e-14)
    np.testing.assert_allclose(bound.gradient_hessian(np.zeros(3), 1)[1], [2, 2.5, 0.5], rtol=1e-14)


@pytest.mark.parametrize("engine", ENGINES)
def test_curves_of_1_are_lambdarank(engine):
    data, scores = clicks()
    bound, plain = (each.bind(data, engine=engine, n_jobs=1) for each in (UnbiasedLambdaRank(), LambdaRank()))
    for number, score in enumerate(scores):  # without an end of rounds, the curves stay
        found, wanted = bound.gradient_hessian(score, number), plain.gradient_hessian(score, number)
        np.testing.assert_allclose(found, wanted, rtol=1e-12, atol=1e-15)
        np.testing.assert_allclose(bound.loss(score), plain.loss(score), rtol=1e-12)


def after(data, scores, n_jobs=1, engine="compiled", **params):
    """Return the gradients of all rounds and the last curves."""
    bound = UnbiasedLambdaRank(**params).bind(data, engine=engine, n_jobs=n_jobs)
    gradients = []
    for number, score in enumerate(scores):
        gradients.append(bound.gradient_hessian(score, number))
        bound.end_round(score)
    return np.array(gradients), bound.bias


def test_engines_agree_round_after_round():
    data, scores = clicks(sample_weight=np.random.default_rng(1).uniform(0.5, 2, N))
    one, other = (after(data, scores, engine=engine, beyond="uncorrected", n_positions=9) for engine in ENGINES)
    for a, b in zip(one, other, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-14)


def test_beyond_the_curves_documents_share_the_last_place_or_are_not_corrected():
    data, scores = clicks()
    far = data.position > 9
    last, plain = (UnbiasedLambdaRank(n_positions=9, beyond=b).bind(data, n_jobs=1) for b in ("last", "uncorrected"))
    for bound in (last, plain):
        bound.gradient_hessian(scores[0], 0)
        bound.end_round(scores[0])
    assert (plain.up[far] == 1).all()
    assert (plain.down[far] == 1).all()
    at_last = int(np.flatnonzero(data.position == 9)[0])
    np.testing.assert_allclose(last.up[far], last.up[at_last])
    shorter, bias = data._replace(position=np.minimum(data.position, 9)), last.bias
    np.testing.assert_allclose(after(shorter, scores[:1], n_positions=9)[1][:, :8], bias[:, :8], rtol=1e-12)


def test_a_query_of_weight_2_is_the_query_twice():
    data, scores = clicks()
    gradients, bias = after(data._replace(query_weight=np.array([1.0, 1, 1, 2, 1, 1])), scores)
    rows = np.append(np.arange(N), np.arange(QUERY_PTR[3], QUERY_PTR[4]))
    twice = Targets(data.y[rows], np.append(QUERY_PTR, len(rows)), position=data.position[rows])
    others, same = after(twice, scores[:, rows])
    np.testing.assert_allclose(same, bias, rtol=1e-12)
    weight = np.repeat([1.0, 1, 1, 2, 1, 1], SIZES)
    np.testing.assert_allclose(others[:, :, :N] * weight, gradients, rtol=1e-11, atol=1e-15)


def test_rows_in_another_order_and_more_threads_change_nothing():
    rng = np.random.default_rng(5)
    query_ptr = np.arange(0, 4001, 8)
    y, score = (rng.random(4000) < 0.3).astype(float), rng.normal(size=(2, 4000))
    data = Targets(y, query_ptr, position=np.tile(np.arange(1, 9), 500))
    gradients, bias = after(data, score)
    for a, b in zip(after(data, score, n_jobs=4), (gradients, bias), strict=True):
        np.testing.assert_array_equal(a, b)
    rows = np.concatenate([q + rng.permutation(8) for q in query_ptr[:-1]])
    moved = Targets(y[rows], query_ptr, position=data.position[rows])
    others, same = after(moved, score[:, rows])
    np.testing.assert_allclose(same, bias, rtol=1e-11)
    np.testing.assert_allclose(others, gradients[:, :, rows], rtol=1e-9, atol=1e-14)


def test_positions_that_cost_nothing_divide_nothing():
    data = Targets(np.array([1.0, 0, 1, 0]), np.array([0, 2, 4]), position=np.array([1, 2, 1, 5]))
    gradients, bias = after(data, np.zeros((2, 4)))
    assert bias.tolist() == [[1, 0, 0, 0, 0], [1] * 5]  # no document at position 1 was skipped: t- stays
    np.testing.assert_array_equal(gradients[0], gradients[1])


@pytest.mark.parametrize("engine", ENGINES)
def test_pairs_are_divided_by_a_bias_of_no_less_than_the_clip(engine):
    # Rank 2 is clicked once in 101 lists, so that without a clip this pair counts for ten.
    y = np.append(np.tile([1.0, 0], 100), [0.0, 1])
    data = Targets(y, np.arange(0, 203, 2), position=np.tile([1, 2], 101))
    plain = {"weight": "uniform", "truncation": None, "score_norm": False, "query_norm": False}
    for clip, counts in ((None, 10.0), (0.5, 2.0), (0.05, 10.0)):
        bound = UnbiasedLambdaRank(**plain, clip=clip).bind(data, engine=engine, n_jobs=1)
        for number in range(2):
            gradient, _ = bound.gradient_hessian(np.zeros(202), number)
            curves = bound.state()
            bound.end_round(np.zeros(202))
        np.testing.assert_allclose(curves["click_bias"], [1, 0.1])
        np.testing.assert_allclose(gradient[-1], -0.5 * counts)  # of t- the factor is 1 at rank 1


def test_xgboosts_own_adds_up_the_loss_of_the_reverse_order():
    # Not ours: it is why the curves of the two differ after the first round.
    logged, _ = sessions(eta=1, n=300)
    plain = {"weight": "uniform", "truncation": None, "score_norm": False, "query_norm": False}
    objective = UnbiasedLambdaRank(**plain, beyond="uncorrected")
    one, two = (
        gbrank.GBRanker(objective, backend="xgboost", engine="native", n_estimators=n, n_jobs=1).fit(logged)
        for n in (1, 2)
    )
    (click_bias, skip_bias), score = one.position_bias_.to_numpy().T, one.predict(logged)
    plus, minus = np.zeros(10), np.zeros(10)
    for a in range(0, logged.n_documents, 10):
        for i, j in itertools.permutations(range(10), 2):
            if logged.y[a + i] > logged.y[a + j]:
                cost = np.log1p(np.exp(score[a + i] - score[a + j]))
                plus[i] += cost / skip_bias[j]
                minus[j] += cost / click_bias[i]
    wanted = np.sqrt([plus / plus[0], minus / minus[0]])
    np.testing.assert_allclose(two.position_bias_.to_numpy().T, wanted, rtol=1e-4)
    with pytest.raises(gbrank.ParameterError, match=r"clip=0\.1: XGBoost's own"):
        two.set_params(objective__clip=0.1).fit(logged)


def sessions(eta, n):
    """Return sessions of ten documents in random order, and the true examination of each rank."""
    rng = np.random.default_rng(3)
    X = rng.normal(size=(400, 3))
    data = gbrank.RankingData(X, (X[:, 0] > 0.5).astype(float), np.repeat(np.arange(20), 20))
    model = PositionBased.power(eta, 10)
    random = PlackettLuce(np.zeros(data.n_documents))
    log = simulate_clicks(data, random, model, n, random_state=0, top_k=10, attraction=lambda y: 0.05 + 0.9 * y)
    session = np.repeat(np.arange(log.n_sessions), 10)
    shown = np.tile(np.arange(1, 11), log.n_sessions)
    return gbrank.RankingData(X[log.pair], log.click.astype(float), session, position=shown), data


def test_it_recovers_the_examination_of_simulated_users():
    logged, _ = sessions(eta=1, n=10_000)
    few = {"n_estimators": 10, "n_jobs": 1}
    curve = gbrank.GBRanker(UnbiasedLambdaRank(bias_norm=0), **few).fit(logged).position_bias_["click_bias"]
    np.testing.assert_allclose(curve, 1 / np.arange(1, 11), rtol=0.25)
    assert (np.diff(curve[:6]) < 0).all()
    rooted = gbrank.GBRanker("unbiased_lambdarank", **few).fit(logged).position_bias_["click_bias"]
    np.testing.assert_allclose(rooted, np.arange(1, 11) ** -0.5, rtol=0.25)


@pytest.mark.parametrize("backend", ["lightgbm", "xgboost"])
def test_saved_and_gone_on_with(backend, tmp_path):
    logged, data = sessions(eta=1, n=400)
    whole, half = (
        gbrank.GBRanker("unbiased_lambdarank", backend=backend, n_estimators=n, n_jobs=1).fit(logged) for n in (8, 4)
    )
    half.save(tmp_path / "half.zip")
    loaded = gbrank.load(tmp_path / "half.zip")
    np.testing.assert_array_equal(loaded.position_bias_, half.position_bias_)
    on = gbrank.GBRanker("unbiased_lambdarank", backend=backend, n_estimators=4, init_model=loaded, n_jobs=1)
    on.fit(logged)
    np.testing.assert_allclose(on.position_bias_, whole.position_bias_, rtol=1e-6)
    np.testing.assert_allclose(on.predict(data), whole.predict(data), rtol=1e-5, atol=1e-6)
    assert list(whole.position_bias_.columns) == ["click_bias", "skip_bias"]
    shorter = on.set_params(objective__n_positions=5)
    with pytest.raises(gbrank.ParameterError, match="bias of 10 positions, and these data have 5"):
        shorter.fit(logged)


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"position": None}, "position"),
        ({"position": SHOWN + 1}, "positions have to begin there"),
        ({"y": np.zeros(N)}, "nothing to learn"),
        ({"y": np.ones(N)}, "nothing to learn"),
        ({"y": np.full(N, 0.5)}, "grade"),
    ],
    ids=["missing", "late", "no-clicks", "all-clicked", "fraction"],
)
def test_data_from_which_it_cannot_learn(fields, told):
    data, _ = clicks(**fields)
    with pytest.raises(gbrank.DataError, match=told):
        UnbiasedLambdaRank().bind(data)


@pytest.mark.parametrize(
    ("params", "told"),
    [
        ({"bias_norm": -1}, "bias_norm"),
        ({"n_positions": 0}, "n_positions"),
        ({"beyond": "first"}, "beyond"),
        ({"equal_pairs": True, "weight": "uniform"}, "equal"),
        (
            {"pairs": "given", "weight": "uniform", "truncation": None, "score_norm": False, "query_norm": False},
            "pairs",
        ),
    ],
    ids=["norm", "positions", "beyond", "equal", "given"],
)
def test_parameters_without_a_meaning(params, told):
    with pytest.raises(gbrank.ParameterError, match=told):
        UnbiasedLambdaRank(**params)
