"""Scores of the generalised principle, and the check of assumption 2."""

import numpy as np
import pandas as pd
import pytest

from gbrank import DataError, ParameterError
from gbrank.stages import StageLog, check_assumption_2, gprp_scores

NAN = float("nan")
TABLE_1 = {
    "click": ([0.29, 0.33, 0.34, 0.49, 0.56], 0.49 / 0.34),
    "like": ([0.009, 0.010, 0.015, 0.022, 0.026], 0.015 / 0.010),
    "follow": ([0.0018, 0.0022, 0.0029, 0.0038, 0.0046], 0.0029 / 0.0022),
}


def forced_log(rates, rng, per_request=4, n=800):
    """Return a log in which items of every stage were shown, with positive feedback at the given rates."""
    stages = np.arange(len(rates))
    stage = np.tile(np.repeat(stages, per_request), n)
    feedback = (rng.random(len(stage)) < np.asarray(rates)[stage]) * 1.0
    request = np.repeat(np.arange(n), per_request * len(rates))
    item = np.tile(np.arange(per_request * len(rates)), n)
    last = len(rates) - 1
    return StageLog(request, item, stage, feedback, n_stages=last, forced=stage < last)


def test_the_papers_table():
    for means, smallest in TABLE_1.values():
        check = check_assumption_2(means)
        assert check.holds
        assert check.smallest_a == pytest.approx(smallest)
        assert not check_assumption_2(means, a=smallest - 0.01).holds
        assert check.table["low"].isna().all()


def test_the_stages_must_filter_more_than_interest_varies():
    means, _ = TABLE_1["click"]
    sizes = [6000, 3000, 500, 120, 10]
    check = check_assumption_2(means, sizes=sizes)
    np.testing.assert_allclose(check.table["passed"], [NAN, 2, 6, 500 / 120, 12])
    assert check.holds
    strict = check_assumption_2(means, a=3, sizes=sizes)
    assert strict.table["holds"].iloc[1:].tolist() == [False, True, True, True]
    assert not strict.holds


def test_a_log_with_forced_exposures():
    rates = [0.2, 0.3, 0.45]
    log = forced_log(rates, np.random.default_rng(0))
    check = check_assumption_2(log, random_state=1)
    table = check.table
    for stage in range(3):
        assert table["mean"][stage] == pytest.approx(log.feedback[log.stage == stage].mean())
        assert table["items"][stage] == 3200
        assert table["low"][stage] < table["mean"][stage] < table["high"][stage]
    assert table["ratio"][1] == pytest.approx(table["mean"][1] / table["mean"][0])
    assert check.holds
    assert "holds on average for a = 2" in str(check)
    assert check_assumption_2(log, random_state=1).table.equals(table)
    broken = check_assumption_2(forced_log([0.1, 0.4], np.random.default_rng(1)))
    assert not broken.holds
    assert broken.smallest_a == pytest.approx(broken.table["ratio"][1])


def test_intervals_are_those_of_the_delta_method():
    log = forced_log([0.3, 0.4], np.random.default_rng(3))
    table = check_assumption_2(log, n_resamples=4000).table
    m, n = table["mean"].to_numpy(), 3200
    error = m[1] / m[0] * np.sqrt(((1 - m) / (m * n)).sum())
    width = table["ratio_high"][1] - table["ratio_low"][1]
    assert width == pytest.approx(2 * 1.96 * error, rel=0.1)
    one = m[0] * (1 - m[0]) / n
    assert table["high"][0] - table["low"][0] == pytest.approx(2 * 1.96 * np.sqrt(one), rel=0.1)


def test_requests_are_resampled_whole():
    """Where all rows of a request answer alike, intervals are wider than those of as many independent rows."""
    rng = np.random.default_rng(4)
    answers = (rng.random(300) < 0.4) * 1.0
    frame = pd.DataFrame(
        {"request": np.repeat(np.arange(300), 10), "stage": np.tile([0, 1], 1500), "feedback": np.repeat(answers, 10)}
    )
    whole = check_assumption_2(frame).table
    apart = check_assumption_2(frame.drop(columns="request")).table
    assert (whole["mean"] == apart["mean"]).all()
    widths = [(table["high"] - table["low"])[0] for table in (whole, apart)]
    assert widths[0] / widths[1] == pytest.approx(np.sqrt(5), rel=0.2)
    assert whole["ratio_high"][1] == whole["ratio_low"][1] == 1  # the two stages answer alike in each request


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: check_assumption_2([0.2]), "1 stages have feedback, two are needed"),
        (lambda: check_assumption_2([0.2, 0.0]), "the mean feedback of stage 2 is 0"),
        (lambda: check_assumption_2([0.2, -0.3]), "source: row 1 is -0.3"),
        (lambda: check_assumption_2(pd.DataFrame({"stage": [1, 1.5], "feedback": [1, 1]})), "stage: row 1 is 1.5"),
        (lambda: check_assumption_2(pd.DataFrame({"stage": [1, 2], "feedback": [-1, 1]})), "feedback: row 0 is -1"),
        (lambda: check_assumption_2([0.2, 0.3], a=0.5), "the bound is at least 1"),
        (lambda: check_assumption_2([0.2, 0.3], confidence=95), "confidence=95"),
        (lambda: check_assumption_2([0.2, 0.3], sizes=[1, 2]), r"sizes=\[1, 2\]: give 2 numbers"),
        (lambda: check_assumption_2([0.2, 0.3], sizes=[1]), r"sizes=\[1\]"),
        (lambda: check_assumption_2(pd.DataFrame({"stage": [1]})), "no column 'feedback'"),
        (
            lambda: check_assumption_2(StageLog([1, 1], [1, 2], [0, 1], [NAN, 1], n_stages=1)),
            "1 stages have feedback, two are needed; force some items",
        ),
        (lambda: gprp_scores([1.2], [1.0]), "row 0 has 1.2; a probability"),
        (lambda: gprp_scores([[0.5, NAN]], [1.0]), "row 0 has nan"),
        (lambda: gprp_scores([0.5], [-1.0]), "r: row 0 is -1"),
        (lambda: gprp_scores([0.5], [1.0, 1.0]), "for 2 items"),
    ],
)
def test_bad_input_is_refused(call, message):
    with pytest.raises((DataError, ParameterError), match=message):
        call()
