"""TREC text: what is read, what is refused with which words, and that what is written reads back."""

import gzip
import math

import numpy as np
import pytest
import pytrec_eval
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from gbrank import DataError, Qrels, Run, read_qrels, read_run, write_qrels, write_run

TWO = "q1 Q0 d7 1 0.9 dense\nq1 Q0 d2 2 0.4 dense\nq2 Q0 d7 1 -3 dense\n"
LABELS = "q1 0 d7 2\nq1 0 d9 0\nq2 0 d7 -1\n"
IDS = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Zs", "Zl", "Zp"]), min_size=1, max_size=8).filter(
    lambda word: word[0] not in "#\ufeff"
)
FINITE = st.floats(allow_nan=False, allow_infinity=False)
QUICK = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture
def put(tmp_path):
    """Write text or bytes to a file and return its path."""

    def put_content(content, name="f.txt"):
        (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
        return tmp_path / name

    return put_content


# What is read


def test_columns(put):
    run = read_run(put(TWO))
    assert run.to_dict() == {"q1": {"d7": 0.9, "d2": 0.4}, "q2": {"d7": -3.0}}
    assert run.name == "dense"
    assert read_run(put(TWO), name="other").name == "other"
    qrels = read_qrels(put(LABELS))
    assert qrels.to_dict() == {"q1": {"d7": 2, "d9": 0}, "q2": {"d7": -1}}
    assert qrels.name is None


@pytest.mark.parametrize(
    "text",
    [
        TWO.replace("\n", "\r\n"),
        TWO.replace(" ", "\t"),
        TWO.replace(" ", "  \t "),
        TWO.replace("\n", " \n").replace("q1", "  q1"),
        TWO.removesuffix("\n"),
        "# a comment of any words\n\n \t\n" + TWO.replace("\n", "\n\r\n") + "#",
        TWO.replace("dense\n", "dense more words behind the name\n"),
        TWO.replace(" 1 ", " first ").replace("Q0", "iteration-of-any-length"),
        TWO.replace("0.9", "+9.0e-1").replace("-3", "-3.00000000000000000000"),
    ],
)
def test_spellings_of_the_same(put, text):
    run = read_run(put(text))
    assert run.to_dict() == read_run(put(TWO, "two.txt")).to_dict()
    assert run.name == "dense"


def test_scattered_queries_are_brought_together(put):
    run = read_run(put("b 0 x 1 1 r\na 0 x 1 2 r\nb 0 y 1 3 r\nc 0 x 1 4 r\na 0 y 1 5 r\n"))
    assert run.query_ids.tolist() == ["b", "a", "c"]
    assert run.query_ptr.tolist() == [0, 2, 4, 5]
    assert run.doc_id.tolist() == ["x", "y", "x", "y", "x"]
    assert run.score.tolist() == [1, 3, 2, 5, 4]


def test_gzip(put):
    assert read_run(put(gzip.compress(TWO.encode()), "run.any")).to_dict() == read_run(put(TWO)).to_dict()


@pytest.mark.parametrize("n_jobs", [1, 2, 5])
def test_threads_do_not_matter(put, n_jobs):
    rng = np.random.default_rng(0)
    lines = [
        f"{'#' if i % 97 == 0 else ''}q{rng.integers(20) if i > 3000 else i // 100} Q0 d{i} 0 {score!r} run\n"
        + "\n" * (i % 31 == 0)
        for i, score in enumerate((rng.normal(size=6000) * 10.0 ** rng.integers(-30, 30, 6000)).tolist())
    ]
    text = "".join(lines)
    expected = pytrec_eval.parse_run(line for line in text.splitlines() if line and line[0] != "#")
    run = read_run(put(text), n_jobs=n_jobs)
    assert run.to_dict() == dict(expected)
    assert list(run.to_dict()) == list(expected)


@given(st.lists(FINITE | st.integers(-(10**25), 10**25).map(float), min_size=1, max_size=20), st.integers(0, 20))
@QUICK
def test_scores_are_the_nearest_doubles(put, scores, digits):
    tokens = [repr(score) if digits == 20 else f"{score:.{digits}e}" for score in scores]
    path = put("".join(f"q 0 d{i} 0 {token} r\n" for i, token in enumerate(tokens)))
    expected = [float(token) for token in tokens]
    if any(math.isinf(value) for value in expected):
        with pytest.raises(DataError, match="too large"):
            read_run(path)
    else:
        assert read_run(path).score.tolist() == expected


@pytest.mark.parametrize("odd", ["d" * 9, "d" * 70, "d" * 1000, "é", "\x85", "日本語", "a#b:c"])
def test_one_document_id_unlike_the_others(put, odd):
    lines = [f"q{i // 100} 0 {odd if i == 1777 else f'd{i}'} 0 {i} r\n" for i in range(3000)]
    run = read_run(put("".join(lines)))
    assert run.doc_id.tolist() == [odd if i == 1777 else f"d{i}" for i in range(3000)]
    lines[1750] = lines[1777]
    with pytest.raises(DataError, match=r":1778: token .* the document stands in line 1751"):
        read_run(put("".join(lines)))


def test_files_of_nist(real_data):
    folder = real_data / "trec_eval"
    for name in ("results.test", "results.trunc"):
        with open(folder / name) as file:
            expected = pytrec_eval.parse_run(" ".join(line.split()[:6]) for line in file)
        run = read_run(folder / name)
        assert run.to_dict() == dict(expected)
        assert run.name == "STANDARD"
    for name in ("qrels.test", "qrels.rel_level"):
        with open(folder / name) as file:
            assert read_qrels(folder / name).to_dict() == dict(pytrec_eval.parse_qrel(file))
    with pytest.raises(DataError, match=r"qrels.123:3682: token 'CR93E-10279': .* stands in line 1 for the same query"):
        read_qrels(folder / "qrels.123")  # several judges, told apart by the second column


# What is refused


@pytest.mark.parametrize(
    ("line", "token", "told"),
    [
        ("q Q0 d 1 1.0", "q", "the line has 5 columns, not the 6 of 'query Q0 document rank score name'"),
        ("q", "q", "the line has 1 columns"),
        ("q 0 d 1", "q", "it looks like judgments, which read_qrels reads"),
        ("q Q0 d 1 1.0 x q Q0 e 2 0.5 x", "q", "the line has 12 columns"),
        ("q Q0 d 1 nan r", "nan", "the score is not a finite decimal number"),
        ("q Q0 d 1 -inf r", "-inf", "the score is not a finite decimal number"),
        ("q Q0 d 1 x r", "x", "the score is not a finite decimal number"),
        ("q Q0 d 1 1_0 r", "1_0", "the score is not a finite decimal number"),
        ("q Q0 d 1 0x1 r", "0x1", "the score is not a finite decimal number"),
        ("q Q0 d 1 1#2 r", "1#2", "the score is not a finite decimal number"),
        ("q Q0 d 1 1,5 r", "1,5", "the score is not a finite decimal number"),
        ("q Q0 d 1 ١ r", "١", "the score is not a finite decimal number"),
        ("q Q0 d 1 1e400 dense", "1e400", "the score is too large"),
        ("q1 Q0 d7 1 1 dense", "d7", "the document stands in line 2 for the same query"),
        ("q Q0 d 1 1 other", "other", "another name in the lines before; split the file, or pass name="),
        ("q Q0 d\x01 1 1 r", "d\\x01", "the line holds a control character"),
        ("q Q0 d\x0b 1 1 r", "d\\x0b", "the line holds a control character"),
        ("q Q\x02 d 1 1 r", "Q\\x02", "the line holds a control character"),
        ("q Q0 d 1 1 dense \x02", "\\x02", "the line holds a control character"),
        ("q Q0 \x7fd 1 1 dense", "\\x7fd", "the document id holds a control character"),
        ("q\x7f Q0 d 1 1 dense", "q\\x7f", "the query id holds a control character"),
        ("q Q0 d\0 1 1 r", "d\\x00", "the line holds NUL bytes"),
        (b"q Q0 d\xff 1 1 dense", "d\\\\xff", "the document id is not UTF-8"),
        (b"q\xff Q0 d 1 1 dense", "q\\\\xff", "the query id is not UTF-8"),
        (f"q Q0 {'d' * 1001} 1 1 dense", "d" * 60 + "...", "the document id is longer than 1000 bytes"),
        (f"{'q' * 1001} Q0 d 1 1 dense", "q" * 60 + "...", "the query id is longer than 1000 bytes"),
    ],
)
@pytest.mark.parametrize("last", [True, False])
def test_lines_of_a_run_that_are_refused(put, line, token, told, last):
    content = b"# run\n" + TWO.encode() + (line if isinstance(line, bytes) else line.encode()) + b"\n"
    if not last:  # far from the end of the file, where another piece of memory is parsed
        content += b"".join(b"z Q0 e%d 1 1 dense\n" % i for i in range(50))
    path = put(content)
    with pytest.raises(DataError) as caught:
        read_run(path)
    message = str(caught.value)
    assert message.startswith(f"{path}:5: token '{token}': ")
    assert told in message


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "the file is empty"),
        (b"\n# words\n", "holds no document"),
        (b"\xff\xfeq\0", "byte order mark"),
        (b"\xef\xbb\xbf" + TWO.encode(), "byte order mark"),
        (gzip.compress(TWO.encode() * 1000, mtime=0)[:-20], "damaged gzip file"),
        (gzip.compress(TWO.encode(), mtime=0)[:12], "damaged gzip file"),
        (TWO.replace("\n", "\r").encode(), ":1: token 'q1': the line has 18 columns"),
    ],
)
def test_files_that_are_refused(put, content, told):
    with pytest.raises(DataError, match=told):
        read_run(put(content))


