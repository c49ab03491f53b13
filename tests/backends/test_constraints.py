"""What trees are told of single features: scores that only rise, and features that may not meet."""

import json

import numpy as np
import pytest

import gbrank
from gbrank import GBRanker, ParameterError, RankingData

BACKENDS = ("lightgbm", "xgboost")
N_QUERIES, SIZE = 40, 12


def make(seed=0, n_features=5):
    """Grades that fall and rise with the first feature, and depend on products of others."""
    rng = np.random.default_rng(seed)
    n = N_QUERIES * SIZE
    X = rng.normal(size=(n, n_features))
    utility = np.sin(3 * X[:, 0]) + X[:, 1] * X[:, 2] + X[:, 3] * X[:, 0] + 0.3 * rng.normal(size=n)
    y = np.digitize(utility, [-0.5, 0.5, 1.5]).astype(float)
    return RankingData(X, y, np.repeat(np.arange(N_QUERIES), SIZE), feature_names=[f"x{j}" for j in range(n_features)])


DATA = make()


def ranker_of(objective="lambdarank", **params):
    given = {"n_estimators": 15, "max_leaves": 12, "min_docs_in_leaf": 0, "learning_rate": 0.3, "n_jobs": 1}
    if params.get("backend") == "catboost":
        given = {"n_estimators": 15, "learning_rate": 0.3, "n_jobs": 1, "engine": "native"}
    return GBRanker(objective, **given | params)


def least_step(ranker, column, towards=1):
    """Return the least step of the prediction while one feature rises (or falls) and all others stay."""
    grid = towards * np.linspace(-3, 3, 41)
    X = np.repeat(DATA.X[:60], len(grid), axis=0)
    X[:, column] = np.tile(grid, 60)
    return np.diff(ranker.predict(X).reshape(60, -1), axis=1).min()


@pytest.mark.parametrize("objective", ["lambdarank", "pairwise_logistic", "softmax", "mse", "cumulative_logit"])
@pytest.mark.parametrize("backend", BACKENDS)
def test_scores_rise_with_a_feature(backend, objective):
    ranker = ranker_of(objective, backend=backend)
    assert least_step(ranker.fit(DATA), 0) < -0.01
    ranker.set_params(monotone_constraints={"x0": 1})
    assert least_step(ranker.fit(DATA), 0) >= -1e-9
    turned = DATA.X * [-1, 1, 1, 1, 1]
    ranker.set_params(monotone_constraints=[-1, 0, 0, 0, 0]).fit(RankingData(turned, DATA.y, DATA.qid))
    assert -least_step(ranker, 0) > 0.01
    assert least_step(ranker, 0, towards=-1) >= -1e-9


@pytest.mark.parametrize("objective", ["mse", "mae", "lambdarank", gbrank.objective("softmax", gain="linear")])
def test_scores_rise_in_symmetric_trees(objective):
    pytest.importorskip("catboost")
    ranker = ranker_of(objective, backend="catboost")
    assert least_step(ranker.fit(DATA), 0) < -0.01
    ranker.set_params(monotone_constraints={0: 1})
    assert least_step(ranker.fit(DATA), 0) >= -1e-9


def test_the_best_round_of_constrained_symmetric_trees_is_what_was_measured():
    """CatBoost's own default beside constraints changes the earlier trees in every round."""
    pytest.importorskip("catboost")
    given = {"backend": "catboost", "monotone_constraints": {0: 1}}
    followed = ranker_of("mse", **given, measure="ndcg@10", early_stopping_rounds=2)
    followed.set_params(n_estimators=60).fit(DATA, eval_set=make(seed=1))
    rounds = followed.best_iteration_
    assert rounds < len(followed.history_["valid"])
    alone = ranker_of("mse", **given).set_params(n_estimators=rounds).fit(DATA)
    np.testing.assert_array_equal(followed.predict(DATA), alone.predict(DATA))
    with pytest.raises(ParameterError, match="early_stopping_rounds"):
        followed.set_params(backend_params={"model_shrink_rate": 0.01}).fit(DATA, eval_set=DATA)


@pytest.mark.parametrize("backend", BACKENDS)
def test_names_numbers_and_signs_for_all_are_the_same(backend):
    told = [{"x0": 1, "x3": -1}, {0: 1, np.int64(3): -1}, [1, 0, 0, -1, 0], np.array([1, 0, 0, -1, 0])]
    first, *others = [ranker_of(backend=backend, monotone_constraints=one).fit(DATA).predict(DATA) for one in told]
    for other in others:
        np.testing.assert_array_equal(other, first)
    free = ranker_of(backend=backend).fit(DATA).predict(DATA)
    assert not np.array_equal(first, free)
    np.testing.assert_array_equal(ranker_of(backend=backend, monotone_constraints={}).fit(DATA).predict(DATA), free)


def paths(ranker):
    """Return the set of features on each way from a root to a leaf."""
    booster = ranker.model_.booster
    if ranker.backend == "lightgbm":
        trees = [tree["tree_structure"] for tree in booster.dump_model()["tree_info"]]
        return [found for tree in trees for found in _walk(tree, lambda node: node.get("split_feature"),
                lambda node: [node["left_child"], node["right_child"]])]  # fmt: skip
    trees = [json.loads(tree) for tree in booster.get_dump(dump_format="json")]
    return [found for tree in trees for found in _walk(tree, lambda node: int(node["split"][1:]) if "split" in node
            else None, lambda node: node["children"])]  # fmt: skip


