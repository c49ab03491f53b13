"""What a grade is worth: told to the training, or to the decision afterwards?

    python utility.py [TRAIN TEST] [--seeds N] [--queries N]

Grades are worth 0, 1, 3, 10 and 30, and showing a document costs 3.  Models that know nothing of this are adjusted
after training, by expected utility; others are trained with it, as weights or as labels.  All are measured on the same
whole queries, over several seeds, against "grades, adjusted".  TRAIN and TEST are LETOR files with grades up to 4;
without them, data are made up.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

import gbrank

WORTH = np.array([0.0, 1.0, 3.0, 10.0, 30.0])
SHOWING = np.array([np.zeros(5), WORTH - 3.0])  # to hide, to show
RANKING, DECIDING = "worth at the first 5 places", "profit of showing"
BASELINE = "grades, adjusted"


def padded(p: np.ndarray) -> np.ndarray:
    """Return probabilities of the five grades, 0 for those above all training labels."""
    return np.pad(p, ((0, 0), (0, len(WORTH) - p.shape[1])))


def measured(train: gbrank.RankingData, test: gbrank.RankingData, seed: int) -> Iterator[tuple[str, str, np.ndarray]]:
    """Yield the measure, the system and its value on each test query."""
    kind = {"n_estimators": 60, "max_leaves": 15, "subsample": 0.7, "random_state": seed}
    worth_as_label = train.with_labels(WORTH[train.y.astype(int)])
    plain = gbrank.GBRanker("mcrank", **kind).fit(train)
    weighted = gbrank.GBRanker(gbrank.objective("mcrank", class_weight=np.sqrt(1 + WORTH)), **kind).fit(train)
    ordered = gbrank.CalibratedRanker(gbrank.GBRanker("lambdarank", **kind), method="beta", cv=3).fit(train)
    p = {
        BASELINE: padded(plain.predict_proba(test)),
        "lambdarank, calibrated, adjusted": padded(ordered.predict_proba(test)),
        "class weights, adjusted": padded(weighted.predict_proba(test)),
    }

    # A list is worth what its documents are, discounted by rank.  One curve over one score leaves its order as it is,
    # so calibration moves no document here.
    scores = {name: gbrank.expected_utility(p[name], WORTH) for name in (BASELINE, "class weights, adjusted")} | {
        "grades": plain.predict(test),
        "lambdarank": ordered.ranker_.predict(test),
        "worth as label, mse": gbrank.GBRanker("mse", **kind).fit(worth_as_label).predict(test),
        "worth as label, lambdarank": gbrank.GBRanker(gbrank.objective("lambdarank", gain="linear"), **kind)
        .fit(worth_as_label)
        .predict(test),
    }
    measure = gbrank.measure("dcg@5", gain=dict(enumerate(WORTH)))
    found = gbrank.evaluate(test, scores, measure)
    for name in scores:
        yield RANKING, name, found.values(measure, name)

    # To show a document costs the same whatever it is worth.
    profitable = gbrank.objective("cross_entropy", relevant_from=3, positive_weight=2.0)
    decisions = {name: gbrank.best_decision(each, SHOWING) for name, each in p.items()} | {
        "grades: show if the likeliest pays": (SHOWING[1][p[BASELINE].argmax(axis=1)] > 0).astype(int),
        "weighted cross-entropy of what pays": gbrank.GBRanker(profitable, **kind).fit(train).predict(test) > 0,
        "show all": np.ones(test.n_documents, int),
    }
    for name, decision in decisions.items():
        brought = gbrank.realised_utility(test.y, decision, SHOWING, test.query_ptr)
        yield DECIDING, name, pd.Series(brought, test.query_ids)


def main() -> None:
    """Train, decide, compare."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("files", nargs="*", type=Path, metavar="FILE")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--queries", type=int, default=1200, help="of made-up data; a third trains")
    given = parser.parse_args()
    if len(given.files) not in (0, 2):
        parser.error("give TRAIN and TEST, or neither")
    if given.files:
        train, test = (gbrank.read_letor(file) for file in given.files)
    else:
        data = gbrank.make_letor(given.queries, n_features=20, max_documents=40, random_state=0)
        train, test = gbrank.train_test_split(data, test_size=2 / 3, random_state=0)

    rows = [
        pd.DataFrame(
            {"measure": measure, "system": name, "seed": seed, "qid": values.index, "value": values.to_numpy()}
        )
        for seed in range(given.seeds)
        for measure, name, values in measured(train, test, seed)
    ]
    print(f"{test.n_queries} test queries, {given.seeds} seeds; differences are to {BASELINE!r}, query by query\n")
    parts = []
    for measure, each in pd.concat(rows).groupby("measure", sort=False):
        found = gbrank.compare(each, baseline=BASELINE)
        columns = {"difference": "difference", "low": "low", "high": "high", "p_adjusted": "p"}
        pairs = found.table.set_index("a")[list(columns)].rename(columns=columns)
        means = found.systems.set_index("system")["mean"].sort_values(ascending=False)
        parts.append(means.to_frame().join(pairs).reset_index().assign(measure=measure).set_index("measure"))
    print(pd.concat(parts).reset_index().to_string(index=False, float_format="{:.3f}".format, na_rep=""))
    print("\nlow and high: 95% interval of the difference; p: paired randomisation test, corrected by Holm.")


if __name__ == "__main__":
    main()
