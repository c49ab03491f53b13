"""LETOR text: what is read, what is refused with which words, and that what is written reads back equal."""

import gzip
import json
import os
import re
import warnings

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from sklearn.datasets import load_svmlight_file

from gbrank import (
    DataError,
    GbrankWarning,
    ParameterError,
    RankingData,
    make_letor,
    read_letor,
    read_letor_fold,
    write_letor,
)
from gbrank.data import _letor

TWO = "1 qid:3 1:0.5 3:2\n0 qid:3 2:1\n"


# Lines that are not ended are read, with a warning.
unended = pytest.mark.filterwarnings("ignore::gbrank.GbrankWarning")


@pytest.fixture
def read(tmp_path):
    """Write text or bytes to a file and read it."""

    def read_text(content, **options):
        path = tmp_path / "f.txt"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return read_letor(path, **options)

    return read_text


def dense(X):
    return X.toarray() if sp.issparse(X) else X


def same(a, b):
    """Whether two data sets have equal arrays."""
    arrays = [(dense(a.X), dense(b.X)), (a.y, b.y), (a.qid, b.qid), (a.query_ptr, b.query_ptr), (a.order, b.order)]
    documents = (a.doc_id is None) == (b.doc_id is None) and (a.doc_id is None or np.array_equal(a.doc_id, b.doc_id))
    return documents and all(x.dtype.kind == y.dtype.kind and np.array_equal(x, y) for x, y in arrays)


# What is read


def test_values_labels_queries_and_names(read):
    data = read("1 qid:3 1:0.5 3:2\n-2.5 qid:3 2:1e-2\n3 qid:-7 1:-1\n")
    np.testing.assert_array_equal(data.X, np.float32([[0.5, 0, 2], [0, 0.01, 0], [-1, 0, 0]]))
    assert data.X.dtype == np.float32
    assert data.y.dtype == np.float64
    assert data.y.tolist() == [1, -2.5, 3]
    assert data.query_ids.tolist() == [3, -7]
    assert data.query_ids.dtype == np.int64
    assert data.query_ptr.tolist() == [0, 2, 3]
    assert data.order.tolist() == [0, 1, 2]
    assert data.feature_names == ("f1", "f2", "f3")
    assert data.doc_id is None


@unended
@pytest.mark.parametrize(
    "text",
    [
        TWO.replace("\n", "\r\n"),
        TWO.replace(" ", "\t"),
        TWO.replace(" ", "  \t "),
        TWO.replace("\n", " \n"),
        TWO.removesuffix("\n"),
        "\n\n" + TWO.replace("\n", "\n\r\n \t\n") + "\n",
        "# a comment with qid:9 1:2\n" + TWO + "  # another one",
        TWO.replace("\n", "#c 7:7\n"),
        TWO.replace("\n", " # docids = 4, mydocid = 5, docid\n"),
        TWO.replace("1 qid", "+1.0e0 qid").replace("1:0.5", "0001:.5"),
    ],
)
def test_spellings_of_the_same(read, text):
    assert same(read(text), read(TWO))


def test_comments_name_documents(read):
    data = read(
        "1 qid:1 1:1 # docid = GX1 inc = 1 prob = 0.5\n0 qid:1 1:2 #docid=b#2:7\n0 qid:1 1:2\n"
        "0 qid:1 1:2 # inc = 2 docid  =\té\r\n0 qid:1 1:2 # docid =\n0 qid:1 1:2 #docid = last"
    )
    assert data.doc_id.tolist() == ["GX1", "b#2:7", "", "é", "", "last"]


@pytest.mark.parametrize(
    ("ids", "kind"),
    [
        (["1", "0", "-5", "9223372036854775807", "-9223372036854775808"], "i"),
        (["1", "007"], "U"),
        (["1", "-0"], "U"),
        (["1", "+2"], "U"),
        (["1", "9223372036854775808"], "U"),
        (["1", "-9223372036854775809"], "U"),
        (["1", "q1"], "U"),
        (["1", "日本", "é"], "U"),
        (["1", "-"], "U"),
        (["1", "1e3"], "U"),
    ],
)
def test_query_ids_are_numbers_or_all_strings(read, ids, kind):
    data = read("".join(f"0 qid:{i} 1:1\n" for i in ids))
    assert data.query_ids.dtype.kind == kind
    assert list(map(str, data.query_ids.tolist())) == ids


