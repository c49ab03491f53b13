"""Relabelling: equation 9, row by row."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gbrank import DataError, GBRanker, ParameterError, make_letor
from gbrank.stages import StageLog, relabel, stage_labels

NAN = float("nan")


def log_of(rng, n_stages, top=1, n=40):
    stage = rng.integers(0, n_stages + 1, n)
    feedback = np.where(stage == n_stages, rng.integers(0, top + 1, n), NAN)
    request = rng.integers(0, 6, n)
    X = rng.random((n, 3), dtype=np.float32)
    return StageLog(request, np.arange(n), stage, feedback, X, n_stages=n_stages, top_feedback=top)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 6))
def test_equation_9(seed, n_stages):
    rng = np.random.default_rng(seed)
    log = log_of(rng, n_stages)
    z = np.cumsum(rng.integers(0, 3, n_stages + 2)).tolist()
    j = int(rng.integers(0, log.stage.max() + 1))
    expected = {}
    for request, item, stage, feedback in zip(log.request, log.item, log.stage, log.feedback, strict=True):
        if stage >= j:
            label = z[n_stages + 1] if stage == n_stages and feedback == 1 else z[stage]
            expected[int(request), str(item)] = label
    data = relabel(log, z, from_stage=j)
    found = {(int(q), d): y for q, d, y in zip(data.qid, data.doc_id, data.y, strict=True)}
    assert found == expected
    by_item = {str(i): row.tolist() for i, row in zip(log.item, log.features, strict=True)}
    assert all(by_item[d] == x.tolist() for d, x in zip(data.doc_id, data.X, strict=True))


def test_the_default_is_the_stage_number():
    rng = np.random.default_rng(0)
    log = log_of(rng, 4)
    assert stage_labels(log).tolist() == stage_labels(log, (0, 1, 2, 3, 4, 5)).tolist()


def test_graded_feedback_lies_between_the_two_highest_labels_in_its_own_order():
    log = log_of(np.random.default_rng(1), 2, top=4, n=200)
    labels = stage_labels(log, (0, 1, 2, 6))
    shown = log.exposed
    np.testing.assert_allclose(labels[shown], 2 + log.feedback[shown])
    assert stage_labels(log)[shown].max() <= 3
    some = log.take([int(np.argmin(log.request_sizes))])
    mine = np.isin(log.item, some.item)
    assert stage_labels(some).tolist() == stage_labels(log)[mine].tolist()  # the scale is the log's, not the part's


def test_forced_exposures_have_the_label_of_their_stage():
    log = StageLog([1, 1, 1], [1, 2, 3], [0, 1, 2], [1, NAN, 0], n_stages=2, forced=[1, 0, 0])
    assert stage_labels(log).tolist() == [0, 1, 2]


def test_a_ranker_learns_from_it():
    log = log_of(np.random.default_rng(2), 3, n=400)
    X = np.column_stack([stage_labels(log), np.zeros(log.n_rows)])
    data = relabel(log.with_features(X))
    ranker = GBRanker("lambdarank", n_estimators=10, n_jobs=1).fit(data)
    assert ranker.score(data) > 0.95


@pytest.mark.parametrize(
    ("z", "message"),
    [
        (3, "1 labels for 2 stages; give 4"),
        ((0, 1, 2), r"3 labels for 2 stages; give 4"),
        ((0, 2, 1, 3), r"falls from z_1 = 2 to z_2 = 1"),
        ((-1, 0, 1, 2), r"0 or more"),
        ((0, 1, 2, NAN), r"finite"),
    ],
)
def test_bad_labels_are_refused(z, message):
    with pytest.raises(ParameterError, match=message):
        relabel(log_of(np.random.default_rng(0), 2), z)


@pytest.mark.parametrize("j", [-1, 3, 1.5, True])
def test_a_stage_outside_the_cascade_is_refused(j):
    with pytest.raises(ParameterError, match="from_stage="):
        relabel(log_of(np.random.default_rng(0), 2), from_stage=j)


def test_only_logs_are_relabelled():
    with pytest.raises(DataError, match="log: a RankingData is no StageLog"):
        relabel(make_letor(3))


def test_nothing_reached_the_stage():
    log = StageLog([1, 1], [1, 2], [0, 1], [NAN, NAN], [[1.0], [2.0]], n_stages=2)
    with pytest.raises(DataError, match="no row of the log reached it; the highest is 1"):
        relabel(log, from_stage=2)
