"""Several measures at once, documents without a place or a judgment, and sampled ties."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gbrank import DataError, measure
from gbrank.metrics import all_values
from gbrank.metrics._definitions import MEASURES

MANY = (
    *(
        "ndcg@10",
        "ndcg",
        "ndcg@3(gain=linear)",
        "dcg@10",
        "ap",
        "ap@5",
        "rr",
        "p@10",
        "r@10",
        "hit@10",
        "err@10",
        "rbp",
    ),
    *("auc", "f@10", "rprec", "bpref", "infap(tie_samples=3)", "q", "q@4", "tau", "tau_ap", "pairs", "judged@4"),
    *("ndcg@5(ties=stable)", "ap(ties=worst)", "ndcg(ties=worst)", "rr(ties=reversed)", "p@3(preset=trec)"),
    *("ap(unjudged=removed)", "ndcg@2(unjudged=removed)", "auc(unjudged=removed)", "err(ties=sampled, tie_samples=2)"),
    *("alpha_ndcg@5", "strec@2", "ild@3"),
)


@st.composite
def data(draw):
    """Labels with unjudged ones, scores with ties and -inf, query_ptr, aspects, and a generator."""
    sizes = draw(st.lists(st.integers(1, 30), min_size=1, max_size=6))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n = sum(sizes)
    y = rng.integers(draw(st.sampled_from([-2, 0])), 4, n).astype(float)
    score = rng.integers(0, draw(st.sampled_from([1, 4, 1000])), n).astype(float)
    score[rng.random(n) < draw(st.sampled_from([0, 0.3, 0.9]))] = -np.inf
    return y, score, np.concatenate(([0], np.cumsum(sizes))), rng.integers(0, 2, (n, 3)), rng


@given(given=data())
@settings(max_examples=60, deadline=None)
def test_at_once_is_one_by_one(given):
    y, score, query_ptr, aspects, _ = given
    together = all_values(MANY, y, score, query_ptr, aspects=aspects, n_jobs=1)
    for column, name in enumerate(MANY):
        alone = measure(name)(y, score, query_ptr, aspects=aspects, n_jobs=1)
        np.testing.assert_array_equal(together[:, column], alone, err_msg=name)


@given(given=data(), name=st.sampled_from(MANY))
@settings(max_examples=200, deadline=None)
def test_what_must_not_change_a_value(given, name):
    y, score, query_ptr, aspects, rng = given
    m = measure(name)
    values = m(y, score, query_ptr, aspects=aspects)
    np.testing.assert_array_equal(m(y, score * 3 - 1000, query_ptr, aspects=aspects), values)
    order = rng.permutation(len(values))
    rows = np.concatenate([np.arange(query_ptr[q], query_ptr[q + 1]) for q in order])
    moved_ptr = np.concatenate(([0], np.cumsum(np.diff(query_ptr)[order])))
    by_id = {"doc_id": np.array([f"d{i}" for i in range(len(y))])} if "trec" in name else {}
    moved_id = {"doc_id": by_id["doc_id"][rows]} if by_id else {}
    if by_id:
        values = m(y, score, query_ptr, aspects=aspects, **by_id)
    np.testing.assert_array_equal(m(y[rows], score[rows], moved_ptr, aspects=aspects[rows], **moved_id), values[order])
    if m.ties in ("expected", "worst", "trec"):
        rows = np.concatenate([rng.permutation(np.arange(a, b)) for a, b in itertools.pairwise(query_ptr)])
        moved_id = {"doc_id": by_id["doc_id"][rows]} if by_id else {}
        got = m(y[rows], score[rows], query_ptr, aspects=aspects[rows], **moved_id)
        np.testing.assert_allclose(got, values, rtol=1e-12, atol=1e-15)
    finite = values[~np.isnan(values)]
    assert np.all(finite <= 1 + 1e-12) or name.startswith("dcg")
    assert np.all(finite >= (-1 - 1e-12 if name.startswith(("tau", "ild")) else 0))


# -- documents that were not retrieved --

NEVER_LISTED = ("ndcg@3", "ap", "rr", "p@2", "r@3", "f@2", "hit@2", "rprec", "err", "rbp", "bpref", "infap", "q")


@pytest.mark.parametrize("name", NEVER_LISTED)
def test_what_was_not_retrieved_stands_below_all_cutoffs(name):
    """With more documents of no relevance below the list, no measure of ranks sees what follows them."""
    labels, scores = [0, 2, 1, 0, 2, 1, 1], [0.9, 0.8, 0.7, 0.6, -np.inf, -np.inf, 0.5]
    far = [*(s if s > -np.inf else -9.0 for s in scores), *np.linspace(-8, -1, 100_000)]
    got = measure(name)(labels, scores, [0, 7])[0]
    beyond = measure(name)(labels + [-2] * 100_000, far, [0, 100_007])[0]
    assert got == pytest.approx(beyond, abs=1e-4)
    assert got > 0


def test_not_retrieved_by_arithmetic():
    y, score = [1, 0, 1, 1], [2.0, 1.0, -np.inf, -np.inf]
    for name, value in {
        "r@5": 1 / 3, "p@4": 1 / 4, "ap": 1 / 3, "rprec": 1 / 3, "f@4": 2 / 7, "hit@1": 1, "judged": 1, "judged@1": 1,
        "auc": (1 + 0 + 0) / 3, "bpref": 1 / 3, "tau": -1 / 15**0.5,
    }.items():  # fmt: skip
        assert measure(name)(y, score, [0, 4])[0] == pytest.approx(value), name


def test_a_query_of_which_nothing_was_retrieved():
    y, score, query_ptr = [1, 0, 1, 0, 0, 1], [1, 0, *[-np.inf] * 4], [0, 2, 4, 5, 6]
    for name in ("ndcg@10", "ap", "auc", "p@1", "tau", "pairs"):
        expected = [1, 0, np.nan, 0] if name not in ("auc", "tau", "pairs") else None
        zero = measure(name)(y, score, query_ptr)
        skip = measure(name, missing_queries="skip")(y, score, query_ptr)
        assert zero[1] == 0
        assert np.isnan(skip[1])
        assert zero[0] == skip[0] == 1
        if expected:
            np.testing.assert_array_equal(zero, expected)
    assert measure("ild")(y, score, query_ptr, aspects=np.eye(6))[1] == 0
    np.testing.assert_array_equal(measure("ap", no_relevant=1)(y, score, query_ptr), [1, 0, 1, 0])


def test_scores_may_be_minus_infinity_alone():
    for bad in (np.inf, np.nan):
        with pytest.raises(DataError, match=f"score: row 2 is {bad}"):
            measure("ap")([1, 0, 0], [-np.inf, 1, bad], [0, 3])
    with pytest.raises(DataError, match="score: 2 values for 3"):
        measure("ap")([1, 0, 0], [-np.inf, 1], [0, 3])


# -- documents that were not judged --


def test_unjudged_documents():
    y, score = [-1, 2, -2, 1], [4.0, 3.0, 2.0, 1.0]
    for name in ("ndcg@2", "ap", "rr", "p@2", "err", "auc", "q", "pairs", "tau"):
        kept = measure(name)(y, score, [0, 4])
        removed = measure(name, unjudged="removed")(y, score, [0, 4])
        np.testing.assert_allclose(kept, measure(name)([0, 2, 0, 1], score, [0, 4]))
        np.testing.assert_allclose(removed, measure(name)([2, 1], [3.0, 1.0], [0, 2]))
        with pytest.raises(DataError, match=r"y: row 0 is -1, which means unjudged"):
            measure(name, unjudged="refuse")(y, score, [0, 4])
    for relevant_from in (0, -5):  # never relevant, however low the threshold
        assert measure("p@4", relevant_from=relevant_from)(y, score, [0, 4]) == 0.5


def test_unjudged_documents_need_no_gain_and_errors_name_the_row():
    assert measure("dcg", gain={1: 1, 2: 3})([-1, 2], [2, 1], [0, 2])[0] == pytest.approx(3 / np.log2(3))
    assert measure("dcg", gain={0: 5, 2: 3})([-1, 2], [2, 1], [0, 2])[0] == pytest.approx(3 / np.log2(3))
    with pytest.raises(DataError, match=r"label 0\.5 in row 2"):
        measure("ndcg")([-1, 2, 0.5], [3, 2, 1], [0, 3])
    assert np.isnan(measure("ndcg")([-1, -2], [2, 1], [0, 2])[0])


def test_single_documents():
    y, score, query_ptr = [1, 1, 0], [1, 1, 0], [0, 1, 3]
    assert measure("ap")(y, score, query_ptr).tolist() == [1, 1]
    np.testing.assert_array_equal(measure("ap", single_document="skip")(y, score, query_ptr), [np.nan, 1])
    with pytest.raises(DataError, match=r"query 0 has one document, which ap\(single_document=refuse\) refuses"):
        measure("ap", single_document="refuse")(y, score, query_ptr)


def test_means():
    m = measure("gauc")
    assert str(m) == "auc(average=documents)"
    y, score, query_ptr = [1, 0, 0, 1, 0, 0], [1, 2, 0, 1, 0, 0], [0, 3, 5, 6]
    values = m(y, score, query_ptr)
    np.testing.assert_array_equal(values, [0.5, 1, np.nan])
    assert m.mean(values, query_ptr) == pytest.approx((3 * 0.5 + 2 * 1) / 5)
    assert measure("auc").mean(values, query_ptr) == 0.75
    assert np.isnan(m.mean([np.nan], [0, 3]))
    for bad in ([0.5], [0.5, np.inf, 1]):
        with pytest.raises(DataError, match="values"):
            m.mean(bad, query_ptr)


# -- sampled ties --


@pytest.mark.parametrize("name", ["infap", "ap(ties=sampled)", "ndcg@3(ties=sampled)", "auc(ties=sampled)"])
def test_sampled_ties_depend_on_seed_and_place_alone(name):
    rng = np.random.default_rng(0)
    y, score = rng.integers(0, 2, 40).astype(float), rng.integers(0, 4, 40).astype(float)
    one, other = (measure(name, tie_seed=seed, tie_samples=5) for seed in (0, 1))
    alone = one(y, score, [0, 40])[0]
    assert alone == one(y, score, [0, 40])[0]
    assert alone != other(y, score, [0, 40])[0]
    assert alone != measure(name, tie_samples=6)(y, score, [0, 40])[0]
    among = one(np.tile(y, 3), np.concatenate([score, rng.random(40), score]), [0, 40, 80, 120])
    assert among[0] == among[2] == alone
    untied = np.arange(40.0)
    assert one(y, untied, [0, 40]) == other(y, untied, [0, 40]) == measure(one, ties="stable")(y, untied, [0, 40])


def test_every_shuffle_is_as_likely_as_another():
    first = measure("rr@1", ties="sampled", tie_samples=6000)
    share = [first(np.eye(6)[row], np.zeros(6), [0, 6])[0] for row in range(6)]
    assert sum(share) == pytest.approx(1)
    np.testing.assert_allclose(share, 1 / 6, atol=5 * (5 / 36 / 6000) ** 0.5)


def test_all_measures_are_tried_here():
    assert {measure(name).name for name in MANY} == {name for name in MEASURES if MEASURES[name].own is None} - {
        "novelty"
    }