def test_index_base_and_number_of_features(read):
    assert read("1 qid:1 0:5 2:1\n", zero_based=True).X.tolist() == [[5, 0, 1]]
    assert read("1 qid:1 1:5\n", n_features=3, sparse=False).X.tolist() == [[5, 0, 0]]
    assert read("1 qid:1\n", n_features=2, sparse=False).X.tolist() == [[0, 0]]
    wide = read("1 qid:1 2000000:5\n", n_features=2_000_000)
    assert sp.issparse(wide.X)
    assert wide.X.shape == (1, 2_000_000)


def test_sparse_by_share_of_values_written(read):
    three_of_ten = "1 qid:1 1:1 2:0 10:3\n"
    assert not sp.issparse(read(three_of_ten).X)
    few = read("1 qid:1 1:1 2:0 11:3\n0 qid:1\n")
    assert sp.issparse(few.X)
    assert few.X.nnz == 3
    assert few.X.indptr.tolist() == [0, 3, 3]
    assert few.X.dtype == np.float32
    assert few.X.indices.dtype == np.int32
    assert same(read(three_of_ten, sparse=True), read(three_of_ten, sparse=False))
    assert sp.issparse(read(three_of_ten, sparse=True).X)


def test_scattered_queries_can_be_regrouped(read):
    text = "1 qid:1 1:1 #docid = a\n2 qid:2 1:2\n\n3 qid:1 1:3 #docid = c\n"
    for sparse in (False, True):
        data = read(text, scattered="regroup", sparse=sparse)
        assert dense(data.X).ravel().tolist() == [1, 3, 2]
        assert data.y.tolist() == [1, 3, 2]
        assert data.qid.tolist() == [1, 1, 2]
        assert data.doc_id.tolist() == ["a", "c", ""]
        assert data.order.tolist() == [0, 2, 1]


def test_gzip(read):
    assert same(read(gzip.compress(TWO.encode())), read(TWO))
    with pytest.raises(DataError, match="damaged gzip"):
        read(gzip.compress(TWO.encode())[:-9])
    with pytest.raises(DataError, match="times as large"):
        read(gzip.compress(b"\n" * (66 << 20)))


def test_a_pipe(tmp_path):
    reading, writing = os.pipe()
    os.write(writing, TWO.encode())
    os.close(writing)
    try:
        assert read_letor(f"/dev/fd/{reading}").y.tolist() == [1, 0]
    finally:
        os.close(reading)


@pytest.mark.parametrize("n_jobs", [1, 2, 3, 7])
def test_threads_do_not_matter(tmp_path, n_jobs):
    path = tmp_path / "f.txt"
    data = make_letor(20, n_features=9, random_state=0)
    for X in (data.X, sp.csr_array(np.where(data.X > 2, data.X, 0))):
        write_letor(RankingData(X, data.y, data.qid, doc_id=[f"d{i}" for i in range(len(data))]), path)
        lines = path.read_bytes().replace(b"\n7", b"\n\n# note\n7").replace(b"0 qid", b"  0 qid")
        path.write_bytes(lines)
        back = read_letor(path, n_jobs=n_jobs)
        assert np.array_equal(dense(back.X), dense(X))
        assert np.array_equal(back.y, data.y)
        assert back.doc_id[-1] == f"d{len(data) - 1}"


# Values are exact


NUMBERS = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
    st.floats(allow_nan=False, allow_infinity=False, width=32).map(repr),
    st.decimals(-(10**9), 10**9, allow_nan=False, places=30).map(lambda d: format(d, "f")),
    st.builds("{}.{}e{}".format, st.integers(0, 10**25), st.integers(0, 10**25), st.integers(-350, 280)),
    st.builds(
        "{}.{}".format, st.integers(2**24, 2**25), st.sampled_from(["5", "49999999999999", "50000000000000000001"])
    ),
)


