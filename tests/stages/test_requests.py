"""Training requests sampled from logs: sizes, exact probabilities, and independence of the number of threads."""

import itertools
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chisquare

from gbrank import DataError, ParameterError
from gbrank.stages import StageLog, add_candidates, sample_requests

NAN = float("nan")


def random_log(rng, n_stages, n=300, n_requests=12):
    stage = rng.integers(0, n_stages + 1, n)
    feedback = np.where(stage == n_stages, rng.integers(0, 2, n), NAN)
    return StageLog(rng.integers(0, n_requests, n), np.arange(n), stage, feedback, n_stages=n_stages)


def alike(n, stage, feedback):
    """Return a log of n requests that have the same items."""
    k = len(stage)
    return StageLog(
        np.repeat(np.arange(n), k), np.tile(np.arange(k), n), np.tile(stage, n), np.tile(feedback, n),
        n_stages=max(stage),
    )  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_sizes(data):
    rng = np.random.default_rng(data.draw(st.integers(0, 10_000)))
    n_stages = data.draw(st.integers(1, 4))
    log = random_log(rng, n_stages)
    counts = [data.draw(st.one_of(st.none(), st.integers(1, 8))) for _ in range(n_stages + 1)]
    positives = data.draw(st.one_of(st.none(), st.integers(1, 3)))
    found = sample_requests(log, counts, positives=positives, random_state=rng)
    for q, request in enumerate(log.request_ids.tolist()):
        whole, part = log.take([q]), found.rows(found.request == request)
        assert set(part.item.tolist()) <= set(whole.item.tolist())
        assert len(set(part.item.tolist())) == len(part)
        assert (np.diff(part.item) > 0).all()  # the order of the log
        for stage, count in enumerate(counts):
            there = ((whole.stage == stage) & ~whole.positive).sum()
            assert ((part.stage == stage) & ~part.positive).sum() == (there if count is None else min(there, count))
        there = whole.positive.sum()
        assert part.positive.sum() == (there if positives is None else min(there, positives))


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_a_list_for_each_positive(data):
    rng = np.random.default_rng(data.draw(st.integers(0, 10_000)))
    n_stages = data.draw(st.integers(1, 4))
    log = random_log(rng, n_stages)
    counts = rng.integers(0, 4, n_stages + 1).tolist()
    lists = sample_requests(log, counts, per="positive", random_state=rng)
    assert lists.n_requests == log.positive.sum()
    assert sorted(lists.item[lists.positive].tolist()) == sorted(log.item[log.positive].tolist())
    for q, name in enumerate(lists.request_ids.tolist()):
        whole, part = log.rows(log.request == int(name.partition("#")[0])), lists.take([q])
        assert part.positive.sum() == 1
        assert set(part.item.tolist()) <= set(whole.item.tolist())
        assert len(set(part.item.tolist())) == len(part)
        for stage, count in enumerate(counts):
            there = ((whole.stage == stage) & ~whole.positive).sum()
            assert ((part.stage == stage) & ~part.positive).sum() == min(there, count)


def test_all_subsets_are_equally_likely():
    n = 6000
    log = alike(n, [0, 0, 1, 0, 0, 2, 0], [NAN] * 5 + [1, NAN])
    found = sample_requests(log, (2, 1, 0), random_state=0)
    kept = found.item[found.stage == 0].reshape(n, 2)
    counts = Counter(map(tuple, kept.tolist()))
    cells = list(itertools.combinations([0, 1, 3, 4, 6], 2))
    assert set(counts) == set(cells)
    assert chisquare([counts[cell] for cell in cells]).pvalue > 1e-4


def test_the_lists_of_two_positives_are_independent():
    n = 9000
    log = alike(n, [0, 0, 0, 1, 1], [NAN] * 3 + [1, 1])
    lists = sample_requests(log, (1, 0), per="positive", random_state=1)
    drawn = lists.item[lists.stage == 0].reshape(n, 2)
    counts = np.bincount(drawn[:, 0] * 3 + drawn[:, 1], minlength=9)
    assert chisquare(counts).pvalue > 1e-4


@pytest.mark.parametrize("per", ["request", "positive"])
def test_threads_change_nothing_and_seeds_do(per):
    log = random_log(np.random.default_rng(0), 3, n=8000, n_requests=90)

    def drawn(seed, n_jobs):
        return sample_requests(log, (3, 2, 1, 1), per=per, random_state=seed, n_jobs=n_jobs)

    one = drawn(1, 1)
    for n_jobs in (2, 5):
        more = drawn(1, n_jobs)
        assert one.order.tolist() == more.order.tolist()
        assert one.request.tolist() == more.request.tolist()
    assert one.order.tolist() != drawn(2, 1).order.tolist()


def test_candidates_of_the_whole_pool():
    log = random_log(np.random.default_rng(3), 2, n=40, n_requests=5)
    more = add_candidates(log, np.arange(1000), 7, random_state=0)
    assert more.request_ids.tolist() == log.request_ids.tolist()
    for q in range(5):
        had, has = log.take([q]), more.take([q])
        assert len(has) == len(had) + 7
        assert len(set(has.item.tolist())) == len(has)
        new = ~np.isin(has.item, had.item)
        assert has.stage[new].tolist() == [0] * 7
        assert np.isnan(has.feedback[new]).all()
    with pytest.raises(DataError, match="the log has features"):
        add_candidates(log.with_features(np.zeros((40, 1))), np.arange(1000), 7)


def test_bad_input_is_refused():
    log = alike(3, [0, 1, 2, 2], [NAN, NAN, 0, 1])
    for counts, kind, message in (
        ((1, 1), ParameterError, r"2 numbers for 2 stages; give 3"),
        ((1, -1, 1), ParameterError, r"counts\[1\]=-1"),
        ((1, 1.5, 1), ParameterError, r"counts\[1\]=1\.5"),
        (3, ParameterError, r"counts=3: give 3 numbers, for stage 0 to 2"),
    ):
        with pytest.raises(kind, match=message):
            sample_requests(log, counts)
    with pytest.raises(ParameterError, match="positives: each has a list of its own"):
        sample_requests(log, (1, 1, 1), positives=1, per="positive")
    with pytest.raises(
        DataError, match=r"2 of stage 0 are wanted, but the log has none; add some with `add_candidates`"
    ):
        sample_requests(log.rows(log.stage > 0), (2, 1, 1))
    with pytest.raises(DataError, match="no row is left"):
        sample_requests(log.rows(log.stage < 2), (1, 1, 0), per="positive")
