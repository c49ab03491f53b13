"""From LETOR text to a report: read, split by query, train, tune, evaluate per query, explain, save, rank again.

    python from_file_to_report.py [train.txt vali.txt test.txt] [--output FOLDER]

Without files it writes some made-up ones first.
"""

import argparse
from pathlib import Path

import gbrank


def made_up_files(folder: Path) -> list[Path]:
    """Write three small files of whole queries and return their paths."""
    data = gbrank.make_letor(80, n_features=40, random_state=0)
    rest, test = gbrank.train_test_split(data, test_size=20, random_state=0)
    train, vali = gbrank.train_test_split(rest, test_size=20, random_state=0)
    paths = [folder / f"{name}.txt" for name in ("train", "vali", "test")]
    for part, path in zip((train, vali, test), paths, strict=True):
        gbrank.write_letor(part, path)
    return paths


def main() -> None:
    """Do the whole way."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("files", nargs="*", type=Path)
    parser.add_argument("--output", type=Path, default=Path("example-output"))
    parser.add_argument("--trials", type=int, default=8)
    given = parser.parse_args()
    given.output.mkdir(parents=True, exist_ok=True)
    paths = given.files or made_up_files(given.output)

    train = gbrank.read_letor(paths[0])
    # A file whose last features never occur is read to the same number of columns.
    vali, test = (gbrank.read_letor(path, n_features=train.n_features) for path in paths[1:])
    print(train, vali, test, sep="\n")

    ranker = gbrank.LambdaMART(n_estimators=300, early_stopping_rounds=30, learning_rate=0.05)
    ranker.fit(train, eval_set={"vali": vali, "train": train})
    print(f"LambdaMART stopped at round {ranker.best_iteration_}.")

    tuned = gbrank.tune(ranker, train, valid=vali, n_trials=given.trials)
    print(tuned)

    runs = {"LambdaMART": ranker, "tuned": tuned.ranker, "pointwise": gbrank.GBRanker("mse").fit(train)}
    print(gbrank.evaluate(test, runs, ["ndcg@1", "ndcg@10", "err@10"]))
    print(gbrank.importances(tuned.ranker).head())

    tuned.ranker.save(given.output / "model.gbrank")
    again = gbrank.load(given.output / "model.gbrank")
    ranks = again.rank(test)
    best = [int((ranks[a:b] == 1).argmax()) for a, b in zip(test.query_ptr[:-1], test.query_ptr[1:], strict=True)]
    print(f"The documents to show first in queries {test.query_ids[:3].tolist()} are their numbers {best[:3]}.")

    gbrank.report(given.output / "report.html", tuned.ranker, {"train": train, "vali": vali, "test": test}, runs=runs)
    print(f"See {given.output / 'report.html'}.")


if __name__ == "__main__":
    main()