@unended
@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(NUMBERS, min_size=1, max_size=20))
@example(["16777217", "16777217.0000000000000000000000001", "16777216.999999999999999999999", "1.4e-45", "7e-46"])
@example(["5e-324", "2.4703282292062327208e-324", "2.2250738585072011e-308", "1" * 400 + "e-380"])
@example(["1.00000005960464477539062500000000001", "1.000000059604644775390625", "123456789.123456789e-5"])
def test_values_are_the_nearest_of_their_type(tmp_path, tokens):
    path = tmp_path / "f.txt"
    path.write_text("0 qid:1 " + " ".join(f"{i}:{token}" for i, token in enumerate(tokens, 1)))
    X = read_letor(path, dtype="float64").X
    exact = np.array([float(token) for token in tokens])
    assert X.dtype == np.float64
    assert X[0].tobytes() == exact.tobytes()
    with np.errstate(over="ignore"):
        rounded = exact.astype(np.float32)
    if np.isinf(rounded).any():
        with pytest.raises(DataError, match="too large for float32"):
            read_letor(path)
    else:
        assert read_letor(path).X[0].tobytes() == rounded.tobytes()


def test_labels_are_exact(read):
    labels = ["0.1", "1e-320", "123456789012345678901234567890", "-16777217.000000001", "9007199254740993"]
    assert read("".join(f"{t} qid:1 1:1\n" for t in labels)).y.tolist() == [float(t) for t in labels]


def test_many_numbers_that_python_must_finish(read, monkeypatch):
    monkeypatch.setattr(_letor, "ROOM", 3)
    row = " ".join(f"{i}:{i}e-310" for i in range(1, 20))
    data = read(f"1e-310 qid:1 {row}\n2 qid:1 1:1\n3e-310 qid:x {row}\n", dtype="float64")
    assert data.X[0].tolist() == data.X[2].tolist() == [float(f"{i}e-310") for i in range(1, 20)]
    assert data.y.tolist() == [1e-310, 2, 3e-310]
    assert data.query_ids.tolist() == ["1", "x"]


# What is refused


REFUSED = [
    ("{}1 1:2\n", 3, "1:2", "no qid:ID behind its label"),
    ("{}1\n", 3, "1", "no qid:ID"),
    ("{}1 # qid:3\n", 3, "#", "no qid:ID"),
    ("{}x qid:3 1:1\n", 3, "x", "label is not a finite number"),
    ("{}qid:3 1:1\n", 3, "qid:3", "label is not a finite number"),
    ("{}nan qid:3 1:1\n", 3, "nan", "label is not a finite number"),
    ("{}inf qid:3 1:1\n", 3, "inf", "label"),
    ("{}1e999 qid:3 1:1\n", 3, "1e999", "too large"),
    ("{}1 qid: 1:1\n", 3, "qid:", "query id is empty"),
    ("{}1 qid:a:b 1:1\n", 3, "qid:a:b", "holds a colon"),
    ("{}1 qid:3 0:1\n", 3, "0:1", "zero_based=True"),
    ("{}1 qid:3 1:1 1:2\n", 3, "1:2", "must rise"),
    ("{}1 qid:3 2:1 1:2\n", 3, "1:2", "must rise"),
    ("{}1 qid:3 4:1 1:2\n", 3, "4:1", "must rise"),
    ("{}1 qid:3 1:NULL\n", 3, "1:NULL", "not a finite decimal"),
    ("{}1 qid:3 1:nan\n", 3, "1:nan", "not a finite decimal"),
    ("{}1 qid:3 1:-inf\n", 3, "1:-inf", "not a finite decimal"),
    ("{}1 qid:3 1:1_000\n", 3, "1:1_000", "not a finite decimal"),
    ("{}1 qid:3 1:0x1F\n", 3, "1:0x1F", "not a finite decimal"),
    ("{}1 qid:3 1:1,5\n", 3, "1:1,5", "not a finite decimal"),
    ("{}1 qid:3 1:2:3\n", 3, "1:2:3", "not a finite decimal"),
    ("{}1 qid:3 1: 5\n", 3, "1:", "not a finite decimal"),
    ("{}1 qid:3 1:٣\n", 3, "1:٣", "not a finite decimal"),
    ("{}1 qid:3 1:1e999\n", 3, "1:1e999", "too large"),
    ("{}1 qid:3 1:1e39\n", 3, "1:1e39", "dtype='float64'"),
    ("{}1 qid:3 1:1" + "0" * 400 + "\n", 3, "1:1" + "0" * 57 + "...", "too large"),
    ("{}1 qid:3 1:5", 3, None, None),
    ("{}1 qid:3 5:", 3, "5:", "not a finite decimal"),
    ("{}1 qid:3 5", 3, "5", "index:value"),
    ("{}1 qid:3 5:1 1", 3, "1", "index:value"),
    ("{}1 qid:3 -1:1\n", 3, "-1:1", "index:value"),
    ("{}1 qid:3 a:1\n", 3, "a:1", "index:value"),
    ("{}1 qid:3 1.5:1\n", 3, "1.5:1", "index:value"),
    ("{}1 qid:3 sid:1 1:1\n", 3, "sid:1", "index:value"),
    ("{}1 qid:3 2147483648:1\n", 3, "2147483648:1", "pass n_features"),
    ("{}1 qid:3 99999999999999999999:1\n", 3, "9" * 20 + ":1", "pass n_features"),
    ("{}1 qid:3 1048577:1\n", 3, "1048577:1", "pass n_features"),
    ("{}1 qid:3 1:1\0\n", 3, "1:1\0", "NUL bytes"),
    ("{}1 qid:3 1:1 # docid = " + "x" * 1001 + "\n", 3, "x" * 60 + "...", "longer than 1000 bytes"),
    ("{}1 qid:" + "x" * 1001 + " 1:1\n", 3, "qid:" + "x" * 56 + "...", "longer than 1000 bytes"),
    ("{}1 qid:3 1:1 # docid = a\x01\n", 3, "a\x01", "control character"),
    ("{}1 qid:4 1:1\n1 qid:3 1:1\n", 4, "qid:3", "end in line 2 and go on here"),
]


