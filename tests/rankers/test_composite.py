"""Rankers made of rankers: the folds they are trained on, their measure, and their files."""

import random
import warnings
import zipfile

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import GroupKFold, KFold, LeaveOneGroupOut
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import gbrank
from gbrank import CalibratedRanker, GBRanker, StackedRanker
from gbrank.preprocessing import QueryNormalizer
from gbrank.rankers._parts import folds, take_rows

DATA = gbrank.make_letor(40, n_features=4, max_documents=30, random_state=0)
BASE = GBRanker("mse", n_estimators=4, n_jobs=1, min_docs_in_leaf=5)
ROWS = np.random.default_rng(0).permutation(DATA.n_documents)
X, Y, QID = DATA.X[ROWS], DATA.y[ROWS], DATA.qid[ROWS]  # of queries scattered over the rows
ROWS_OF_X = np.arange(DATA.n_documents)
KINDS = {"calibrated": CalibratedRanker(BASE, cv=3), "stacked": StackedRanker([("a", BASE)], final=BASE, cv=3)}


def probabilities(ranker, data):
    return ranker.predict_proba(data) if hasattr(ranker, "predict_proba") else ranker.predict(data)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "cv",
    [
        gbrank.QueryKFold(3),
        list(gbrank.QueryKFold(3).split(X, groups=QID)),
        [
            (~np.isin(ROWS_OF_X, test), np.isin(ROWS_OF_X, test))
            for _, test in gbrank.QueryKFold(3).split(X, groups=QID)
        ],
    ],
    ids=["splitter", "rows", "masks"],
)
def test_folds_are_those_of_the_number_of_folds(kind, cv):
    expected = clone(KINDS[kind]).fit(X, Y, qid=QID)
    got = clone(KINDS[kind]).set_params(cv=cv).fit(X, Y, qid=QID)
    np.testing.assert_array_equal(probabilities(got, X), probabilities(expected, X))


def test_rows_of_a_ranking_data_are_its_own():
    data = gbrank.RankingData(X, Y, QID)
    given = list(gbrank.QueryKFold(3).split(data))
    for a, b in zip(folds(data, given), folds(data, 3), strict=True):
        np.testing.assert_array_equal(a.train.X, b.train.X)
        np.testing.assert_array_equal(a.rows, b.rows)
        np.testing.assert_array_equal(data.X[a.rows], a.test.X)


def test_scikit_learns_splitters_of_groups():
    parts = list(folds(DATA, GroupKFold(4)))
    assert sorted(np.concatenate([part.rows for part in parts])) == list(range(DATA.n_documents))
    for part in parts:
        assert not set(part.train.query_ids) & set(part.test.query_ids)


def test_one_query_is_divided_into_documents_with_a_warning():
    one = gbrank.RankingData(DATA.X, DATA.y, np.zeros(DATA.n_documents, int))
    left_out = np.zeros(one.n_documents)
    for rows, test in KFold(3, shuffle=True, random_state=0).split(one.X):
        left_out[test] = clone(BASE).fit(take_rows(one, rows)).predict(one.X[test])
    with pytest.warns(gbrank.GbrankWarning, match="its documents are divided"):
        stacked = clone(KINDS["stacked"]).fit(one)
    final = clone(BASE).fit(left_out[:, None], one.y, qid=one.qid)
    scores = np.column_stack([clone(BASE).fit(one).predict(one)])
    np.testing.assert_array_equal(stacked.predict(one), final.predict(scores))
    with pytest.warns(gbrank.GbrankWarning, match="its documents are divided"):
        calibrated = CalibratedRanker(BASE, cv=3)._held_out(BASE, one)
    assert sorted(calibrated.score) == sorted(left_out)
    with warnings.catch_warnings():
        warnings.simplefilter("error", gbrank.GbrankWarning)
        clone(KINDS["stacked"]).fit(DATA)


@pytest.mark.parametrize(
    ("cv", "message"),
    [
        (list(KFold(3).split(DATA.X)), "cuts queries|trains on query"),
        (1, "cv"),
        ("prefitted", "cv='prefitted'"),
        (None, "give a number of folds"),
        ([(np.arange(DATA.n_documents), np.arange(5))], "fold 0 trains on query .* and leaves it out"),
        ([(np.arange(3), [DATA.n_documents])], "whole numbers from 0"),
        ([(np.arange(3), [])], "at least one"),
    ],
)
@pytest.mark.parametrize("kind", KINDS)
def test_folds_that_are_refused(kind, cv, message):
    with pytest.raises(gbrank.ParameterError, match=message):
        clone(KINDS[kind]).set_params(cv=cv).fit(DATA)


