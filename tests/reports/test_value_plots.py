import numpy as np

from gbrank import RankingData, ValueModel, target_weights
from gbrank.fusion import pareto_front
from gbrank.reports import pareto, task_shares


def test_plots_draw_the_tables():
    p = np.random.default_rng(0).uniform(size=(600, 2))
    scores = RankingData(p, np.zeros(600), np.arange(600) // 15, feature_names=["click", "buy"])
    model = ValueModel({"click": 1, "buy": 1})
    front = pareto_front(model, scores, "click", "buy", n_points=5, n_jobs=1)
    line, *_, here = pareto(front).axes[0].lines
    best = front.table[front.table["efficient"]].sort_values("ndcg_a")
    assert line.get_xdata().tolist() == best["ndcg_a"].tolist()
    assert line.get_ydata().tolist() == best["ndcg_b"].tolist()
    assert here.get_xdata() == [front.current["ndcg_a"]]
    found = target_weights(model, scores, {"click": 0.7, "buy": 0.3}, n_jobs=1)
    bars = task_shares(found, found.intervals(n_resamples=20)).axes[0].patches
    assert [bar.get_width() for bar in bars] == [*found.table["desired"], *found.table["fraction"]]
