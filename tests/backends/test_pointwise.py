"""Pointwise losses beside the boosters' own versions of them."""

import lightgbm as lgb
import numpy as np
import pytest
import xgboost as xgb

import gbrank
from gbrank.objectives import AbsoluteError, CrossEntropy, Hinge, Huber, LogCosh, McRank, Quantile

BACKENDS = ["lightgbm", "xgboost"]
SMALLEST_HESSIAN = {"lightgbm": "min_sum_hessian_in_leaf", "xgboost": "min_child_weight"}

rng = np.random.default_rng(1)
X = rng.uniform(-2, 2, (6000, 3))
REAL = 3 * X[:, 0] + np.exp(X[:, 1]) * rng.normal(size=6000)  # heteroscedastic
WEIGHT = rng.uniform(0.2, 3, 3000)
GRADE = np.clip(np.round(X[:, 0] + 0.5 * rng.logistic(size=6000)) + 1, 0, 3)
QID = np.arange(3000) // 10


def ranker_of(objective, **params):
    return gbrank.GBRanker(objective, n_jobs=1, **params)


def halves(y):
    return gbrank.RankingData(X[:3000], y[:3000], QID), gbrank.RankingData(X[3000:], y[3000:], QID)


def loss_of(objective, ranker, test):
    return objective.loss(test.y, ranker.predict(test), test.query_ptr).sum()


def pinball(y, q, alpha):
    return np.where(y >= q, alpha * (y - q), (1 - alpha) * (q - y)).mean()


def built_in_quantile(backend, alpha, weight):
    """The library by itself: 50 rounds of 31 leaves at .1, as ours."""
    if backend == "lightgbm":
        weight = None if weight is None else weight / weight.mean()
        params = {"objective": "quantile", "alpha": alpha, "verbosity": -1, "num_leaves": 31, "num_threads": 1}
        return lgb.train(params, lgb.Dataset(X[:3000], REAL[:3000], weight=weight), 50).predict(X[3000:])
    matrix = xgb.QuantileDMatrix(X[:3000], REAL[:3000], weight=weight)
    params = {"objective": "reg:quantileerror", "quantile_alpha": alpha, "tree_method": "hist", "learning_rate": 0.1,
              "max_leaves": 31, "max_depth": 0, "grow_policy": "lossguide", "nthread": 1}  # fmt: skip
    return xgb.train(params, matrix, 50).predict(xgb.DMatrix(X[3000:]))


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("backend", BACKENDS)
def test_pinball_loss_is_within_one_percent_of_the_boosters_own_quantile(backend, weighted):
    train, test = halves(REAL)
    weight = WEIGHT if weighted else None
    train = gbrank.RankingData(train.X, train.y, QID, sample_weight=weight)
    alphas = (0.1, 0.5, 0.9)
    together = ranker_of(Quantile(alphas), backend=backend, n_estimators=50).fit(train).predict_quantiles(test.X)
    ours, several, own = np.zeros((3, 3))
    for k, alpha in enumerate(alphas):
        alone = ranker_of(Quantile(alpha), backend=backend, n_estimators=50).fit(train).predict(test.X)
        ours[k], several[k] = pinball(test.y, alone, alpha), pinball(test.y, together[:, k], alpha)
        own[k] = pinball(test.y, built_in_quantile(backend, alpha, weight), alpha)
    np.testing.assert_allclose(several, ours, rtol=1e-6)
    assert ours.sum() < 1.01 * own.sum()
    assert (ours < 1.03 * own).all()  # of one quantile alone, 3,000 rows tell no more


@pytest.mark.parametrize("backend", BACKENDS)
def test_sorting_quantiles_does_not_raise_the_loss(backend):
    train, test = halves(REAL)
    alphas = tuple(np.arange(1, 10) / 10)
    ranker = ranker_of(Quantile(alphas), backend=backend, n_estimators=20).fit(train)
    raw = ranker.predict_quantiles(test.X)
    assert (np.diff(raw, axis=1) < 0).any()
    losses = [sum(pinball(test.y, q[:, k], a) for k, a in enumerate(alphas)) for q in (raw, np.sort(raw, axis=1))]
    assert losses[1] <= losses[0]


@pytest.mark.parametrize(
    ("backend", "objective"),
    [(b, AbsoluteError()) for b in BACKENDS] + [("lightgbm", Huber(1.0)), ("lightgbm", Huber(0.3))],
    ids=str,
)
def test_robust_losses_are_no_worse_than_the_boosters_own(backend, objective):
    train, test = halves(REAL)
    own, ours = (
        loss_of(objective, ranker_of(objective, backend=backend, engine=e, n_estimators=50).fit(train), test)
        for e in ("native", "compiled")
    )
    assert ours < 1.01 * own


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("objective", [Huber(0.5), LogCosh()], ids=str)
def test_far_documents_make_no_leaf_leap(backend, objective):
    """By the second derivative, which is 0 far from the label, one leaf would jump to millions."""
    far = REAL.copy()
    far[X[:, 2] > 1.9] += 1000.0
    train, _ = halves(far)
    score = ranker_of(objective, backend=backend, n_estimators=50, min_docs_in_leaf=20).fit(train).predict(train)
    assert score.min() > -40
    assert score.max() < 1100


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(
    ("objective", "y"),
    [
        (CrossEntropy(), (GRADE > 1) * 1.0),
        (CrossEntropy(positive_weight=4.0), (GRADE > 1) * 1.0),
        (CrossEntropy(relevant_from=None), GRADE / 3),
    ],
    ids=str,
)
def test_cross_entropy_is_the_boosters_own(backend, objective, y):
    train, test = halves(y)
    params = {"backend": backend, "n_estimators": 30, "backend_params": {SMALLEST_HESSIAN[backend]: 0.0}}
    params |= {"min_docs_in_leaf": 1} if backend == "lightgbm" else {}
    own, ours = (ranker_of(objective, engine=e, **params).fit(train) for e in ("native", "compiled"))
    if objective.positive_weight == 1:  # LightGBM starts from the share without the weight
        np.testing.assert_allclose(own.predict(test), ours.predict(test), atol=2e-3)
        np.testing.assert_allclose(own.predict_proba(test), ours.predict_proba(test), atol=1e-3)
    assert loss_of(objective, ours, test) < 1.01 * loss_of(objective, own, test)