def test_rows_are_taken_with_every_field():
    rng = np.random.default_rng(1)
    n = DATA.n_documents
    first = DATA.query_ptr[:-1]
    full = gbrank.RankingData(
        DATA.X, DATA.y, DATA.qid, doc_id=[f"d{i}" for i in range(n)], position=rng.integers(1, 9, n),
        sample_weight=rng.random(n), query_weight=rng.random(DATA.n_queries), init_score=rng.random(n),
        pairs=np.column_stack([first, first + 1]), pair_weight=rng.random(len(first)), feature_names=list("abcd"),
    )  # fmt: skip
    rows = np.flatnonzero((rng.random(n) < 0.6) & (DATA.qid != DATA.query_ids[3]))
    part = take_rows(full, rows)
    for name in ("X", "y", "qid", "doc_id", "position", "sample_weight", "init_score", "order"):
        np.testing.assert_array_equal(getattr(part, name), getattr(full, name)[rows])
    assert part.feature_names == full.feature_names
    weights = dict(zip(full.query_ids.tolist(), full.query_weight, strict=True))
    assert part.query_weight.tolist() == [weights[each] for each in part.query_ids.tolist()]
    kept = np.isin(full.pairs, rows).all(axis=1)
    np.testing.assert_array_equal(part.doc_id[part.pairs], full.doc_id[full.pairs[kept]])
    np.testing.assert_array_equal(part.pair_weight, full.pair_weight[kept])


def test_the_score_is_the_measure_of_the_ranker_that_decides():
    several = DATA.with_labels(np.column_stack([DATA.y, DATA.y.max() - DATA.y]))
    base = GBRanker(gbrank.objective("mse").on(1), n_estimators=4, measure="rr", measure_label=1, n_jobs=1)
    stacked = StackedRanker([("a", base)], final=base, cv=3).fit(several)
    expected = gbrank.evaluate(DATA.with_labels(several.y[:, 1]), stacked, "rr").mean("rr")
    assert stacked.score(several) == pytest.approx(expected, rel=1e-12)


FITTED = {
    "platt": CalibratedRanker(BASE, cv=3, values={0: 0, 1: 1.5, 2: 2, 3: 9, 4: 10}),
    "isotonic": CalibratedRanker(BASE, cv=2, method="isotonic", values=[0, 1, 2, 3, 5]),
    "beta": CalibratedRanker(GBRanker("ordinal", n_estimators=3, n_jobs=1, backend="xgboost"), cv=2, method="beta"),
    "softmax": CalibratedRanker(BASE, cv=2, method="softmax"),
    "default": CalibratedRanker(cv=2),
    "prefit": CalibratedRanker(clone(BASE).fit(DATA), cv="prefit"),
    "stacked": StackedRanker([("a", BASE), ("b/c", gbrank.LambdaMART(n_estimators=2))], cv=2, passthrough=True),
    "nested": StackedRanker([("a", CalibratedRanker(BASE, cv=2))], final=CalibratedRanker(BASE, cv=2), cv=2),
}


def told(ranker):
    """Parameters as text, of an objective given by name the value."""
    params = ranker.get_params()
    return {
        name: str(gbrank.objective(value)) if name.endswith("__objective") else repr(value)
        for name, value in params.items()
        if not hasattr(value, "get_params") and name != "rankers"
    }