@unended
@pytest.mark.parametrize(("text", "line", "token", "words"), REFUSED)
@pytest.mark.parametrize("rows_behind", [0, 200])
@pytest.mark.parametrize("n_jobs", [1, 2])
def test_refusals_name_file_line_token_and_remedy(read, tmp_path, text, line, token, words, rows_behind, n_jobs):
    content = text.format(TWO) + "\n0 qid:9 1:0" * rows_behind
    if token is None:
        assert read(content).n_documents == 3 + rows_behind
        return
    with pytest.raises(DataError) as caught:
        read(content, n_jobs=n_jobs)
    message = str(caught.value)
    assert message.startswith(f"{tmp_path}/f.txt:{line}: token {token!r}: "), message
    assert words in message
    assert message.endswith(".")


def test_index_beyond_n_features(read):
    with pytest.raises(DataError, match=r":1: token '3:2': beyond n_features=2"):
        read(TWO, n_features=2)
    assert read("1 qid:1 1:1\n", zero_based=True).n_features == 2
    with pytest.raises(DataError, match="beyond n_features=1"):
        read("1 qid:1 1:1\n", zero_based=True, n_features=1)


def test_a_file_without_query_ids(read):
    with pytest.raises(DataError, match=r"f.txt:2: token '1:1': the file has no query ids .* RankingData"):
        read("# x qid:1\n0 1:1\n0 1:2\n")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b"\n \n# only\n", "holds no document"),
        (b"\xef\xbb\xbf1 qid:1 1:1\n", "byte order mark"),
        ("1 qid:1 1:1\n".encode("utf-16"), "byte order mark"),
        (bytes(range(256)) * 20, ":1: token"),
        (b"\0" * 5000, "NUL bytes"),
        (b"\x89PNG\r\n\x1a\n" + os.urandom(300), ":1: token"),
        (b"1 qid:1\n0 qid:2\n", "no line has a feature"),
        (b"1 qid:\xff\xfe 1:1\n", "not UTF-8"),
        (b"1 qid:1 1:1 #docid=\xc3\n", "not UTF-8"),
    ],
)
def test_files_that_are_no_letor_text(read, content, words):
    with pytest.raises(DataError, match=re.escape(words)):
        read(content)


def test_paths_that_cannot_be_read(tmp_path):
    for path in (tmp_path, tmp_path / "none.txt", "a\0b"):
        with pytest.raises(DataError, match="cannot be read"):
            read_letor(path)


def test_too_large_to_be_dense(read):
    with pytest.raises(DataError, match="sparse=True"):
        read("1 qid:1 1:1\n" * 200_000, n_features=2**31 - 1, sparse=False)


