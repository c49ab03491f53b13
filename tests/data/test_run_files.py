"""Files of runs and judgments: which format, and JSON and Parquet."""

import contextlib
import gzip
import json
import sys

import pytest
import pytrec_eval
import ranx
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gbrank import DataError, ParameterError, Qrels, Run, read_qrels, read_run, write_qrels, write_run

RUN = Run(["q 1", "q 1", "q2"], ["ä", "b\tc", "ä"], [0.1, 3, -1e-300], name="dense")
QRELS = Qrels(["q1", "q2"], ["x", "y"], [2, 0])
IDS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=8)


@pytest.mark.parametrize("name", ["run.json", "run.json.gz", "run.JSON", "run"])
def test_json_there_and_back(tmp_path, name):
    format = "json" if name == "run" else None
    write_run(RUN, tmp_path / name, format=format)
    raw = (tmp_path / name).read_bytes()
    assert json.loads(gzip.decompress(raw) if name.endswith("gz") else raw) == RUN.to_dict()
    back = read_run(tmp_path / name, format=format, name="again")
    assert back.to_dict() == RUN.to_dict()
    assert back.name == "again"
    assert back.doc_id.tolist() == RUN.doc_id.tolist()
    write_qrels(QRELS, tmp_path / name, format=format)
    assert read_qrels(tmp_path / name, format=format).to_dict() == QRELS.to_dict()


@given(
    st.dictionaries(
        IDS, st.dictionaries(IDS, st.floats(allow_nan=False, allow_infinity=False), min_size=1), min_size=1, max_size=4
    )
)
@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_ids_in_json(tmp_path, nested):
    write_run(Run.from_dict(nested), tmp_path / "r.json")
    assert read_run(tmp_path / "r.json").to_dict() == nested


def test_files_of_ranx(tmp_path):
    plain = Run(["q1", "q1", "q2"], ["a", "b", "a"], [0.5, 2, 1])
    theirs = plain.to_ranx()
    theirs.save(str(tmp_path / "r.json"))
    theirs.save(str(tmp_path / "r.trec"))
    assert read_run(tmp_path / "r.json").to_dict() == plain.to_dict()
    assert read_run(tmp_path / "r.trec").to_dict() == plain.to_dict()
    write_run(plain, tmp_path / "mine.json")
    write_run(plain, tmp_path / "mine.trec")
    for name in ("mine.json", "mine.trec"):
        assert ranx.Run.from_file(str(tmp_path / name)).to_dict() == plain.to_dict()


def test_a_format_that_is_said_beats_the_ending(tmp_path):
    write_qrels(QRELS, tmp_path / "q.json", format="trec")
    with open(tmp_path / "q.json") as file:
        assert dict(pytrec_eval.parse_qrel(file)) == QRELS.to_dict()
    with pytest.raises(DataError, match=r"q.json:1: no JSON \(.*\); correct it, or give format="):
        read_qrels(tmp_path / "q.json")
    with pytest.raises(ParameterError, match="format='csv'"):
        read_qrels(tmp_path / "q.json", format="csv")


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b'{"a": {"x": 1,\n "y": }}', "r.json:2: no JSON"),
        (b'{"a": {"x": NaN}}', "NaN is no finite number"),
        (b'{"a": {"x": -Infinity}}', "-Infinity is no finite number"),
        (b'{"a": {"x": 1e999}}', "score: row 0 is inf"),
        (b'{"a": {"x": 1, "x": 2}}', "'x' is there twice"),
        (b'{"a": {"x": 1}, "a": {"y": 2}}', "'a' is there twice"),
        (b'{"a": {"x": "1"}}', "every value must be a number"),
        (b'{"a": {"x": true}}', "every value must be a number"),
        (b'{"a": {"x": null}}', "every value must be a number"),
        (b'{"a": {"x": ' + b"9" * 5000 + b"}}", "score: row 0 is inf"),
        (b'{"a": {"": 1}}', "empty"),
        (b'{"a": 1}', "no column of query ids"),
        (b"[1]", "give {query id"),
        (b"", "no JSON"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"\xff": {"x": 1}}', "is not UTF-8"),
        (gzip.compress(b'{"a": {"x": 1}}', mtime=0)[:-9], "damaged gzip"),
    ],
)
def test_json_that_is_refused(tmp_path, content, told):
    (tmp_path / "r.json").write_bytes(content)
    with pytest.raises(DataError) as caught:
        read_run(tmp_path / "r.json")
    assert told in str(caught.value)
    assert str(tmp_path / "r.json") in str(caught.value)


@given(st.binary(max_size=40) | st.text('{}[]":,0123eE.- \\uNaI', max_size=40).map(str.encode))
@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_the_bytes_they_are_read_or_refused(tmp_path, content):
    (tmp_path / "r.json").write_bytes(content)
    with contextlib.suppress(DataError):
        assert read_run(tmp_path / "r.json").to_dict()


def test_another_kind_is_not_written(tmp_path):
    with pytest.raises(DataError, match="write_run: Qrels is no Run"):
        write_run(QRELS, tmp_path / "r")
    with pytest.raises(DataError, match="write_qrels: dict is no Qrels"):
        write_qrels({}, tmp_path / "r")


def test_parquet_needs_its_library(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    (tmp_path / "r.parquet").write_bytes(b"PAR1")
    for call in (lambda: read_run(tmp_path / "r.parquet"), lambda: write_run(RUN, tmp_path / "new.parquet")):
        with pytest.raises(DataError, match="pyarrow is not installed; install it: pip install pyarrow"):
            call()
    assert not (tmp_path / "new.parquet").exists()


def test_parquet_there_and_back(tmp_path):
    arrow = pytest.importorskip("pyarrow", reason="pyarrow is not installed")
    parquet = pytest.importorskip("pyarrow.parquet")
    write_run(RUN, tmp_path / "r.parquet")
    assert read_run(tmp_path / "r.parquet").to_dict() == RUN.to_dict()
    assert parquet.read_table(tmp_path / "r.parquet").column_names == ["query_id", "doc_id", "score"]
    write_qrels(QRELS, tmp_path / "q.parquet")
    assert read_qrels(tmp_path / "q.parquet").to_dict() == QRELS.to_dict()
    theirs = arrow.table({"q_id": ["a", "a"], "doc_id": ["x", "y"], "score": [1.0, None]})
    parquet.write_table(theirs, tmp_path / "bad.parquet")
    with pytest.raises(DataError, match=r"bad.parquet: score: row 1 is nan"):
        read_run(tmp_path / "bad.parquet")
    (tmp_path / "bad.parquet").write_bytes((tmp_path / "r.parquet").read_bytes()[:-5])
    with pytest.raises(DataError, match="cannot be read as Parquet"):
        read_run(tmp_path / "bad.parquet")
