"""``gbrank demo``."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ._inputs import AsJson, Backend
from ._talk import answer, answer_json, progress, say

if TYPE_CHECKING:
    from .. import Evaluation, GBRanker, RankingData
    from .._progress import Progress

MEASURES = ("ndcg@1", "ndcg@5", "ndcg@10")

NEXT = """
Next, with your own LETOR files:
  gbrank inspect train.txt
  gbrank train train.txt --vali vali.txt --model m.gbrank
  gbrank evaluate test.txt --model m.gbrank
  gbrank run --help          a whole experiment from one file
"""


def demo(
    output: Annotated[Path, typer.Option(help="Folder to write to; made if it is not there.")] = Path("gbrank-demo"),
    backend: Backend = "lightgbm",
    queries: Annotated[int, typer.Option(help="Number of queries to make.", min=50)] = 1000,
    as_json: AsJson = False,
) -> None:
    """Show all of it on made-up data.

    LambdaMART is trained, and compared with simpler rankings on queries that it has never seen.

    For example:

        gbrank demo --output gbrank-demo

    The data are like those of web search: 136 features, some useless, grades 0 to 4, up to 40 documents a query. They
    are split by query into train (60%), validation (20%) and test (20%). LambdaMART stops early on the validation
    queries. It is compared, on the test queries, with the best single feature of the training data and with trees that
    regress the grade.

    The folder gets model.gbrank, report.html and metrics.json; files of these names in it are replaced.
    """
    from .. import DataError, LambdaMART, load
    from .. import evaluate as evaluate_data
    from ..rankers import GBRanker
    from ..reports import report

    if output.exists() and not output.is_dir():
        raise DataError(f"--output {output}: is a file; give a folder, or a name that is free.")
    output.mkdir(parents=True, exist_ok=True)
    say(f"Making {queries} queries and splitting them into train, validation and test.")
    train, vali, test = make_parts(queries)
    options: dict[str, Any] = {"backend": backend, "n_estimators": 300, "max_leaves": 15, "early_stopping_rounds": 30}
    options["n_jobs"] = 1  # the data are small, and threads wait for each other on a busy machine
    with progress() as tell:
        ranker = fit(LambdaMART(**options), train, vali, tell, "LambdaMART")
        pointwise = fit(GBRanker("mse", **options), train, vali, tell, "pointwise")
    sign, feature = best_feature(train)
    column = train.feature_names.index(feature)
    ranker.save(output / "model.gbrank")
    runs = {
        "LambdaMART": load(output / "model.gbrank").predict(test),
        "pointwise": pointwise.predict(test),
        f"{'-' if sign < 0 else ''}{feature}": sign * test.X[:, column],
    }
    result = evaluate_data(test, runs, MEASURES)
    say("Writing the report.")
    others = {name: scores for name, scores in runs.items() if name != "LambdaMART"}
    sets = {"train": train, "vali": vali, "test": test}
    report(output / "report.html", ranker, sets, measures=MEASURES, runs=others, title="gbrank demo")
    write_metrics(output / "metrics.json", result)
    if as_json:
        answer_json(result.to_dict())
        return
    answer(told(result, feature))
    say(f"\nWritten to {output}: model.gbrank, report.html, metrics.json.{NEXT.rstrip()}")


def make_parts(queries: int) -> tuple[RankingData, RankingData, RankingData]:
    """Return made-up training, validation and test data of 60, 20 and 20% of the queries."""
    from .. import train_test_split
    from ..data import make_letor

    rest, test = train_test_split(make_letor(queries, max_documents=40, random_state=0), test_size=0.2, random_state=0)
    train, vali = train_test_split(rest, test_size=0.25, random_state=0)
    return train, vali, test


def fit(ranker: GBRanker, train: RankingData, vali: RankingData, tell: Progress, name: str) -> GBRanker:
    """Return the ranker trained with early stopping, having said how long that took."""
    from ..jobs import follow

    started = time.perf_counter()
    say(f"Training {name} on {train.n_queries} queries with {train.n_documents:,} documents.")
    ranker.set_params(callbacks=[follow(tell, name)]).fit(train, eval_set=vali)
    ranker.set_params(callbacks=None)
    say(f"  {ranker.best_iteration_} rounds, {time.perf_counter() - started:.1f} s.")
    return ranker


def best_feature(train: RankingData) -> tuple[int, str]:
    """Return sign and name of the feature that alone ranks the training data best."""
    from .. import evaluate as evaluate_data

    columns = dict(zip(train.feature_names, train.X.T, strict=True))
    runs = {f"{sign:+d} {name}": sign * column for name, column in columns.items() for sign in (1, -1)}
    means = evaluate_data(train, runs, "ndcg@10").summary()["mean"].droplevel("measure")
    sign, name = str(means.idxmax()).split()
    return int(sign), name


def write_metrics(path: Path, result: Evaluation) -> None:
    """Write the evaluation as JSON."""
    from .._files import atomic_write

    with atomic_write(path) as file:
        file.write(json.dumps(result.to_dict(), indent=1, allow_nan=False) + "\n")


def told(result: Evaluation, feature: str) -> str:
    """Return the comparison as a table with its convention."""
    words = {"LambdaMART": "LambdaMART", "pointwise": "pointwise (squared error)"}
    lines = [f"{'':28}" + "".join(f"{name.upper():>9}" for name in MEASURES)]
    for run in result.runs:
        row = "".join(f"{result.mean(name, run):9.4f}" for name in MEASURES)
        lines.append(f"{words.get(run, f'best single feature ({run})'):28}{row}")
    lines += ["", difference(result)]
    convention = result.conventions[MEASURES[-1]]
    return "\n".join([*lines, f"Means over the test queries. {convention}"])


def difference(result: Evaluation) -> str:
    """Return how LambdaMART differs from the pointwise baseline, query by query."""
    name = MEASURES[-1]
    paired = (result.values(name, "LambdaMART") - result.values(name, "pointwise")).dropna()
    error = paired.std() / len(paired) ** 0.5
    verdict = "" if abs(paired.mean()) > 2 * error else "; too little to tell which is better"
    return f"LambdaMART less pointwise, {name.upper()}: {paired.mean():+.4f}, standard error {error:.4f}{verdict}."
