"""Session logs from files."""

import numpy as np
import pytest

from gbrank import DataError, GbrankWarning
from gbrank.clicks import (
    ClickLog,
    DynamicBayesian,
    PositionBased,
    UserBrowsing,
    read_click_log,
    read_yandex_sessions,
    write_click_log,
)


@pytest.fixture
def log():
    return ClickLog([1, 1, 2], ["007", "007", "8"], [10, 11, 10], [1, 2, 1], [0, 1, 0], time=[0.5, 0.5, 0.25])


@pytest.mark.parametrize("name", ["log.csv", "log.csv.gz", "log.parquet"])
def test_written_and_read(log, tmp_path, name):
    if name.endswith("parquet"):
        pytest.importorskip("pyarrow", reason="pyarrow is not installed")
    if name.endswith("gz"):
        log.to_frame().to_csv(tmp_path / name, index=False)
    else:
        write_click_log(log, tmp_path / name)
    again = read_click_log(tmp_path / name)
    assert again.to_frame().equals(log.to_frame())


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("query,document,rank\nq,a,1\n", "no column 'click'"),
        ("query,document,rank,click\nq,,1,0\n", "row 0 has no 'document'"),
        ("query,document,rank,click\nq,a,,1\n", "rank: row 0 has none, and is clicked"),
        ("query,document,rank,click\nq,a,first,1\n", "rank: every value must be a number"),
        ("query,document,rank,click\nq,a,1,\n", "click: row 0 is nan"),
        ("", "cannot be read as CSV"),
    ],
)
def test_refuses_other_csv(tmp_path, text, told):
    (tmp_path / "log.csv").write_text(text)
    with pytest.raises(DataError, match=told) as caught:
        read_click_log(tmp_path / "log.csv")
    assert str(tmp_path) in str(caught.value)
    with pytest.raises(DataError, match="no such file"):
        read_click_log(tmp_path / "other.csv")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "has no sessions"),
        ("q\t1,2 : 1\nq 1,2 : 1", ":2: session 1 is 'q 1,2 : 1'; write query, tab"),
        ("q\t1,2 : 1; q\t1,2", ":1: session 2 is"),
        ("q\t1,,2 : 1", "an id is empty"),
        ("q\t1,2 : 3; q\t1,2 : 1", "document '3' is clicked but not shown; .* which 1 of 2 sessions have"),
        ("q\t1,1 : 1", "session 0 has 1 twice"),
    ],
)
def test_refuses_other_sessions(tmp_path, text, told):
    (tmp_path / "s.txt").write_text(text)
    with pytest.raises(DataError, match=told):
        read_yandex_sessions(tmp_path / "s.txt")


def test_clicks_on_what_was_not_shown_are_left_out_when_asked(tmp_path):
    (tmp_path / "s.txt").write_text("q\t1,2 : 3, 2, 2, 4; q\t1,2 : 1;\n")
    with pytest.warns(GbrankWarning, match="2 clicks on documents that were not shown, in 1 of 2 sessions"):
        log = read_yandex_sessions(tmp_path / "s.txt", unlisted="ignore")
    assert log.click.tolist() == [False, True, True, False]


@pytest.fixture(scope="module")
def sessions(real_data):
    with pytest.warns(GbrankWarning, match="369 clicks on documents that were not shown, in 191 of 35064"):
        return read_yandex_sessions(real_data / "yandex-relpred" / "sessions.txt", unlisted="ignore")


def test_real_sessions(sessions):
    assert sessions.n_sessions == 35064
    assert set(sessions.session_sizes.tolist()) == {10}
    assert len(np.unique(sessions.query)) == 20
    rates = sessions.click_rates()
    assert rates[0] == pytest.approx(0.26, abs=0.005)
    assert rates[9] == pytest.approx(0.04, abs=0.005)


@pytest.mark.parametrize("within_queries", [False, True])
def test_on_real_sessions_what_was_clicked_above_counts(sessions, within_queries):
    earlier, later = sessions.split_by_time(0.75, within_queries=within_queries)
    found = {model.name: model.fit(earlier, tolerance=1e-5) for model in (PositionBased, UserBrowsing, DynamicBayesian)}
    overall = {name: model.perplexity(later).overall for name, model in found.items()}
    assert overall["ubm"] < overall["pbm"] - 0.01
    assert overall["dbn"] < overall["pbm"] - 0.01
    assert found["ubm"].log_likelihood(later) > found["pbm"].log_likelihood(later)
