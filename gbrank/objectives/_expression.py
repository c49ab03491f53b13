"""Losses written as formulas."""

from __future__ import annotations

import dataclasses
import functools
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from .._checks import ParameterError, check_choice, check_whole
from ._base import OBJECTIVES, Bound, Labelled, Vector, require_varied, single_labels
from ._expressions import LEAVES, Expression, parse
from ._expressions.bounds import ExpressionPairs, ExpressionPoints
from ._expressions.derivatives import usable
from ._expressions.nodes import KINDS, VARIABLE
from ._frames.stabilisers import PairNormed, Ranked

FOR_POINTS, FOR_BOTH = frozenset(("init",)), frozenset(("formula",))


@OBJECTIVES.add("expression")
@dataclass(frozen=True, repr=False)
class ExpressionLoss(PairNormed, Ranked):
    r"""A loss written as a formula: of each pair of documents, or of each document.

    A formula of the names below is summed over the pairs of a query with different labels, :math:`L = \sum_{y_i > y_j}
    \ell(s_i - s_j, \ldots)`, or, made of s and y, over documents.  Both derivatives are found from the formula.  Gains,
    ranks and the rest are numbers to them: only d, or s, is differentiated by.  Where the second derivative is
    not above 0 (but for rounding), the size of the first stands for it; `exact_hessian` says whether that happens.

    Of a pair, of which i is the better document by its label, there are d, the difference of scores :math:`s_i - s_j`;
    dG, dY and dD, the differences of gains, of labels, and of discounts :math:`|1 / \log_2(1 + r_i) - 1 / \log_2(1 +
    r_j)|` at the present ranks; Gi, Gj, the gains; ri, rj, the ranks, from 1; and IDCG, the DCG of the best order of
    the query, of its first `truncation` places.  Of a document, there are s and y, score and label.

    Numbers, ``+ - * /``, ``**2``, parentheses and ``exp``, ``log``, ``softplus``, ``sigmoid``, ``tanh``, ``abs``,
    ``max``, ``min`` join them.  ``softplus(-d)`` is RankNet, ``max(0, 1 - d)`` the hinge loss, and ``softplus(-d) *
    dG * dD / IDCG`` with ``truncation=30, score_norm=True, query_norm=True`` LambdaRank.  The formula is all there is:
    nothing in it is run as code, and a saved model holds it as text.

    Parameters
    ----------
    formula : str or Expression
        The loss.
    truncation : int, optional
        One document of the pair must rank among the first `truncation`.
    gain : {"exp", "linear"}
        What a label is worth: 2^y - 1, or y.
    init : {"best", "zero"}
        Of losses of a document: boosting starts from the constant score of least loss, or from 0.
    score_norm, query_norm, hessian_factor, rerank_every, rank_smoothing, ties, random_state
        See `Pairwise`; for losses of a pair only.

    Raises
    ------
    ParameterError
        What is no formula, or one that mixes both kinds, has no slope, or never pushes the better document up.

    References
    ----------
    Li, Ji, Ge and Zhang, "AutoLossGen: Automatic Loss Function Generation for Recommender Systems", SIGIR 2022,
    section 3.1, for losses as graphs of operators; here of pairs, and with second derivatives.

    Examples
    --------
    >>> squared_hinge = ExpressionLoss("max(0, 1 - d)**2")
    >>> squared_hinge.gradient_hessian(y=[1, 0], score=[0.0, 0.0], query_ptr=[0, 2])
    (array([-2.,  2.]), array([2., 2.]))
    """

    name: ClassVar[str] = "expression"
    shift_invariant: ClassVar[bool] = True
    formula: str = "softplus(-d)"
    truncation: int | None = None
    gain: str = "exp"
    init: str = "best"

    def __post_init__(self) -> None:
        object.__setattr__(self, "formula", str(self.formula) if isinstance(self.formula, Expression) else self.formula)
        super().__post_init__()
        if self.truncation is not None:
            check_whole("truncation", self.truncation)
        check_choice("gain", self.gain, ("exp", "linear"))
        check_choice("init", self.init, ("best", "zero"))
        self._require_own(kind_of(self.expression))
        if not has_exact_hessian(self.expression):
            object.__setattr__(self, "exact_hessian", False)
        for promise, kept in (("shift_invariant", self.kind == "pair"), ("pointwise", self.kind == "point")):
            object.__setattr__(self, promise, kept)

    def _require_own(self, kind: str) -> None:
        others = {field.name for field in dataclasses.fields(self)} - FOR_POINTS if kind == "point" else FOR_POINTS
        for field in dataclasses.fields(self):
            if field.name in others - FOR_BOTH and getattr(self, field.name) != field.default:
                raise ParameterError(
                    f"{field.name}={getattr(self, field.name)!r}: has no meaning for {self.formula!r}, a loss of "
                    f"{'documents' if kind == 'point' else 'pairs'}; leave it out."
                )

    @property
    def expression(self) -> Expression:
        """The formula as an expression."""
        return parse(self.formula)

    @property
    def kind(self) -> str:
        """Whether it is a loss of a "pair" of documents or of a document, a "point"."""
        return kind_of(self.expression)

    def bind(self, data: Labelled, *, engine: str = "compiled", n_jobs: int | None = None) -> Bound:
        y, loss = single_labels(data, self.name), self.expression.canonical()
        if self.kind == "pair":
            norms = self.score_norm, self.query_norm
            return ExpressionPairs(
                loss, self.gain, self.truncation, norms, self.hessian_factor, self.rank_options(), self.name, data,
                engine, n_jobs,
            )  # fmt: skip
        require_varied(y, self.name)
        return ExpressionPoints(loss, data, engine, n_jobs, self.init == "best")