@pytest.mark.parametrize(
    "options",
    [{"n_features": 0}, {"scattered": "sort"}, {"dtype": "int32"}, {"dtype": "nonsense"}, {"sparse": 2}, {"n_jobs": 0}],
)
def test_arguments_out_of_range(read, options):
    with pytest.raises(ParameterError, match=next(iter(options))):
        read(TWO, **options)


# Folds


def test_fold_has_the_same_columns(tmp_path):
    for part, text in (("train", TWO), ("vali", "1 qid:1 7:1\n"), ("test", "0 qid:5 1:1\n")):
        (tmp_path / f"{part}.txt").write_text(text)
    fold = read_letor_fold(tmp_path)
    assert fold.train.X.shape == (2, 7)
    assert fold.vali.X.shape == fold.test.X.shape == (1, 7)
    assert len({sp.issparse(part.X) for part in fold}) == 1
    assert read_letor_fold(tmp_path, n_features=9).test.n_features == 9
    (tmp_path / "vali.txt").unlink()
    with pytest.raises(DataError, match=r"vali\.txt: cannot be read"):
        read_letor_fold(tmp_path)


# Writing


TEXT_IDS = st.text(
    st.characters(codec="utf-8", min_codepoint=33, exclude_categories=["Cs", "Cc"]), min_size=1, max_size=8
)
QUERY_IDS = TEXT_IDS.filter(lambda s: not set(s) & set("#:"))


@st.composite
def ranking_data(draw):
    dtype = draw(st.sampled_from([np.float32, np.float64]))
    shape = draw(st.tuples(st.integers(1, 6), st.integers(1, 5)))
    values = st.floats(allow_nan=False, allow_infinity=False, width=dtype().itemsize * 8) | st.sampled_from(
        [0.0, 0.1, 3.0]
    )
    X = draw(npst.arrays(dtype, shape, elements=values))
    y = draw(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=shape[0], max_size=shape[0]))
    ids = st.integers(-(2**63), 2**63 - 1) | st.integers(0, 2)
    ids = draw(st.sampled_from([ids, QUERY_IDS.map(lambda s: "q" + s)]))
    qid = draw(st.lists(ids, min_size=shape[0], max_size=shape[0]))
    documents = draw(st.none() | st.lists(TEXT_IDS, min_size=shape[0], max_size=shape[0]))
    X = sp.csr_array(X) if draw(st.booleans()) else X
    return RankingData(X, y, qid, doc_id=documents)


@settings(max_examples=120, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(ranking_data())
def test_what_is_written_reads_back_equal(tmp_path, data):
    path = tmp_path / "f.txt"
    write_letor(data, path)
    back = read_letor(path, dtype=data.X.dtype)
    order = RankingData(back.X, back.y, back.qid, doc_id=back.doc_id)
    assert same(order, RankingData(data.X, data.y, data.qid, doc_id=data.doc_id))
    assert np.array_equal(np.signbit(dense(back.X)), np.signbit(dense(data.X)))


def test_text_that_is_written(tmp_path):
    path = tmp_path / "f.txt"
    X = np.float32([[0.1, 0, 1e-30], [1 / 3, -2.5, 16777216]])
    write_letor(RankingData(X, [1, -0.5], ["a", "b"], doc_id=["d", ""]), path)
    assert path.read_text() == (
        "1 qid:a 1:0.1 2:0.0 3:1e-30 # docid = d\n-0.5 qid:b 1:0.33333334 2:-2.5 3:1.6777216e+07\n"
    )
    write_letor(RankingData(X[:, :2], [1, 2], [7, 7]), path)
    assert path.read_text() == "1 qid:7 1:0.1 2:0\n2 qid:7 1:0.33333334 2:-2.5\n"
    write_letor(RankingData(sp.csr_array(X[:, 1:2] * [[1, 0, 0]]), [1, 2], [7, 7]), path)
    assert path.read_text() == "1 qid:7 3:0\n2 qid:7 1:-2.5\n"
    assert read_letor(path).n_features == 3


def test_unsorted_sparse_input(tmp_path):
    X = sp.csr_array((np.float32([1, 2, 3]), [2, 0, 0], [0, 3]), shape=(1, 3))
    write_letor(RankingData(X, [0], [1]), tmp_path / "f.txt")
    assert dense(read_letor(tmp_path / "f.txt").X).tolist() == [[5, 0, 1]]
    assert X.nnz == 3, "the caller's matrix is left alone"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"X": [[1.0], [np.nan]]}, "row 1, feature f1 is NaN"),
        ({"X": sp.csr_array([[0.0, 1], [np.nan, 0]])}, "row 1, feature f1 is NaN"),
        ({"y": [[1, 2], [3, 4]]}, "2 label columns"),
        ({"qid": ["a b", "c"]}, "'a b' (query 0)"),
        ({"qid": ["c", "a#"]}, "'a#' (query 1)"),
        ({"qid": ["c", "a:b"]}, "'a:b' (query 1)"),
        ({"qid": ["c", ""]}, "'' (query 1)"),
        ({"doc_id": ["c", "a\tb"]}, "(row 1)"),
        ({"doc_id": ["c", "\ud800"]}, "(row 1)"),
        ({"doc_id": ["c", "x" * 1001]}, "(row 1)"),
    ],
)
def test_what_cannot_be_written(tmp_path, arguments, words):
    path = tmp_path / "f.txt"
    path.write_text("old")
    data = RankingData(**{"X": [[1.0], [2.0]], "y": [0, 1], "qid": [1, 2]} | arguments)
    with pytest.raises(DataError, match=re.escape(words)):
        write_letor(data, path)
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["f.txt"]


