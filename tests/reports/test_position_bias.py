"""The section of what was learnt of positions: there where there is something, and nowhere else."""

import numpy as np
import pytest

import gbrank
from gbrank.objectives import PositionTerm
from gbrank.reports import gather, position_bias


@pytest.fixture(scope="module")
def data():
    letor = gbrank.make_letor(40, random_state=0)
    position = np.arange(1, letor.n_documents + 1) - np.repeat(letor.query_ptr[:-1], letor.query_sizes)
    position = np.where(position == 3, 4, position)
    click = (letor.y > 1) & (np.random.default_rng(0).random(letor.n_documents) < 1 / position)
    return gbrank.RankingData(letor.X, click * 1.0, letor.qid, position=position)


def test_the_learnt_curve_is_shown_in_page_and_text(data):
    ranker = gbrank.GBRanker(PositionTerm("softmax"), n_estimators=5, n_jobs=1).fit(data)
    report = gather(ranker, data, n_jobs=1)
    titles = [section.title for section in report.sections]
    assert titles.index("Bias of positions") == titles.index("Training") + 1
    text, bias = str(report), ranker.position_bias_["term"]
    assert f"term: rank 1 0.000, rank 2 {bias[2]:.3f}, rank 4 {bias[4]:.3f}, " in " ".join(text.split())
    assert "Bias of positions" in report.to_html()
    (axes,) = position_bias(ranker).axes
    np.testing.assert_array_equal(axes.lines[0].get_xdata(), bias.dropna().index)
    np.testing.assert_array_equal(axes.lines[0].get_ydata(), bias.dropna())


def test_plain_rankers_have_no_such_section(data):
    report = gather(gbrank.GBRanker("softmax", n_estimators=2, n_jobs=1).fit(data), data, n_jobs=1)
    assert "Bias of positions" not in str(report)
