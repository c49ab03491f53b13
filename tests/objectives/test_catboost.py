"""CatBoost's own losses as oracles: values, and derivatives as the steps of one tree with a document in each leaf."""

import numpy as np
import pytest

import gbrank
from gbrank.objectives import (
    AbsoluteError,
    Brier,
    CrossEntropy,
    Focal,
    Hinge,
    Huber,
    LambdaRank,
    LogCosh,
    McRank,
    PairwiseLogistic,
    Quantile,
    Softmax,
    SquaredError,
)

catboost = pytest.importorskip("catboost", reason="CatBoost is not installed; its losses are the oracles here")
metric_of = pytest.importorskip("catboost.utils").eval_metric

RNG = np.random.default_rng(0)
N = 32
PTR = np.array([0, 1, 5, 12, 20, N])
QID = np.repeat(np.arange(5), np.diff(PTR))
X = ((np.arange(N)[:, None] >> np.arange(5)) & 1).astype(float)  # a tree of depth 5 tells all documents apart
GRADES = RNG.integers(0, 4, N).astype(float)
RELEVANT = (GRADES > 1).astype(float)
SHARES = np.where(GRADES > 1, 0.7, 0.2)
SCORE, SCORES = RNG.normal(size=N), RNG.normal(size=(N, 4))
WEIGHT = RNG.uniform(0.5, 2, N)
PAIRS = np.array([(i, j) for i in range(N) for j in range(N) if QID[i] == QID[j] and GRADES[i] > GRADES[j]])
PAIR_WEIGHT = RNG.uniform(0.5, 2, len(PAIRS))
PAIRED = gbrank.RankingData(X, GRADES, QID, pairs=PAIRS, pair_weight=PAIR_WEIGHT)
FLOAT32 = {"rtol": 2e-6, "atol": 2e-6}  # what CatBoost keeps labels, weights and baselines in

weighted = pytest.mark.parametrize("weight", [None, WEIGHT], ids=["plain", "weighted"])


def one_tree(loss, label, method, **pool):
    """Return a model of one tree; from `baseline`, its leaves are the steps that the loss asks for."""
    options = {
        "loss_function": loss, "iterations": 1, "depth": 5, "learning_rate": 1, "l2_leaf_reg": 0, "border_count": 2,
        "random_strength": 0, "bootstrap_type": "No", "boosting_type": "Plain", "score_function": "L2",
        "leaf_estimation_method": method, "leaf_estimation_iterations": 1, "leaf_estimation_backtracking": "No",
        "thread_count": 1, "logging_level": "Silent", "allow_writing_files": False,
    }  # fmt: skip
    return catboost.CatBoost(options).fit(catboost.Pool(X, label, **pool))


def steps(loss, label, method, *, score=SCORE, **pool):
    """Return CatBoost's step of each document: minus the gradient, and for "Newton" divided by the hessian."""
    model = one_tree(loss, label, method, baseline=score, **pool)
    return np.asarray(model.predict(X, prediction_type="RawFormulaVal"))


SMOOTH = [
    (SquaredError(), "RMSE", GRADES),
    (CrossEntropy(), "Logloss", RELEVANT),
    (CrossEntropy(relevant_from=None), "CrossEntropy", SHARES),
    (Focal(alpha=0.3, gamma=1.5), "Focal:focal_alpha=0.3;focal_gamma=1.5", RELEVANT),
    (Huber(delta=0.7), "Huber:delta=0.7", GRADES),
    (LogCosh(), "LogCosh", GRADES),
    (Quantile(0.3), "Quantile:alpha=0.3", GRADES),
]


@weighted
@pytest.mark.parametrize(("objective", "loss", "label"), SMOOTH, ids=[loss for _, loss, _ in SMOOTH])
def test_gradients(objective, loss, label, weight):
    gradient, hessian = objective.gradient_hessian(label, SCORE, PTR, weight)
    own = np.ones(N) if weight is None else weight  # a leaf's step is divided by the weight of its documents
    np.testing.assert_allclose(steps(loss, label, "Gradient", weight=weight), -gradient / own, **FLOAT32)
    # CatBoost takes Huber's and log-cosh's second derivatives as they are, and has none for quantiles.
    if not isinstance(objective, Huber | LogCosh | Quantile):
        np.testing.assert_allclose(steps(loss, label, "Newton", weight=weight), -gradient / hessian, **FLOAT32)


VALUES = [
    *SMOOTH[1:],
    (AbsoluteError(), "MAE", GRADES),
    (Hinge(), "HingeLoss", RELEVANT),
    (Brier(), "BrierScore", RELEVANT),
]