def _walk(node, feature_of, children_of, seen=frozenset()):
    feature = feature_of(node)
    if feature is None:
        yield set(seen)
        return
    for child in children_of(node):
        yield from _walk(child, feature_of, children_of, seen | {feature})


@pytest.mark.parametrize("backend", BACKENDS)
def test_features_of_one_group_alone_meet(backend):
    groups = [["x0", 1], [1, "x2"]]  # x3 and x4 are in none
    free = paths(ranker_of(backend=backend).fit(DATA))
    allowed = [{0, 1}, {1, 2}, {3}, {4}]
    assert not all(any(path <= group for group in allowed) for path in free)
    ranker = ranker_of(backend=backend, interaction_constraints=groups).fit(DATA)
    found = paths(ranker)
    assert all(any(path <= group for group in allowed) for path in found)
    # Whoever is in no group is used all the same, and groups that overlap may both be used whole.
    for wanted in ({0, 1}, {1, 2}, {3}):
        assert wanted in found


@pytest.mark.parametrize("backend", BACKENDS)
def test_without_interactions_the_score_is_a_sum_over_features(backend):
    ranker = ranker_of(backend=backend, interaction_constraints=[]).fit(DATA)
    a, b = DATA.X[:50].copy(), DATA.X[50:100].copy()
    mixed, rest = a.copy(), b.copy()
    mixed[:, 0], rest[:, 0] = b[:, 0], a[:, 0]
    np.testing.assert_allclose(
        ranker.predict(mixed) + ranker.predict(rest), ranker.predict(a) + ranker.predict(b), atol=1e-5
    )


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_saved_ranker_keeps_its_constraints(backend, tmp_path):
    ranker = ranker_of(
        backend=backend, monotone_constraints={1: np.int64(1)}, interaction_constraints=((0, np.int64(1)), range(2, 4))
    ).fit(DATA)
    ranker.save(tmp_path / "m.gbrank")
    back = gbrank.load(tmp_path / "m.gbrank")
    np.testing.assert_array_equal(back.predict(DATA), ranker.predict(DATA))
    np.testing.assert_array_equal(back.fit(DATA).predict(DATA), ranker.predict(DATA))


REFUSED = [
    ({"monotone_constraints": {"x9": 1}}, "unknown feature in monotone_constraints: 'x9'. Known: x0, x1"),
    ({"monotone_constraints": {5: 1}}, "monotone_constraints: 5 is no feature; columns are counted from 0 to 4"),
    ({"monotone_constraints": {-1: 1}}, "monotone_constraints: -1 is no feature"),
    ({"monotone_constraints": [1, 0]}, "2 of them for 5 features"),
    ({"monotone_constraints": {"x0": 2}}, r"monotone_constraints\['x0'\]=2: 1 is rising"),
    ({"monotone_constraints": {"x0": True}}, r"monotone_constraints\['x0'\]=True"),
    ({"monotone_constraints": "x0"}, "give -1, 0 or 1 for each feature"),
    ({"monotone_constraints": {"x0": 1}, "objective": "mae"}, "new values, which breaks the constraints"),
    ({"monotone_constraints": {"x0": 1}, "objective": "mae", "engine": "native"}, "monotone_constraints"),
    ({"monotone_constraints": {"x0": 1}, "objective": "mcrank"}, "is made of 4 outputs"),
    ({"interaction_constraints": ["x0", "x1"]}, "give a list of groups of features"),
    ({"interaction_constraints": [["x0"], []]}, "give a list of groups of features"),
    ({"interaction_constraints": [["x0", "y"]]}, "unknown feature in interaction_constraints: 'y'"),
    ({"backend_params": {"monotone_constraints": [1]}}, "use monotone_constraints="),
    ({"backend_params": {"interaction_constraints": [[1]]}}, "use interaction_constraints="),
]


def test_leaves_that_hold_lines_are_refused():
    with pytest.raises(ParameterError, match="the lines in the leaves do not keep"):
        ranker_of(monotone_constraints=[1, 0, 0, 0, 0], backend_params={"linear_trees": True}).fit(DATA)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(("params", "words"), REFUSED, ids=range(len(REFUSED)))
def test_what_is_refused(params, words, backend):
    with pytest.raises(ParameterError, match=words):
        ranker_of(**{"backend": backend, **params}).fit(DATA)


CATBOOST_REFUSED = [
    ({"monotone_constraints": [1, 0, 0, 0, 0], "backend_params": {"grow_policy": "Lossguide"}}, "in symmetric trees"),
    ({"monotone_constraints": {"x0": 1}, "objective": "mcrank"}, "is made of 4 outputs"),
    ({"monotone_constraints": {"x0": 1}, "objective": "yeti_loss"}, "YetiRank does not keep them"),
    ({"monotone_constraints": {"x0": 1}, "objective": "pairwise_logistic"}, "PairLogit does not keep them"),
    ({"interaction_constraints": [["x0"]]}, "CatBoost has none"),
    ({"backend_params": {"monotone_constraints": [1]}}, "use monotone_constraints="),
]


@pytest.mark.parametrize(("params", "words"), CATBOOST_REFUSED, ids=range(len(CATBOOST_REFUSED)))
def test_what_catboost_refuses(params, words):
    pytest.importorskip("catboost")
    with pytest.raises(ParameterError, match=words):
        ranker_of(**{"objective": "mse", "backend": "catboost", **params}).fit(DATA)
