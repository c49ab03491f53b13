"""Labels made of all sessions of a log: unbiased by enumeration, and the same loss as that of the sessions."""

import itertools

import numpy as np
import pytest

import gbrank
from gbrank.clicks import (
    ClickLog,
    DynamicBayesian,
    PlackettLuce,
    PositionBased,
    Propensities,
    TrustBias,
    corrected_labels,
    session_data,
    simulate_clicks,
)
from gbrank.objectives import AffineCorrection, EstimatedRelevance, InversePropensity

PBM = PositionBased([1.0, 0.5, 0.25])
TRUST = TrustBias([0.95, 0.6, 0.4], [0.3, 0.2, 0.1])
DATA = gbrank.RankingData(
    np.random.default_rng(0).normal(size=(8, 2)), [1, 0, 1, 0, 1, 0, 0, 0], [1, 1, 1, 2, 2, 3, 3, 3]
)
SCORES = np.array([0.2, 1.0, 0.4, -0.3, 0.5, 0.0, 0.0, 0.0])


def log_of(clicks, lists):
    """Return the log of one query, 1, of DATA with its three documents."""
    n, k = clicks.shape
    session, rank = np.repeat(np.arange(n), k), np.tile(np.arange(1, k + 1), n)
    return ClickLog(session, np.ones(n * k, int), lists.ravel(), rank, clicks.ravel())


def chance_of(clicks, model, lists):
    attractive = DATA.y[lists] == 1
    high, low = (np.asarray(each)[: lists.shape[1]] for each in model._high_low())
    p = np.where(attractive, high, low)
    return np.where(clicks, p, 1 - p).prod()


def luce(scores, list_):
    """Return the probability of a ranking's first places in the Plackett-Luce model."""
    left, chance = list(range(len(scores))), 1.0
    for document in list_:
        chance *= np.exp(scores[document]) / np.exp(scores[left]).sum()
        left.remove(document)
    return chance


@pytest.mark.parametrize("model", [PBM, TRUST], ids=["pbm", "trust"])
def test_labels_are_unbiased_over_all_clicks_on_whole_lists(model):
    lists, expected = np.array([[1, 0, 2]]), np.zeros(3)
    for clicks in itertools.product([0, 1], repeat=3):
        found = corrected_labels(log_of(np.array([clicks]), lists), DATA, model)
        expected += chance_of(np.array([clicks]), model, lists) * found.y[:3]
    np.testing.assert_allclose(expected, DATA.y[:3], atol=1e-12)


@pytest.mark.parametrize("model", [PBM, TRUST], ids=["pbm", "trust"])
def test_policy_aware_labels_are_unbiased_over_all_clicks_on_all_cut_lists(model):
    aware, blind = np.zeros(3), np.zeros(3)
    for list_ in itertools.permutations(range(3), 2):
        for clicks in itertools.product([0, 1], repeat=2):
            lists, clicked = np.array([list_]), np.array([clicks])
            chance = luce(SCORES[:3], list_) * chance_of(clicked, model, lists)
            log, aimed = log_of(clicked, lists), PlackettLuce(SCORES)
            aware += chance * corrected_labels(log, DATA, model, policy=aimed, draws=20_000, random_state=1).y[:3]
            blind += chance * corrected_labels(log, DATA, model).y[:3]
    np.testing.assert_allclose(aware, DATA.y[:3], atol=0.02)
    assert blind[0] < 0.8  # cut lists hide it from inverse propensities


def test_expectations_over_a_policy_are_those_of_its_enumeration_or_of_its_only_ranking():
    log = log_of(np.array([[1, 1]]), np.array([[0, 2]]))
    exposure = np.zeros(3)
    for list_ in itertools.permutations(range(3), 2):
        exposure[list(list_)] += luce(SCORES[:3], list_) * np.array([1.0, 0.5])
    found = corrected_labels(log, DATA, PBM, policy=PlackettLuce(SCORES), draws=200_000)
    np.testing.assert_allclose(found.y[:3], np.array([1, 0, 1]) / exposure, rtol=0.01)
    only = corrected_labels(log, DATA, PBM, policy=np.array([3.0, 0, 2, 0, 0, 0, 0, 0]))
    assert only.y[:3].tolist() == [1, 0, 2]


