"""Bad input, case by case, with how each ends: what queries, labels, weights, objectives and predictions are given."""

from __future__ import annotations

import functools
import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

CATBOOST = ("catboost", "native")
SETTINGS = (("lightgbm", "compiled"), ("lightgbm", "native"), ("xgboost", "compiled"), ("xgboost", "native"))
if importlib.util.find_spec("catboost"):
    SETTINGS = (*SETTINGS, CATBOOST)
NATIVE = {
    "lightgbm": ("lambdarank",),
    "xgboost": ("lambdarank", "pairwise_logistic"),
    "catboost": ("lambdarank", "pairwise_logistic"),
}

N, SIZE = 60, 6
RNG = np.random.default_rng(0)
X = RNG.normal(size=(N, 3))
Y = np.clip(np.round(1 + X[:, 0] + 0.3 * RNG.normal(size=N)), 0, 3)
QID = np.arange(N) // SIZE
PTR = np.arange(0, N + 1, SIZE)


@dataclass(frozen=True)
class Setting:
    """A backend and an engine."""

    backend: str
    engine: str

    def ranker(self, objective: Any = "lambdarank", **params: Any) -> Any:
        """Return a small ranker that does split."""
        import gbrank

        own = {
            "lightgbm": {"max_leaves": 4, "min_docs_in_leaf": 1},
            "xgboost": {"max_leaves": 4, "backend_params": {"min_child_weight": 0.0}},
            "catboost": {"max_depth": 2},
        }
        small = {"n_estimators": 3, "n_jobs": 1, **own[self.backend]}
        return gbrank.GBRanker(objective, backend=self.backend, engine=self.engine, **{**small, **params})

    def fit(self, x: Any = X, y: Any = Y, qid: Any = QID, objective: Any = "lambdarank", **fields: Any) -> Any:
        """Fit, and return the scores, which must be finite and not all equal."""
        scores = self.ranker(objective).fit(x, y, qid=qid, **fields).predict(x)
        assert np.isfinite(scores).all()
        assert np.ptp(scores) > 0
        return scores

    @functools.cached_property
    def plain(self) -> Any:
        """The scores of a model of the good data."""
        return self.fit()


Run = Callable[[Setting], Any]


@dataclass(frozen=True)
class Case:
    """What is done, and how it ends: refused or warned of by a message, or done as `run` asserts.

    `refused` may hold for some settings only, and then maps (backend, engine) to the message.
    """

    run: Run
    refused: str | dict[tuple[str, str], str] | None = None
    warned: str | None = None
    settings: tuple[tuple[str, str], ...] = SETTINGS

    def expected(self, backend: str, engine: str) -> tuple[str, str]:
        """Return the outcome and a pattern of its message."""
        refused = self.refused.get((backend, engine)) if isinstance(self.refused, dict) else self.refused
        if refused is not None:
            return "refused", refused
        return ("warned", self.warned) if self.warned is not None else ("done", "")


CASES: dict[str, Case] = {}


def case(name: str, run: Run | None = None, **how: Any) -> Any:
    """Register a case, also as a decorator."""
    if run is None:
        return lambda function: case(name, function, **how)
    assert name not in CASES, name
    CASES[name] = Case(run, **how)
    return run


def changed(values: Any, row: int, value: Any) -> Any:
    """Return a copy with another value in one row."""
    values = np.array(values, dtype=object if isinstance(value, str) or value is None else None)
    values[row] = value
    return values


