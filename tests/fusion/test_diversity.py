"""MMR, determinantal point processes and rules, each place against a search of all that could stand there."""

import itertools
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gbrank
from gbrank.fusion import at_most, dpp, mmr

RNG = np.random.default_rng(0)
PTR = np.array([0, 6, 7, 12, 20])
N = PTR[-1]
SCORE, VECTORS = RNG.normal(size=N), RNG.normal(size=(N, 3))


def cosines(vectors):
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit = np.divide(vectors, length, out=np.zeros_like(vectors), where=length > 0)
    alike = unit @ unit.T
    np.fill_diagonal(alike, 1.0)
    return alike


def scaled(score):
    spread = np.ptp(score)
    return (score - score.min()) / spread if spread else np.zeros(len(score))


def greedy(score, value, places):
    """Ranks of a list whose places go to what `value`, given the chosen and the next, says is best."""
    by_score = sorted(range(len(score)), key=lambda i: -score[i])
    chosen = []
    while len(chosen) < min(places, len(score)):
        chosen.append(max((i for i in by_score if i not in chosen), key=lambda i: value(chosen, i)))
    chosen += [i for i in by_score if i not in chosen]
    return np.argsort(chosen) + 1


@pytest.mark.parametrize("trade_off", [0.0, 0.3, 0.5, 0.9, 1.0])
@pytest.mark.parametrize("k", [None, 3])
def test_mmr_place_by_place(trade_off, k):
    rank = mmr(SCORE, PTR, VECTORS, trade_off=trade_off, k=k)
    for a, b in itertools.pairwise(PTR):
        alike, worth = cosines(VECTORS[a:b]), scaled(SCORE[a:b])

        def value(chosen, i, alike=alike, worth=worth):
            return trade_off * worth[i] - (1 - trade_off) * max((alike[i, j] for j in chosen), default=0.0)

        np.testing.assert_array_equal(rank[a:b], greedy(SCORE[a:b], value, k or b - a))


def volume(alike, worth, chosen, trade_off, ridge=0.01):
    part = alike[np.ix_(chosen, chosen)] + ridge * np.eye(len(chosen))
    return trade_off * worth[chosen].sum() + (1 - trade_off) * np.linalg.slogdet(part)[1]


@pytest.mark.parametrize("trade_off", [0.0, 0.5, 0.9, 1.0])
@pytest.mark.parametrize("k", [None, 3])
def test_dpp_place_by_place(trade_off, k):
    rank = dpp(SCORE, PTR, VECTORS, trade_off=trade_off, k=k)
    for a, b in itertools.pairwise(PTR):
        alike, worth = cosines(VECTORS[a:b]), scaled(SCORE[a:b])

        def value(chosen, i, alike=alike, worth=worth):
            return volume(alike, worth, [*chosen, i], trade_off)

        np.testing.assert_array_equal(rank[a:b], greedy(SCORE[a:b], value, k or b - a))


def test_dpp_beside_the_best_of_all_sets():
    """Over 200 lists, the greedy set of three is mostly the best one, and never far from it."""
    rng, found = np.random.default_rng(1), []
    for _ in range(200):
        score, vectors = rng.normal(size=7), rng.normal(size=(7, 4))
        rank, alike, worth = dpp(score, [0, 7], vectors, trade_off=0.5, k=3), cosines(vectors), scaled(score)
        values = {chosen: volume(alike, worth, list(chosen), 0.5) for chosen in itertools.combinations(range(7), 3)}
        found.append(max(values.values()) - values[tuple(np.flatnonzero(rank <= 3))])
    assert min(found) > -1e-12
    assert np.mean(np.array(found) < 1e-12) > 0.7
    assert np.mean(found) < 0.05


def test_without_ridge_what_is_made_up_of_others_follows_by_score():
    vectors = [[1, 0], [1, 1], [2, 0], [0, 3], [1, -1]]
    assert dpp([5, 4, 3, 2, 1], [0, 5], vectors, ridge=0.0, trade_off=0.0).tolist() == [1, 3, 4, 2, 5]


@pytest.mark.parametrize("rank_again", [mmr, dpp])
def test_matrices_do_as_vectors(rank_again):
    kernel = [cosines(VECTORS[a:b]) for a, b in itertools.pairwise(PTR)]
    found = rank_again(SCORE, PTR, kernel=kernel, trade_off=0.5)
    np.testing.assert_array_equal(found, rank_again(SCORE, PTR, VECTORS, trade_off=0.5))


@pytest.mark.parametrize("rank_again", [mmr, dpp])
def test_scale_of_scores_and_vectors_and_threads_change_nothing(rank_again):
    rng = np.random.default_rng(2)
    ptr = np.arange(0, 4001, 40)
    score, vectors = rng.normal(size=4000), rng.normal(size=(4000, 5))
    rank = rank_again(score, ptr, vectors, trade_off=0.8, k=10, n_jobs=1)
    np.testing.assert_array_equal(rank_again(3 * score - 7, ptr, vectors, trade_off=0.8, k=10, n_jobs=2), rank)
    np.testing.assert_array_equal(rank_again(score, ptr, 5 * vectors, trade_off=0.8, k=10), rank)


@pytest.mark.parametrize("rank_again", [mmr, dpp])
def test_documents_without_a_vector_are_like_no_other(rank_again):
    """Three alike, two without: these come before the repetitions."""
    vectors = [[1.0, 2], [1, 2], [1, 2], [0, 0], [0, 0]]
    assert rank_again([5, 4, 3, 2, 1], [0, 5], vectors, trade_off=0.2).tolist() == [1, 4, 5, 2, 3]


