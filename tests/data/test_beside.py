"""Files beside LETOR text: that they say what `qid:ID` and arrays would, and fit the text or are refused."""

import re

import lightgbm
import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.datasets import load_svmlight_file

from gbrank import DataError, RankingData, make_letor, read_letor, write_letor
from gbrank.data._beside import files_beside

FIELDS = ("X", "y", "qid", "position", "sample_weight", "query_weight", "init_score")
TEXT = "1 qid:7 1:0.5\n0 qid:7 1:1\n2 qid:9 1:3\n"


def dense(values):
    return values.toarray() if sp.issparse(values) else values


def assert_equal(a, b, fields=FIELDS):
    for name in fields:
        one, other = dense(getattr(a, name)), dense(getattr(b, name))
        assert (one is None) == (other is None), name
        assert one is None or np.array_equal(one, other), name


@pytest.fixture
def put(tmp_path):
    """Write a text and files beside it, by suffix, and return its path."""

    def write(text=TEXT, **beside):
        path = tmp_path / "f.txt"
        path.write_text(text)
        for suffix, content in beside.items():
            (tmp_path / f"f.txt.{suffix}").write_text(content)
        return path

    return write


@pytest.mark.parametrize("suffix", [".query", ".group"])
@pytest.mark.parametrize("share", [1.0, 0.1])
@pytest.mark.parametrize("n_jobs", [1, 3])
def test_sizes_stand_for_query_ids(tmp_path, suffix, share, n_jobs):
    made = make_letor(60, n_features=12, random_state=3)
    X = np.where(np.random.default_rng(0).random(made.X.shape) < share, made.X, 0)
    write_letor(RankingData(sp.csr_array(X), made.y, made.qid), tmp_path / "ids.txt")
    expected = read_letor(tmp_path / "ids.txt", n_jobs=n_jobs)
    text = re.sub(r" qid:\S+", "", (tmp_path / "ids.txt").read_text())
    (tmp_path / "plain.txt").write_text("# no qid:1 here\n\n" + text)
    np.savetxt(tmp_path / f"plain.txt{suffix}", expected.query_sizes, fmt="%d")
    found = read_letor(tmp_path / "plain.txt", n_jobs=n_jobs)
    assert sp.issparse(found.X) == sp.issparse(expected.X) == (share < 0.3)
    assert_equal(found, expected, ("X", "y", "query_ptr"))
    assert found.query_ids.tolist() == list(range(1, expected.n_queries + 1))


def test_all_that_may_stand_beside(put):
    path = put(weight="1\n0.5\n2\n", position="1\n2\n1\n", init="0.25\n-1\n3e-1\n")
    expected = RankingData([[0.5], [1], [3]], [1, 0, 2], [7, 7, 9], position=[1, 2, 1], sample_weight=[1, 0.5, 2],
                           init_score=[0.25, -1, 0.3])  # fmt: skip
    assert_equal(read_letor(path), expected)
    assert [file.suffix for file in files_beside(path)] == [".weight", ".position", ".init"]


def test_as_many_weights_as_queries_are_theirs(put):
    found = read_letor(put(weight="3\n1\n"))
    assert found.sample_weight is None
    assert found.query_weight.tolist() == [3, 1]


def test_rows_that_are_brought_together_take_theirs_along(put):
    scattered = "1 qid:7 1:1\n2 qid:9 1:2\n0 qid:7 1:3\n"
    path = put(scattered, weight="0.1\n0.2\n0.3\n", position="1\n5\n2\n", init="1\n2\n3\n")
    found = read_letor(path, scattered="regroup")
    assert found.sample_weight.tolist() == [0.1, 0.3, 0.2]
    assert found.position.tolist() == [1, 2, 5]
    assert found.init_score.tolist() == [1, 3, 2]
    assert read_letor(put(scattered, weight="8\n9\n"), scattered="regroup").query_weight.tolist() == [8, 9]


def test_sizes_beside_query_ids_must_be_theirs(put):
    assert read_letor(put(query="2\n1\n")).query_ids.tolist() == [7, 9]
    with pytest.raises(DataError, match=r"f\.txt\.query: these are not the queries that the ids"):
        read_letor(put(query="1\n2\n"))


PLAIN = "1 1:0.5\n0 1:1\n2 1:3\n"