# 2.1 Queries
case("no-qid", lambda s: s.ranker().fit(X, Y), warned="no qid: all documents are taken for one query")
case("qid-too-short", lambda s: s.fit(qid=QID[:-1]), refused=r"X has 60 rows and qid 59")
case("qid-of-two-dimensions", lambda s: s.fit(qid=QID[:, None]), refused=r"one dimension, not the shape \(60, 1\)")
case("qid-nan", lambda s: s.fit(qid=changed(QID.astype(float), 7, np.nan)), refused="row 7 is nan; an id is a whole")
case("qid-none", lambda s: s.fit(qid=changed(QID, 7, None)), refused="row 7 is None")
case("qid-of-fractions", lambda s: s.fit(qid=np.arange(N) / N), refused="row 1 is 0.01666.*; an id is a whole number")
case("qid-beyond-64-bits", lambda s: s.fit(qid=QID.astype(np.uint64) + 2**63), refused="does not fit a signed 64-bit")
case("qid-mixed", lambda s: s.fit(qid=changed(QID, 7, "a")), refused="row 7 is 'a'")
case("one-document-queries", lambda s: s.fit(qid=np.arange(N)), refused="none of the 60 queries has two documents")
case("all-labels-equal", lambda s: s.fit(y=np.ones(N)), refused="none of the 10 queries has two documents with diff")


@case("qid-unsorted-and-scattered")
def _(s: Setting) -> None:
    """The model of the sorted rows, whatever the order of queries and however their rows lie apart."""
    order = np.arange(N).reshape(-1, SIZE)[::-1].T.reshape(-1)  # row 0 of each query, then row 1, the last query first
    scattered = s.ranker().fit(X[order], Y[order], qid=QID[order]).predict(X)
    together = np.arange(N).reshape(-1, SIZE)[::-1].reshape(-1)
    equal(scattered, s.ranker().fit(X[together], Y[together], qid=QID[together]).predict(X))


