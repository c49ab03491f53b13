"""Each finding appears with its reason and its place, and not without; the counts are those made by hand."""

import itertools
import json
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st

import gbrank
from gbrank.objectives import Bound, Objective
from gbrank.rankers._diagnosis import Diagnosis, Finding
from gbrank.rankers._diagnosis.features import Looking
from gbrank.rankers._diagnosis.subject import Subject

N, SIZE = 60, 10


def make(n_queries=N, size=SIZE, seed=0, y=None, X=None, qid=None, **fields):
    rng = np.random.default_rng(seed)
    n = n_queries * size
    features = rng.normal(size=(n, 3))
    labels = np.clip(np.round(1.5 + features[:, 0] + rng.normal(size=n)), 0, 3)
    qid = np.arange(n) // size if qid is None else qid
    return gbrank.RankingData(features if X is None else X, labels if y is None else y, qid, **fields)


DATA = make()
CONSTANT = np.ones((N * SIZE, 1))


def names(found):
    return [each.name for each in found.findings]


def ranker(**params):
    return gbrank.GBRanker(n_jobs=1, **params)


@pytest.mark.parametrize("with_ranker", [False, True])
@pytest.mark.parametrize("backend", ["lightgbm", "xgboost"])
def test_nothing_is_found_without_reason(with_ranker, backend):
    found = gbrank.diagnose(DATA, ranker(backend=backend) if with_ranker else None)
    assert not found
    assert names(found) == []
    assert found.facts["queries_with_signal"] == N


SORTED = np.lexsort((-DATA.y, DATA.qid))
STEEP = np.where(np.arange(N * SIZE) == 123, 20, DATA.y)
HASHES = np.random.default_rng(7).permutation(N * 1000)[:N].repeat(SIZE)
WITH = {
    "row": np.arange(N * SIZE) * 0.01 - 3,
    "place": -(np.arange(N * SIZE) % SIZE).astype(float),
    "query": np.repeat(np.arange(N), SIZE) ** 2,
    "label": -3 * DATA.y,
    "of_query": np.repeat(np.random.default_rng(5).normal(size=N), SIZE),
    "constant": np.ones(N * SIZE),
    "copy": DATA.X[:, 1],
    "rare": (np.arange(N * SIZE) % 60 == 7).astype(float),
    "missing": np.full(N * SIZE, np.nan),
}


def beside(*which):
    names = ["a", "b", "c", *which]
    return gbrank.RankingData(
        np.column_stack([DATA.X, *(WITH[each] for each in which)]), DATA.y, DATA.qid, feature_names=names
    )


