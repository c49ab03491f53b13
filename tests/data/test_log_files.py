"""Tables of logs; how logs are read from them, their own rooms' tests say."""

import numpy as np
import pytest

from gbrank import DataError
from gbrank.data._log_files import read_log_frame, whole_ids


@pytest.mark.parametrize(
    ("ids", "kind"),
    [
        (["7", "-12", "0"], "i"),
        (["7", "007"], "U"),
        (["7", "-0"], "U"),
        (["7", "x"], "U"),
        (["9223372036854775808"], "U"),
        (["٧"], "U"),
        ([7, 8], "i"),
    ],
)
def test_only_ids_spelled_one_way_are_numbers(ids, kind):
    found = whole_ids(np.array(ids))
    assert found.dtype.kind == kind
    assert found.astype(str).tolist() == [str(each) for each in ids]


def test_ids_keep_what_elsewhere_is_missing(tmp_path):
    (tmp_path / "log.csv").write_text("id,value\nNA,NA\nnull,1\n")
    frame = read_log_frame(tmp_path / "log.csv", ["id", "other"], "item")
    assert frame["id"].tolist() == ["NA", "null"]
    assert frame["value"].isna().tolist() == [True, False]


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("log.csv", "id,value\n,1\n", "row 0 has no 'id'; every row needs its ids"),
        ("log.csv", "", "cannot be read as CSV .* a row for each item"),
        ("log.parquet", "no", "cannot be read as Parquet"),
        ("log.csv", None, "there is no such file"),
        ("log.PARQUET", None, "there is no such file"),
    ],
)
def test_refuses(tmp_path, name, text, told):
    if name.lower().endswith("parquet"):
        pytest.importorskip("pyarrow", reason="pyarrow is not installed")
    if text is not None:
        (tmp_path / name).write_text(text)
    with pytest.raises(DataError, match=told):
        read_log_frame(tmp_path / name, ["id"], "item")
