"""The options that steady training, on every objective that has them."""

import numpy as np
import pytest

import gbrank
from gbrank.objectives import (
    ApproxNDCG,
    LambdaRank,
    PairwiseHinge,
    PairwiseLogistic,
    PLRank,
    RankBCE,
    StochasticRank,
    Targets,
    YetiLoss,
)
from gbrank.testing import check_objective

ENGINES = ["numpy", "compiled"]
RANKS = {"rerank_every": 2, "rank_smoothing": 0.5, "ties": "shuffled"}
NORMS = {"score_norm": True, "query_norm": True}
ALL_ON = [
    PairwiseLogistic(weight="ndcg", hessian_factor=2.0, **NORMS, **RANKS),
    PairwiseHinge(**NORMS),
    RankBCE(query_norm=True, hessian_factor=2.0, **RANKS),
    YetiLoss(hessian_factor=2.0, **NORMS),
    YetiLoss(noise="none", measure="ap@7", neighbors=3, **NORMS, **RANKS),
    StochasticRank(mu=0.5, scale_free=0.5, hessian_factor=2.0, **NORMS),
    PLRank(query_norm=True, hessian_factor=2.0),
    ApproxNDCG(hessian_factor=2.0, **NORMS),
]
PTR = np.array([0, 9, 10, 24, 30])
RNG = np.random.default_rng(3)
Y, S = RNG.integers(0, 4, PTR[-1]).astype(float), RNG.normal(size=PTR[-1])
Y[24:] = 1  # which has no gradient, where only differences count


@pytest.mark.parametrize("objective", ALL_ON, ids=repr)
def test_promises_with_all_options(objective):
    check_objective(objective)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    ("norms", "gradient", "hessian"),
    [
        (
            NORMS,
            [-0.10967785, 0.09518068, 0.25458988, -0.45269379, 0.21260109],
            [0.08199662, 0.05628618, 0.10712462, 0.15040235, 0.08339679],
        ),
        (
            {},
            [-0.09517899, 0.04232645, 0.31656106, -0.40423309, 0.14052457],
            [0.04853067, 0.02756279, 0.11134274, 0.11653108, 0.05257607],
        ),
    ],
    ids=["norms", "plain"],
)
def test_all_neighbours_without_noise_are_lightgbms_lambdarank(norms, gradient, hessian, engine):
    """Gradients that LightGBM 4.7 computes with and without `lambdarank_norm`."""
    objective = YetiLoss(noise="none", measure="ndcg", neighbors=4, **norms)
    found = objective.gradient_hessian([2, 0, 1, 3, 0], [0.3, -0.2, 1.1, 0.0, 0.7], [0, 5], engine=engine)
    np.testing.assert_allclose(found, (gradient, hessian), atol=6e-9)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("options", [{"rerank_every": 2}, {"ties": "shuffled", "random_state": 4}], ids=str)
def test_without_noise_ranks_follow_scores_as_in_lambdarank(options, engine):
    yeti = YetiLoss(noise="none", measure="ndcg", neighbors=20, **options)
    bounds = [
        objective.bind(Targets(Y, PTR), engine=engine, n_jobs=1)
        for objective in (yeti, LambdaRank(truncation=None, score_norm=False, query_norm=False, **options))
    ]
    for round in range(4):
        score = np.round(np.random.default_rng(round).normal(size=len(Y)))
        found, wanted = (bound.gradient_hessian(score, round) for bound in bounds)
        np.testing.assert_allclose(found, wanted, rtol=1e-9, atol=1e-14)


@pytest.mark.parametrize("engine", ENGINES)
def test_weights_of_smoothed_ranks_lie_between_those_of_whole_ones(engine):
    """Precision at 2 of three documents: a rank of 1.5 counts in full, one of 2.25 by three quarters."""
    y, rounds = np.array([1.0, 0.0, 0.0]), ([3.0, 2.0, 1.0], [2.0, 1.0, 3.0])
    bound = YetiLoss(noise="none", measure="p@2", neighbors=2, rank_smoothing=0.75).bind(
        Targets(y, np.array([0, 3])), engine=engine, n_jobs=1
    )
    for round, score in enumerate(rounds):
        gradient, _ = bound.gradient_hessian(np.array(score), round)
    # Ranks 1, 2, 3 and then 2, 3, 1 make 1.25, 2.25 and 2.5, which count 1, .75 and .5.
    wrong = 1 / (1 + np.exp([1.0, -1.0]))  # probability that the first scores below the second, and the third
    pushes = 0.5 * np.array([0.25, 0.5]) * wrong  # precision at 2 divides by 2
    np.testing.assert_allclose(gradient, [-pushes.sum(), *pushes], rtol=1e-12)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("make", [StochasticRank, PLRank, ApproxNDCG])