@pytest.mark.parametrize(
    ("data", "params", "name", "severity", "numbers", "queries", "features"),
    [
        (make(qid=np.arange(600)), None, "one_document_queries", "error", {"queries": 600}, (), ()),
        (make(qid=np.arange(600)), {"objective": "mse"}, "one_document_queries", "warning", {"queries": 600}, (), ()),
        (make(qid=np.zeros(600, int)), None, "one_query", "warning", {"documents": 600}, (0,), ()),
        (make(y=np.ones(600)), {}, "labels_refused", "error", {}, (), ()),
        (make(y=DATA.y + 0.5), {}, "labels_refused", "error", {}, (), ()),
        (make(y=DATA.y - 1.5), {"objective": "mse"}, "measure_refused", "warning", {}, (), ()),
        (make(y=np.where(DATA.qid % 3 > 0, 1, DATA.y)), {}, "queries_without_signal", "warning",
         {"queries": 40, "one_label": 40, "one_document": 0, "no_pair_of_the_objective": 0, "no_gradient": 0},
         (1, 2, 4, 5, 7, 8, 10, 11, 13, 14), ()),
        (make(y=np.where(np.arange(600) % 10 < 5, 0, DATA.y)), {"objective__truncation": 1, "objective__weight": "map"},
         "truncation", "warning", {"truncation": 1, "longer_queries": 60}, (), ()),
        (make(query_weight=np.where(np.arange(N) == 7, 0.0, 1)), {}, "queries_of_weight_zero", "note", {"queries": 1},
         (7,), ()),
        (gbrank.RankingData(DATA.X[SORTED], DATA.y[SORTED], DATA.qid), None, "label_sorted_rows", "warning",
         {"ndcg_of_a_constant_ties_stable": 1.0}, tuple(range(10)), ()),
        (make(y=STEEP), {}, "gain_skew", "warning", {"documents": 1, "label": 20}, (12,), ()),
        (make(100, query_weight=np.where(np.arange(100) == 3, 1e5, 1)), {}, "few_queries_dominate", "warning",
         {"queries": 1}, (3,), ()),
        (DATA, {"objective__truncation": 3}, "truncation", "warning", {"truncation": 3, "longer_queries": N}, (), ()),
        (DATA, {"min_docs_in_leaf": 301}, "min_docs_in_leaf", "error", {"documents": 600}, (), ("f1", "f2", "f3")),
        (DATA, {"min_docs_in_leaf": 160, "subsample": 0.5}, "min_docs_in_leaf", "error", {"min_docs_in_leaf": 320}, (),
         ("f1", "f2", "f3")),
        (beside("rare"), {}, "min_docs_in_leaf", "note", {"min_docs_in_leaf": 20}, (), ("rare",)),
        (DATA, {"backend": "xgboost", "backend_params": {"min_child_weight": 1e4}}, "hessian_scale", "error",
         {"least_sum": 1e4}, (), ()),
        (DATA, {"backend_params": {"min_child_weight": 10}}, "hessian_scale", "warning", {"least_sum": 10}, (), ()),
        (make(X=CONSTANT), None, "constant_features", "error", {"features": 1}, (), ("f1",)),
        (beside("constant", "missing"), None, "constant_features", "note", {"features": 2}, (),
         ("constant", "missing")),
        (beside("copy"), None, "duplicate_features", "note", {"features": 1}, (), ("copy",)),
        (beside("of_query"), None, "features_of_the_query", "note", {"features": 1}, (), ("of_query",)),
        (make(X=np.repeat(np.arange(N) % 7, SIZE)[:, None]), None, "features_of_the_query", "error", {}, (), ("f1",)),
        (beside("row"), None, "row_number_feature", "warning", {}, (), ("row",)),
        (beside("place"), None, "row_place_feature", "warning", {}, (), ("place",)),
        (beside("query"), None, "query_number_feature", "warning", {}, (), ("query",)),
        (make(X=np.c_[DATA.X, HASHES], qid=HASHES), None, "query_number_feature", "warning", {}, (), ("f4",)),
        (beside("label"), None, "label_feature", "warning", {"share": 1.0}, (), ("label",)),
    ],
)  # fmt: skip
def test_each_finding_has_its_reason_and_place(data, params, name, severity, numbers, queries, features):
    found = gbrank.diagnose(data, None if params is None else ranker().set_params(**params))
    finding = found[name]
    assert finding.severity == severity
    assert {key: finding.numbers[key] for key in numbers} == numbers
    assert finding.queries == queries
    assert finding.features == features
    assert finding.text.endswith(".")
    assert finding.remedy.endswith(".")
    assert bool(found) or severity == "note"


@pytest.mark.parametrize("form", [np.asarray, sp.csr_array])
def test_sparse_columns_are_seen_as_dense_ones(form):
    data = beside("rare", "constant", "copy", "label", "of_query")
    seen = gbrank.diagnose(gbrank.RankingData(form(data.X), data.y, data.qid), ranker())
    assert {each.name for each in seen.findings} == {
        "min_docs_in_leaf", "constant_features", "duplicate_features", "label_feature", "features_of_the_query",
    }  # fmt: skip


lists = st.lists(st.lists(st.integers(0, 2), min_size=1, max_size=6), min_size=1, max_size=5)


@given(lists, st.integers(1, 6), st.data())
def test_pairs_are_counted_as_by_hand(queries, truncation, draw):
    y = np.concatenate(queries).astype(float)
    weight = np.array(draw.draw(st.lists(st.integers(0, 1), min_size=len(y), max_size=len(y))), float)
    weight[0] = 1
    qid = np.repeat(np.arange(len(queries)), [len(each) for each in queries])
    data = gbrank.RankingData(np.zeros((len(y), 1)), y, qid, sample_weight=weight)
    subject = Subject.of(data, None, None)
    subject.objective = gbrank.objective("lambdarank", truncation=truncation)
    pairs, effective = [], []
    for a, b in itertools.pairwise(data.query_ptr):
        both = [(i, j) for i, j in itertools.combinations(range(a, b), 2) if y[i] != y[j]]
        pairs.append(len(both))
        effective.append(sum(i - a < truncation and weight[i] * weight[j] > 0 for i, j in both))
    assert subject.pairs.tolist() == pairs
    assert subject.effective_pairs.tolist() == effective


@given(
    st.lists(st.sampled_from([0.0, 1.0, 2.0, np.nan]), min_size=2, max_size=12),
    st.integers(1, 6),
)
def test_a_split_is_possible_where_one_is(values, least):
    column = np.array(values)
    data = gbrank.RankingData(column[:, None], np.zeros(len(column)), np.zeros(len(column), int))
    filled = np.where(np.isnan(column), np.inf, column)
    possible = any(least <= (filled <= cut).sum() <= len(column) - least for cut in filled[np.isfinite(filled)])
    assert Looking(Subject.of(data, None, None), least)._splits(column, bool(np.isnan(column).any())) == possible


