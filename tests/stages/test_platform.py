"""The simulated platform draws its requests as the paper's appendix says, and hides the test from the training."""

import dataclasses

import numpy as np
import pytest

import gbrank
from gbrank.stages import RequestSizes, make_platform

SIZES = RequestSizes(100, 40, 40, 15, 15)


@pytest.fixture(scope="module")
def platform():
    return make_platform(25, 400, random_state=0, n_jobs=1)


def test_a_request_takes_the_ends_of_what_the_models_rank(platform):
    log = platform.requests(2, sizes=SIZES, random_state=1)
    assert log.n_requests == 50
    for q in range(log.n_requests):
        rows = slice(*log.request_ptr[q : q + 2])
        user, item, stage = log.request_ids[q] // 2, log.item[rows], log.stage[rows]
        assert platform.pool[user, item].all()
        assert [(stage == s).sum() for s in range(4)] == [0, 40, 15, 15]
        pre_rank, rank = platform.pre_rank_score[user], platform.rank_score[user]
        passed = item[stage >= 2]
        assert pre_rank[item[stage == 1]].max() <= pre_rank[passed].min()
        assert rank[item[stage == 2]].max() <= rank[item[stage == 3]].min()
        np.testing.assert_array_equal(log.feedback[rows][stage == 3], platform.feedback[user, item[stage == 3]])
        assert np.isnan(log.feedback[rows][stage < 3]).all()


def test_what_is_drawn_is_drawn_evenly(platform):
    few = RequestSizes(10, 2, 2, 1, 1)
    pool = np.zeros_like(platform.pool)
    pool[:, :40] = True
    count = np.zeros(40)
    for seed in range(40):
        log = platform.requests(5, sizes=RequestSizes(10, 9, 1, 8, 1), pool=pool, random_state=seed)
        count += np.bincount(log.item, minlength=40)
    expected = count.mean()  # all ten are logged, whatever their scores
    assert np.abs(count / expected - 1).max() < 5 * np.sqrt(1 / expected)
    assert platform.requests(1, sizes=few, random_state=3).item.tolist() == (
        platform.requests(1, sizes=few, random_state=3).item.tolist()
    )


def test_positives_of_the_test_are_in_no_later_request(platform):
    split = platform.split(3, sizes=SIZES, random_state=0)
    assert not (split.test & split.valid).any()
    user = split.user_of(np.repeat(split.train.request_ids, np.diff(split.train.request_ptr)))
    assert not (split.test | split.valid)[user, split.train.item].any()
    assert (split.test <= (platform.feedback & platform.pool)).all()
    one = platform.lists(split.test, users=[4])
    assert one.n_documents == platform.n_items
    np.testing.assert_array_equal(one.y, split.test[4])
    np.testing.assert_array_equal(one.X, platform.features(np.full(400, 4), np.arange(400)))


def test_a_ranker_of_its_features_takes_its_lists(platform):
    log = platform.requests(1, sizes=SIZES, random_state=0)
    ranker = gbrank.GBRanker("mse", n_estimators=3, n_jobs=1).fit(
        log.with_features(platform.features(log.request, log.item)).to_data()
    )
    scores = ranker.predict(platform.lists(platform.feedback))
    np.testing.assert_array_equal(scores.astype(np.float32).reshape(25, 400), platform.score(ranker))


def test_interests_follow_the_paper():
    """Exposed items are liked about 64 % of the time, and neighbouring stages differ by less than a factor of 2."""
    platform = make_platform(40, 5000, random_state=1, n_jobs=1)
    log = platform.requests(random_state=0)
    user = np.repeat(log.request_ids, np.diff(log.request_ptr))
    means = [platform.interest[user, log.item][log.stage == stage].mean() for stage in (1, 2, 3)]
    assert 0.57 < np.nanmean(log.feedback) < 0.71
    assert 1 < means[1] / means[0] < 2
    assert 1 < means[2] / means[1] < 2
    drawn = platform.feedback.mean()
    assert drawn == pytest.approx(platform.interest.mean(), abs=0.005)
    biased = (platform.interest * platform.pool).sum() / platform.pool.sum()
    assert biased != pytest.approx(platform.interest.mean(), abs=1e-4)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda p: RequestSizes(100, 60, 50), "candidates=100"),
        (lambda p: RequestSizes(100, 20, 20, 15, 15), "pre_ranked=20"),
        (lambda p: p.requests(), "has .* in the pool"),
        (lambda p: make_platform(1), "n_users=1"),
        (lambda p: make_platform(density=1.5), "density=1.5"),
    ],
)
def test_what_is_refused(platform, call, words):
    with pytest.raises(gbrank.ParameterError, match=words):
        call(platform)


def test_a_part_without_positives_is_told(platform):
    nobody = dataclasses.replace(platform, feedback=np.zeros_like(platform.feedback))
    with pytest.raises(gbrank.ParameterError, match="no user liked what the test request exposed"):
        nobody.split(2, sizes=SIZES, random_state=0)
    feedback = platform.feedback.copy()
    feedback[3] = False
    most = dataclasses.replace(platform, feedback=feedback)
    with pytest.warns(
        gbrank.GbrankWarning, match=r"split: 1 of \d+ users \(the first is user 3\) liked nothing of what the"
    ):
        assert not most.split(2, sizes=SIZES, random_state=0).test[3].any()