@case("qid-that-agree-in-32-bits")
def _(s: Setting) -> None:
    import gbrank

    ids = np.where(QID % 2, 5, 5 + 2**32) + 2**33 * (QID // 2)
    assert gbrank.RankingData(X, Y, ids).n_queries == N // SIZE
    equal(s.fit(qid=ids), s.plain)


@case("qid-of-64-bit-hashes")
def _(s: Setting) -> None:
    hashes = np.sort(np.random.default_rng(1).integers(-(2**63), 2**63 - 1, N // SIZE))
    equal(s.fit(qid=hashes[QID]), s.plain)


case("qid-of-strings", lambda s: equal(s.fit(qid=[f"query {9 - q}" for q in QID]), s.plain))


def equal(a: Any, b: Any) -> None:
    """Assert that two models are the same."""
    assert np.array_equal(a, b)


def offsets(query_ptr: Any) -> Run:
    """Return what hands row offsets to a measure, and to an objective."""

    def run(s: Setting) -> None:
        import gbrank

        errors = []
        for call in (gbrank.measure("ndcg@3"), gbrank.objective("lambdarank").gradient_hessian):
            try:
                call(Y, X[:, 0], query_ptr)
            except gbrank.DataError as error:
                errors.append(error)
        assert len(errors) == 2
        raise errors[0]

    return run


ONCE = SETTINGS[:1]  # where neither backend nor engine takes part
case("offsets-short-of-the-rows", offsets([0, 30, 59]), refused="must run from 0 to 60", settings=ONCE)
case("offsets-with-an-empty-query", offsets([0, 30, 30, 60]), refused="query 1 has 0 documents", settings=ONCE)
case("offsets-that-fall", offsets([0, 40, 30, 60]), refused="query 1 has -10 documents", settings=ONCE)
case("offsets-of-fractions", offsets([0, 30.5, 60]), refused="whole row offsets", settings=ONCE)
case("offsets-nan", offsets([0, np.nan, 60]), refused="whole row offsets", settings=ONCE)


@case("a-query-of-10001-documents", refused={("lightgbm", "native"): "has 10001 documents: LightGBM's own .* 10000"})
def _(s: Setting) -> None:
    x = np.random.default_rng(0).normal(size=(10_001, 1))
    s.fit(x, np.round(np.abs(x[:, 0])), np.zeros(10_001, int))


# 2.2 Labels
GRADES = "needs whole grades from 0 to 1000"
LABELS: dict[str, tuple[Any, dict[str, str]]] = {
    "31": (31, {}),
    "32": (32, {}),
    "1000": (1000, {}),
    "2000": (2000, {"lambdarank": GRADES, "xe_ndcg": GRADES}),
    "5000": (5000, {"lambdarank": GRADES, "xe_ndcg": GRADES}),
    "minus-1": (-1, {"lambdarank": GRADES, "xe_ndcg": GRADES}),
    "one-half": (0.5, {"lambdarank": GRADES, "xe_ndcg": GRADES}),
    "nan": (np.nan, dict.fromkeys(("lambdarank", "xe_ndcg", "pairwise_logistic"), "y: row 7 is nan")),
    "inf": (np.inf, dict.fromkeys(("lambdarank", "xe_ndcg", "pairwise_logistic"), "y: row 7 is inf")),
    "text": ("good", dict.fromkeys(("lambdarank", "xe_ndcg", "pairwise_logistic"), "y: every value must be a number")),
}
LIMITS = {"lightgbm": 30, "xgboost": 31}


def label(value: Any, objective: str) -> Run:
    """Return a fit with that label in row 7."""
    return lambda s: s.fit(y=changed(Y, 7, value), objective=objective)


def add_labels() -> None:
    """Register each label for each objective, where the engine has it."""
    for name, (value, refused) in LABELS.items():
        for objective in ("lambdarank", "xe_ndcg", "pairwise_logistic"):
            settings = tuple(
                (backend, engine)
                for backend, engine in SETTINGS
                if engine == "compiled" or objective in NATIVE[backend]
            )
            how: Any = refused.get(objective)
            if how is None and objective == "lambdarank" and isinstance(value, int):
                how = {
                    (backend, "native"): f"label {value} in row 7: .* own .* has grades up to {limit}"
                    for backend, limit in LIMITS.items()
                    if value > limit
                }
            case(f"label-{name}-{objective}", label(value, objective), refused=how, settings=settings)


add_labels()
case("labels-as-text-of-numbers", lambda s: equal(s.fit(y=[f"{each:g}" for each in Y]), s.plain))
case("labels-as-a-column", lambda s: equal(s.fit(y=Y[:, None]), s.plain))
case("labels-of-too-few-rows", lambda s: s.fit(y=Y[:-1]), refused="y: 59 values for 60 documents")


MAP = {
    ("xgboost", "native"): "rank:map takes the labels 0 and 1 only",
    ("lightgbm", "native"): "weight='map'",
    CATBOOST: "weight='map'",
}


@case("labels-not-binary-with-map", refused=MAP)
def _(s: Setting) -> None:
    """A label of at least `relevant_from` is relevant."""
    import gbrank

    by_map = gbrank.objective("lambdarank", weight="map")
    equal(s.fit(objective=by_map), s.fit(y=(Y >= 1).astype(float), objective=by_map))


# 2.3 Weights, positions, scores
for kind in ("sample_weight", "query_weight"):
    ones = np.ones(N if kind == "sample_weight" else N // SIZE)
    for name, bad, told in (
        ("negative", changed(ones, 2, -1), "row 2 is -1; a weight cannot be negative"),
        ("nan", changed(ones, 2, np.nan), "row 2 is nan"),
        ("infinite", changed(ones, 2, np.inf), "row 2 is inf"),
        ("all-zero", 0 * ones, "all weights are zero"),
        ("ones-of-the-wrong-length", ones[:-1], f"{len(ones) - 1} values for {len(ones)}"),
    ):
        case(
            f"{kind.replace('_', '-')}-{name}",
            functools.partial(lambda s, fields: s.fit(**fields), fields={kind: bad}),
            refused=f"{kind}: .*{told}",
        )
case("sample-weight-of-queries", lambda s: s.fit(sample_weight=np.ones(N // SIZE)), refused="10 values for 60")
case("query-weight-of-documents", lambda s: s.fit(query_weight=np.ones(N)), refused="60 values for 10 queries")
case(
    "query-weight-of-a-missing-query",
    lambda s: s.fit(query_weight={0: 1.0}),
    refused="no weight for query 1",
)


@case("position-of-the-wrong-length", refused="position: 59 values for 60 documents", settings=ONCE)
def _(s: Setting) -> None:
    import gbrank

    gbrank.RankingData(X, Y, QID, position=np.ones(N - 1))


def measured(**convention: Any) -> Run:
    """Return what computes NDCG by that convention."""

    def run(s: Setting) -> None:
        import gbrank

        gbrank.measure("ndcg@3", **convention)(Y, X[:, 0], PTR)

    return run


case(
    "gain-negative", measured(gain={0: -1, 1: 1, 2: 3, 3: 7}), refused="gains must be finite and not neg", settings=ONCE
)
case("gain-nan", measured(gain={0: np.nan, 1: 1}), refused="gains must be finite and not negative", settings=ONCE)
case("gain-function-nan", measured(gain=lambda y: y * np.nan), refused="row 0 is nan", settings=ONCE)
case("gain-of-an-unknown-label", measured(gain={0: 0, 1: 1}), refused="label", settings=ONCE)
case("cutoff-0", lambda s: s.ranker(measure="ndcg@0").fit(X, Y, qid=QID), refused="ndcg@0|k=0")
case("truncation-0", lambda s: s.fit(objective=make("lambdarank", truncation=0)), refused="truncation=0")
case("sigmoid-0", lambda s: s.fit(objective=make("lambdarank", sigmoid=0.0)), refused="sigmoid=0.0")
case("no-rows", lambda s: s.fit(X[:0], Y[:0], QID[:0]), refused="there are no documents")
case("no-columns", lambda s: s.fit(X[:, :0]), refused="0 feature")
case("feature-inf", lambda s: s.fit(changed2(X, np.inf)), refused="X: row 7, column 1 is infinite")
case("feature-text", lambda s: s.fit(changed2(X.astype(object), "red")), refused="X: every value must be a number")
case("features-all-missing", lambda s: s.ranker().fit(X * np.nan, Y, qid=QID), warned="no tree could be grown")
case(
    "features-all-zero",
    lambda s: s.ranker().fit(X * 0, Y, qid=QID),
    refused={("lightgbm", "compiled"): "every feature is 0", CATBOOST: "every feature is constant"},
    warned="no tree could be grown",
)
case(
    "features-constant",
    lambda s: s.ranker().fit(X * 0 + 1, Y, qid=QID),
    refused={CATBOOST: "every feature is constant"},
    warned="no tree could be grown",
)


def changed2(values: Any, value: Any) -> Any:
    values = values.copy()
    values[7, 1] = value
    return values


def make(name: str, **params: Any) -> Any:
    import gbrank

    return gbrank.objective(name, **params)


@case("small-weights-and-a-query-with-nothing-relevant", refused={CATBOOST: "query_weight: CatBoost's LambdaMart"})
def _(s: Setting) -> None:
    """NDCG stays within 0 and 1, and is that of the predictions."""
    import gbrank

    y = np.where(QID < 2, 0, Y)
    data = gbrank.RankingData(X, y, QID, query_weight=np.where(QID[::SIZE] < 2, 1.0, 0.01))
    ranker = s.ranker(measure=gbrank.measure("ndcg@3", no_relevant=1)).fit(data, eval_set=data)
    values = ranker.history_["valid"]
    assert 0 <= min(values) <= max(values) <= 1
    assert values[-1] == ranker.score(data)


# 2.4 Objectives of one's own
def own(change: Callable[[Any, Any], Any]) -> Run:
    """Return a fit with gradients of squared error, changed."""

    def run(s: Setting) -> None:
        s.ranker(own_objective(change)).fit(X, Y, qid=QID)

    return run


def own_objective(change: Callable[[Any, Any], Any]) -> Any:
    from gbrank.objectives import Bound, Objective

    class Own(Objective):
        name = "own"

        def bind(self, data: Any, *, engine: str = "compiled", n_jobs: int | None = None) -> Bound:
            return OwnBound(data)

    class OwnBound(Bound):
        def __init__(self, data: Any) -> None:
            self.y = data.y

        def loss(self, score: Any) -> Any:
            raise NotImplementedError

        def gradient_hessian(self, score: Any, round: int) -> Any:
            return change(score - self.y, np.ones(len(score)))

    return Own()


COMPILED = tuple(each for each in SETTINGS if each[1] == "compiled")
LIGHTGBM, XGBOOST = COMPILED[:1], COMPILED[1:2]
case("gradient-nan", own(lambda g, h: (changed(g, 7, np.nan), h)), refused=r"is nan in round 1, row 7 \(query 1\)",
     settings=COMPILED)  # fmt: skip
case("hessian-inf", own(lambda g, h: (g, changed(h, 7, np.inf))), refused=r"hessian .* is inf in round 1, row 7",
     settings=COMPILED)  # fmt: skip
case("gradient-of-the-wrong-length", own(lambda g, h: (g[1:], h)), refused="the shape", settings=COMPILED)
case("gradient-zero", own(lambda g, h: (0 * g, h)), refused="no gradient at all", settings=COMPILED)
case("hessian-zero", own(lambda g, h: (g, 0 * h)), warned="no tree could be grown", settings=LIGHTGBM)
case("hessian-negative", own(lambda g, h: (g, -h)), warned="no tree could be grown", settings=LIGHTGBM)
case("own-objective-native", own(lambda g, h: (g, h)), refused="has no objective 'own' of its own",
     settings=tuple(each for each in SETTINGS if each[1] == "native"))  # fmt: skip


def no_hessian(sign: float) -> Run:
    """Return a fit on XGBoost with its default least sum of hessians in a leaf."""
    objective = own_objective  # made in the process that runs it
    return lambda s: s.ranker(objective(lambda g, h: (g, sign * h)), backend_params=None).fit(X, Y, qid=QID)


case("hessian-zero-xgboost", no_hessian(0.0), warned="no tree could be grown", settings=XGBOOST)
case("hessian-negative-xgboost", no_hessian(-1.0), warned="no tree could be grown", settings=XGBOOST)
case("hessian-tiny", own(lambda g, h: (g, 1e-9 * h)), warned="no tree could be grown", settings=LIGHTGBM)


@case("own-loss-of-other-arguments", refused="a point_loss takes y and s", settings=ONCE)
def _(s: Setting) -> None:
    import gbrank

    gbrank.point_loss(lambda y: y)


@case("scores-start-at-the-objectives-best-constant", settings=COMPILED)
def _(s: Setting) -> None:
    """Own objectives start at `init_score`, which predictions include; the library adds nothing."""
    flat = s.ranker("mse", n_estimators=1, learning_rate=1e-9).fit(X, Y, qid=QID)
    assert np.allclose(flat.predict(X), Y.mean(), atol=1e-6)


# 2.6 Prediction
case("predict-too-few-columns", lambda s: fitted(s).predict(X[:, :2]), refused="2 features, .* expecting 3")
case("predict-too-many-columns", lambda s: fitted(s).predict(np.c_[X, X]), refused="6 features, .* expecting 3")
case("predict-inf", lambda s: fitted(s).predict(changed2(X, np.inf)), refused="X: row 7, column 1 is infinite")
case("predict-text", lambda s: fitted(s).predict(changed2(X.astype(object), "red")), refused="must be a number")
case("predict-one-dimension", lambda s: fitted(s).predict(X[0]), refused="two dimensions")
case("predict-no-rows", lambda s: equal(fitted(s).predict(X[:0]).shape, (0,)))
case("predict-missing", lambda s: equal(np.isfinite(fitted(s).predict(X * np.nan)).all(), True))


def fitted(s: Setting) -> Any:
    return s.ranker().fit(X, Y, qid=QID)