@pytest.mark.parametrize(("backend", "factor"), [("lightgbm", 4 / 3), ("xgboost", 2.0)])
def test_multi_class_is_the_boosters_own_but_for_its_factor(backend, factor):
    """LightGBM multiplies hessians by K / (K - 1) and XGBoost by 2, which is a smaller learning rate."""
    train, test = halves(GRADE)
    params = {"backend": backend, "n_estimators": 20, "backend_params": {SMALLEST_HESSIAN[backend]: 0.0}}
    params |= {"min_docs_in_leaf": 1} if backend == "lightgbm" else {}
    own = ranker_of(McRank(), engine="native", learning_rate=0.1, **params).fit(train)
    ours = ranker_of(McRank(), learning_rate=0.1 / factor, **params).fit(train)
    if backend == "lightgbm":  # which starts from the shares too
        # The same trees but where rounding decides between two splits.
        apart = np.abs(own.predict_proba(test) - ours.predict_proba(test)).max(axis=1)
        assert np.quantile(apart, 0.8) < 1e-3
    p = ours.predict_proba(test), own.predict_proba(test)
    losses = [-np.log(each[np.arange(3000), test.y.astype(int)]).mean() for each in p]
    assert losses[0] < 1.02 * losses[1]


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("name", ["cross_entropy", "mcrank", "mae"])
def test_native_histories_are_of_the_same_scores_as_predictions(backend, name):
    y = (GRADE > 1) * 1.0 if name == "cross_entropy" else GRADE
    train, test = halves(y)
    ranker = ranker_of(name, backend=backend, engine="native", n_estimators=10)
    ranker.fit(train, eval_set={"test": test, "train": train})
    assert ranker.history_["test"][-1] == pytest.approx(ranker.score(test), abs=1e-9)
    assert ranker.history_["train"][-1] == pytest.approx(ranker.score(train), abs=1e-9)


@pytest.mark.parametrize(
    ("backend", "objective", "message"),
    [
        ("xgboost", Huber(), "its reg:pseudohubererror is another function"),
        ("lightgbm", Quantile((0.1, 0.9)), "own quantile has one quantile"),
        ("lightgbm", McRank("balanced"), "class_weight='balanced'.*engine='compiled'"),
        ("xgboost", McRank((1, 2, 3, 4)), r"class_weight=\(1.0, 2.0, 3.0, 4.0\)"),
        ("lightgbm", CrossEntropy(), r"label \d in row \d+: .* takes the labels 1 for relevant"),
        ("xgboost", Hinge(), r"label \d in row \d+: .* takes the labels 1 for relevant"),
        ("lightgbm", Hinge(), "no objective 'hinge' of its own"),
        ("lightgbm", LogCosh(), "no objective 'log_cosh' of its own"),
    ],
    ids=str,
)
def test_what_the_booster_has_not_is_refused_with_the_reason(backend, objective, message):
    with pytest.raises(gbrank.GbrankError, match=message):
        ranker_of(objective, backend=backend, engine="native").fit(halves(GRADE)[0])


@pytest.mark.parametrize("backend", BACKENDS)
def test_balanced_weights_are_for_our_engines(backend):
    train, _ = halves((GRADE > 1) * 1.0)
    with pytest.raises(gbrank.ParameterError, match=r"positive_weight='balanced'.*a number"):
        ranker_of(CrossEntropy(positive_weight="balanced"), backend=backend, engine="native").fit(train)


def test_xgboosts_pointwise_objectives_take_no_weights_of_queries():
    train, _ = halves(REAL)
    weighted = gbrank.RankingData(train.X, train.y, QID, query_weight=np.ones(300))
    with pytest.raises(gbrank.ParameterError, match="query_weight: XGBoost keeps one weight a query"):
        ranker_of("mse", backend="xgboost", engine="native").fit(weighted)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("objective", [AbsoluteError(), Quantile((0.1, 0.9))], ids=str)
def test_leaves_cannot_be_renewed_where_trees_are_scaled_or_grown_in_forests(backend, objective):
    train, _ = halves(REAL)
    dart = {"boosting": "dart"} if backend == "lightgbm" else {"booster": "dart"}
    with pytest.raises(gbrank.ParameterError, match="leave DART out"):
        ranker_of(objective, backend=backend, backend_params=dart, n_estimators=3).fit(train)
    if backend == "xgboost":
        forest = {"num_parallel_tree": 3}
        with pytest.raises(gbrank.ParameterError, match="num_parallel_tree"):
            ranker_of(objective, backend=backend, backend_params=forest, n_estimators=3).fit(train)
