"""Files of one score a line."""

import gzip
import time

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gbrank import DataError, read_scores, write_scores


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=50), st.integers(1, 3))
@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_scores_read_back(tmp_path, scores, n_jobs):
    write_scores(scores, tmp_path / "s.txt")
    assert read_scores(tmp_path / "s.txt", n_jobs=n_jobs).tolist() == scores


@pytest.mark.parametrize(
    "content", [b"1\n-.5\n3e2", b" 1 \r\n\t-.5\r\n3e2\n", gzip.compress(b"1\n-0.5\n300\n", mtime=0)]
)
def test_spellings(tmp_path, content):
    (tmp_path / "s").write_bytes(content)
    assert read_scores(tmp_path / "s").tolist() == [1, -0.5, 300]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"1\n\n2\n", ":2: '' is no number; give one score a line"),
        (b"1\nx\n", ":2: 'x' is no number"),
        (b"1 2\n", ":1: '1 2' is no number"),
        (b"1 # one\n", ":1: '1 # one' is no number"),
        (b"1\n1#\n", ":2: '1#' is no number"),
        (b"1_0\n", ":1: '1_0' is no number"),
        (b"nan\n", ":1: 'nan' is not finite; give a finite score"),
        (b"0\n-INF\n", ":2: '-INF' is not finite"),
        (b"0\n1e999\n", ":2: '1e999' is not finite"),
        (b"0\n1\x002\n", "is not text"),
        (b"0\n\xff\n", "is not text"),
        (b"", "the file is empty"),
        (gzip.compress(b"1\n" * 99, mtime=0)[:-9], "damaged gzip file"),
    ],
)
def test_refusals(tmp_path, content, told):
    (tmp_path / "s").write_bytes(content)
    with pytest.raises(DataError) as caught:
        read_scores(tmp_path / "s")
    assert told in str(caught.value)


@pytest.mark.parametrize(("scores", "told"), [([], "there are none"), ([np.nan], "row 0 is nan"), ([[1]], "dimension")])
def test_what_is_not_written(tmp_path, scores, told):
    with pytest.raises(DataError, match=told):
        write_scores(scores, tmp_path / "s")
    assert not list(tmp_path.iterdir())


@given(st.binary(max_size=60) | st.lists(st.sampled_from([b"1", b".", b"e", b"\n", b"-", b" ", b"\0"])).map(b"".join))
@settings(deadline=None, max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_the_bytes_they_are_read_or_refused(tmp_path, content):
    (tmp_path / "s").write_bytes(content)
    try:
        scores = read_scores(tmp_path / "s", n_jobs=1)
    except DataError:
        return
    assert scores.tolist() == [float(line) for line in content.removesuffix(b"\n").split(b"\n")]


def test_it_is_not_slow(tmp_path):
    scores = np.random.default_rng(0).normal(size=200_000)
    write_scores(scores, tmp_path / "s")
    start = time.perf_counter()
    np.testing.assert_array_equal(read_scores(tmp_path / "s"), scores)
    assert time.perf_counter() - start < 5