def test_query_norm_shortens_a_query_by_its_gradient(make, engine):
    weights = RNG.uniform(0.5, 2, len(Y)), RNG.uniform(0.5, 2, len(PTR) - 1)
    targets = Targets(Y, PTR, *weights)
    off, on = (make(query_norm=norm).bind(targets, engine=engine, n_jobs=1).gradient_hessian(S, 5) for norm in (0, 1))
    unweighted = np.abs(off[0]) / np.repeat(weights[1], np.diff(PTR))
    total = np.add.reduceat(unweighted, PTR[:-1])
    factor = np.divide(np.log2(1 + total), total, out=np.ones(4), where=total > 1e-9)
    np.testing.assert_allclose(on, off * np.repeat(factor, np.diff(PTR)), rtol=1e-9)
    assert total[0] > 0


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    "objective",
    [PairwiseLogistic(), LambdaRank(query_norm=False), YetiLoss(neighbors=3), StochasticRank(), ApproxNDCG()],
    ids=repr,
)
def test_score_norm_divides_by_the_distance_of_scores(objective, engine):
    """Good documents all at 0.7, others at 0: only pairs at a distance of 0.7 count."""
    y = np.array([0.0, 1, 0, 0, 1, 1, 0, 0, 0, 1, 0])
    plain, scaled = (objective.with_params(score_norm=norm) for norm in (False, True))
    off, on = (each.gradient_hessian(y, 0.7 * y, [0, 11], engine=engine)[0] for each in (plain, scaled))
    np.testing.assert_allclose(on, off / 0.71, rtol=1e-9, atol=1e-15)
    assert np.abs(off).max() > 0
    equal = [each.gradient_hessian(y, np.ones(11), [0, 11], engine=engine) for each in (plain, scaled)]
    np.testing.assert_array_equal(*equal)


def test_derivatives_are_promised_for_what_is_not_normalised():
    for objective in (PairwiseLogistic(), YetiLoss(), PairwiseLogistic(hessian_factor=2.0), RankBCE(query_norm=True)):
        assert (objective.gradient_of_loss, objective.exact_hessian) == (True, True)
    for norm in NORMS:
        for objective in (PairwiseLogistic(**{norm: True}), YetiLoss(**{norm: True}), ApproxNDCG(**{norm: True})):
            assert (objective.gradient_of_loss, objective.exact_hessian) == (False, False)


@pytest.mark.parametrize(
    ("name", "parameter"),
    [
        ("pl_rank", "score_norm"),
        ("pl_rank", "ties"),
        ("stochastic_rank", "rank_smoothing"),
        ("approx_ndcg", "rerank_every"),
        ("rank_bce", "score_norm"),
    ],
)
def test_what_has_no_meaning_is_no_parameter(name, parameter):
    with pytest.raises(gbrank.ParameterError, match=f"unknown parameter of {name} '{parameter}'"):
        gbrank.objective(name, **{parameter: 1})


@pytest.mark.parametrize(
    ("name", "params", "match"),
    [
        ("yeti", {"ties": "shuffled"}, "noise='logistic': rerank_every, rank_smoothing and ties"),
        ("yeti", {"noise": "none", "rank_smoothing": 1.0}, "rank_smoothing=1.0"),
        ("approx_ndcg", {"query_norm": "yes"}, "query_norm='yes'"),
        ("stochastic_rank", {"score_norm": 2}, "score_norm=2"),
        ("pl_rank", {"hessian_factor": 0}, "hessian_factor=0"),
        ("rank_bce", {"rerank_every": 0}, "rerank_every=0"),
    ],
)
def test_refusals(name, params, match):
    with pytest.raises(gbrank.ParameterError, match=match):
        gbrank.objective(name, **params)


@pytest.mark.parametrize("objective", [each for each in ALL_ON if each.name in ("yeti", "stochastic_rank")], ids=repr)
def test_catboosts_own_have_none(objective):
    pytest.importorskip("catboost")
    data = gbrank.make_letor(5, random_state=0)
    with pytest.raises(gbrank.ParameterError, match="_norm=True"):
        gbrank.GBRanker(objective, backend="catboost", engine="native", n_estimators=1).fit(data)


def test_steadied_objectives_learn(real_data):
    data = gbrank.read_letor(real_data / "mq2008" / "Fold1" / "test.txt")
    for objective in ALL_ON[2:]:
        ranker = gbrank.GBRanker(objective, n_estimators=10, n_jobs=1, random_state=0).fit(data)
        assert ranker.score(data) > 0.7, objective  # .49 without a ranker
