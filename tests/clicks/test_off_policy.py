"""Estimators from the sessions of other rankings: expectations by enumeration of every session that can happen."""

import itertools

import numpy as np
import pytest

from gbrank.clicks._off_policy import (
    Shown,
    clicks_by_rank,
    effective_number,
    mean_exposure,
    normalised,
    session_shares,
    session_values,
)

ATTRACTION = np.array([0.8, 0.3, 0.6])
WEIGHT = np.array([0.5, 1.0, 0.63])  # the new ranking: document 1, then 2, then 0
ALPHA, BETA = np.array([0.9, 0.5, 0.2]), np.array([0.05, 0.1, 0.15])
LOGGING = dict(zip(itertools.permutations(range(3)), [0.4, 0.05, 0.25, 0.1, 0.15, 0.05], strict=True))


def outcomes(cut, alpha=ALPHA, beta=BETA):
    """Yield every session of the logging policy cut at a rank, documents and clicks, with its probability."""
    for order, chance in LOGGING.items():
        shown = np.array(order[:cut])
        click = alpha[:cut] * ATTRACTION[shown] + beta[:cut]
        for pattern in itertools.product((0.0, 1.0), repeat=cut):
            yield shown, np.array(pattern), chance * np.prod(np.where(pattern, click, 1 - click))


def as_shown(sessions):
    documents, clicks = zip(*sessions, strict=True)
    sizes = [len(each) for each in documents]
    return Shown(
        session=np.repeat(np.arange(len(sizes)), sizes),
        candidate=np.concatenate(documents),
        rank=np.concatenate([np.arange(1, size + 1) for size in sizes]),
        click=np.concatenate(clicks),
        session_query=np.zeros(len(sizes), np.int64),
        candidate_query=np.zeros(3, np.int64),
        new_rank=np.array([3, 1, 2]),
    )


def every_session(cut):
    """Return each possible session once, its probability, and the exposures of the logging policy."""
    each = list(outcomes(cut))
    exposure = np.zeros(3)
    for order, chance in LOGGING.items():
        exposure[list(order[:cut])] += chance * ALPHA[:cut]
    return as_shown([(d, c) for d, c, _ in each]), np.array([p for *_, p in each]), exposure


def expected(cut, *, exposure=None, by_rank=False, alpha=ALPHA, **options):
    shown, chance, true = every_session(cut)
    row_alpha = alpha[shown.rank - 1]
    rho = row_alpha if by_rank else (true if exposure is None else exposure)[shown.candidate]
    residual = shown.click - BETA[shown.rank - 1]
    return chance @ session_values(shown, WEIGHT, row_alpha, residual, rho, **options)


TRUE = WEIGHT @ ATTRACTION


def test_propensity_scoring_is_unbiased():
    assert expected(3, by_rank=True) == pytest.approx(TRUE, abs=1e-12)
    assert expected(2) == pytest.approx(TRUE, abs=1e-12)  # policy-aware: not all are shown
    assert expected(1) == pytest.approx(TRUE, abs=1e-12)
    assert expected(2, by_rank=True) < TRUE - 0.1  # selection


def test_wrong_propensities_are_biased_in_the_direction_of_the_error():
    assert expected(3, by_rank=True, alpha=ALPHA / 2) == pytest.approx(2 * TRUE, abs=1e-12)
    assert abs(expected(3, by_rank=True, alpha=np.array([0.9, 0.9, 0.9])) - TRUE) > 0.3


def test_doubly_robust_is_right_if_either_part_is():
    wrong_guess, wrong_exposure = np.array([0.1, 0.9, 0.0]), np.array([0.2, 0.6, 0.4])
    assert expected(2, guess=wrong_guess) == pytest.approx(TRUE, abs=1e-12)
    assert expected(2, guess=ATTRACTION, exposure=wrong_exposure) == pytest.approx(TRUE, abs=1e-12)
    assert expected(2, guess=ATTRACTION, clip=0.7) == pytest.approx(TRUE, abs=1e-12)
    assert abs(expected(2, guess=wrong_guess, exposure=wrong_exposure) - TRUE) > 0.05


@pytest.mark.parametrize("clip", [0.3, 0.6, 1.0])
def test_clipping_takes_off_what_it_says(clip):
    *_, exposure = every_session(2)
    lost = WEIGHT @ (ATTRACTION * (1 - exposure / np.maximum(exposure, clip)))
    assert expected(2, clip=clip) == pytest.approx(TRUE - lost, abs=1e-12)
    assert lost > 0


