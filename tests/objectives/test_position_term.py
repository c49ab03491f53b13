"""The additive term of the position: its step, what it leaves to the trees, and that prediction knows no position."""

import numpy as np
import pytest

import gbrank
from gbrank.objectives import PositionTerm, Targets


def some_clicks(seed=0, sizes=(4, 9, 30)):
    rng = np.random.default_rng(seed)
    ptr = np.append(0, np.cumsum(sizes))
    y = (rng.random(ptr[-1]) < 0.4) * 1.0
    y[ptr[1]], y[ptr[1] + 1] = 1, 0
    return y, rng.normal(size=len(y)), ptr, np.concatenate([1 + rng.permutation(n) for n in sizes])


def as_data(y, ptr, position, **weights):
    x = np.random.default_rng(1).normal(size=(len(y), 3))
    return gbrank.RankingData(x, y, np.repeat(np.arange(len(ptr) - 1), np.diff(ptr)), position=position, **weights)


@pytest.mark.parametrize("engine", ["numpy", "compiled"])
@pytest.mark.parametrize("name", ["lambdarank", "softmax", "cross_entropy"])
def test_steps_are_those_of_the_formula(name, engine):
    y, score, ptr, position = some_clicks()
    weight = np.linspace(0.5, 2, len(y))
    base = gbrank.objective(name).bind(Targets(y, ptr, weight), engine=engine, n_jobs=1)
    objective = PositionTerm(name, learning_rate=0.3, regularisation=0.2)
    bound = objective.bind(Targets(y, ptr, weight, position=position), engine=engine, n_jobs=1)
    b = np.zeros(30)
    for round in range(4):
        wanted = base.gradient_hessian(score + b[position - 1], round)
        for _ in range(2):  # asked twice, the step is taken once
            for found, value in zip(bound.gradient_hessian(score, round), wanted, strict=True):
                np.testing.assert_allclose(found, value, rtol=1e-12, atol=1e-15)
        np.testing.assert_allclose(bound.loss(score), base.loss(score + b[position - 1]))
        moved = b.copy()
        for k in range(1, 31):
            at = position == k
            first = wanted[0][at].sum() + 0.2 * weight[at].sum() * b[k - 1]
            second = wanted[1][at].sum() + 0.2 * weight[at].sum()
            moved[k - 1] = b[k - 1] - 0.3 * first / (second + 0.001)
        b = moved if objective.shift_invariant else moved - moved[0]  # LightGBM's penalty is of b itself
        score = score + 0.1 * np.cos(np.arange(len(y)))
        bound.end_round(score)
        np.testing.assert_allclose(objective.position_bias(bound.state())["term"], b - b[0], rtol=1e-10, atol=1e-13)
    assert b[1:].any()


def test_gradient_is_the_slope_of_the_loss_at_the_terms_reached():
    y, score, ptr, position = some_clicks(1)
    bound = PositionTerm("softmax").bind(Targets(y, ptr, position=position), engine="numpy")
    for _ in range(3):
        gradient, _ = bound.gradient_hessian(score, 0)
        bound.end_round(score)
    gradient, _ = bound.gradient_hessian(score, 0)
    for i in range(len(y)):
        up, down = (bound.loss(score + sign * 1e-5 * (np.arange(len(y)) == i)).sum() for sign in (1, -1))
        assert (up - down) / 2e-5 == pytest.approx(gradient[i], rel=1e-6, abs=1e-8)


def simulated(sessions=4000, seed=0):
    """Return sessions of five documents in random order, of which one is clicked: more likely if relevant, and above.

    The odds of rank k are 1 / k times those of the document.
    """
    rng = np.random.default_rng(seed)
    letor = gbrank.make_letor(30, random_state=seed)
    chosen = rng.integers(0, 30, sessions)
    rows = np.array([rng.choice(np.arange(*letor.query_ptr[q : q + 2]), 5, replace=False) for q in chosen])
    odds = np.where(letor.y[rows] >= 2, 4.0, 1.0) / np.arange(1, 6)
    clicked = (rng.random((sessions, 1)) * odds.sum(axis=1, keepdims=True) < np.cumsum(odds, axis=1)).argmax(axis=1)
    click = (clicked[:, None] == np.arange(5)) * 1.0
    qid, position = np.repeat(np.arange(sessions), 5), np.tile(np.arange(1, 6), sessions)
    return gbrank.RankingData(letor.X[rows.ravel()], click.ravel(), qid, position=position)


def test_terms_of_a_softmax_are_the_logarithms_of_the_factors_of_ranks():
    ranker = gbrank.GBRanker(PositionTerm("softmax", learning_rate=0.5), n_estimators=40, n_jobs=1)
    bias = ranker.fit(simulated(10_000)).position_bias_
    assert list(bias.columns) == ["term"]
    assert bias.index.tolist() == [1, 2, 3, 4, 5]
    np.testing.assert_allclose(bias["term"], -np.log(np.arange(1, 6)), atol=0.1)


