"""Objectives: training time beside plain MSE, gradients of both engines, and how soon one is ready to train.

Every registered objective with its default parameters, and with truncation 30 where it has that parameter, on lists
like those of MSLR; those that do not change when a query's scores shift, which are the pairwise and listwise ones, also
without truncation on lists of 120 documents.  Labels are the grades 0-4, or 0 and 1 where an objective refuses grades;
one that needs more (explicit pairs, several label columns) is named with the reason.

Asserted first: on the part of the lists (a half) that the numpy engine is timed on, gradients and hessians of both
engines differ by at most 1e-6 of the greatest, in each of the rounds timed.

* seconds, ratio: training from bound labels to booster on LightGBM with 2 threads, data binned before, beside MSE on
  the same bins, interleaved; equal trees, that is, fewer rounds of an objective with several outputs.  `leaves` is the
  mean of a tree, 31 at most: with fewer, trees are cheaper.
* compiled ms, numpy ms: gradients of one round on that part; scores move a little from round to round, as in training.
* numpy/compiled: total training time, of few trees on that part, with the numpy engine over that with the compiled one.
* cold s, warm s: in a fresh process that has imported gbrank and NumPy, seconds from the objective's name to the first
  gradient, imports of numba and compilation included; without files of the compiler, and with those of the run before.

LightGBM's own gradient is the time of a round of its lambdarank less that of a round of its regression, both with one
feature and trees of two leaves, which cost next to nothing, from the same scores (as init_score); what its regression
spends on gradients, n subtractions, is given away.  Asserted first: the two leaf values are those of our gradients.
"""

import argparse
import dataclasses
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import lightgbm as lgb
import numpy as np
from timing import interleaved, ratios

import gbrank
from gbrank.objectives import OBJECTIVES, LambdaRank, Objective, PairwiseLogistic, SquaredError

TITLE = "Objectives: training time, gradients, readiness"
N_QUERIES, TREES, REPEATS, SEED = 1000, 30, 3, 0
LIST_SIZE, ROUNDS, FEW_TREES, TOGETHER = 120, 4, 5, 4
BOUND = 1e-6  # on the difference of the engines, relative to the greatest value
MSLR, EVEN = "as MSLR", f"{LIST_SIZE} documents each"

READY = """
import sys, time
import numpy as np
import gbrank

rng = np.random.default_rng(0)
y, score = rng.permutation(np.arange(40) % int(sys.argv[2])).astype(float), rng.normal(size=(40, 100))
query_ptr = np.array([0, 10, 30, 40])
start = time.perf_counter()
from gbrank.objectives import Targets

bound = gbrank.objective(sys.argv[1]).bind(Targets(y, query_ptr))
bound.gradient_hessian(score[:, 0] if bound.n_outputs == 1 else score[:, : bound.n_outputs], 0)
print(time.perf_counter() - start)
"""


class Case(NamedTuple):
    """An objective and the lists that it is timed on."""

    objective: Objective
    lists: str
    binned: Any
    part: gbrank.RankingData

    @property
    def of_grades(self) -> bool:
        """Whether labels are grades, not only 0 and 1."""
        return bool(self.part.y.max() > 1)


