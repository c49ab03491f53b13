"""Tune a value model: make up predictions of five tasks, and give each the share in the ranking that it should have.

    python examples/value_model.py

Everything is written to the folder example-output, which is made where it runs.
"""

from pathlib import Path

import numpy as np

import gbrank
from gbrank.fusion import Constraints, learn_weights, pareto_front, shares
from gbrank.reports import pareto, task_shares

TASKS = ("click", "like", "comment", "share", "dwell")
DESIRED = {"click": 0.30, "like": 0.07, "comment": 0.07, "share": 0.06, "dwell": 0.50}


def make_scores(n_queries: int = 300, n_documents: int = 40) -> gbrank.RankingData:
    """Return predictions of five tasks that depend on each other a little; y is what a document brought."""
    rng = np.random.default_rng(0)
    n = n_queries * n_documents
    appeal = rng.normal(size=(n, 1))
    logits = 0.5 * appeal + rng.normal(size=(n, len(TASKS))) - np.array([2.0, 3.0, 5.0, 5.0, 0.0])
    p = 1 / (1 + np.exp(-logits))
    p[:, -1] = 60 * p[:, -1]  # seconds
    reward = rng.poisson(0.2 * p[:, 0] + 2 * p[:, 2] + 0.02 * p[:, -1])
    return gbrank.RankingData(p, reward, np.arange(n) // n_documents, feature_names=TASKS)


def main() -> None:
    """Run all of it."""
    output = Path("example-output")
    output.mkdir(exist_ok=True)
    scores = make_scores()
    start = gbrank.ValueModel(dict.fromkeys(TASKS, 1.0), {"dwell": "log1p"})
    print(f"What equal weights give to each task:\n{shares(start, scores).round(4)}\n")

    found = gbrank.target_weights(start, scores, DESIRED)
    print(f"{found}\n")
    intervals = found.intervals(n_resamples=500)
    print(f"{intervals.round(4)}\n")
    found.model.save(output / "value_model.json")
    task_shares(found, intervals).savefig(output / "shares.svg")

    limits = Constraints(upper={"dwell": 0.02})
    print(f"{gbrank.target_weights(start, scores, DESIRED, constraints=limits).verdict()}\n")

    front = pareto_front(found.model, scores, "click", "dwell")
    pareto(front).savefig(output / "pareto.svg")
    efficient = int(front.table["efficient"].sum())
    print(f"{efficient} of {len(front.table)} mixtures of click and dwell are efficient")

    learnt = learn_weights(found.model, scores, n_trials=20)
    print(f"reward of the session: {learnt.start_value:.3f} as tuned, {learnt.value:.3f} with weights learnt from it")


if __name__ == "__main__":
    main()
