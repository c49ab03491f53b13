"""Losses that a search found, against LambdaRank and the other losses made by hand; the searchers against each other.

A formula of RankNet trains the same trees as the built-in RankNet, which is asserted first. *Planted*: no trees; a
program is worth the cosine between its slopes, on a grid of pairs, and those of a planted loss; counted are the
programs that would have been trained (those that the grid accepts and that are no duplicates) until one reaches 0.85,
at most 300 and then 300: medians of twenty seeds, the same for each searcher.  Of the two planted losses the second was
not looked at while the searchers were written, and neither were the seeds.  *From scratch* searches on
the training part of MQ2008's first fold without known losses to begin with, and tells how much the best is like
RankNet: the cosine of their slopes over score differences from -3 to 3, at the best of five units of the score from a
half to two, which make no difference to trees.  Then how far down the list of all losses that came to the full proxy
the first stands that is like it to 0.985 (the squared hinge is to .975, the hinge to .95, a linear loss to .93), and
the best loss against RankNet and LambdaRank on the queries of the other two parts. *Test*: the best loss of a search
on that training part (and on made data) is trained from scratch on the queries of the other two parts, five folds of
their own, two seeds; differences with their p, corrected by Holm over the six, and what the best of as many worthless
losses would seem to have gained.
"""

from typing import Any

import numpy as np
from joblib import Parallel, delayed
from real_data import real_data

import gbrank
from gbrank.lossgen import SEARCHERS, Effectiveness, Space, compare_losses
from gbrank.lossgen._forms import readable
from gbrank.objectives import Expression

TITLE = "Losses that were found"
SEEDS, MOST, REACHED = range(400, 420), 300, 0.85
ALIKE, UNITS = 0.985, (0.5, 0.7, 1.0, 1.4, 2.0)
SECONDS, TREES = 300.0, 50
PLANTED = ("softplus(-d) * dG * dD", "exp(-d) * dG * dG")
GRID = {
    "d": np.repeat(np.linspace(-4.0, 4.0, 17), 6),
    "dG": np.tile([1.0, 3.0, 7.0, 1.0, 3.0, 7.0], 17),
    "dD": np.tile([0.3, 0.1, 0.4, 0.1, 0.4, 0.2], 17),
}


def direction(loss: Any) -> np.ndarray | None:
    """Return a loss's slopes on the grid, of length 1, or None where they have no direction."""
    if "d" not in loss.names:
        return None
    slope = loss.evaluate(GRID)[1]
    length = np.linalg.norm(slope)
    return slope / length if 1e-9 < length < 1e200 else None


def judged(loss: Any, planted: np.ndarray, seen: set[bytes]) -> tuple[float, str | None]:
    """Return what a loss is worth beside the planted one, or why it is rejected."""
    slope = direction(loss)
    if slope is None:
        return -np.inf, "flat"
    if (slope[GRID["d"] <= 0] > 1e-9).any():
        return -np.inf, "reversed"
    key = slope.round(6).tobytes()
    known = key in seen
    seen.add(key)
    return float(slope @ planted), "duplicate" if known else None


def evaluations(name: str, loss: str, seed: int) -> int:
    """Return after how many accepted programs one was like the planted loss."""
    searcher, seen = SEARCHERS[name](Space(leaves=("d", "dG", "dD"), n_nodes=8)), set()
    planted = direction(Expression.parse(loss))
    assert planted is not None
    asked = accepted = 0
    while accepted < MOST and asked < 50 * MOST:
        graph = searcher.ask(np.random.default_rng([seed, asked]))
        asked += 1
        worth, reason = judged(graph.expression().canonical(), planted, seen)
        searcher.tell(graph, worth, reason)
        if reason is None:
            accepted += 1
            if worth >= REACHED:
                return accepted
    return MOST


def planted() -> list[dict[str, Any]]:
    """Return the row of each searcher on each planted loss."""
    out = []
    for loss in PLANTED:
        for name in SEARCHERS:
            counts = Parallel(-1)(delayed(evaluations)(name, loss, seed) for seed in SEEDS)
            low, median, high = np.quantile(counts, (0.25, 0.5, 0.75))
            found = sum(count < MOST for count in counts)
            told = f"{median:.0f} (quartiles {low:.0f} to {high:.0f}; found by {found} of {len(counts)} seeds)"
            out.append({"what": f"planted {loss}, {name}", "against": f"programs until {REACHED}", "result": told})
    return out