def test_effective_pairs_agree_with_the_gradient():
    """A query has a gradient where, and only where, it has a pair that counts."""
    y = np.where(np.arange(N * SIZE) % SIZE < 4, 0, DATA.y)
    subject = Subject.of(make(y=y), ranker(), gbrank.objective("lambdarank", truncation=2, weight="map"))
    assert ((subject.effective_pairs > 0) == subject.signal).all()


def test_a_binary_objective_does_not_tell_grades_apart():
    found = gbrank.diagnose(make(y=DATA.y + 1), ranker(objective=gbrank.objective("lambdarank", weight="map")))
    assert "labels_refused" in found  # all labels are relevant, so no pair is left
    some = gbrank.diagnose(DATA, ranker(objective=gbrank.objective("lambdarank", weight="map", truncation=None)))
    relevant = gbrank.diagnose(DATA.with_labels(DATA.y >= 1)).facts["pairs"]
    assert some.facts["effective_pairs"] == relevant < some.facts["pairs"]


def test_rows_sorted_in_half_of_the_queries_are_chance_or_care():
    half = np.where(DATA.qid < N / 2, SORTED, np.arange(N * SIZE))
    assert "label_sorted_rows" not in gbrank.diagnose(gbrank.RankingData(DATA.X[half], DATA.y[half], DATA.qid))


def test_a_feature_that_is_good_is_no_label():
    """Its least values of each label are in order, its greatest ones overlap the next label's."""
    long = make(30, 40)
    column = long.y + 1.5 * (np.arange(1200) % 2)
    assert not gbrank.diagnose(make(30, 40, X=column[:, None]))
    assert "label_feature" in gbrank.diagnose(make(30, 40, X=(long.y + 0.9 * (np.arange(1200) % 2))[:, None]))


def test_truncation_that_leaves_few_pairs():
    short = ranker(objective=gbrank.objective("lambdarank", truncation=3), measure="ndcg@3")
    finding = gbrank.diagnose(make(6, 100), short)["truncation"]
    assert finding.numbers["effective_pairs"] < 0.1 * finding.numbers["pairs"]
    assert "truncation" not in gbrank.diagnose(DATA, short)


def test_given_pairs_are_the_effective_ones():
    data = make(y=np.zeros(N * SIZE), pairs=[[0, 1], [1, 2], [55, 54]])
    found = gbrank.diagnose(data, ranker(objective=gbrank.objective("pairwise_logistic", pairs="given")))
    assert found.facts["effective_pairs"] == 3
    assert found.facts["queries_with_signal"] == 2


def test_several_label_columns():
    data = make(y=np.stack([DATA.y, np.ones(N * SIZE)], axis=1))
    assert gbrank.diagnose(data).facts["queries_with_signal"] == N
    learnt = gbrank.diagnose(data, ranker(objective=gbrank.objective("lambdarank").on(1)))
    assert "labels_refused" in learnt
    first = gbrank.objective("lambdarank").on(0)
    assert gbrank.diagnose(data, ranker(objective=first)).facts["effective_pairs"] > 0
    both = first + gbrank.objective("mse").on(1)
    assert "labels_refused" in gbrank.diagnose(data, ranker(objective=both))
    data = make(y=np.stack([DATA.y, DATA.y], axis=1))
    assert gbrank.diagnose(data, ranker(objective=both)).facts["queries_with_signal"] == N


@pytest.mark.parametrize("objective", ["ordinal", "quantile", "mcrank", "softmax", "mse", "yeti"])
def test_objectives_of_every_kind(objective):
    found = gbrank.diagnose(DATA, ranker(objective=objective))
    assert found.facts["queries_with_signal"] == N
    assert not found


@dataclass(frozen=True)
class Broken(Objective):
    """Has no gradient in row 123."""

    name: ClassVar[str] = "broken"

    def bind(self, data, *, engine="compiled", n_jobs=None):
        return BrokenBound()


class BrokenBound(Bound):
    def loss(self, score):
        raise NotImplementedError

    def gradient_hessian(self, score, round):
        gradient = np.ones(len(score))
        gradient[123] = np.nan
        return gradient, np.ones(len(score))


def test_gradients_that_are_no_numbers():
    finding = gbrank.diagnose(DATA, ranker(objective=Broken()))["gradient_not_finite"]
    assert finding.numbers == {"documents": 1}
    assert finding.queries == (12,)


def fitted(seed=0, evaluated=None, **params):
    return ranker(**params).fit(make(seed=seed), eval_set=evaluated)