@pytest.mark.parametrize("backend", ["lightgbm", "xgboost"])
def test_training_goes_on_from_the_terms_as_one_longer_training(backend, tmp_path):
    data = simulated(300)
    how = {"objective": PositionTerm("lambdarank", regularisation=0.01), "backend": backend, "n_jobs": 1}
    long = gbrank.GBRanker(n_estimators=6, **how).fit(data)
    gbrank.GBRanker(n_estimators=2, **how).fit(data).save(tmp_path / "model")
    went_on = gbrank.GBRanker(n_estimators=4, init_model=tmp_path / "model", **how).fit(data)
    np.testing.assert_allclose(went_on.state_["position_term"], long.state_["position_term"], rtol=1e-6)
    np.testing.assert_allclose(went_on.predict(data), long.predict(data), rtol=1e-6, atol=1e-9)
    fewer = data.take(np.arange(100))
    fewer = gbrank.RankingData(fewer.X, fewer.y, fewer.qid, position=np.minimum(fewer.position, 3))
    shorter = gbrank.GBRanker(n_estimators=1, init_model=long, **how).fit(fewer)
    assert len(shorter.position_bias_) == 5
    further = gbrank.RankingData(fewer.X, fewer.y, fewer.qid, position=fewer.position * 3)
    bias = gbrank.GBRanker(n_estimators=1, init_model=long, **how).fit(further).position_bias_
    assert np.flatnonzero(bias["term"].isna()).tolist() == [6, 7]  # ranks that neither data have


def test_predictions_evaluation_and_early_stopping_know_no_position():
    data = simulated(300)
    bare = gbrank.RankingData(data.X, data.y, data.qid)
    ranker = gbrank.GBRanker(PositionTerm("softmax"), n_estimators=5, early_stopping_rounds=3, n_jobs=1)
    ranker.fit(data, eval_set={"shown": data, "bare": bare})
    np.testing.assert_array_equal(ranker.predict(data), ranker.predict(bare))
    assert ranker.history_["shown"] == ranker.history_["bare"]
    assert ranker.score(data) == ranker.score(bare)


def test_ranks_not_shown_have_no_term_and_the_first_shown_has_none_to_add():
    y, score, ptr, position = some_clicks(2)
    for objective in (PositionTerm("softmax"), PositionTerm("mse")):
        bound = objective.bind(Targets(y, ptr, position=2 * position + 1), engine="numpy")
        bound.gradient_hessian(score, 0)
        bound.end_round(score)
        term = objective.position_bias(bound.state())["term"]
        assert np.flatnonzero(np.isnan(term)).tolist() == [0, 1, *range(3, 61, 2)]
        assert term[2] == 0
        assert term[4] != 0


def test_one_rank_for_all_is_the_plain_loss():
    y, _, ptr, _ = some_clicks(3)
    data = as_data(y, ptr, np.full(len(y), 4))
    how = {"n_estimators": 5, "min_docs_in_leaf": 1, "n_jobs": 1}
    plain = gbrank.GBRanker("lambdarank", **how).fit(data)
    np.testing.assert_array_equal(gbrank.GBRanker(PositionTerm(), **how).fit(data).predict(data), plain.predict(data))


def test_rows_in_any_order_and_positions_given_beside_arrays_train_the_same():
    data = simulated(200)
    ranker = gbrank.GBRanker(PositionTerm("softmax"), n_estimators=4, n_jobs=1)
    term = ranker.fit(data).state_["position_term"]
    by_rank = np.argsort(data.position, kind="stable")
    rows = {"qid": data.qid[by_rank], "position": data.position[by_rank]}
    np.testing.assert_allclose(ranker.fit(data.X[by_rank], data.y[by_rank], **rows).state_["position_term"], term)


def test_positions_reach_the_rankers_within_composites():
    data = simulated(60)
    inner = gbrank.GBRanker(PositionTerm("cross_entropy"), n_estimators=2, n_jobs=1)
    given = {"qid": data.qid, "position": data.position}
    calibrated = gbrank.CalibratedRanker(inner, cv=2).fit(data.X, data.y, **given)
    assert len(calibrated.ranker_.position_bias_) == 5
    stacked = gbrank.StackedRanker([("a", inner)], cv=2).fit(data.X, data.y, **given)
    assert len(stacked.rankers_[0].position_bias_) == 5


def test_parts_of_a_sum_have_terms_of_their_own():
    data = simulated(60)
    both = PositionTerm("softmax") + 0.5 * PositionTerm("cross_entropy")
    ranker = gbrank.GBRanker(both, n_estimators=2, n_jobs=1).fit(data)
    assert list(ranker.position_bias_.columns) == ["0.term", "1.term"]
    only = gbrank.GBRanker(PositionTerm("softmax") + 0.5 * gbrank.objective("mse"), n_estimators=2, n_jobs=1).fit(data)
    assert list(only.position_bias_.columns) == ["term"]


def test_what_cannot_be_done_is_refused():
    y, score, ptr, _ = some_clicks()
    with pytest.raises(gbrank.DataError, match="position_term: learns from the rank"):
        PositionTerm().gradient_hessian(y, score, ptr)
    with pytest.raises(gbrank.ParameterError, match="leaves that it renews"):
        PositionTerm("quantile")
    with pytest.raises(gbrank.ParameterError, match="learning_rate"):
        PositionTerm(learning_rate=0)
    data = simulated(20)
    plain = gbrank.GBRanker("softmax", n_estimators=1, n_jobs=1).fit(data)
    with pytest.raises(AttributeError, match="learns nothing of positions"):
        _ = plain.position_bias_
    with pytest.raises(gbrank.ParameterError, match="position"):
        gbrank.GBRanker(PositionTerm("softmax"), engine="native", n_estimators=1).fit(data)
