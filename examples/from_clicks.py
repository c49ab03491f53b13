"""From session logs to an unbiased ranker, with pictures.

    python from_clicks.py [--queries N] [--sessions N] [--output FOLDER]

A ranker that knows little has answered all queries, and users clicked on what it showed them, mostly at the top.  Its
log says how likely each rank is examined, for two ranks of each answer changed places by a coin.  Rankers are trained
on the clicks as they are, and on the clicks corrected; what the best of them would bring is estimated from the log,
before any user sees it.  Queries, grades and users are made up, so the truth is known: it is used to judge, and nowhere
else.

The folder gets the log, the propensities with a picture, the ranker, and its report.
"""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd

import gbrank
from gbrank.clicks import (
    GradedAttraction,
    PositionBased,
    Propensities,
    RandomSwaps,
    corrected_labels,
    estimate,
    estimate_propensities,
    session_data,
    write_click_log,
)
from gbrank.objectives import EstimatedRelevance, InversePropensity, PositionTerm, Softmax
from gbrank.reports import propensity_curve

SHOWN, ETA = 10, 1
NDCG = gbrank.measure("ndcg@10")


def main() -> None:
    """Log, estimate, train, judge."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--queries", type=int, default=300)
    parser.add_argument("--sessions", type=int, default=20_000)
    parser.add_argument("--output", type=Path, default=Path("example-output"))
    given = parser.parse_args()
    given.output.mkdir(parents=True, exist_ok=True)
    kind = {"n_estimators": 50, "max_leaves": 15}

    # Documents with ids, as logs name them; the grades are what nobody has.
    made = gbrank.make_letor(given.queries, n_features=20, max_documents=30, random_state=0)
    ids = np.array([f"d{row}" for row in range(made.n_documents)])
    train, test = gbrank.train_test_split(
        gbrank.RankingData(made.X, made.y, made.qid, doc_id=ids), test_size=0.5, random_state=0
    )
    old = gbrank.GBRanker(**kind, min_docs_in_leaf=5).fit(train.take([0, 1, 2]))

    # What happened: users look at rank k with probability 1 / k, and click on what they like.
    users, likes = PositionBased.power(ETA, SHOWN), GradedAttraction(0.1)
    swapped = RandomSwaps(old, n_ranks=SHOWN)
    log = gbrank.simulate_clicks(train, swapped, users, given.sessions, 0, top_k=SHOWN, attraction=likes)
    write_click_log(log, given.output / "log.csv")
    print(log)
    print("clicks by rank:", *log.click_rates().round(2))

    # How likely each rank is examined, with intervals.
    found = estimate_propensities(log, "swaps", random_state=0)
    found.save(given.output / "propensities.json")
    propensity_curve({"swaps": found, "truth": Propensities.of_model(users)}).savefig(given.output / "propensities.svg")
    table = found.to_frame().assign(truth=users.examination).round(2)
    print("\npropensities", table.to_string(), sep="\n")

    # Each session is a query, clicks are labels; or the clicks of all sessions make one label a document.
    sessions, propensity = session_data(log, train), found.clipped(0.05)
    summed = corrected_labels(log, train, propensity)
    softmax = Softmax(gain="linear")
    rankers = {
        "old ranker": old,
        "clicks as they are": gbrank.GBRanker(softmax, **kind).fit(sessions),
        "corrected, by session": gbrank.GBRanker(InversePropensity(softmax, propensity), **kind).fit(sessions),
        "corrected, by document": gbrank.GBRanker(EstimatedRelevance(softmax), **kind).fit(summed),
        "bias learnt with the trees": gbrank.GBRanker(PositionTerm(softmax), **kind).fit(sessions),
        "the truth": gbrank.GBRanker(softmax, **kind).fit(train.with_labels(likes(train.y))),
    }
    values = gbrank.evaluate(test, {name: each.predict(test) for name, each in rankers.items()}, NDCG)
    print(f"\n{NDCG} of true grades, {test.n_queries} test queries")
    for name in rankers:
        print(f"  {name:28}{values.mean(NDCG, name):.3f}")

    # What would it bring?  Known before it is shown; here it can be shown, too.
    best = rankers["bias learnt with the trees"]
    scores = best.predict(train)
    value = estimate(log, scores, data=train, propensity=propensity, reward="ctr")
    shown = gbrank.simulate_clicks(train, scores, users, given.sessions, 1, top_k=SHOWN, attraction=likes)
    print("\nclicks in a session", value.table[["estimate", "low", "high"]].round(3).to_string(), sep="\n")
    print(f"when it was shown: {shown.click.sum() / shown.n_sessions:.3f}")

    best.save(given.output / "unbiased.gbrank")
    gbrank.report(given.output / "unbiased.html", best, {"test": test})
    print(f"\nin {given.output}/: log.csv, propensities.json, propensities.svg, unbiased.gbrank, unbiased.html")


if __name__ == "__main__":
    pd.set_option("display.width", 120)
    main()