# Fuzzing


PARTS = [
    b"1",
    b"0.5",
    b" ",
    b"\t",
    b"\r",
    b"\n",
    b":",
    b"#",
    b"qid:",
    b"docid = ",
    b"-",
    b"e9",
    b"\0",
    b"\xff",
    b"9" * 12,
]
MUTATIONS = st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 3), st.sampled_from(PARTS)), max_size=4)
SEED = (
    b"2 qid:10 1:0.25 2:3 4:1e-3 # docid = a\n0 qid:10 1:1 3:-7.5 #docid = b\n\n"
    b"1 qid:q2 2:0 # note\n0 qid:q2 1:16777217\n"
)


def mutated(mutations, text=SEED):
    for place, cut, part in mutations:
        place %= len(text) + 1
        text = text[:place] + part + text[place + cut :]
    return text


def read_or_none(path):
    """Return the data, or None if they are refused with the file named."""
    try:
        return read_letor(path, scattered="regroup")
    except DataError as error:
        if str(error).startswith(f"{path}:"):
            return None
        raise AssertionError("the file is not named") from error


@unended
@settings(max_examples=800, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(MUTATIONS, st.integers(0, 3))
def test_any_text_is_read_or_refused_and_what_is_read_survives(tmp_path, mutations, copies):
    path, again = tmp_path / "f.txt", tmp_path / "g.txt"
    path.write_bytes(mutated(mutations) * (1 + copies))
    data = read_or_none(path)
    if data is None:
        return
    check_against_sklearn(path, data)
    write_letor(data, again)
    back = read_letor(again)
    for name in ("y", "query_ids", "query_ptr"):
        assert np.array_equal(getattr(data, name), getattr(back, name))
    assert np.array_equal(dense(data.X), dense(back.X))
    assert np.array_equal(data.doc_id, back.doc_id) if data.doc_id is not None else back.doc_id is None


def check_against_sklearn(path, data):
    """Compare with scikit-learn's loader, where it can read the file and the ids are numbers."""
    try:
        X, y, qid = load_svmlight_file(str(path), query_id=True, zero_based=False, n_features=data.n_features)
    except (ValueError, OverflowError):  # the latter for query ids beyond 64 bits, which are strings here
        return
    np.testing.assert_array_equal(dense(data.X), X.toarray().astype(np.float32)[data.order])
    np.testing.assert_array_equal(data.y, y[data.order])
    if data.query_ids.dtype.kind == "i":
        np.testing.assert_array_equal(data.qid, qid[data.order])


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.binary(max_size=300))
def test_binary_rubbish_is_refused(tmp_path, content):
    path = tmp_path / "f.txt"
    path.write_bytes(content)
    with pytest.raises(DataError):
        read_letor(path)


# Real files


def test_mq2008(real_data):
    parts = [read_letor(real_data / "mq2008" / f"Fold{k}" / "test.txt") for k in range(1, 6)]
    assert sum(part.n_queries for part in parts) == 784
    assert sum(map(len, parts)) == 15_211
    assert {part.n_features for part in parts} == {46}
    y = np.concatenate([part.y for part in parts])
    assert np.bincount(y.astype(int)).tolist() == [12279, 2001, 931]
    assert not set(parts[0].query_ids) & set(parts[1].query_ids)


