"""What plots draw, read back from the figures."""

import re
import subprocess
import sys
from importlib import resources

import numpy as np
import pandas as pd
import pytest

import gbrank
from gbrank.data import describe
from gbrank.reports import (
    cumulative,
    distribution,
    growth,
    importance_bars,
    label_shares,
    learning_curve,
    query_sizes,
    reliability_diagram,
    rule_contributions,
    slice_means,
)
from gbrank.reports._plots import DASHES, SERIES, quantile_curve
from gbrank.reports._svg import to_svg


@pytest.fixture(scope="module")
def data():
    generator = np.random.default_rng(0)
    X = generator.normal(size=(300, 3))
    return gbrank.RankingData(X, np.clip(np.round(X[:, 0] + generator.normal(size=300)), 0, 2), np.arange(300) // 10)


@pytest.fixture(scope="module")
def ranker(data):
    return gbrank.LambdaMART(n_estimators=6, n_jobs=1).fit(data, eval_set={"a": data.take([0, 1, 2]), "b": data})


def test_learning_curve(ranker):
    axes = learning_curve(ranker).axes[0]
    for line, values in zip(axes.lines, ranker.history_.values(), strict=False):
        assert line.get_xdata().tolist() == [1, 2, 3, 4, 5, 6]
        assert line.get_ydata().tolist() == values
    assert axes.lines[-1].get_xdata() == [ranker.best_iteration_] * 2


def test_distribution_counts_every_query(data, ranker):
    evaluation = gbrank.evaluate(data, ranker, "ndcg@10")
    axes = distribution(evaluation, "ndcg@10").axes[0]
    assert sum(bar.get_height() for bar in axes.patches) == evaluation.table["ndcg@10"].notna().sum()
    assert axes.lines[0].get_xdata()[0] == pytest.approx(evaluation.mean("ndcg@10"))


def test_cumulative_is_the_distribution():
    values = pd.Series([0.5, 0.0, 1.0, np.nan, 0.5])
    shares, quantiles = cumulative({"run": values}, "rr").axes[0].lines[0].get_data()[::-1]
    for at in (0.0, 0.5, 1.0):
        assert shares[quantiles <= at].max() == pytest.approx((values.dropna() <= at).mean(), abs=1 / 200)


def test_long_vectors_have_few_points():
    shares, quantiles = quantile_curve(np.arange(1_000_000.0))
    assert len(shares) == len(quantiles) == 201
    assert quantiles[[0, 100, 200]].tolist() == [0, 499_999, 999_999]


def test_importance_bars(ranker):
    table = gbrank.importances(ranker)
    axes = importance_bars(table, top=2).axes[0]
    assert [bar.get_width() for bar in axes.patches] == table["gain_share"].head(2).tolist()
    assert [text.get_text() for text in axes.get_yticklabels()] == table.index[:2].tolist()


def test_reliability_diagram(data):
    p = np.tile([0.1, 0.2, 0.4], 100)
    found = {name: gbrank.calibration(data, p, n_bins=3) for name in ("a", "b")}
    upper, lower = reliability_diagram(found).axes
    diagonal, broken, dots = upper.lines[:3]
    np.testing.assert_array_equal(*diagonal.get_data())
    curve = found["b"].curves["label >= 1"]
    for line in (broken, dots):
        assert line.get_xdata().tolist() == pytest.approx(p[:3].tolist())
        assert line.get_ydata().tolist() == curve["target"].tolist()
    (bars,) = (each for each in upper.collections)
    assert [segment[:, 1].tolist() for segment in bars.get_segments()] == [
        pytest.approx(ends) for ends in curve[["target_low", "target_high"]].to_numpy().tolist()
    ]
    assert sum(bar.get_height() for bar in lower.patches) == 300
    assert len(reliability_diagram(found["a"], "label >= 1").axes[0].containers) == 1
    with pytest.raises(gbrank.ParameterError, match=r"unknown event 'label >= 3'\. Did you mean 'label >= 1'"):
        reliability_diagram(found, "label >= 3")


def test_data_plots(data):
    axes = label_shares({"a": describe(data)}).axes[0]
    assert sum(bar.get_height() for bar in axes.patches) == pytest.approx(1)
    assert set(query_sizes({"a": data}).axes[0].lines[0].get_xdata()) == {10}


def test_slice_means(data, ranker):
    evaluation = gbrank.evaluate(data, {"a": ranker, "b": data.X[:, 1]}, ["ndcg@10", "rr"])
    cut = gbrank.slices(evaluation, data.query_ids % 3 == 0)
    for measure, shown in ((None, "ndcg@10"), ("rr", "rr")):
        axes = slice_means(cut, measure).axes[0]
        assert [text.get_text() for text in axes.get_xticklabels()] == ["False", "True"]
        for number, run in enumerate("ab"):
            rows = cut.table[(cut.table["run"] == run) & (cut.table["measure"] == shown)]
            bars = axes.containers[number]
            assert bars[0].get_ydata().tolist() == rows["mean"].tolist()
            ends = [segment[:, 1].tolist() for segment in bars[2][0].get_segments()]
            middle, error = rows["mean"].to_numpy(), rows["standard_error"].to_numpy()
            np.testing.assert_allclose(ends, np.stack([middle - error, middle + error], axis=1))
    alone = slice_means(gbrank.slices(gbrank.evaluate(data, ranker, "rr"), bins=1))
    assert len(alone.axes[0].containers) == 1
    assert not alone.legends


def test_rule_contributions_lead_from_mean_to_mean(data, ranker):
    found = gbrank.explain_difference(data, np.round(ranker.predict(data)), "default", "letor", measure="ndcg@5")
    axes = rule_contributions(found).axes[0]
    names = [text.get_text() for text in axes.get_yticklabels()]
    assert names == ["default", *found.rules.index, "letor"]
    first, last, *steps = axes.patches
    assert (first.get_width(), last.get_width()) == (found.mean_a, found.mean_b)
    at = found.mean_a
    for bar, contribution in zip(steps, found.rules["contribution"], strict=True):
        assert (bar.get_x(), bar.get_width()) == pytest.approx((at, contribution))
        at += contribution
    assert at == pytest.approx(found.mean_b)
    assert [text.get_text() for text in axes.texts][1] == f"{found.rules['contribution'].iloc[0]:+.4f}"


def test_growth(data, ranker):
    over_trees = gbrank.curve_over_trees(ranker, data)
    axes = growth({"one": over_trees, "two": over_trees}).axes[0]
    assert [line.get_label() for line in axes.lines] == ["one", "two"]
    assert axes.lines[0].get_xdata().tolist() == over_trees.table.index.tolist()
    assert axes.lines[0].get_ydata().tolist() == over_trees.table["mean"].tolist()
    parts = data.take(range(20)), data.take(range(20, 30))
    over_queries = gbrank.curve_over_queries(gbrank.LambdaMART(n_estimators=3), *parts, sizes=[10, 20], seeds=2)
    axes = growth(over_queries).axes[0]
    assert axes.lines[0].get_ydata().tolist() == over_queries.table["mean"].tolist()
    band = axes.collections[0].get_paths()[0].vertices[:, 1]
    assert (band.min(), band.max()) == (over_queries.table["lowest"].min(), over_queries.table["highest"].max())
    with pytest.raises(gbrank.ParameterError, match="share no axes"):
        growth({"one": over_trees, "two": over_queries})


def luminance(colour):
    channels = np.array([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


def test_contrast_in_both_schemes():
    """Texts have the contrast 4.5 and lines 3 that WCAG 2 asks for, on light and on dark pages."""
    style = (resources.files("gbrank.reports") / "report.html").read_text(encoding="utf-8")
    schemes = re.findall(r":root \{\s*(--page: #[0-9a-f]{6};.*?)\}", style, re.DOTALL)
    assert len(schemes) == 2
    light = dict(re.findall(r"--([a-z0-9-]+): (#[0-9a-f]{6})", schemes[0]))
    assert [light[f"series-{number}"] for number in range(1, 7)] == list(SERIES)
    for scheme in schemes:
        colours = dict(re.findall(r"--([a-z0-9-]+): (#[0-9a-f]{6})", scheme))

        def contrast(a, b, colours=colours):
            low, high = sorted((luminance(colours[a]), luminance(colours[b])))
            return (high + 0.05) / (low + 0.05)

        for text in ("ink", "muted", "accent"):
            assert min(contrast(text, under) for under in ("page", "paper")) >= 4.5, text
        assert contrast("ink", "soft") >= 4.5
        assert min(contrast("warn", "warn-soft"), contrast("ink", "warn-soft")) >= 4.5
        assert min(contrast(f"series-{number}", "paper") for number in range(1, 7)) >= 3


def test_series_differ_without_colour():
    assert len(set(map(str, DASHES))) == len(SERIES)


def test_svg_is_the_same_every_time_and_of_the_page(ranker):
    svg = to_svg(learning_curve(ranker), "p1", "what it shows")
    assert svg == to_svg(learning_curve(ranker), "p1", "what it shows")
    assert svg.startswith("<svg viewBox=")
    assert svg.endswith("</svg>")
    assert "var(--series-1)" in svg
    assert not any(colour in svg for colour in SERIES)
    assert "<text" in svg, "text stays text"
    assert "xmlns" not in svg
    assert "metadata" not in svg


def test_texts_are_not_changed():
    name = '#1b2430 id="x" $\\alpha$'
    table = pd.DataFrame({"gain": [1.0], "gain_share": [1.0], "split": [1]}, index=[name])
    svg = to_svg(importance_bars(table), "p1", "")
    assert name.replace('"', "&quot;") in svg or name in svg


def test_no_display_no_state_and_a_light_package():
    code = (
        "import sys, gbrank; assert 'matplotlib' not in sys.modules and 'jinja2' not in sys.modules; "
        "gbrank.report; assert 'matplotlib.pyplot' not in sys.modules and 'optuna' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