def test_shares_have_expectation_one_and_the_normalised_mean_is_the_ratio():
    shown, chance, exposure = every_session(2)
    alpha = ALPHA[shown.rank - 1]
    shares = session_shares(shown, WEIGHT, alpha, exposure[shown.candidate])
    assert chance @ shares == pytest.approx(1, abs=1e-12)
    values = np.random.default_rng(0).random(len(shares))
    found, ratio = normalised(values, shares), values.mean() / shares.mean()
    assert found.mean() == pytest.approx(ratio, abs=1e-12)
    counts = np.ones(len(shares))
    counts[3] += 1e-6  # one session a little more often
    change = (counts @ values / (counts @ shares) - ratio) * len(shares) / 1e-6
    assert change == pytest.approx(found[3] - ratio, rel=1e-4)


@pytest.mark.parametrize("cut", [1, 2])
def test_pooled_exposures_are_unbiased_for_what_was_shown(cut):
    """Over all logs of two sessions: the exposures are those of the log, and documents that it lacks bring nothing."""
    total, due = 0.0, 0.0
    each = list(outcomes(cut))
    for (d1, c1, p1), (d2, c2, p2) in itertools.product(each, each):
        shown = as_shown([(d1, c1), (d2, c2)])
        alpha = ALPHA[shown.rank - 1]
        residual = shown.click - BETA[shown.rank - 1]
        found = session_values(shown, WEIGHT, alpha, residual, mean_exposure(shown, alpha), pooled=True)
        total += p1 * p2 * found.mean()
        due += p1 * p2 * (WEIGHT @ np.where(shown.seen, ATTRACTION, 0.0))
    assert total == pytest.approx(due, abs=1e-12)


def test_pooled_estimates_do_not_know_a_guess_where_all_was_shown():
    shown, *_ = every_session(3)
    alpha = ALPHA[shown.rank - 1]
    values = [
        session_values(shown, WEIGHT, alpha, shown.click, mean_exposure(shown, alpha), pooled=True, guess=guess).mean()
        for guess in (None, np.array([0.9, 0.1, 0.4]))
    ]
    assert values[0] == pytest.approx(values[1], abs=1e-12)


def test_the_influence_of_a_session_is_the_derivative_of_the_estimate():
    """A session that counts 1 + h times changes the estimate by h times its influence, to first order."""
    rng = np.random.default_rng(3)
    each = list(outcomes(2))
    picked = [each[i][:2] for i in rng.integers(0, len(each), 12)]

    def pooled(counts):
        shown = as_shown([session for session, n in zip(picked, counts, strict=True) for _ in range(n)])
        alpha = ALPHA[shown.rank - 1]
        return session_values(shown, WEIGHT, alpha, shown.click, mean_exposure(shown, alpha), pooled=True)

    many = 2000
    for i in (0, 5):
        once, more = np.full(12, many), np.full(12, many)
        more[i] += 1
        change = (pooled(more).mean() - pooled(once).mean()) * (12 * many + 1)
        base = pooled(once)
        assert change == pytest.approx(base[i * many] - base.mean(), abs=1e-3)


def test_clicks_by_rank_stand_far_apart_only_under_wrong_propensities():
    rng = np.random.default_rng(0)
    each = list(outcomes(3))
    picked = rng.choice(len(each), 20000, p=[p for *_, p in each])
    shown = as_shown([each[i][:2] for i in picked])
    residual = shown.click - BETA[shown.rank - 1]
    clicks, due, z = clicks_by_rank(shown, ALPHA[shown.rank - 1], residual, 3)
    assert clicks.sum() == pytest.approx(due.sum())
    assert np.abs(z).max() < 3
    *_, z = clicks_by_rank(shown, np.array([0.9, 0.7, 0.6])[shown.rank - 1], residual, 3)
    assert z[0] > 10 > -10 > z[2]


def test_standard_errors_of_clicks_by_rank_are_those_of_repetition():
    rng = np.random.default_rng(1)
    each = list(outcomes(3))
    chance = [p for *_, p in each]
    z = []
    for _ in range(150):
        shown = as_shown([each[i][:2] for i in rng.choice(len(each), 150, p=chance)])
        z.append(clicks_by_rank(shown, ALPHA[shown.rank - 1], shown.click - BETA[shown.rank - 1], 3)[2])
    assert np.std(z, axis=0) == pytest.approx(np.ones(3), abs=0.2)


def test_effective_number_of_equal_weights_is_their_number():
    assert effective_number(np.full(7, 0.3)) == pytest.approx(7)
    assert effective_number(np.array([])) == 0