def test_the_less_the_score_counts_the_more_diverse_is_the_top():
    rng = np.random.default_rng(3)
    ptr, vectors = np.arange(0, 1501, 30), rng.normal(size=(1500, 4))
    score = vectors[:, 0] + rng.normal(size=1500)
    for rank_again, shares in ((mmr, (1.0, 0.8, 0.5, 0.2)), (dpp, (1.0, 0.95, 0.8, 0.2))):
        ranks = [rank_again(score, ptr, vectors, trade_off=share) for share in shares]
        ild = [gbrank.measure("ild@5")(score, -rank, ptr, aspects=vectors).mean() for rank in ranks]
        top = [score[rank <= 5].mean() for rank in ranks]
        assert ild == sorted(ild)
        assert top == sorted(top, reverse=True)


@given(
    kinds=st.lists(st.integers(0, 2), min_size=1, max_size=7),
    n=st.integers(1, 3), k=st.integers(1, 8), seed=st.integers(0, 99),
)  # fmt: skip
@settings(max_examples=150, deadline=None)
def test_at_most_is_the_best_list_that_keeps_the_rule(kinds, n, k, seed):
    """Of all orders of the documents: the one that is first by what stands at place 1, then 2, ..."""
    score = np.random.default_rng(seed).permutation(len(kinds))
    kept = [
        order
        for order in itertools.permutations(sorted(range(len(kinds)), key=lambda i: -score[i]))
        if max(sum(kinds[i] == kind for i in order[:k]) for kind in kinds) <= n
    ]
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        rank = at_most(score, [0, len(kinds)], (kinds, n, k))
    assert bool(told) == (not kept)
    if kept:
        best = max(kept, key=lambda order: [score[i] for i in order])
        assert np.argsort(rank).tolist() == list(best)


def test_several_rules_and_kinds():
    """The first is of both kinds and takes from both; the rule of sources stands beside."""
    kinds = [[1, 1], [1, 0], [0, 1], [0, 0], [0, 0]]
    assert at_most([5, 4, 3, 2, 1], [0, 5], (kinds, 1, 3)).tolist() == [1, 4, 5, 2, 3]
    source = ["x", "y", "y", "x", "z"]
    assert at_most([5, 4, 3, 2, 1], [0, 5], (kinds, 1, 2), (source, 1, 2)).tolist() == [1, 3, 4, 5, 2]


def test_rules_that_cannot_be_kept_are_told():
    with pytest.warns(gbrank.GbrankWarning, match=r"1 of 2 queries \(the first is query 1\)"):
        rank = at_most([2, 1, 9, 8, 7], [0, 2, 5], (["a", "b", "c", "c", "c"], 1, 2))
    assert rank.tolist() == [1, 2, 1, 2, 3]


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda: mmr(SCORE, PTR, trade_off=1.0), "give one of them"),
        (lambda: mmr(SCORE, PTR, VECTORS, kernel=[], trade_off=1.0), "give one of them"),
        (lambda: mmr(SCORE, PTR, VECTORS, trade_off=1.5), "trade_off=1.5: must be from 0"),
        (lambda: mmr(SCORE, PTR, VECTORS, trade_off=0.5, k=0), "k=0"),
        (lambda: dpp(SCORE, PTR, VECTORS, trade_off=0.5, ridge=-1), "ridge=-1"),
        (lambda: mmr(SCORE, PTR, VECTORS[:5], trade_off=0.5), r"shape \(5, 3\) for 20 documents"),
        (lambda: mmr(SCORE, PTR, np.where(np.arange(3) == 1, np.inf, VECTORS), trade_off=0.5), "vectors"),
        (lambda: mmr(SCORE, [0, 5], VECTORS, trade_off=0.5), "query_ptr"),
        (lambda: mmr([np.nan], [0, 1], [[1.0]], trade_off=0.5), "score"),
        (lambda: mmr(SCORE, PTR, kernel=[np.eye(6)], trade_off=0.5), "1 matrices for 4 queries"),
        (lambda: mmr([1, 2], [0, 2], kernel=[np.eye(3)], trade_off=0.5), "query 0 has the shape"),
        (lambda: mmr([1, 2], [0, 2], kernel=[[[1, 0.5], [0.1, 1]]], trade_off=0.5), "query 0 is not symmetric"),
        (lambda: dpp([1, 2, 3], [0, 1, 3], kernel=[[[1]], [[1, 5], [5, 1]]], trade_off=0.5), "query 1 is not positive"),
        (lambda: dpp([1, 2], [0, 2], kernel=[[[-1, 0], [0, 1]]], trade_off=0.5), "query 0 is not positive"),
        (lambda: at_most(SCORE, PTR), "give at least one"),
        (lambda: at_most(SCORE, PTR, (PTR, 1)), r"number 0 is no \(kinds, n, k\)"),
        (lambda: at_most(SCORE, PTR, (np.arange(N), 0, 1)), "n of rule 0=0"),
        (lambda: at_most(SCORE, PTR, (np.arange(3), 1, 1)), r"shape \(3,\) for 20 documents"),
        (lambda: at_most(SCORE, PTR, (VECTORS, 1, 1)), "row 0, column 0"),
        (lambda: at_most([1, 2], [0, 2], ([np.nan, 1], 1, 1)), "row 0 is NaN"),
    ],
)
def test_refusals(call, match):
    with pytest.raises((gbrank.DataError, gbrank.ParameterError), match=match):
        call()