def test_policy_of_the_log_is_the_mean_of_what_it_shows():
    lists = np.array([[0, 1, 2], [0, 1, 2], [2, 1, 0]])
    clicks = np.array([[1, 0, 1], [1, 0, 0], [0, 1, 1]])
    found = corrected_labels(log_of(clicks, lists), DATA, PBM, policy="log")
    exposure = np.array([1 + 1 + 0.25, 3 * 0.5, 0.25 + 0.25 + 1])
    np.testing.assert_allclose(found.y[:3], np.array([3, 1, 1]) / exposure)
    assert found.query_weight.tolist() == [3, 0, 0]
    assert not found.y[3:].any()
    clipped = corrected_labels(log_of(clicks, lists), DATA, PBM, policy="log", clip=0.6)
    np.testing.assert_allclose(clipped.y[:3], np.array([3, 1, 1]) / np.maximum(exposure, 1.8))


@pytest.mark.parametrize("model", [PBM, TRUST], ids=["pbm", "trust"])
@pytest.mark.parametrize("base", ["cross_entropy", "mse", "brier", "softmax"])
def test_loss_of_labels_is_that_of_all_sessions(base, model):
    log = simulate_clicks(DATA, PlackettLuce(SCORES), model, [40, 25, 0], random_state=0, attraction={0: 0.1, 1: 0.9})
    if model is PBM:
        by_session = InversePropensity(base, PBM.examination)
    else:
        by_session = AffineCorrection(base, TRUST.attractive, TRUST.unattractive)
    sessions, labels = session_data(log, DATA), corrected_labels(log, DATA, model)
    score = np.random.default_rng(1).normal(size=8)
    rows = log.rows_in(DATA)[log.pair]
    each = by_session.bind(sessions, engine="numpy")
    whole = EstimatedRelevance(base).bind(labels, engine="numpy")
    losses = np.bincount(np.repeat([0, 1], [40, 25]), each.loss(score[rows]), minlength=3)
    np.testing.assert_allclose(whole.loss(score)[:2], losses[:2], rtol=1e-10)
    gradient = np.bincount(rows, each.gradient_hessian(score[rows], 0)[0], minlength=8)
    np.testing.assert_allclose(whole.gradient_hessian(score, 0)[0], gradient, rtol=1e-9, atol=1e-10)
    np.testing.assert_allclose(whole.init_score(), each.init_score(), atol=1e-12)


@pytest.mark.parametrize("backend", ["lightgbm", "xgboost"])
def test_models_of_policy_aware_labels_rank_almost_as_those_of_full_information(backend):
    data, held = gbrank.make_letor(60, random_state=3), gbrank.make_letor(200, random_state=4)
    worst_first = PlackettLuce(-data.y + np.random.default_rng(0).normal(size=data.n_documents), 2.0)
    data, held = (each.with_labels((each.y >= 2) * 1.0) for each in (data, held))
    users = PositionBased.power(1, 10)
    log = simulate_clicks(data, worst_first, users, 60_000, 0, top_k=10, attraction={0: 0.1, 1: 0.9})
    objective = EstimatedRelevance("softmax")
    ranker = gbrank.GBRanker(objective, backend=backend, n_estimators=20, n_jobs=1)
    labels = {
        "full": data,
        "aware": corrected_labels(log, data, users, policy="log"),
        "naive": corrected_labels(log, data, np.ones(10)),
    }
    score = {name: ranker.fit(each).score(held) for name, each in labels.items()}
    assert score["full"] > score["naive"] + 0.1
    assert score["aware"] > score["naive"] + 0.6 * (score["full"] - score["naive"])


