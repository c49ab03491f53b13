"""Reports of losses: what is drawn is what is told."""

import numpy as np
import pandas as pd
import pytest

import gbrank
from gbrank import ParameterError
from gbrank.lossgen import compare_losses
from gbrank.objectives import Expression
from gbrank.reports import loss_curves, loss_report, search_progress

CANDIDATES = pd.DataFrame(
    {
        "number": range(5),
        "loss": ["softplus(-d)", "d", "exp(-d)", "max(0, 1 - d)", "tanh(-d)"],
        "stage": ["full", "grid", "short", "full", "full"],
        "reason": [None, "reversed", "clearly worse", None, None],
        "reward": [-0.01, np.nan, -0.2, 0.02, 0.01],
        "folds": [(-0.02, 0.0), (), (), (0.03, 0.01), (0.0, 0.02)],
    }
)


def test_curves_are_those_of_the_loss():
    usual, ours = loss_curves({"RankNet": "3 * softplus(-d)"}, "gradient").axes[0].lines
    d, slope = (np.asarray(each) for each in ours.get_data())
    expected = -1 / (1 + np.exp(d))
    assert slope == pytest.approx(expected / np.abs(expected[np.abs(d) <= 3]).mean())
    assert np.asarray(usual.get_ydata()) == pytest.approx(slope)  # LambdaRank is RankNet but for a weight of the pair
    usual, shifted = loss_curves({"RankNet": "3 * softplus(-d) + 700"}, "value").axes[0].lines
    value = np.asarray(shifted.get_ydata())
    assert value == pytest.approx(np.asarray(usual.get_ydata()))  # a constant that is added changes nothing
    assert value[d == 0] == pytest.approx(0.0)
    hinge = loss_curves({"hinge": "max(0, 1 - d)"}, "hessian").axes[0].lines[1]
    bend = np.asarray(hinge.get_ydata())
    assert (bend[d < 0.99] > 0).all()  # the slope stands in for a second derivative of 0
    assert (bend[d > 1.01] == 0).all()


def test_progress_is_the_running_best():
    lines = {line.get_label(): line for line in search_progress(CANDIDATES).axes[0].lines}
    assert lines["best so far"].get_ydata().tolist() == [-0.01, -0.01, 0.02, 0.02]
    assert lines["clearly worse"].get_xdata().tolist() == [2]


def test_report_tells_best_reasons_and_latex():
    report = loss_report(candidates=CANDIDATES)
    told = str(report)
    assert report.subject == "found: max(0, 1 - d)"
    assert r"\max" in told
    assert "+0.0200" in told
    assert "clearly worse" in told
    assert "best of many" in told
    page = report.to_html()
    assert page.count("<svg") == 4
    assert "http://" not in page.replace("http://www.w3.org", "")


def test_constants_have_six_digits_to_read_and_all_to_copy():
    full = "0.84387612053 * softplus(-1.2520653814999465 * d)"
    candidates = CANDIDATES.assign(loss=[*CANDIDATES["loss"][:3], full, "tanh(-d)"])
    report = loss_report(candidates=candidates)
    assert report.subject == "found: 0.843876 * softplus(-1.25207 * d)"
    told = next(block for row in report.sections[0].rows for block in row if block.kind == "table")
    rows = dict(told.rows)
    assert rows["in full"] == full
    assert Expression.parse(rows["in full"]) == Expression.parse(full)
    assert "8438761" not in rows["LaTeX"]
    assert str(report).count("8438761") == 1  # where it is to be copied


def test_other_objectives_are_told_and_not_drawn():
    data = gbrank.make_letor(60, n_features=4, max_documents=12, random_state=0)
    ranker = gbrank.GBRanker(n_estimators=2, max_leaves=3, n_jobs=1)
    found = compare_losses(
        "xe_ndcg", data, against=["lambdarank"], ranker=ranker, seeds=[0], tuned=False, n_resamples=100, n_jobs=1
    )
    assert "XENDCG(" in str(loss_report(effectiveness=found))


def test_refuses():
    with pytest.raises(ParameterError, match="nothing to report"):
        loss_report()
    with pytest.raises(ParameterError, match="nothing to report"):
        loss_report(candidates=CANDIDATES[1:3])
    with pytest.raises(ParameterError, match="of d alone"):
        loss_curves({"a": "softplus(-d)", "b": "(s - y)**2"})
    with pytest.raises(ParameterError, match="order"):
        loss_curves({"a": "softplus(-d)"}, "slope")
