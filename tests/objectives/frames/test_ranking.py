"""The order of documents while training: stable sorts, and the options that steady it."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gbrank
from gbrank.objectives._frames.ranking import Ranking, RankOptions, rank

PTR = np.array([0, 25, 60, 61])
ENGINES = ["numpy", "compiled"]


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from([-1.5, -1.0, 0.0, 0.25, 2.0]), min_size=1, max_size=80), st.randoms())
def test_rank_is_a_stable_sort_from_any_first_guess(scores, random):
    score = np.array(scores)
    n = len(score)
    guess = list(range(n))
    random.shuffle(guess)
    row = np.array(guess)
    rank(row, score, np.empty(0), np.empty(n), np.empty(n), np.empty(n, np.int64))
    assert row.tolist() == np.argsort(-score, kind="stable").tolist()


def rows_after(options, scores, engine):
    ranking = Ranking(PTR, options, engine, 1)
    seen = []
    for number, score in enumerate(scores):
        ranking.update(score, number)
        seen.append(ranking.rows.copy())
    return seen, ranking


def tied_scores(n_rounds=4):
    return [np.round(np.random.default_rng(i).normal(size=61)) for i in range(n_rounds)]


@pytest.mark.parametrize(
    "options",
    [RankOptions(), RankOptions(ties="shuffled", seed=3), RankOptions(2, 0.6, "shuffled"), RankOptions(3, 0.5)],
)
def test_both_engines_rank_alike(options):
    (a, one), (b, two) = (rows_after(options, tied_scores(), engine) for engine in ENGINES)
    assert [rows.tolist() for rows in a] == [rows.tolist() for rows in b]
    np.testing.assert_array_equal(one.smooth_discount, two.smooth_discount)


@pytest.mark.parametrize("engine", ENGINES)
def test_ranks_stay_between_rankings(engine):
    seen, _ = rows_after(RankOptions(every=2), tied_scores(), engine)
    assert seen[0].tolist() == seen[1].tolist() != seen[2].tolist() == seen[3].tolist()


@pytest.mark.parametrize("engine", ENGINES)
def test_shuffled_ties_keep_the_order_of_scores_and_change_with_the_round(engine):
    score = tied_scores(1)[0]
    seen, _ = rows_after(RankOptions(ties="shuffled", seed=1), [score, score, score], engine)
    assert len({tuple(rows.tolist()) for rows in seen}) == 3
    for rows in seen:
        for a, b in itertools.pairwise(PTR):
            assert sorted(rows[a:b]) == list(range(a, b))
            assert (np.diff(score[rows[a:b]]) <= 0).all()
    again, _ = rows_after(RankOptions(ties="shuffled", seed=1), [score], engine)
    assert again[0].tolist() == seen[0].tolist()


def test_shuffled_ties_favour_no_row():
    score, first = np.zeros(61), []
    for seed in range(400):
        seen, _ = rows_after(RankOptions(ties="shuffled", seed=seed), [score], "compiled")
        first.append(seen[0][0])
    counts = np.bincount(first, minlength=25)
    assert counts.min() > 3
    assert counts.max() < 35


@pytest.mark.parametrize("engine", ENGINES)
def test_smoothed_ranks_are_the_average_and_a_repeated_round_counts_once(engine):
    scores = [np.random.default_rng(i).normal(size=61) for i in range(3)]
    _, ranking = rows_after(RankOptions(smoothing=0.75), scores, engine)
    ranking.update(scores[2], 2)
    want = None
    for score in scores:
        now = np.concatenate([1 + np.argsort(np.argsort(-score[a:b])) for a, b in itertools.pairwise(PTR)])
        want = now if want is None else 0.75 * want + 0.25 * now
    np.testing.assert_allclose(ranking.smoothed, want)
    np.testing.assert_allclose(ranking.smooth_discount, 1 / np.log2(1 + want[ranking.rows]))
    assert (np.diff(want[ranking.rows][:25]) >= 0).all()


@pytest.mark.parametrize("options", [{"every": 0}, {"smoothing": 1.0}, {"smoothing": -0.1}, {"ties": "random"}])
def test_options_out_of_range_are_refused(options):
    with pytest.raises(gbrank.ParameterError, match=r"rerank_every|rank_smoothing|ties"):
        RankOptions(**options)
