"""Stage logs: what they hold, how they are taken apart and put together, and what they refuse."""

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from gbrank import DataError, ParameterError
from gbrank.stages import StageLog, concat_logs, read_stage_log

NAN = float("nan")


def a_log(**changes):
    """Return a log of two requests whose rows are scattered."""
    fields = {
        "request": ["b", "a", "b", "a", "b"],
        "item": [1, 1, 2, 3, 3],
        "stage": [2, 0, 1, 2, 2],
        "feedback": [1, NAN, NAN, 0, 0],
        "features": [[1.0], [2.0], [3.0], [4.0], [5.0]],
        "n_stages": 2,
    }
    return StageLog(**fields | changes)


def rows_of(log):
    """Return the log as a set of rows, for comparison whatever the order."""
    values = log.features[:, 0] if log.features is not None else [None] * len(log)
    feedback = np.where(np.isnan(log.feedback), -1, log.feedback)
    return set(zip(log.request.tolist(), log.item.tolist(), log.stage.tolist(), feedback.tolist(), values, strict=True))


def test_rows_stand_by_request_and_carry_every_field():
    log = a_log(forced=[0, 1, 0, 0, 0], feedback=[1, 1, NAN, 0, 0])
    assert log.request_ids.tolist() == ["b", "a"]
    assert log.order.tolist() == [0, 2, 4, 1, 3]
    assert log.item.tolist() == [1, 2, 3, 1, 3]
    assert log.stage.tolist() == [2, 1, 2, 0, 2]
    assert log.features[:, 0].tolist() == [1, 3, 5, 2, 4]
    assert log.forced.tolist() == [False, False, False, True, False]
    assert log.exposed.tolist() == [True, False, True, False, True]
    assert log.positive.tolist() == [True, False, False, False, False]


def test_take_and_rows_keep_what_belongs_together():
    log = a_log()
    taken = log.take([1])
    assert rows_of(taken) == {row for row in rows_of(log) if row[0] == "a"}
    assert taken.order.tolist() == [1, 3]
    shown = log.rows(log.exposed)
    assert rows_of(shown) == {row for row in rows_of(log) if row[2] == 2}
    only_b = log.rows(log.stage == 1)
    assert only_b.request_ids.tolist() == ["b"]
    assert only_b.request_ptr.tolist() == [0, 1]


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_any_order_of_rows_gives_the_same_log(data):
    rng = np.random.default_rng(data.draw(st.integers(0, 1000)))
    n_stages = data.draw(st.integers(1, 4))
    request = np.repeat(np.arange(5), rng.integers(1, 6, 5))
    item = np.arange(len(request))
    stage = rng.integers(0, n_stages + 1, len(request))
    feedback = np.where(stage == n_stages, rng.integers(0, 2, len(request)), NAN)
    log = StageLog(request, item, stage, feedback, item[:, None], n_stages=n_stages)
    order = rng.permutation(len(request))
    moved = StageLog(request[order], item[order], stage[order], feedback[order], item[order, None], n_stages=n_stages)
    assert rows_of(moved) == rows_of(log)
    assert (request[order][moved.order] == moved.request).all()
    parts = [log.take([q]) for q in rng.permutation(5)]
    assert rows_of(concat_logs(parts)) == rows_of(log)
    by_hand = [(stage == s).sum() for s in range(n_stages + 1)]
    assert moved.summary()["rows"].tolist() == by_hand


def test_parts_carry_every_field():
    """What is not per row or per request is the same; the rest is that of the rows."""
    frame = pd.DataFrame({"kind": ["x", "y", "x", "z", "y"]})
    log = a_log(forced=[0, 1, 0, 0, 0], feedback=[1, 1, NAN, 0, 0], features=frame, top_feedback=2)
    for part, rows in (
        (log.take([1]), [3, 4]),
        (log.rows(log.stage != 1), [0, 2, 3, 4]),
        (concat_logs([log.take([1]), log.take([0])]), [3, 4, 0, 1, 2]),
    ):
        for name in StageLog.__dataclass_fields__:
            value, whole = getattr(part, name), getattr(log, name)
            if name in ("request_ptr", "request_ids"):
                continue
            if name == "order":
                assert len(value) == len(rows)
            elif isinstance(whole, np.ndarray):
                np.testing.assert_array_equal(value, whole[rows], err_msg=name)
            else:
                assert value == whole, name
        assert part.request.tolist() == log.request[rows].tolist()