def agree(data: gbrank.RankingData) -> None:
    """Assert that a formula trains the trees of the objective that it is."""
    scores = [
        gbrank.GBRanker(loss, n_estimators=10, n_jobs=2).fit(data).predict(data)
        for loss in (gbrank.objective("expression", formula="softplus(-d)"), gbrank.objective("pairwise_logistic"))
    ]
    assert np.abs(scores[0] - scores[1]).max() < 1e-3, np.abs(scores[0] - scores[1]).max()


def likeness(formula: str) -> float:
    """Return the cosine between the slopes of a loss and RankNet's, for a pair of usual gains and ranks."""
    d = np.linspace(-3.0, 3.0, 121)
    usual = {"d": d, "dG": 3.0, "dD": 0.2, "dY": 2.0, "Gi": 3.0, "Gj": 0.0, "ri": 3.0, "rj": 10.0, "IDCG": 5.0}
    one = Expression.parse(formula).evaluate(usual)[1]
    others = [Expression.parse(f"softplus(-{unit} * d)").evaluate(usual)[1] for unit in UNITS]
    return max(float(one @ other / np.sqrt((one @ one) * (other @ other))) for other in others)


def search(data: gbrank.RankingData, seconds: float, **others: Any) -> gbrank.LossSearch:
    """Return a search on all cores."""
    trees = gbrank.GBRanker(n_estimators=TREES, max_leaves=15)
    return gbrank.LossSearch("evolution", ranker=trees, cv=3, timeout=seconds, random_state=0, **others).fit(data)


def from_scratch(seen: gbrank.RankingData, unseen: gbrank.RankingData, seconds: float) -> list[dict[str, Any]]:
    """Return the rows of a search without known losses: whether it comes to a kernel like RankNet's."""
    found = search(seen, seconds, starts=())
    full = found.candidates_.query("stage == 'full'").sort_values("reward", ascending=False, kind="stable")
    alike = np.array([likeness(loss) for loss in full["loss"]])
    best, name = full.iloc[0], "from scratch, MQ2008"
    told = f"likeness {alike[0]:.2f}: {readable(best.loss)} ({best.reward:+.4f} where chosen)"
    out = [{"what": f"{name}: best", "against": "RankNet", "result": told}]
    places = np.flatnonzero(alike >= ALIKE)
    told = f"none of {len(full)}"
    if len(places):
        first = full.iloc[places[0]]
        told = f"place {places[0] + 1} of {len(full)}: {readable(first.loss)} ({first.reward:+.4f}); {len(places)} such"
    out.append({"what": f"{name}: first that is alike", "against": f"RankNet, {ALIKE}", "result": told})
    against = ["pairwise_logistic", "lambdarank"]
    return out + compared(name, compare_losses(best.loss, unseen, against=against, seeds=(0, 1), tuned=False))


def tested(name: str, seen: gbrank.RankingData, unseen: gbrank.RankingData, seconds: float) -> list[dict[str, Any]]:
    """Return the rows of the best loss of a search on some queries, on others."""
    found = search(seen, seconds)
    result = compare_losses(found.best_loss_, unseen, seeds=(0, 1), candidates=found.candidates_)
    effect = result.selection
    assert effect is not None
    told = f"{effect.best:+.4f} where chosen; {effect.expected:+.4f} by chance alone, best of {effect.n_losses}"
    return [
        *compared(name, result),
        {"what": f"{name}: selection", "against": "", "result": told, "p": f"{effect.p:.4f}"},
    ]


def compared(name: str, result: Effectiveness) -> list[dict[str, Any]]:
    """Return the rows of a test of one loss."""
    (loss,) = result.readable().values()
    return [
        {
            "what": f"{name}, {row['form']}: {loss}",
            "against": row["other"],
            "result": f"{row['mean']:.4f} - {row['mean_other']:.4f} = {row['difference']:+.4f} "
            f"({row['low']:+.4f} to {row['high']:+.4f})",
            "p": f"{row['p_adjusted']:.4f}",
        }
        for row in result.table.to_dict("records")
    ]


def rows(seconds: float = SECONDS) -> list[dict[str, Any]]:
    """Return what searchers and losses are worth."""
    fold = gbrank.read_letor_fold(real_data() / "mq2008" / "Fold1")
    agree(fold.train)
    unseen = gbrank.concat([fold.vali, fold.test])
    out = planted() + from_scratch(fold.train, unseen, seconds) + tested("MQ2008", fold.train, unseen, seconds)
    made = gbrank.make_letor(600, random_state=0)
    return out + tested("made data", *gbrank.train_test_split(made, test_size=0.5, random_state=0), seconds)


if __name__ == "__main__":
    for row in rows():
        print(*row.values(), sep=" | ")