@pytest.mark.parametrize(
    ("text", "beside", "words"),
    [
        (PLAIN, {}, r"f\.txt:1: token '1:0\.5': the file has no query ids .*into f\.txt\.query beside it"),
        (PLAIN, {"query": "2\n2\n"}, r"f\.txt\.query: the sizes of its 2 queries add up to 4, and .*3 documents"),
        (PLAIN, {"query": "3\n0\n"}, r"f\.txt\.query:2: 0 is no number of documents"),
        (PLAIN, {"query": "1.5\n1.5\n"}, r"f\.txt\.query:1: 1\.5 is no number of documents"),
        (PLAIN, {"query": "3 documents\n"}, r"f\.txt\.query:1: '3 documents' is no number; give one size of a query"),
        (PLAIN, {"query": ""}, r"f\.txt\.query: the file is empty"),
        (PLAIN, {"query": "3\n", "group": "3\n"}, r"f\.txt\.query: f\.txt\.group stands beside it"),
        ("1 1:1\n0 qid:3 1:1\n", {"query": "2\n"}, r"f\.txt:1: .*this line has no qid:ID .*others have one"),
        (TEXT, {"weight": "1\n"}, r"f\.txt\.weight: 1 weights for 3 documents in 2 queries"),
        (TEXT, {"weight": "1\n-2\n1\n"}, r"f\.txt\.weight:2: -2 is negative"),
        (TEXT, {"weight": "0\n0\n0\n"}, r"f\.txt\.weight: all weights are zero"),
        (TEXT, {"position": "1\n2\n"}, r"f\.txt\.position: 2 values for 3 documents"),
        (TEXT, {"position": "0\n1\n1\n"}, r"f\.txt\.position:1: 0 is no rank"),
        (TEXT, {"position": "pos_1\npos_2\npos_1\n"}, r"f\.txt\.position:1: 'pos_1' is no number; give one rank"),
        (TEXT, {"init": "1\nnan\n2\n"}, r"f\.txt\.init:2: 'nan' is not finite"),
        (TEXT, {"init": "1\n2\n3\n4\n"}, r"f\.txt\.init: 4 values for 3 documents"),
    ],
)
def test_what_does_not_fit_is_refused(put, text, beside, words):
    with pytest.raises(DataError, match=words):
        read_letor(put(text, **beside))


def test_lightgbm_reads_the_same(put):
    path = put(PLAIN, query="2\n1\n", weight="1\n0.5\n2\n", init="0.25\n-1\n0.5\n")
    ours = read_letor(path)
    theirs = lightgbm.Dataset(str(path), params={"verbose": -1, "min_data_in_bin": 1}).construct()
    assert theirs.get_group().tolist() == ours.query_sizes.tolist()
    assert theirs.get_weight().tolist() == ours.sample_weight.tolist()
    assert theirs.get_init_score().tolist() == ours.init_score.tolist()


@pytest.mark.parametrize(
    "fields",
    [
        {"sample_weight": [0.1, 2, 1e-300], "position": [1, 2, 1], "init_score": [1 / 3, -0.0, 5]},
        {"query_weight": [0.7, 3]},
        {},
    ],
)
def test_what_is_written_reads_back_equal(tmp_path, fields):
    data = RankingData(np.array([[0.5], [1], [3]], np.float32), [1, 0, 2], [7, 7, 9], **fields)
    write_letor(data, tmp_path / "g.txt")
    write_letor(data, tmp_path / "g.txt")  # over its own
    assert_equal(read_letor(tmp_path / "g.txt"), data)


def test_what_has_no_place_is_not_written(tmp_path):
    path, rows = tmp_path / "g.txt", ([[0.5], [1], [3]], [1, 0, 2], [7, 7, 9])
    with pytest.raises(DataError, match="room for it or for sample_weight"):
        write_letor(RankingData(*rows, sample_weight=[1, 2, 3], query_weight=[1, 2]), path)
    with pytest.raises(DataError, match="several columns"):
        write_letor(RankingData(*rows, init_score=[[1, 2]] * 3), path)
    assert not path.exists()
    (tmp_path / "g.txt.position").write_text("1\n")
    with pytest.raises(DataError, match=r"g\.txt\.position: is there, and would be read with .*g\.txt"):
        write_letor(RankingData(*rows), path)
    assert not path.exists()


def test_the_example_of_lightgbm(real_data):
    folder = real_data / "lightgbm-lambdarank"
    X, y = load_svmlight_file(folder / "rank.train", zero_based=False)
    sizes = np.loadtxt(folder / "rank.train.query", dtype=int)
    data = read_letor(folder / "rank.train", dtype="float64")
    assert (data.n_documents, data.n_queries, data.n_features) == (3005, 201, 300)
    assert np.array_equal(dense(data.X), X.toarray())
    assert np.array_equal(data.y, y)
    assert np.array_equal(data.query_sizes, sizes)
    theirs = lightgbm.Dataset(str(folder / "rank.train"), params={"verbose": -1}).construct()
    assert theirs.get_group().tolist() == data.query_sizes.tolist()
    assert theirs.get_label().tolist() == data.y.tolist()