def test_summary():
    table = a_log(feedback=[1, 1, NAN, 0, 0], forced=[0, 1, 0, 0, 0]).summary()
    assert table["rows"].tolist() == [1, 1, 3]
    assert table["requests"].tolist() == [1, 1, 2]
    assert table["rows_per_request"].tolist() == [0.5, 0.5, 1.5]
    assert table["with_feedback"].tolist() == [1, 0, 3]
    assert table["positive"].tolist() == [1, 0, 1]
    np.testing.assert_allclose(table["feedback"], [1, NAN, 1 / 3])


def test_to_data():
    log = a_log()
    data = log.to_data()
    assert data.query_ids.tolist() == ["b", "a"]
    assert data.y.tolist() == [1, 0, 0]
    assert data.doc_id.tolist() == ["1", "3", "3"]
    assert data.X[:, 0].tolist() == [1, 5, 4]
    assert log.to_data("stage").y.tolist() == [2, 1, 2, 0, 2]
    assert log.to_data([5, 4, 3, 2, 1]).y.tolist() == [5, 4, 3, 2, 1]
    bare = a_log(features=None)
    with pytest.raises(DataError, match="has no features"):
        bare.to_data()
    assert bare.with_features(log.features).to_data("stage").X.tolist() == log.features.tolist()
    with pytest.raises(DataError, match="4 rows for the 5"):
        bare.with_features(log.features[:4])
    with pytest.raises(ParameterError, match="choose 'feedback' or 'stage'"):
        log.to_data("label")


def test_categories_of_a_frame_reach_the_data():
    frame = pd.DataFrame({"kind": ["x", "y", "x", "z", "y"], "price": [1.0, 2, 3, 4, 5]})
    data = a_log(features=frame).take([0]).to_data("stage")
    assert data.feature_names == ("kind", "price")
    assert data.categories["kind"][data.X[:, 0].astype(int)].tolist() == ["x", "x", "y"]


def test_a_frame_has_the_categories_themselves():
    kinds = pd.Categorical(["x", None, "w", "z", "x"], categories=["z", "x", "w"])
    log = a_log(features=pd.DataFrame({"kind": kinds, "size": pd.Categorical([30, 10, 30, 20, 10]), "price": range(5)}))
    frame = log.to_frame()
    assert frame["kind"].astype(object).fillna("").tolist() == ["x", "w", "x", "", "z"]
    assert frame["size"].tolist() == [30, 30, 10, 10, 20]
    again = StageLog.from_frame(frame, n_stages=2)
    np.testing.assert_array_equal(again.features, log.features)
    assert {name: values.tolist() for name, values in again.categories.items()} == {
        "kind": ["z", "x", "w"], "size": [10, 20, 30],
    }  # fmt: skip
    assert again.to_frame().equals(frame)


def test_sparse_features():
    log, sparse = a_log(), a_log(features=sp.csr_matrix([[1.0], [2.0], [3.0], [4.0], [5.0]]))
    parts = concat_logs([sparse.take([1]), sparse.take([0])])
    assert sp.issparse(parts.features)
    assert parts.features.toarray()[:, 0].tolist() == [2, 4, 1, 3, 5]
    assert sparse.to_frame().equals(log.to_frame())
    assert sparse.to_data("stage").X.toarray().tolist() == log.to_data("stage").X.tolist()


@pytest.mark.parametrize(("kind", "feedback"), [("Int64", [1, None, 0]), ("boolean", [True, None, False])])
def test_missing_values_of_pandas_own_types(kind, feedback):
    frame = pd.DataFrame({"request": [1, 1, 1], "item": [1, 2, 3], "stage": [1, 0, 1]})
    frame["feedback"] = pd.array(feedback, dtype=kind)
    log = StageLog.from_frame(frame, n_stages=1)
    np.testing.assert_array_equal(log.feedback, [1, NAN, 0])
    assert log.features is None


@pytest.mark.parametrize("ending", ["csv", "csv.gz", "parquet"])
def test_files(tmp_path, ending):
    log = a_log(feedback=[1, 1, NAN, 0, 0], forced=[0, 1, 0, 0, 0])
    frame = log.to_frame().rename(columns={"request": "session"})
    path = tmp_path / f"log.{ending}"
    if ending == "parquet":
        pytest.importorskip("pyarrow", reason="pyarrow is not installed")
        frame.to_parquet(path)
    else:
        frame.to_csv(path, index=False)
    read = read_stage_log(path, n_stages=2, names={"request": "session"})
    assert rows_of(read) == rows_of(log)
    assert read.item.dtype == np.int64
    assert read.forced.tolist() == log.forced.tolist()
    assert read.feature_names == ("f1",)


