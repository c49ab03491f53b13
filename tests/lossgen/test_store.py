"""The file of candidates: what was put comes back, and what is not its own is refused."""

import math
import sqlite3

import pytest

from gbrank import DataError, ParameterError
from gbrank.lossgen import Candidate, Store
from gbrank.lossgen._store import Advance, table

SOME = (
    Candidate(0, "[[[4,0,-1]],[]]", "-d", "ab", "full", None, 0.1 + 0.2, (0.1, 1 / 3), None, 2, 1.5),
    Candidate(1, "[[[4,1,-1]],[]]", "-dG", "", "grid", "scoreless", -math.inf),
    Candidate(7, "[[[4,2,-1]],[]]", "-2 * d", "ab", "grid", "duplicate", -1.5, (), 0),
)


def test_what_was_put_comes_back(tmp_path):
    path = tmp_path / "s.db"
    store = Store(path)
    store.put(SOME)
    store.put_advance(Advance(0, "-d", float("-inf"), 0.5, kept=True))
    store.close()
    store = Store(path)
    assert list(store.candidates().values()) == list(SOME)
    assert store.advances() == [Advance(0, "-d", float("-inf"), 0.5, kept=True)]
    frame = table(SOME)
    assert frame["reward"].isna().tolist() == [False, True, False]
    assert frame["folds"][0] == (0.1, 1 / 3)


def test_a_file_is_for_one_search(tmp_path):
    store = Store(tmp_path / "s.db")
    store.claim({"measure": "ndcg@10"})
    store.claim({"measure": "ndcg@10"})
    with pytest.raises(ParameterError, match=r"made with another measure .ndcg@10, not map"):
        store.claim({"measure": "map"})


def test_what_differs_is_told(tmp_path):
    store = Store(tmp_path / "s.db")
    store.claim({"data or folds": "3f", "ranker": '{"n_estimators": 5, "max_leaves": 4}'})
    with pytest.raises(ParameterError, match=r"made with other data or folds, so"):
        store.check({"data or folds": "4e"})
    with pytest.raises(ParameterError, match=r"another ranker \(n_estimators=5, not 6\)"):
        store.check({"data or folds": "3f", "ranker": '{"n_estimators": 6, "max_leaves": 4}'})


def test_another_process_is_noticed(tmp_path):
    one, other = Store(tmp_path / "s.db"), Store(tmp_path / "s.db")
    one.put(SOME)
    with pytest.raises(DataError, match="another process works on this file"):
        other.put(SOME[:1])
    assert len(other.candidates()) == 3


def test_other_files_are_refused_and_stay_as_they_are(tmp_path):
    (tmp_path / "text.db").write_text("no database at all " * 100)
    with pytest.raises(DataError, match="cannot be opened"):
        Store(tmp_path / "text.db")
    with sqlite3.connect(tmp_path / "other.db") as other:
        other.execute("CREATE TABLE studies (study_id INTEGER)")
    with pytest.raises(DataError, match="is a database of something else"):
        Store(tmp_path / "other.db")
    with pytest.raises(DataError, match="does not exist; create it first"):
        Store(tmp_path / "no" / "s.db")
    with pytest.raises(DataError, match="cannot be opened"):
        Store(tmp_path)
    with pytest.raises(ParameterError, match="storage=3"):
        Store(3)
