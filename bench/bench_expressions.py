"""Losses written as formulas, against the same losses compiled on their own.

About 100,000 documents in 850 queries with 20 features, truncation 30, one thread.  `built in` has a loop made for the
loss, `pair_loss` is the same loss as a NumPy function, compiled for itself, and a formula is run by one program for all
formulas.  Gradients are asserted to agree to 1e-10 of the largest.  `first round` is from the objective to its first
gradient in a process that has trained others before: what a search pays for each candidate; training includes it.  Then
10,000 random formulas (100,000 with GBRANK_FORMULAS=100000): none may raise anything but a refusal with its reason, or
give a number that is not finite.
"""

import contextlib
import os
import random
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
from timing import interleaved, ratios

import gbrank
from gbrank.objectives import ExpressionLoss, LambdaRank, Objective, PairwiseLogistic, Targets
from gbrank.objectives._expressions import LEAVES, OPERATORS, Binary, Constant, Expression, Leaf, Unary

TITLE = "Losses as formulas"
N_QUERIES, N_FEATURES, REPEATS, TREES, SEED = 850, 20, 9, 50, 0
FORMULAS = int(os.environ.get("GBRANK_FORMULAS", "10000"))
LAMBDARANK = "log(1 + exp(-d)) * dG * dD / IDCG"


def logistic(d: Any) -> Any:
    """RankNet as a user writes it."""
    p = 1 / (1 + np.exp(d))
    return np.logaddexp(0, -d), -p, p * (1 - p)


def fresh(kind: str) -> Objective:
    """Return an objective that nothing was compiled for yet, but for the built-in ones."""
    if kind == "pair_loss":
        return gbrank.pair_loss(lambda d: logistic(d), name="as_function")(truncation=30)
    if kind == "formula of 15 nodes":
        return ExpressionLoss(f"tanh(max(exp(-d), softplus({random.random()} - d)) * dD / IDCG) + sigmoid(-d * dY)", 30)
    if kind.startswith("LambdaRank"):
        norms = {"score_norm": True, "query_norm": True}
        return LambdaRank() if "built" in kind else ExpressionLoss(LAMBDARANK, 30, **norms)
    return PairwiseLogistic(truncation=30) if "built" in kind else ExpressionLoss("log(1 + exp(-d))", 30)


KINDS = (
    "RankNet, built in",
    "pair_loss",
    "RankNet, formula",
    "LambdaRank, built in",
    "LambdaRank, formula",
    "formula of 15 nodes",
)
SAME = {"pair_loss": KINDS[0], "RankNet, formula": KINDS[0], "LambdaRank, formula": KINDS[3]}


def rows() -> list[dict[str, Any]]:
    """Return times of a round's gradients, of the first round, and of training."""
    data = gbrank.make_letor(N_QUERIES, n_features=N_FEATURES, random_state=SEED)
    score = np.random.default_rng(SEED).normal(size=len(data.y))
    bounds, first = {}, {}
    for kind in (*KINDS, *KINDS):  # the second time, what all share is there
        start = time.perf_counter()
        bounds[kind] = fresh(kind).bind(data, n_jobs=1)
        bounds[kind].gradient_hessian(score, 0)
        first[kind] = time.perf_counter() - start
    for kind, other in SAME.items():
        ours, theirs = (bounds[each].gradient_hessian(score, 0)[0] for each in (kind, other))
        assert np.abs(ours - theirs).max() <= 1e-10 * np.abs(theirs).max(), kind
    times = interleaved({kind: lambda kind=kind: bounds[kind].gradient_hessian(score, 0) for kind in KINDS}, REPEATS)
    trained = interleaved({kind: lambda kind=kind: train(data, kind) for kind in KINDS}, 3)
    found = [
        {
            "loss": kind,
            "gradients [ms]": 1e3 * float(np.median(times[kind])),
            "times built in": ratios(times[kind], times[SAME[kind]])["ratio"] if kind in SAME else None,
            "first round [s]": first[kind],
            f"{TREES} trees [s]": float(np.median(trained[kind])),
        }
        for kind in KINDS
    ]
    return [*found, {"loss": tried(), "first round [s]": None}]


def train(data: gbrank.RankingData, kind: str) -> None:
    """Train as many trees as are timed."""
    gbrank.GBRanker(fresh(kind), n_estimators=TREES, n_jobs=1, random_state=0).fit(data)


def tried() -> str:
    """Run random formulas over scores small and large, and return what became of them."""
    rng, numbers = random.Random(SEED), np.random.default_rng(SEED)
    sizes = numbers.integers(1, 30, 20)
    data = Targets(numbers.integers(0, 5, sizes.sum()).astype(float), np.append(0, np.cumsum(sizes)))
    score, trained = numbers.normal(size=sizes.sum()), 0
    start = time.perf_counter()
    for loss in random_losses(rng):
        bound = loss.bind(data, n_jobs=1)
        for scale in (0.0, 1.0, 1e4):
            assert all(np.isfinite(part).all() for part in bound.gradient_hessian(scale * score, 0)), loss
        trained += 1
    each = 1e3 * (time.perf_counter() - start) / FORMULAS
    return f"{FORMULAS} random formulas, {trained} of them with something to learn: all finite, {each:.1f} ms each"


def random_losses(rng: random.Random) -> Iterator[ExpressionLoss]:
    """Yield the losses among random expressions."""
    for _ in range(FORMULAS):
        with contextlib.suppress(gbrank.ParameterError):
            yield ExpressionLoss(grown(rng, rng.randint(1, 8)), truncation=10)


def grown(rng: random.Random, levels: int) -> Expression:
    """Return a random expression of so many levels at most."""
    if levels <= 0 or rng.random() < 0.1:
        name = "d" if rng.random() < 0.5 else rng.choice(LEAVES["pair"])
        return Leaf(name) if rng.random() < 0.75 else Constant(rng.choice((0, 1, 2, -1, 0.5, rng.gauss(0, 3))))
    op = rng.choice(list(OPERATORS))
    if OPERATORS[op] == 1:
        return Unary(op, grown(rng, levels - 1))
    return Binary(op, grown(rng, levels - 1), grown(rng, levels - 2))


if __name__ == "__main__":
    from run import table

    print(table(rows()))