def test_ids_of_csv_are_numbers_only_where_no_two_become_one(tmp_path):
    path = tmp_path / "log.csv"
    path.write_text("request,item,stage,feedback\nNA,7,1,0\nNA,007,0,NA\n")
    log = read_stage_log(path, n_stages=1)
    assert log.item.tolist() == ["7", "007"]
    assert log.request_ids.tolist() == ["NA"]
    path.write_text("request,item,stage,feedback\n1,7,1,0\n,8,0,\n")
    with pytest.raises(DataError, match=r"log\.csv: row 1 has no 'request'"):
        read_stage_log(path, n_stages=1)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"stage": [2, 0, 3, 2, 2]}, r"stage: row 2 is 3, outside the cascade: .* from 0 to n_stages=2"),
        ({"stage": [2, -1, 1, 2, 2]}, r"stage: row 1 is -1"),
        ({"stage": [2, 0, 0.5, 2, 2]}, r"stage: row 2 is 0\.5"),
        ({"stage": [2, 0, NAN, 2, 2]}, r"stage: row 2 is nan"),
        ({"feedback": [1, NAN, 0, 0, 0]}, r"feedback: row 2 is 0, but its item reached stage 1 of 2"),
        ({"feedback": [1, NAN, NAN, NAN, 0]}, r"feedback: row 3 is missing, but its item was exposed"),
        ({"feedback": [-1, NAN, NAN, 0, 0]}, r"feedback: row 0 is -1"),
        ({"feedback": [np.inf, NAN, NAN, 0, 0]}, r"feedback: row 0 is inf"),
        ({"feedback": [3, NAN, NAN, 0, 0], "top_feedback": 2}, r"feedback: 3 is above top_feedback=2"),
        ({"item": [1, 1, 2, 3, 1]}, r"item: 1 of request b is in rows 0 and 4"),
        ({"item": [1, 1, None, 3, 3]}, r"item: row 2 is nan|item: row 2 is None"),
        ({"request": ["b", "a", None, "a", "b"]}, r"request: row 2 is None"),
        ({"item": [1, 1, 2, 3]}, r"item: has the shape \(4,\) for 5 rows"),
        ({"features": [[1.0]] * 4}, r"features: has the shape \(4, 1\) for 5 rows"),
        ({"forced": [0, 2, 0, 0, 0]}, r"forced: give True or False"),
        ({"forced": [0, 0, 1, 0, 0]}, r"feedback: row 2 is missing, but its item was exposed"),
        ({"n_stages": 0}, r"n_stages=0: must be a whole number of at least 1"),
    ],
)
def test_bad_logs_are_refused(changes, message):
    with pytest.raises((DataError, ParameterError), match=message):
        a_log(**changes)


def test_bad_choices_are_refused():
    log = a_log()
    for requests, message in (
        ([2], "2 is outside 0 to 1"),
        ([0, 0], "chosen twice"),
        ([], "at least one"),
        ([-1], "-1 is"),
        ([True], "a mask of shape"),
    ):
        with pytest.raises(DataError, match=message):
            log.take(requests)
    with pytest.raises(DataError, match="no row is left"):
        log.rows(log.stage > 5)
    with pytest.raises(DataError, match=r"request a is in more than one|request b is in more than one"):
        concat_logs([log, log])
    with pytest.raises(DataError, match="n_stages of log 1"):
        concat_logs([log.take([0]), a_log(n_stages=3, feedback=[NAN] * 5).take([1])])
    for logs, message in (
        ([log, 3], "log 1: a int is no StageLog"),
        (log, "a StageLog is no sequence"),
        ([], "at least one"),
        ([log, a_log(item=list("abcde"), request=list("cdcde"))], "item ids are strings in log 1, but whole numbers"),
    ):
        with pytest.raises(DataError, match=message):
            concat_logs(logs)
    frame = log.to_frame()
    with pytest.raises(DataError, match="no column 'stage'"):
        StageLog.from_frame(frame.drop(columns="stage"), n_stages=2)
    with pytest.raises(ParameterError, match="a log has no 'user'"):
        StageLog.from_frame(frame, n_stages=2, names={"user": "u"})