def test_session_data_is_the_log_with_features():
    log = simulate_clicks(DATA, SCORES, PBM, 30, random_state=0, top_k=2)
    shown = session_data(log, DATA)
    rows = log.rows_in(DATA)[log.pair]
    np.testing.assert_array_equal(shown.X, DATA.X[rows])
    assert (shown.query_ptr == log.session_ptr).all()
    assert (shown.position == log.rank).all()
    assert (shown.y == log.click).all()
    assert shown.doc_id.tolist() == [str(row) for row in rows]
    assert shown.take([3, 1]).position.tolist() == [1, 2, 1, 2]
    weighted = gbrank.RankingData(DATA.X, DATA.y, DATA.qid, sample_weight=np.arange(8.0), query_weight=[1, 2, 3])
    assert session_data(log, weighted).sample_weight.tolist() == rows.tolist()
    assert session_data(log, weighted).query_weight is None


def test_propensities_are_taken_as_they_are_elsewhere():
    log = log_of(np.array([[1, 0, 1]]), np.array([[0, 1, 2]]))
    for bias in (PBM, [1.0, 0.5, 0.25], Propensities([1.0, 0.5, 0.25])):
        assert corrected_labels(log, DATA, bias).y[:3].tolist() == [1, 0, 4]
    assert corrected_labels(log, DATA, PBM, clip=0.5).y[:3].tolist() == [1, 0, 2]


def test_curves_that_nearly_agree_are_warned_of():
    log = log_of(np.array([[1, 0, 1]]), np.array([[0, 1, 2]]))
    close = TrustBias([1, 0.6, 0.301], [0.5, 0.3, 0.3])
    with pytest.warns(gbrank.GbrankWarning, match=r"bias: rank 3 .* as a relevance of 700 and none as -300; set clip"):
        assert corrected_labels(log, DATA, close).y[2] == pytest.approx(700)
    with pytest.warns(gbrank.GbrankWarning, match=r"bias: document 2 of query 1 .* 0\.301 .* those of 1 documents"):
        assert corrected_labels(log, DATA, close, policy="log").y[2] == pytest.approx(700)
    assert corrected_labels(log, DATA, close, clip=0.1).y[2] == pytest.approx(7)
    assert corrected_labels(log, DATA, close, clip=0.1, policy="log").y[2] == pytest.approx(7)
    # What else was shown there does not matter to a document that stands higher, too.
    both = log_of(np.array([[1, 0, 1], [1, 0, 0]]), np.array([[0, 1, 2], [2, 1, 0]]))
    corrected_labels(both, DATA, close, policy="log")


def test_bad_input_is_refused():
    log = log_of(np.array([[1, 0, 1]]), np.array([[0, 1, 2]]))
    with pytest.raises(gbrank.DataError, match="bias: has 2 ranks, and the log shows 3"):
        corrected_labels(log, DATA, [1, 0.5])
    for bad in ([1, 0.5, 0], [1, 0.5, 1.5], [1, np.nan, 1]):
        with pytest.raises(gbrank.ParameterError, match="bias: rank"):
            corrected_labels(log, DATA, bad)
    with pytest.raises(gbrank.ParameterError, match="no probability by rank alone"):
        corrected_labels(log, DATA, DynamicBayesian(0.9))
    with pytest.raises(gbrank.ParameterError, match="rank 2 is clicked no more often"):
        corrected_labels(log, DATA, TrustBias([1, 0.3, 0.2], [0, 0.3, 0]))
    with pytest.raises(gbrank.DataError, match="no document 2 of query 1, which the log shows in row 2"):
        session_data(log, gbrank.RankingData(DATA.X[:2], DATA.y[:2], DATA.qid[:2]))
    with pytest.raises(gbrank.DataError, match="policy: never shows document 2 of query 1"):
        corrected_labels(log, DATA, PBM, policy=SCORES * [1, 1, -9, 1, 1, 1, 1, 1], top_k=2)
    with pytest.raises(gbrank.ParameterError, match="policy='oracle'"):
        corrected_labels(log, DATA, PBM, policy="oracle")
    for bad in (0, 1.5):
        with pytest.raises(gbrank.ParameterError, match=f"clip={bad}"):
            corrected_labels(log, DATA, PBM, clip=bad)