@weighted
@pytest.mark.parametrize(("objective", "loss", "label"), VALUES, ids=[loss for _, loss, _ in VALUES])
def test_values(objective, loss, label, weight):
    mean = objective.loss(label, SCORE, PTR, weight).sum() / (N if weight is None else weight.sum())
    # CatBoost's quantiles have a dead zone of a millionth, and its log-cosh (not the gradient) agrees to four digits.
    assert metric_of(label, SCORE, loss, weight=weight)[0] == pytest.approx(
        mean, rel=1e-4 if loss == "LogCosh" else 2e-6
    )


@weighted
def test_squared_error(weight):
    total = 2 * SquaredError().loss(GRADES, SCORE, PTR, weight).sum() / (N if weight is None else weight.sum())
    assert metric_of(GRADES, SCORE, "RMSE", weight=weight)[0] == pytest.approx(np.sqrt(total), rel=1e-6)


@weighted
def test_several_classes(weight):
    own = 1 if weight is None else weight[:, None]
    gradient, _ = McRank().gradient_hessian(GRADES, SCORES, PTR, weight)
    # Its Newton step solves with the whole matrix of second derivatives, ours with the diagonal.
    got = steps("MultiClass", GRADES, "Gradient", score=SCORES, weight=weight)
    np.testing.assert_allclose(got, -gradient / own, **FLOAT32)
    mean = McRank().loss(GRADES, SCORES, PTR, weight).sum() / (N if weight is None else weight.sum())
    assert metric_of(GRADES, SCORES, "MultiClass", weight=weight)[0] == pytest.approx(mean, rel=1e-6)


@pytest.mark.parametrize("label", [GRADES, RELEVANT], ids=["grades", "relevant"])
def test_softmax_of_a_query(label):
    objective = Softmax(gain="linear")
    gradient, _ = objective.gradient_hessian(label, SCORE, PTR)
    np.testing.assert_allclose(steps("QuerySoftMax", label, "Gradient", group_id=QID), -gradient, **FLOAT32)
    mean = objective.loss(label, SCORE, PTR).sum() / label.sum()
    assert metric_of(label, SCORE, "QuerySoftMax", group_id=QID)[0] == pytest.approx(mean, rel=1e-6)


@gbrank.list_loss(exact_hessian=False)
def query_rmse(scores, labels):
    error = scores - labels
    error = error - error.mean()
    return np.sum(error**2) / 2, error, np.ones(len(error))  # as CatBoost has it; the diagonal is 1 - 1 / n


def test_a_list_loss_of_ones_own_is_the_error_within_queries():
    gradient, hessian = query_rmse().gradient_hessian(GRADES, SCORE, PTR)
    for method in ("Gradient", "Newton"):
        np.testing.assert_allclose(steps("QueryRMSE", GRADES, method, group_id=QID), -gradient / hessian, **FLOAT32)
    mean = query_rmse().loss(GRADES, SCORE, PTR).sum() * 2 / N
    assert metric_of(GRADES, SCORE, "QueryRMSE", group_id=QID)[0] == pytest.approx(np.sqrt(mean), rel=1e-6)


def test_given_pairs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # CatBoost leaves a folder behind where it evaluates
    pool = {"group_id": QID, "pairs": PAIRS, "pairs_weight": PAIR_WEIGHT}
    bound = PairwiseLogistic(pairs="given").bind(PAIRED, engine="compiled", n_jobs=1)
    gradient, hessian = bound.gradient_hessian(SCORE, 0)
    got = steps("PairLogit", GRADES, "Newton", **pool)
    paired = hessian > 0
    assert not gradient[0]  # alone in its query: CatBoost moves all documents so that their mean is 0, and this one so
    np.testing.assert_allclose((got - got[0])[paired], -gradient[paired] / hessian[paired], **FLOAT32)
    told = one_tree("RMSE", SCORE, "Gradient").eval_metrics(catboost.Pool(X, GRADES, **pool), ["PairLogit"])
    assert told["PairLogit"][0] == pytest.approx(bound.loss(SCORE).sum() / PAIR_WEIGHT.sum(), rel=1e-5)


@pytest.mark.parametrize("sigmoid", [1.0, 2.0])
def test_lambdas(sigmoid):
    plain = LambdaRank(truncation=None, gain="linear", score_norm=False, query_norm=False, sigmoid=sigmoid)
    gradient, hessian = plain.gradient_hessian(GRADES, SCORE, PTR)
    loss, paired = f"LambdaMart:metric=NDCG;sigma={sigmoid};norm=false", hessian > 0
    newton = steps(loss, GRADES, "Newton", group_id=QID)
    np.testing.assert_allclose(newton[paired], -gradient[paired] / hessian[paired], **FLOAT32)
    # Its "Gradient" steps have the sizes of these lambdas, and the other sign: they rank the worst first.
    np.testing.assert_allclose(steps(loss, GRADES, "Gradient", group_id=QID), gradient, **FLOAT32)
