"""Full-stage rankers are what their parts say: sampled, relabelled, trained; their baselines learn from as much."""

import json
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone

import gbrank
from gbrank.stages import (
    FullStageRanker,
    RankFlowRanker,
    RequestSizes,
    StageProductRanker,
    add_candidates,
    make_platform,
    relabel,
    sample_requests,
    stage_method,
)
from gbrank.stages._baselines import METHODS, even_counts, preferred

FEW = {"n_estimators": 4, "n_jobs": 1, "min_docs_in_leaf": 5}


@pytest.fixture(scope="module")
def platform():
    return make_platform(30, 400, random_state=0, n_jobs=1)


@pytest.fixture(scope="module")
def log(platform):
    made = platform.requests(2, sizes=RequestSizes(100, 40, 40, 15, 15), random_state=0)
    return add_candidates(made, np.arange(platform.n_items), 20, random_state=0)


@pytest.fixture(scope="module")
def features(platform):
    return lambda request, item: platform.features(request // 2, item)


def test_algorithm_1_is_sample_relabel_fit(log, features, platform):
    given = log.with_features(features(log.request, log.item))
    counts, z = (2, 1, 1, 1), (0, 1, 2, 3, 6)
    expected = gbrank.GBRanker("pairwise_logistic", **FEW).fit(
        relabel(sample_requests(given, counts, per="positive", random_state=3), z)
    )
    base = gbrank.GBRanker("pairwise_logistic", **FEW)
    one = FullStageRanker(base, z=z, counts=counts, per="positive", random_state=3)
    X = platform.features(np.zeros(400, int), np.arange(400))
    scores = expected.predict(X)
    assert len(np.unique(scores)) > 3
    np.testing.assert_array_equal(clone(one).fit(given).predict(X), scores)
    np.testing.assert_array_equal(one.fit(log, features=features).predict(X), scores)


def test_features_are_those_of_the_row_whatever_its_request_is_called(log, features):
    seen = []

    def watch(request, item):
        seen.append((request, item))
        return features(request, item)

    FullStageRanker(gbrank.GBRanker(**FEW), counts=(1, 1, 0, 1), per="positive", random_state=0).fit(
        log, features=watch
    )
    request, item = seen[0]
    pairs = set(zip(log.request.tolist(), log.item.tolist(), strict=True))
    assert set(zip(request.tolist(), item.tolist(), strict=True)) <= pairs
    assert len(request) < len(pairs)


@pytest.mark.parametrize("per", ["request", "positive"])
def test_features_are_looked_up_for_a_part_of_a_log_too(per, log, features):
    part = sample_requests(log.take(np.arange(log.n_requests)[::-3]), (4, 4, 4, 2), random_state=0)
    known = {pair: row for row, pair in enumerate(zip(part.request.tolist(), part.item.tolist(), strict=True))}
    settings = {"counts": (2, 1, 1, 1), "per": per, "random_state": 0}
    seen = []

    def watch(request, item):
        seen.extend(zip(request.tolist(), item.tolist(), strict=True))
        return features(request, item)

    one = FullStageRanker(gbrank.GBRanker(**FEW), **settings).fit(part, features=watch)
    assert set(seen) <= known.keys()
    whole = part.with_features(features(part.request, part.item))
    other = FullStageRanker(gbrank.GBRanker(**FEW), **settings).fit(whole)
    np.testing.assert_array_equal(one.predict(whole.features), other.predict(whole.features))


def test_what_is_no_stage_and_no_request(log, features, platform):
    for method in (RankFlowRanker, StageProductRanker):
        for stage in (0, 4, 1.5):
            with pytest.raises(gbrank.ParameterError, match=f"stage={stage}"):
                method(gbrank.GBRanker(**FEW), stage=stage).fit(log, features=features)
    one = FullStageRanker(gbrank.GBRanker(**FEW), counts=(1, 1, 1, 1), random_state=0).fit(log, features=features)
    data = platform.lists(platform.feedback, users=[0])
    assert len(one.serve(data, 7)) == 7
    with pytest.raises(gbrank.ParameterError, match="keep=0"):
        one.serve(data, 0)
    with pytest.raises(gbrank.DataError, match="which rows are one request"):
        one.serve(data.X, 7)
    with pytest.raises(gbrank.DataError, match="no StageLog"):
        FullStageRanker().fit(data)


@pytest.mark.parametrize("name", ["fs_lr", "rankflow", "product"])
def test_columns_keep_their_names_and_categories(name, log, platform):
    def frame(request, item):
        names = [f"x{j}" for j in range(len(platform.feature_names))]
        found = pd.DataFrame(platform.features(request // 2, item), columns=names)
        return found.assign(kind=pd.Categorical(np.array(["a", "b", "c"])[item % 3]))

    base = gbrank.GBRanker(categorical_features=["kind"], **FEW)
    one = stage_method(name, base, random_state=0).fit(log, features=frame)
    assert one.feature_names_in_[-1] == "kind"
    some = frame(np.zeros(40, int), np.arange(40))
    coded = some.assign(kind=some["kind"].cat.reorder_categories(["c", "a", "b"]))
    np.testing.assert_array_equal(one.predict(coded), one.predict(some))


def test_serving_explores_around_the_best(log, features, platform):
    one = FullStageRanker(gbrank.GBRanker(**FEW), random_state=0).fit(log, features=features)
    data = gbrank.RankingData(
        platform.features(np.repeat([0, 1], 100), np.tile(np.arange(100), 2)), np.zeros(200), np.repeat([0, 1], 100)
    )
    score = one.predict(data)
    rows = one.serve(data, 10)
    for query in (0, 1):
        best = np.sort(100 * query + np.argsort(-score[100 * query :][:100], kind="stable")[:10])
        np.testing.assert_array_equal(rows[rows // 100 == query], best)
    one.exploration = 0.5
    noisy = one.serve(data, 10, random_state=1)
    np.testing.assert_array_equal(noisy, one.serve(data, 10, random_state=1))
    assert set(noisy) != set(rows)
    assert score[noisy].mean() > score.mean() + 0.3 * score.std()


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize("stage", [1, 2])
def test_every_method_ranks_likes_above_chance(name, stage, log, features, platform):
    method = stage_method(name, gbrank.GBRanker(**FEW), stage=stage, random_state=0)
    method.fit(log, features=features)
    score = platform.score(method)
    liked = platform.interest > np.quantile(platform.interest, 0.8)
    assert score[liked].mean() > score[~liked].mean()
    assert clone(method).get_params().keys() == method.get_params().keys()


def test_methods_learn_from_equally_many():
    assert even_counts(3, 0, 5) == (2, 1, 1, 1)
    assert even_counts(3, 1, 5) == (0, 2, 2, 1)
    assert even_counts(4, 0, 9) == (2, 2, 2, 2, 1)
    for name in ("bpr", "ssm", "bce", "fs_rn", "fs_lr"):
        assert sum(stage_method(name, negatives=5).counts) == 5
    assert stage_method("bpr").z == (0, 0, 0, 0, 1)
    assert stage_method("fs_lr").z is None
    for name, words in (("bprr", "bpr"), ("fs_lr", None)):
        with pytest.raises(gbrank.ParameterError, match=words or "stage=4"):
            stage_method(name, stage=1 if words else 4)


def test_a_product_of_chances(log, features, platform):
    one = StageProductRanker(gbrank.GBRanker(**FEW), stage=1).fit(log, features=features)
    assert len(one.factors_) == 3
    X = platform.features(np.zeros(50, int), np.arange(50))
    chances = [1 / (1 + np.exp(-factor.predict(X))) for factor in one.factors_]
    np.testing.assert_allclose(np.exp(one.predict(X)), np.prod(chances, axis=0), rtol=1e-9)
    whole = log.with_features(features(log.request, log.item))
    passed = whole.rows(whole.stage >= 1)
    expected = gbrank.GBRanker("cross_entropy", **FEW).fit(passed.to_data(passed.stage >= 2))
    np.testing.assert_array_equal(one.factors_[0].predict(X), expected.predict(X))
    with pytest.raises(gbrank.DataError, match="before stage 3"):
        StageProductRanker(stage=1).fit(whole.rows(whole.stage != 2))


def test_tutors_teach_order_among_those_that_they_saw():
    data = gbrank.RankingData(np.zeros((6, 1)), np.zeros(6), [1, 1, 1, 1, 2, 2])
    score = np.array([3.0, 1.0, 2.0, 2.0, 5.0, 9.0])
    found = preferred(score, data, np.array([True, True, True, False, True, True]))
    assert {tuple(pair) for pair in found.tolist()} == {(0, 1), (0, 2), (2, 1), (5, 4)}
    assert preferred(np.ones(6), data, np.ones(6, bool)).shape == (0, 2)
    with pytest.raises(gbrank.ParameterError, match="negatives=2"):
        RankFlowRanker(negatives=2).fit(None)


@pytest.mark.parametrize("name", METHODS)
def test_saved_and_loaded(name, log, features, platform, tmp_path):
    method = stage_method(name, gbrank.GBRanker(**FEW), stage=1, random_state=np.int64(4)).fit(log, features=features)
    method.save(tmp_path / "model")
    loaded = gbrank.load(tmp_path / "model")
    assert type(loaded) is type(method)
    X = platform.features(np.zeros(400, int), np.arange(400))
    np.testing.assert_array_equal(loaded.predict(X), method.predict(X))
    assert loaded.feature_names_ == method.feature_names_
    np.testing.assert_array_equal(clone(loaded).fit(log, features=features).predict(X), method.predict(X))
    assert sum(1 for _ in loaded._boosted()) == (3 if name == "product" else 1)


def test_a_saved_ranker_loads_where_the_room_is_not_imported(log, features, platform, tmp_path):
    X = platform.features(np.zeros(9, int), np.arange(9))
    ranker = FullStageRanker(gbrank.GBRanker(**FEW), z=np.arange(5.0)).fit(log, features=features)
    ranker.save(tmp_path / "model")
    np.save(tmp_path / "X.npy", X)
    code = "import sys, numpy as np, gbrank; print(gbrank.load(sys.argv[1]).predict(np.load(sys.argv[2])).tolist())"
    run = [sys.executable, "-c", code, tmp_path / "model", tmp_path / "X.npy"]
    assert json.loads(subprocess.check_output(run, text=True)) == ranker.predict(X).tolist()