def test_mq2008_fold_equals_scikit_learn(real_data):
    folder = real_data / "mq2008" / "Fold1"
    for name, data in zip(("train", "vali", "test"), read_letor_fold(folder), strict=True):
        path = folder / f"{name}.txt"
        X, y, qid = load_svmlight_file(str(path), query_id=True, zero_based=False)
        np.testing.assert_array_equal(data.X, X.toarray().astype(np.float32))
        np.testing.assert_array_equal(data.y, y)
        np.testing.assert_array_equal(data.qid, qid)
        expected = [re.search(r"docid = (\S+)", line)[1] for line in path.read_text().splitlines()]
        assert data.doc_id.tolist() == expected
        np.testing.assert_array_equal(
            read_letor(path, dtype="float64").X, X.toarray(), err_msg="float64 values are Python's"
        )


def test_trec_news(real_data):
    folder = real_data / "trecnews2018"
    train, test = (read_letor(folder / f"trec_news_2018.{part}", n_features=5) for part in ("train", "test"))
    assert (len(train), train.n_queries, len(test), test.n_queries) == (782, 45, 41, 5)
    assert len(json.loads((folder / "trec_news_2018.features.json").read_text())) == 5
    assert set(np.unique(train.y)) <= {0, 1, 2, 3, 4}


@pytest.mark.parametrize("at", range(1, 12))
def test_a_lone_carriage_return_is_found_wherever_blocks_of_the_search_end(read, monkeypatch, at):
    monkeypatch.setattr("gbrank.data._letor_text.SMALL", at)
    with pytest.warns(GbrankWarning, match=":2: a carriage return"):
        read("1 qid:1 1:1\r\n1 qid:1 1:0.5\r2:3\r\n0 qid:1 1:2\r\n")
    assert len(read("1 qid:1 1:1\r\n1 qid:1 1:0.5\r\n")) == 2


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "1 qid:1 1:0.5\n\n0 qid:1 1:0.2",
            r":3: the file ends with '1:0\.2' and no line feed; if it was cut",
        ),
        ("1 qid:1", r":1: the file ends with 'qid:1' and no line feed"),
        ("1 qid:1 1:0.5 # docid = a\r0 qid:1 1:1\r", ":1: a carriage return stands within the line; .* is lost in it"),
        ("1 qid:1 1:1\n1 qid:1 1:0.5\r2:3\n0 qid:1 1:2", ":2: a carriage return stands within the line"),
    ],
)
def test_lines_that_may_not_end_where_they_seem_to_are_told_once(read, text, words):
    with pytest.warns(GbrankWarning, match=words) as told:
        read(text, n_features=3)
    assert len(told) == 1


@pytest.mark.parametrize(
    "text",
    ["1 qid:1 1:0.5\n0 qid:1 1:1\n", "1 qid:1 1:0.5\r\n0 qid:1 1:1\r\n", "1 qid:1 1:1 # docid = 1", "1 qid:1 1:1\r",
     "1 qid:1 1:1\n\n# the end", "1 qid:1 1:1 "],
)  # fmt: skip
def test_usual_line_ends_are_not_told(read, text):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        read(text)


def test_columns_may_be_named(read, tmp_path):
    data = read("1 qid:1 2:5\n0 qid:1 1:3\n", feature_names=["bm25", "clicks", "age"])
    assert data.feature_names == ("bm25", "clicks", "age")
    assert data.X.tolist() == [[0, 5, 0], [3, 0, 0]]
    for part in ("train", "vali", "test"):
        (tmp_path / f"{part}.txt").write_text("1 qid:1 1:5\n")
    assert read_letor_fold(tmp_path, feature_names="ab").test.feature_names == ("a", "b")
    with pytest.raises(DataError, match="beyond n_features=1"):
        read("1 qid:1 2:5\n", feature_names=["bm25"])
    for names, n in ((["a", "a"], None), (["a", "b"], 3), ([], None)):
        with pytest.raises(ParameterError, match=r"feature_names: .* distinct names"):
            read("1 qid:1 2:5\n", feature_names=names, n_features=n)
