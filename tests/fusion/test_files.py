import pandas as pd
import pytest

from gbrank import DataError
from gbrank.fusion import read_task_scores

FRAME = pd.DataFrame(
    {"query": ["b", "a", "b"], "document": ["1", "1", "2"], "click": [0.1, 0.2, 0.3], "dwell": [3, 1, 2]}
)


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_columns_become_tasks(tmp_path, ending):
    path = tmp_path / f"scores.{ending}"
    if ending == "csv":
        FRAME.to_csv(path, index=False)
    else:
        pytest.importorskip("pyarrow")
        FRAME.to_parquet(path)
    data = read_task_scores(path)
    assert data.feature_names == ("click", "dwell")
    assert (data.query_ids.tolist(), data.doc_id.tolist()) == (["b", "a"], ["1", "2", "1"])
    assert data.X.tolist() == [[0.1, 3], [0.3, 2], [0.2, 1]]
    rewarded = read_task_scores(path, document=None, tasks=["click"], reward="dwell")
    assert (rewarded.y.tolist(), rewarded.feature_names, rewarded.doc_id) == ([3, 2, 1], ("click",), None)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("query,click\nq,1\n", "no column 'document'"),
        ("query,document\nq,d\n", "no column of numbers"),
        ("query,document,click\nq,d,1\nq,d,2\n", "'q' has the document 'd' twice"),
        ("query,document,click\n,d,1\n", "row 0 has no 'query'"),
        ("query,document,click\nq,d,1\nq,e,\n", "row 1 of 'click' is 'nan'"),
        ("", "cannot be read as CSV"),
    ],
)
def test_wrong_files(tmp_path, text, told):
    path = tmp_path / "scores.csv"
    path.write_text(text)
    with pytest.raises(DataError, match=told):
        read_task_scores(path)
    with pytest.raises(DataError, match="cannot be read"):
        read_task_scores(tmp_path / "none.csv")