def rows(
    n_queries: int = N_QUERIES, trees: int = TREES, repeats: int = REPEATS, names: list[str] | None = None
) -> list[dict[str, Any]]:
    """Return one row for each objective and kind of lists, and those of the user's loss and of LightGBM's gradient."""
    data = gbrank.make_letor(n_queries, random_state=SEED)
    binned = {MSLR: gbrank.GBRanker().bin(data), EVEN: gbrank.GBRanker().bin(equal_lists(data))}
    part = {lists: each.data.take(np.arange((each.data.n_queries + 1) // 2)) for lists, each in binned.items()}
    part_binned = gbrank.GBRanker().bin(part[MSLR])
    cases, refused = all_cases(names or list(OBJECTIVES), binned, part)
    table = [start_of_row(case) | gradient_times(case) for case in said(cases, "gradients")]
    for lists in (MSLR, EVEN):
        numbers = [i for i, case in enumerate(cases) if case.lists == lists]
        together = [numbers[i : i + TOGETHER] for i in range(0, len(numbers), TOGETHER)]
        for some in said(together, f"training, {lists}"):
            for i, times in zip(some, training_times([cases[i] for i in some], trees, repeats), strict=True):
                table[i] |= times
    for case, row in said(list(zip(cases, table, strict=True)), "engines and fresh processes"):
        if case.lists == MSLR:
            row |= engine_ratio(case, part_binned) | ready_times(case)
    last = [users_loss(binned[EVEN], trees, repeats), *lightgbm_gradient(data, repeats)] if names is None else []
    return [*table, *last, *refused]


def said(items: list[Any], what: str) -> Iterator[Any]:
    """Yield the items and tell on standard error when they are done."""
    start = time.perf_counter()
    yield from items
    print(f"  {what}: {time.perf_counter() - start:.0f} s", file=sys.stderr, flush=True)


def equal_lists(data: gbrank.RankingData, size: int = LIST_SIZE) -> gbrank.RankingData:
    """Return the first `size` documents of each query that has so many."""
    long = data.take(data.query_sizes >= size)
    at = (long.query_ptr[:-1, None] + np.arange(size)).ravel()
    return gbrank.RankingData(long.X[at], long.y[at], long.qid[at])


# What is timed


def all_cases(
    names: list[str], binned: dict[str, Any], part: dict[str, gbrank.RankingData]
) -> tuple[list[Case], list[dict[str, Any]]]:
    """Return what can be timed, and rows with the reason why something cannot."""
    cases, refused = [], []
    for name in names:
        try:
            for objective, lists in variants(gbrank.objective(name)):
                whole, some = labelled(objective, binned[lists].data), labelled(objective, part[lists])
                cases.append(Case(objective, lists, dataclasses.replace(binned[lists], data=whole), some))
        except (gbrank.GbrankError, TypeError) as error:
            refused.append({"objective": name, "note": f"not timed: {error}"})
    return cases, refused


def variants(objective: Objective) -> Iterator[tuple[Objective, str]]:
    """Yield the objective as it is timed on each kind of lists."""
    cuts = "truncation" in objective.params()
    yield (objective.with_params(truncation=30) if cuts else objective), MSLR
    if objective.shift_invariant:
        yield (uncut(objective) if cuts else objective), EVEN


def uncut(objective: Objective) -> Objective:
    """Return the objective without truncation, or with one that no list reaches."""
    try:
        return objective.with_params(truncation=None)
    except gbrank.ParameterError:
        return objective.with_params(truncation=LIST_SIZE)


def labelled(objective: Objective, data: gbrank.RankingData) -> gbrank.RankingData:
    """Return the data, with labels 0 and 1 where the objective refuses grades."""
    try:
        objective.bind(data)
        return data
    except gbrank.GbrankError:
        binary = data.with_labels(data.y > 0)
        objective.bind(binary)
        return binary


def start_of_row(case: Case) -> dict[str, Any]:
    """Return what a row begins with."""
    labels = "" if case.of_grades else ", labels 0 and 1"
    return {"objective": repr(case.objective), "lists": case.lists + labels}


# Gradients


def gradient_times(case: Case) -> dict[str, float]:
    """Return the time of a round's gradients with each engine, after asserting that they agree in every round."""
    bound = {engine: case.objective.bind(case.part, engine=engine, n_jobs=2) for engine in ("compiled", "numpy")}
    scores = moving_scores(bound["numpy"].init_score(), case.part.n_documents, ROUNDS)
    seconds: dict[str, list[float]] = {engine: [] for engine in bound}
    for number, score in enumerate(scores):
        found = {}
        for engine, each in bound.items():
            start = time.perf_counter()
            found[engine] = each.gradient_hessian(score, number)
            seconds[engine].append(time.perf_counter() - start)
        for what, a, b in zip(("gradient", "hessian"), found["compiled"], found["numpy"], strict=True):
            difference = np.abs(a - b).max() / np.abs(b).max()
            assert difference <= BOUND, f"{case.objective}, {case.lists}: engines' {what} differs by {difference:.1e}"
    # The first round compiles.
    return {f"{engine} ms": 1e3 * statistics.median(values[1:]) for engine, values in seconds.items()}


def moving_scores(init: np.ndarray, n: int, rounds: int) -> list[np.ndarray]:
    """Return the scores of some rounds around the initial score."""
    rng = np.random.default_rng(SEED)
    shape = (n,) if len(init) == 1 else (n, len(init))
    first = init + 0.5 * rng.normal(size=shape)
    return [first + step for step in np.cumsum(0.02 * rng.normal(size=(rounds, *shape)), axis=0)]


def engine_ratio(case: Case, part_binned: Any) -> dict[str, float]:
    """Return the total training time of the numpy engine over that of the compiled one, on the part."""
    binned = dataclasses.replace(part_binned, data=case.part)
    rounds = rounds_of(case, FEW_TREES)
    calls = {e: trainer(binned, case.objective, rounds, engine=e) for e in ("compiled", "numpy")}
    seconds = interleaved(calls, 2, warm_up=0)
    return {"numpy/compiled": ratios(seconds["numpy"], seconds["compiled"])["ratio"]}


# Training


def trainer(binned: Any, objective: Objective, rounds: int, **params: Any) -> Callable[[], gbrank.GBRanker]:
    """Return a call that trains."""
    return lambda: gbrank.GBRanker(objective, n_estimators=rounds, n_jobs=2, **params).fit(binned)


def rounds_of(case: Case, trees: int) -> int:
    """Return the rounds in which an objective grows about so many trees."""
    return max(1, round(trees / outputs(case)))


def outputs(case: Case) -> int:
    """Return the number of trees a round."""
    return case.objective.bind(case.part).n_outputs


def training_times(cases: list[Case], trees: int, repeats: int) -> list[dict[str, Any]]:
    """Return for each case the time of so many trees, and its ratio to that of MSE, trained in turn with them."""
    fitted: dict[str, gbrank.GBRanker] = {}

    def kept(name: str, call: Callable[[], gbrank.GBRanker]) -> Callable[[], None]:
        return lambda: fitted.__setitem__(name, call())

    calls = {"mse": kept("mse", trainer(cases[0].binned, SquaredError(), trees))}
    trainer(cases[0].binned, SquaredError(), 1)()  # compiles and loads what gradients alone did not need
    for i, case in enumerate(cases):
        calls[str(i)] = kept(str(i), trainer(case.binned, case.objective, rounds_of(case, trees)))
        trainer(case.binned, case.objective, 1)()
    seconds = interleaved(calls, repeats, warm_up=0)
    result = []
    for i, case in enumerate(cases):
        grown = fitted[str(i)].best_iteration_ * outputs(case)
        for_all = [t * trees / grown for t in seconds[str(i)]]
        splits = fitted[str(i)].model_.importances("split").sum()
        result.append(compared(for_all, "mse", seconds["mse"]) | {"leaves": float(splits / grown + 1)})
    return result


def compared(ours: list[float], beside: str, theirs: list[float]) -> dict[str, Any]:
    """Return the medians of both sides and the ratio with its spread."""
    medians = {"seconds": statistics.median(ours), "beside": beside, "its seconds": statistics.median(theirs)}
    return medians | ratios(ours, theirs)


def users_loss(binned: Any, trees: int, repeats: int) -> dict[str, Any]:
    """Return the training time of a user's pair loss beside that of the same loss built in."""
    if not hasattr(gbrank, "pair_loss"):
        return {"objective": "a user's logistic", "note": "not timed: there is no gbrank.pair_loss"}

    @gbrank.pair_loss
    def mine(d: Any) -> Any:
        p = 1 / (1 + np.exp(d))
        return np.logaddexp(0, -d), -p, p * (1 - p)

    users: Objective = mine if isinstance(mine, Objective) else mine()
    score = np.random.default_rng(SEED).normal(size=binned.data.n_documents)
    pairs = [each.bind(binned.data, n_jobs=2).gradient_hessian(score, 0) for each in (users, PairwiseLogistic())]
    for a, b in zip(*pairs, strict=True):
        np.testing.assert_allclose(a, b, rtol=0, atol=BOUND * np.abs(b).max())
    calls = {"mine": trainer(binned, users, trees), "built in": trainer(binned, PairwiseLogistic(), trees)}
    seconds = interleaved(calls, max(repeats, 5))
    row = {"objective": "a user's logistic, by gbrank.pair_loss", "lists": EVEN}
    return row | compared(seconds["mine"], "pairwise_logistic", seconds["built in"])


# Fresh processes


def ready_times(case: Case) -> dict[str, float]:
    """Return how long a fresh process takes to the first gradient, without and with files of the compiler."""
    code = [sys.executable, "-c", READY, case.objective.name, "3" if case.of_grades else "2"]
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "NUMBA_CACHE_DIR": folder}
        return {
            f"{state} s": float(
                subprocess.run(code, env=environment, check=True, capture_output=True, text=True).stdout
            )
            for state in ("cold", "warm")
        }


# LightGBM's gradient


def lightgbm_gradient(data: gbrank.RankingData, repeats: int, rounds: int = 20) -> list[dict[str, Any]]:
    """Return the time of one round's gradient of LambdaRank beside LightGBM's own."""
    rng = np.random.default_rng(SEED)
    scores = moving_scores(np.zeros(1), data.n_documents, rounds)
    feature = (data.y + rng.normal(size=len(data.y)))[:, None]
    assert_same_leaves(data, feature, scores[0])
    own, gbranks = [], []
    for _ in range(max(repeats, 5)):
        seconds = {o: update_seconds(stumps(o, data, feature, scores[0]), rounds) for o in ("lambdarank", "regression")}
        own.append((seconds["lambdarank"] - seconds["regression"]) / rounds)
        bound = LambdaRank().bind(data, n_jobs=2)
        start = time.perf_counter()
        for number, score in enumerate(scores):
            bound.gradient_hessian(score, number)
        gbranks.append((time.perf_counter() - start) / rounds)
    row = {"objective": "LambdaRank(), gradient of one round", "lists": f"{MSLR}, {data.n_documents:,} documents"}
    return [row | compared(gbranks, "LightGBM's own", own)]


def stumps(objective: str, data: gbrank.RankingData, feature: np.ndarray, score: np.ndarray) -> lgb.Booster:
    """Return LightGBM ready to grow trees of two leaves on one feature."""
    params = {"objective": objective, "num_leaves": 2, "num_threads": 2, "verbosity": -1, "metric": "None",
              "lambdarank_truncation_level": 30, "force_row_wise": True}  # fmt: skip
    return lgb.Booster(params, lgb.Dataset(feature, data.y, group=data.query_sizes, init_score=score))


def update_seconds(booster: lgb.Booster, rounds: int) -> float:
    """Return the time of some rounds."""
    start = time.perf_counter()
    for _ in range(rounds):
        booster.update()
    return time.perf_counter() - start


def assert_same_leaves(data: gbrank.RankingData, feature: np.ndarray, score: np.ndarray) -> None:
    """Assert that the leaf values of LightGBM's lambdarank follow from our gradient and hessian."""
    booster = stumps("lambdarank", data, feature, score)
    booster.update()
    value = booster.predict(feature)
    gradient, hessian = LambdaRank().bind(data, n_jobs=2).gradient_hessian(score, 0)
    leaves = np.unique(value)
    ours = [-0.1 * gradient[value == leaf].sum() / hessian[value == leaf].sum() for leaf in leaves]
    assert len(leaves) == 2
    np.testing.assert_allclose(leaves, ours, rtol=1e-4)


def main() -> None:
    """Print the rows."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--queries", type=int, default=N_QUERIES)
    parser.add_argument("--trees", type=int, default=TREES)
    parser.add_argument("--repeats", type=int, default=REPEATS)
    parser.add_argument("names", nargs="*", help="objectives; all by default, and then the last rows too")
    given = parser.parse_args()
    for row in rows(given.queries, given.trees, given.repeats, given.names or None):
        print({key: round(value, 4) if isinstance(value, float) else value for key, value in row.items()})


if __name__ == "__main__":
    main()