@pytest.mark.parametrize("kind", FITTED)
def test_a_loaded_ranker_is_the_saved_one(kind, tmp_path):
    named = gbrank.RankingData(DATA.X, DATA.y, DATA.qid, feature_names=["a", "b b", "é", "/"])
    ranker = FITTED[kind] if kind == "prefit" else clone(FITTED[kind])
    train = DATA if kind == "prefit" else named
    ranker.fit(train).save(tmp_path / "it")
    loaded = gbrank.load(tmp_path / "it")
    assert type(loaded) is type(ranker)
    for method in ("predict", "predict_proba", "predict_choice", "score"):
        assert hasattr(loaded, method) == hasattr(ranker, method)
        if hasattr(ranker, method):
            np.testing.assert_array_equal(getattr(loaded, method)(train), getattr(ranker, method)(train))
    assert loaded.feature_names_ == ranker.feature_names_
    assert loaded.n_features_in_ == ranker.n_features_in_
    assert told(loaded) == told(ranker)
    if kind != "prefit":
        np.testing.assert_array_equal(clone(loaded).fit(train).predict(train), ranker.predict(train))
    loaded.save(tmp_path / "again")
    np.testing.assert_array_equal(gbrank.load(tmp_path / "again").predict(train), ranker.predict(train))


def test_every_damage_is_refused_or_without_effect(tmp_path):
    ranker = clone(FITTED["nested"]).fit(DATA)
    ranker.save(tmp_path / "it")
    content, want, chance, refused = (tmp_path / "it").read_bytes(), ranker.predict(DATA), random.Random(0), 0
    for trial in range(90):
        damaged = bytearray(content)
        if trial % 3 == 0:
            del damaged[chance.randrange(len(damaged)) :]
        else:
            damaged[chance.randrange(len(damaged))] ^= 1 << chance.randrange(8)
        (tmp_path / "damaged").write_bytes(damaged)
        try:
            loaded = gbrank.load(tmp_path / "damaged")
        except gbrank.DataError:
            refused += 1
        else:
            np.testing.assert_array_equal(loaded.predict(DATA), want)
    assert refused > 60


def test_members_are_no_code_and_may_not_change_places(tmp_path):
    clone(FITTED["stacked"]).fit(DATA).save(tmp_path / "it")
    with zipfile.ZipFile(tmp_path / "it") as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    assert {name.rpartition("/")[2].rpartition(".")[2] for name in members} == {"json", "txt", "npy"}
    one, other = "rankers/0/booster.txt", "rankers/1/booster.txt"
    members[one], members[other] = members[other], members[one]
    with zipfile.ZipFile(tmp_path / "swapped", "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    with pytest.raises(gbrank.DataError, match="checksum of rankers/"):
        gbrank.load(tmp_path / "swapped")


class Other(gbrank.rankers._ranks.RankerMixin):
    """A ranker of a user's own."""

    measure = "ndcg@10"
    n_features_in_ = 4

    def predict(self, X):
        return getattr(X, "X", X)[:, 0]


@pytest.mark.parametrize(
    ("ranker", "message"),
    [
        (CalibratedRanker(BASE, cv=gbrank.QueryKFold(2)), r"a file holds a number of folds only; set_params\(cv=5\)"),
        (CalibratedRanker(BASE, cv=LeaveOneGroupOut()), "a file holds a number of folds only"),
        (CalibratedRanker(Other(), cv="prefit"), "Other cannot be saved"),
    ],
)
def test_what_no_file_can_hold_is_refused_before_writing(ranker, message, tmp_path):
    ranker.fit(DATA.take(np.arange(8)))
    with pytest.raises(gbrank.ParameterError, match=message):
        ranker.save(tmp_path / "it")
    assert not (tmp_path / "it").exists()


@pytest.mark.parametrize("kind", KINDS)
def test_scores_to_start_from_are_refused(kind):
    """Curves, and the final ranker, would be fitted to scores that lack them."""
    data = gbrank.RankingData(X, Y, QID, init_score=3 * Y)
    with pytest.raises(gbrank.ParameterError, match=r"init_score: .* leave it out, or make it a feature"):
        clone(KINDS[kind]).fit(data)


def test_pipelines_take_steps_that_take_ranking_data():
    scaled = make_pipeline(StandardScaler(), BASE)
    for ranker in (CalibratedRanker(scaled, cv=3), StackedRanker([("scaled", scaled)], cv=3)):
        with pytest.raises(gbrank.ParameterError, match=r"step 'standardscaler' .* put such steps before the whole"):
            ranker.fit(DATA)
    within = make_pipeline(QueryNormalizer(), BASE)
    normal = QueryNormalizer().fit_transform(DATA)
    outside = CalibratedRanker(BASE, cv=3).fit(normal)
    inside = CalibratedRanker(within, cv=3).fit(DATA)
    np.testing.assert_array_equal(inside.predict_proba(DATA), outside.predict_proba(normal))
