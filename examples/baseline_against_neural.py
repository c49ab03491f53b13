"""A baseline of boosted trees against a neural model, on the same queries: from two files to a table with evidence.

    python baseline_against_neural.py [FOLDER ... --neural FILE ...] [--scores] [--output FOLDER]

A folder holds train.txt, vali.txt and test.txt, LETOR text with document ids.  A file is what the neural model found
for the test queries of that folder: a TREC run or, with --scores, one score a line in the order of test.txt.  With
several folders, such as the five folds of MQ2008, each has its file.  Without any, data are made up and a small network
is trained.
"""

import argparse
from collections.abc import Callable
from pathlib import Path

import numpy as np

import gbrank
from gbrank.reports import slice_means

MEASURES = ("ndcg@10", "ap")


def made_up(folder: Path) -> tuple[Path, Path]:
    """Write a folder of LETOR files, and the run of a network that a colleague has trained on them."""
    from sklearn.neural_network import MLPRegressor
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    data = gbrank.make_letor(260, n_features=30, max_documents=60, random_state=0)
    ids = [f"doc{row}" for row in range(data.n_documents)]
    data = gbrank.RankingData(data.X, data.y, data.qid, doc_id=ids)
    rest, test = gbrank.train_test_split(data, test_size=80, random_state=0)
    train, vali = gbrank.train_test_split(rest, test_size=40, random_state=0)
    for part, name in ((train, "train"), (vali, "vali"), (test, "test")):
        gbrank.write_letor(part, folder / f"{name}.txt")
    network = make_pipeline(
        StandardScaler(), MLPRegressor(hidden_layer_sizes=(24,), early_stopping=True, random_state=0)
    )
    network.fit(train.X, train.y)
    gbrank.write_run(gbrank.Run.from_data(test, network.predict(test.X), name="neural"), folder / "neural.trec")
    return folder, folder / "neural.trec"


def both(folder: Path, file: Path, read: Callable[[Path], object]) -> tuple[gbrank.RankingData, dict[str, gbrank.Run]]:
    """Return the test queries of a folder with the runs of a baseline trained there and of the neural model."""
    train, vali, test = gbrank.read_letor_fold(folder)
    ranker = gbrank.LambdaMART(n_estimators=500, early_stopping_rounds=50, learning_rate=0.05)
    ranker.fit(train, eval_set=vali)
    print(f"{folder.name}: LambdaMART stopped at round {ranker.best_iteration_}")
    found = read(file)
    neural = found if isinstance(found, gbrank.Run) else gbrank.Run.from_data(test, found)
    return test, {"LambdaMART": gbrank.Run.from_data(test, ranker.predict(test)), "neural": neural}


def joined(runs: list[gbrank.Run]) -> gbrank.Run:
    """Return the runs of disjoint test queries as one."""
    return gbrank.Run(*(np.concatenate([getattr(run, part) for run in runs]) for part in ("qid", "doc_id", "score")))


def main() -> None:
    """Do the whole way."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folders", nargs="*", type=Path, metavar="FOLDER")
    parser.add_argument("--neural", nargs="+", type=Path, default=[], metavar="FILE")
    parser.add_argument("--scores", action="store_true", help="the files hold one score a line")
    parser.add_argument("--output", type=Path, default=Path("example-output"), metavar="FOLDER")
    given = parser.parse_args()
    if len(given.folders) != len(given.neural):
        parser.error("give each folder its file of --neural")
    given.output.mkdir(parents=True, exist_ok=True)
    read = gbrank.read_scores if given.scores else gbrank.read_run
    pairs = list(zip(given.folders, given.neural, strict=True)) or [made_up(given.output)]
    folds = {folder.name: both(folder, file, read) for folder, file in pairs}

    # The number, and whether the difference is more than chance: a fold counts as a fold, a query as a query.
    evaluations = {(name, 0): gbrank.evaluate(test, runs, MEASURES) for name, (test, runs) in folds.items()}
    comparison = gbrank.compare(evaluations, baseline="LambdaMART")
    print("", comparison, sep="\n")

    # Where the difference comes from: the test queries of all folds, cut by their size.
    tests, runs = zip(*folds.values(), strict=True)
    test = gbrank.concat(tests)
    systems = {name: joined([each[name] for each in runs]) for name in runs[0]}
    slices = gbrank.slices(gbrank.evaluate(test, systems, MEASURES), "size")
    differences = slices.differences("neural", "LambdaMART")
    print("", slices, "", "neural less LambdaMART", differences.to_string(index=False), sep="\n")

    # What it looks like: the queries on which the network loses most, with their documents side by side.
    losses = gbrank.worst_losses(test, systems, "neural", "LambdaMART", n=2)
    print("", losses, sep="\n")

    # What the number would have been by others' rules.
    rules = gbrank.explain_difference(test, systems["LambdaMART"], "default", "trec")
    print("", rules, sep="\n")

    parts = [part.to_html() for part in (comparison, slices, losses, rules)]
    (given.output / "evidence.html").write_text("\n<hr>\n".join(parts), encoding="utf-8")
    (given.output / "table.tex").write_text(comparison.to_latex(), encoding="utf-8")
    slice_means(slices).savefig(given.output / "slices.svg")
    print(f"\nSee {given.output / 'evidence.html'}, table.tex and slices.svg.")


if __name__ == "__main__":
    main()
