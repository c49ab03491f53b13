"""Search for a loss, tune its constants, and test it on queries that the search has not seen.

    python examples/find_a_loss.py
    python examples/find_a_loss.py --seconds 600 --queries 1000

Everything is written to the folder example-output, which is made where it runs.  The budget is tiny: with a few losses
tried on a few made-up queries, expect no gain that lasts.  The test says so.
"""

import argparse
from pathlib import Path

import gbrank
from gbrank.lossgen import compare_losses, tune_constants
from gbrank.reports import loss_report


def main() -> None:
    """Run all of it."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--queries", type=int, default=90)
    parser.add_argument("--losses", type=int, default=8, help="losses to train with")
    parser.add_argument("--seconds", type=float, help="end of the search, in place of --losses")
    given = parser.parse_args()
    output = Path("example-output")
    output.mkdir(exist_ok=True)

    data = gbrank.make_letor(given.queries, n_features=8, max_documents=15, random_state=0)
    seen, unseen = gbrank.train_test_split(data, test_size=0.5, random_state=0)
    trees = gbrank.GBRanker(n_estimators=10, max_leaves=6, n_jobs=1)

    limit = {"timeout": given.seconds} if given.seconds else {"n_trained": given.losses}
    search = gbrank.LossSearch(
        "evolution", ranker=trees, cv=2, storage=output / "losses.db", random_state=0, n_jobs=1, **limit
    ).fit(seen)
    counted = ", ".join(f"{count} {name}" for name, count in search.counts_.items())
    print(f"{counted}\nbest: {search.best_loss_}, a gain of {search.best_reward_:+.4f} where it was chosen\n")

    tuned = tune_constants(search.best_loss_, seen, ranker=trees, cv=2, n_trials=4, n_jobs=1)
    print(f"{tuned}\n")

    found = compare_losses(
        {"found": search.best_loss_, "constants tuned": tuned.loss},
        unseen,
        against=["lambdarank", "pairwise_logistic"],
        ranker=gbrank.GBRanker(n_estimators=10, max_leaves=6, subsample=0.8, n_jobs=1),
        seeds=(0, 1),
        tuned=False,
        candidates=search.candidates_,
        n_resamples=1000,
        n_jobs=1,
    )
    print(found)
    loss_report(candidates=search.candidates_, effectiveness=found, path=output / "losses.html")


if __name__ == "__main__":
    main()