def test_judgments_that_are_refused(put, tmp_path):
    for line, told in [
        ("q Q0 d 1 1.0 r", "f.txt:4: token 'q': .* it looks like a run, which read_run reads"),
        ("q 0 d", "the line has 3 columns, not the 4"),
        ("q 0 d rel", "f.txt:4: token 'rel': the label is not a finite decimal number"),
        ("q 0 d 1e999", "the label is too large"),
        ("q1 0 d9 1", "f.txt:4: token 'd9': the document stands in line 2"),
    ]:
        with pytest.raises(DataError, match=told):
            read_qrels(put(LABELS + line + "\n"))
    for path in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(DataError, match="cannot be read"):
            read_qrels(path)


LINES = st.lists(
    st.sampled_from([TWO.encode(), b"q1 Q0", b" ", b"\n", b"\r\n", b"\t", b"d7", b"1e5", b"-.5", b"\0", b"\xc3", b"#"])
    | st.binary(max_size=12),
    max_size=20,
).map(b"".join)


@given(LINES, st.booleans(), st.integers(0, 3))
@example(b"\n" * 70 + b" " * 70, True, 0)
@example(b"a" * 300, True, 0)
@settings(QUICK, max_examples=300)
def test_whatever_the_bytes_they_are_read_or_refused(put, content, is_run, cut):
    content = gzip.compress(content)[: -cut or None] if cut else content
    path = put(content)
    try:
        table = (read_run if is_run else read_qrels)(path, n_jobs=2)
    except DataError:
        return
    assert np.isfinite(table.score if is_run else table.label).all()
    assert sum(map(len, table.to_dict().values())) == len(table)