def test_a_curve_that_still_rises_and_one_that_falls_at_once():
    rising = fitted(evaluated=DATA, n_estimators=25, learning_rate=0.02)
    found = gbrank.diagnose(DATA, rising)
    assert found["still_improving"].numbers["rounds"] == 25
    noise = make(seed=9, y=np.random.default_rng(3).integers(0, 3, N * SIZE))
    falling = fitted(evaluated=noise, n_estimators=25)
    falling.history_["valid"] = [0.5, *np.linspace(0.4, 0.3, 24).tolist()]
    assert gbrank.diagnose(DATA, falling)["overfits_early"].numbers["best_round"] == 1
    ended = fitted(evaluated=DATA, n_estimators=25, learning_rate=0.02, callbacks=[lambda info: info.round == 5])
    assert "still_improving" not in gbrank.diagnose(DATA, ended)
    stopped = fitted(evaluated=make(seed=4), n_estimators=200, early_stopping_rounds=10)
    assert not {"still_improving", "overfits_early"} & set(names(gbrank.diagnose(DATA, stopped)))


def test_a_model_that_ranks_backwards_is_no_better_than_a_constant():
    backwards = gbrank.GBRanker(n_jobs=1, n_estimators=10).fit(DATA.with_labels(DATA.y.max() - DATA.y))
    finding = gbrank.diagnose(DATA, backwards)["no_better_than_constant"]
    assert finding.numbers["model"] == backwards.score(DATA) < finding.numbers["constant"]
    assert "no_better_than_constant" not in gbrank.diagnose(DATA, fitted(n_estimators=10))


@pytest.mark.parametrize("backend", ["lightgbm", "xgboost"])
def test_a_constant_model_is_told_with_its_reason(backend):
    params = {"min_docs_in_leaf": 400} if backend == "lightgbm" else {"backend_params": {"min_child_weight": 1e6}}
    flat = ranker(backend=backend, n_estimators=3, **params)
    with pytest.warns(gbrank.GbrankWarning, match="no tree could be grown") as told:
        flat.fit(DATA)
    reason = "Lower min_docs_in_leaf" if backend == "lightgbm" else "The hessians of all documents sum to"
    assert len(told) == 1
    assert reason in str(told[0].message)
    assert told[0].filename == __file__
    found = gbrank.diagnose(DATA, flat)
    assert found["constant_model"].severity == "error"
    assert names(found)[0] in ("min_docs_in_leaf", "hessian_scale")


def test_a_constant_model_without_a_known_reason():
    noise = make(4, y=np.random.default_rng(0).integers(0, 2, 4 * SIZE))
    with pytest.warns(gbrank.GbrankWarning, match=r"40 documents\. Look at the regularisation"):
        ranker(min_docs_in_leaf=1, backend_params={"min_gain_to_split": 1e9}).fit(noise)


def test_forms():
    found = gbrank.diagnose(beside("copy", "label"), ranker(min_docs_in_leaf=400))
    told = json.loads(json.dumps(found.to_dict()))
    assert [each["name"] for each in told["findings"]] == names(found)
    assert told["facts"]["documents"] == 600
    frame = found.to_frame()
    assert frame["severity"].tolist() == ["error", "warning", "note"]
    assert frame.columns.tolist() == ["name", "severity", "text", "remedy", "numbers", "queries", "features"]
    assert str(found).startswith("queries 60, documents 600, features 5, pairs ")
    assert "\nwarning: label_feature\n" in repr(found)
    assert "Remedy: Lower min_docs_in_leaf (400)" in str(found)
    assert "copy" in found._repr_html_()
    assert "missing" not in found
    with pytest.raises(KeyError):
        found["missing"]
    empty = Diagnosis.of([], {"queries": 1})
    assert "nothing found" in str(empty)
    assert "nothing found" in empty.to_html()
    assert "&lt;b&gt;" in Diagnosis.of([Finding("x", "note", "<b>", "y")], {}).to_html()
    assert empty.to_frame().empty


def test_what_is_no_data_and_no_ranker():
    with pytest.raises(gbrank.DataError, match="give a RankingData, not ndarray"):
        gbrank.diagnose(np.zeros((3, 1)))
    with pytest.raises(gbrank.ParameterError, match="give a GBRanker or None, not str"):
        gbrank.diagnose(DATA, "lambdarank")
    with pytest.raises(gbrank.DataError, match="3 features"):
        gbrank.diagnose(DATA, gbrank.GBRanker(n_jobs=1, n_estimators=2).fit(beside("copy")))


def test_one_document():
    found = gbrank.diagnose(gbrank.RankingData([[1.0]], [1], [0]))
    assert set(names(found)) == {"one_document_queries", "queries_without_signal", "constant_features"}
