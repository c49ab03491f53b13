"""`ClickLog`: whole sessions, and what is refused."""

from functools import partial

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gbrank import DataError, ParameterError, RankingData
from gbrank.clicks import CLICK_MODELS, ClickLog, corrected_labels, estimate, estimate_propensities, session_data

GOOD = {
    "session": [7, 7, 7, 3, 3],
    "query": ["x", "x", "x", "y", "y"],
    "document": ["a", "b", "c", "a", "d"],
    "rank": [1, 2, 3, 1, 2],
    "click": [0, 1, 1, 0, 1],
}


def log_with(**columns):
    return ClickLog(**(GOOD | columns))


@settings(max_examples=40, deadline=None)
@given(st.permutations(range(5)))
def test_rows_may_come_in_any_order(order):
    columns = {name: [values[i] for i in order] for name, values in GOOD.items()}
    log = ClickLog(**columns, time=[{7: 5.0, 3: 1.0}[s] for s in columns["session"]])
    for name in ("x", "y"):
        s = log.query.tolist().index(name)
        rows = slice(log.session_ptr[s], log.session_ptr[s + 1])
        wanted = [i for i in range(5) if GOOD["query"][i] == name]
        assert log.document[rows].tolist() == [GOOD["document"][i] for i in wanted]
        assert log.click[rows].tolist() == [bool(GOOD["click"][i]) for i in wanted]
        assert log.rank[rows].tolist() == list(range(1, len(wanted) + 1))
        assert log.time[s] == (5 if name == "x" else 1)


def test_frame_and_back():
    log = log_with(time=[5, 5, 5, 1, 1], policy=["p", "p", "p", "r", "r"])
    frame = log.to_frame()
    again = ClickLog.from_frame(frame.sample(frac=1, random_state=0).sort_values("session", ascending=False))
    assert again.to_frame().equals(frame)
    named = frame.rename(columns={"document": "url", "session": "id"})
    assert ClickLog.from_frame(named, names={"document": "url", "session": "id"}).to_frame().equals(frame)


def test_without_sessions_each_begins_at_rank_1():
    frame = pd.DataFrame(GOOD).drop(columns="session")
    log = ClickLog.from_frame(frame)
    assert log.session_ptr.tolist() == [0, 3, 5]
    with pytest.raises(DataError, match="the first row is not at rank 1"):
        ClickLog.from_frame(frame.iloc[1:])


def test_take_keeps_the_catalogue_and_may_repeat():
    log = log_with(time=[5, 5, 5, 1, 1], policy=["p", "p", "p", "r", "r"])
    twice = log.take([1, 0, 1])
    assert twice.session_ids.tolist() == [3, 7, 3]
    assert twice.click.tolist() == [False, True, False, True, True, False, True]
    assert twice.policy.tolist() == ["r", "p", "r"]
    assert twice.time.tolist() == [1, 5, 1]
    assert twice.pair_document is log.pair_document
    assert log.take(np.array([False, True])).session_ids.tolist() == [3]
    for wrong in ([], [2], [-1], [0.5], [True]):
        with pytest.raises(DataError, match="sessions"):
            log.take(wrong)


def test_split_by_time():
    n = 10
    log = ClickLog(range(n), ["x", "y"] * 5, ["a"] * n, [1] * n, [0] * n, time=[3] + [1] * 4 + [2] * 5)
    earlier, later = log.split_by_time(0.75)
    assert earlier.session_ids.tolist() == [1, 2, 3, 4, 5, 6, 7]
    assert later.session_ids.tolist() == [8, 9, 0]
    earlier, later = log.split_by_time(0.5, within_queries=True)
    assert sorted(earlier.query.tolist()) == ["x", "x", "y", "y"]
    assert later.time.min() >= 2
    for wrong in (0, 1, 0.01, "half", True):
        with pytest.raises(ParameterError, match="share="):
            log.split_by_time(wrong)


def test_rows_in_data():
    data = RankingData(np.zeros((4, 1)), np.zeros(4), ["y", "y", "x", "x"], doc_id=["d", "a", "c", "a"])
    log = log_with()
    assert log.rows_in(data).tolist() == [3, -1, 2, 1, 0]
    repeated = RankingData(np.zeros((2, 1)), np.zeros(2), ["y", "y"], doc_id=["d", "d"])
    with pytest.raises(DataError, match="query y has the document d twice"):
        log.rows_in(repeated)


@pytest.mark.parametrize(
    ("columns", "told"),
    [
        ({"rank": [0, 1, 2, 1, 2]}, "rank: row 0 is 0.0; ranks are whole numbers from 1"),
        ({"rank": [1, -2, 3, 1, 2]}, "rank: row 1 is -2.0"),
        ({"rank": [1, 2.5, 3, 1, 2]}, "rank: row 1 is 2.5"),
        ({"rank": [1, 2, 2, 1, 2]}, r"session 7 has rank 2 twice \(row 2\)"),
        ({"rank": [1, 2, 9, 1, 2]}, r"session 7 has 3 rows and rank 9 \(row 2\) but no rank 3"),
        ({"rank": [1, 2, float("nan"), 1, 2]}, "row 2 has none, and is clicked: what was not shown cannot be"),
        ({"rank": [float("nan"), 2, 3, 1, 2]}, "row 0 has none, so its document was not shown"),
        ({"rank": [1, 2, 3, 1]}, "rank: has the shape"),
        ({"click": [0, 1, 2, 0, 1]}, "click: row 2 is 2; give 1 for a click"),
        ({"click": [0, 1, float("nan"), 0, 1]}, "click: row 2 is nan"),
        ({"document": ["a", "b", "a", "a", "d"]}, "session 7 has a twice"),
        ({"query": ["x", "x", "z", "y", "y"]}, "query: session 7 has x and z"),
        ({"time": [1, 2, 1, 1, 1]}, "time: session 7 has 1.0 and 2.0"),
        ({"session": [7, 7, 7, None, 3]}, "session: row 0 is 7|session: row 3 is None"),
        ({"document": ["a", "b", None, "a", "d"]}, "document: row 2 is None"),
        ({name: [] for name in GOOD}, "no rows"),
    ],
)
def test_refuses(columns, told):
    with pytest.raises(DataError, match=told):
        log_with(**columns)


def test_what_is_no_log_or_no_data_is_refused_where_it_is_given():
    frame, told = pd.DataFrame(GOOD), "log: is a DataFrame; give a ClickLog, which ClickLog.from_frame makes"
    data = RankingData([[0.0]] * 2, [0, 1], ["x", "x"])
    for refused in (
        lambda: session_data(frame, data),
        lambda: corrected_labels(frame, data, [1, 0.5, 0.2]),
        lambda: estimate_propensities(frame),
        lambda: estimate(frame, [1, 2], data=data, propensity=[1, 0.5, 0.2]),
        *(partial(CLICK_MODELS[name].fit, frame) for name in ("pbm", "ubm", "trust", "cascade", "dcm", "dbn", "sdbn")),
    ):
        with pytest.raises(ParameterError, match=told):
            refused()
    with pytest.raises(ParameterError, match="data: is a ndarray; give a RankingData"):
        session_data(log_with(), data.X)


def test_refuses_other_names():
    with pytest.raises(ParameterError, match="no 'url'"):
        ClickLog.from_frame(pd.DataFrame(GOOD), names={"url": "document"})
    with pytest.raises(DataError, match="no column 'clicked'"):
        ClickLog.from_frame(pd.DataFrame(GOOD), names={"click": "clicked"})