# What is written


@given(st.dictionaries(IDS, st.dictionaries(IDS, FINITE, min_size=1, max_size=5), min_size=1, max_size=4))
@QUICK
def test_runs_read_back(tmp_path, nested):
    run = Run.from_dict(nested, name="r")
    write_run(run, tmp_path / "run.trec")
    back = read_run(tmp_path / "run.trec")
    assert back.to_dict() == nested
    assert back.name == "r"
    with open(tmp_path / "run.trec", encoding="utf-8", newline="\n") as file:
        rows = [line.split(" ") for line in file.read().split("\n")[:-1]]
    for query, documents in nested.items():
        mine = [row for row in rows if row[0] == query]
        assert [row[3] for row in mine] == [str(i + 1) for i in range(len(documents))]
        assert [row[2] for row in mine] == sorted(documents, key=lambda document: -documents[document])


@given(st.dictionaries(IDS, st.dictionaries(IDS, st.integers(-2, 9) | FINITE, min_size=1, max_size=5), min_size=1))
@QUICK
def test_judgments_read_back(tmp_path, nested):
    write_qrels(Qrels.from_dict(nested), tmp_path / "qrels.gz")
    back = read_qrels(tmp_path / "qrels.gz")
    assert back.to_dict() == nested
    assert [list(documents) for documents in back.to_dict().values()] == [list(each) for each in nested.values()]


def test_text_for_others(tmp_path):
    write_run(Run(["a", "a"], ["x", "y"], [1, 1 / 3]), tmp_path / "run")
    assert (tmp_path / "run").read_text() == "a Q0 x 1 1.0 gbrank\na Q0 y 2 0.3333333333333333 gbrank\n"
    with open(tmp_path / "run") as file:
        assert dict(pytrec_eval.parse_run(file)) == {"a": {"x": 1, "y": 1 / 3}}
    write_qrels(Qrels(["a", "a"], ["x", "y"], [2, 0.5]), tmp_path / "qrels")
    assert (tmp_path / "qrels").read_text() == "a 0 x 2\na 0 y 0.5\n"


@pytest.mark.parametrize(
    ("qid", "doc_id", "name", "told"),
    [
        ("a b", "x", "r", "qid: 'a b' cannot be written"),
        ("a", "x\ty", "r", "doc_id: 'x\\ty' cannot be written"),
        ("a", "\ud800", "r", "doc_id"),
        ("a", "é" * 501, "r", "at most 1000 bytes"),
        ("a", "x", "a run", "name: 'a run' cannot be written"),
        ("a", "x", "", None),
        ("#a", "x", "r", "starts with '#'"),
        ("\ufeffa", "x", "r", "byte order mark"),
    ],
)
def test_ids_that_would_not_read_back(tmp_path, qid, doc_id, name, told):
    run = Run([qid], [doc_id], [1], name=name)
    if told is None:
        write_run(run, tmp_path / "run")
        return
    with pytest.raises(DataError) as caught:
        write_run(run, tmp_path / "run")
    assert told in str(caught.value)
    assert not (tmp_path / "run").exists()