def kind_of(expression: Expression) -> str:
    """Return "pair" or "point", by the leaves; raise a `ParameterError` where there is nothing to learn."""
    kinds = sorted({KINDS[name] for name in expression.names})
    if len(kinds) > 1:
        names = [", ".join(sorted(expression.names & set(LEAVES[kind]))) for kind in kinds]
        raise ParameterError(
            f"formula {str(expression)!r}: {names[0]} belongs to a pair of documents, {names[1]} to a single one; "
            "write it with one kind of names."
        )
    if not kinds or VARIABLE[kinds[0]] not in expression.names:
        wanted = VARIABLE[kinds[0]] if kinds else "d or s"
        raise ParameterError(f"formula {str(expression)!r}: does not depend on scores; write it with {wanted}.")
    require_slope(expression, kinds[0])
    return kinds[0]


@functools.lru_cache(maxsize=1024)
def require_slope(expression: Expression, kind: str) -> None:
    """Raise a `ParameterError` where no document is ever moved, or no better one ever up."""
    _, d1, _ = on_grid(expression, kind)
    if not d1.any():
        raise ParameterError(
            f"formula {str(expression)!r}: its slope by {VARIABLE[kind]} is 0 everywhere, so that no score ever moves; "
            "see that no part of it is constant or beyond its domain."
        )
    if kind == "pair" and (d1 >= 0).all():
        raise ParameterError(
            f"formula {str(expression)!r}: nowhere falls with d, so that no better document of a pair is ever pushed "
            "up. d is the better document's score less the other's; turn its sign round."
        )


@functools.lru_cache(maxsize=1024)
def has_exact_hessian(expression: Expression) -> bool:
    """Tell whether the second derivative serves as it is, at differences, or scores, from -10 to 10."""
    kind = kind_of(expression)
    _, d1, d2 = on_grid(expression.canonical(), kind)
    usual = np.abs(PAIR_GRID["d"] if kind == "pair" else POINT_GRID["s"]) < 10.1
    return bool(((usable(d1, d2)[1] == d2) | ~usual).all())


def on_grid(expression: Expression, kind: str) -> tuple[Vector, Vector, Vector]:
    """Return value and derivatives over a grid of scores, and of pairs or labels."""
    return expression.evaluate(PAIR_GRID if kind == "pair" else POINT_GRID, VARIABLE[kind])


def pair_grid() -> dict[str, Any]:
    """Return leaves of pairs: margins, as a column, against pairs of labels at several ranks."""
    yi, yj, ri, rj = np.array([
        (1, 0, 1, 2), (1, 0, 2, 1), (2, 0, 3, 11), (2, 1, 40, 4), (4, 0, 1, 100), (4, 3, 7, 8), (3, 1, 500, 20),
    ], dtype=np.float64).T  # fmt: skip
    gi, gj = 2**yi - 1, 2**yj - 1
    return {
        "d": (np.linspace(-30, 30, 121) + 0.0137)[:, None], "dG": gi - gj, "dY": yi - yj, "Gi": gi, "Gj": gj,
        "dD": np.abs(1 / np.log2(1 + ri) - 1 / np.log2(1 + rj)), "ri": ri, "rj": rj, "IDCG": np.linspace(0.5, 20, 7),
    }  # fmt: skip


PAIR_GRID = pair_grid()
POINT_GRID = {"s": (np.linspace(-10, 10, 81) + 0.0137)[:, None], "y": np.arange(5.0)}
