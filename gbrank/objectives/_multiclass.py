"""Classification into grades: one output for each grade, ranked by the expected grade."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from .._checks import DataError, ParameterError, check_positive, check_whole, whole_grades
from ._base import OBJECTIVES, Bound, Labelled, State, Vector, require_varied, row_weights, single_labels, taken_up
from ._classification import SMALLEST_CURVATURE, focal_of_margin
from ._frames.rows import Row, RowBound, apply_row
from ._grades import GradeObjective, softmax, unfocused

HIGHEST_GRADE = 100
STEPS = 100  # to the best constant
ClassWeight = None | str | Sequence[float] | Mapping[int, float]


def softmax_loss(y: Any, s: Any, g: Any, h: Any, weight: Any) -> Any:
    """Multi-class cross-entropy of the outputs `s` for the grade y."""
    top = s[0]
    for k in range(1, len(s)):
        top = np.maximum(top, s[k])
    total, of_grade = 0.0 * top, 0.0 * top
    for k in range(len(s)):
        g[k] = np.exp(s[k] - top)
        total = total + g[k]
        of_grade = np.where(y == k, s[k], of_grade)
    w = weight[y]
    for k in range(len(s)):
        p = g[k] / total
        g[k] = w * (p - np.where(y == k, 1.0, 0.0))
        h[k] = w * p * (1.0 - p)
    return w * (np.log(total) + top - of_grade)


def focal_softmax(y: Any, s: Any, g: Any, h: Any, weight: Any, gamma: Any) -> Any:
    """Multi-class focal loss: the binary one of the margin z = s[y] - log sum over the others of exp(s[k]).

    With r[k] the share of exp(s[k]) in that sum, dz/ds[k] = -r[k] and d2z/ds[k]2 = -r[k] (1 - r[k]).
    """
    top, of_grade, total = s[0], 0.0 * s[0], 0.0 * s[0]
    for k in range(1, len(s)):
        top = np.maximum(top, s[k])
    for k in range(len(s)):
        # Held above 0, for where the grade's own output is the greatest only the others remain.
        g[k] = np.exp(np.maximum(s[k] - top, -700.0)) * np.where(y == k, 0.0, 1.0)
        total = total + g[k]
        of_grade = of_grade + s[k] * np.where(y == k, 1.0, 0.0)
    value, slope, bend = focal_of_margin(of_grade - top - np.log(total), gamma)
    w = weight[y]
    for k in range(len(s)):
        r = g[k] / total
        g[k] = w * slope * np.where(y == k, 1.0, -r)
        h[k] = w * np.where(y == k, bend, r * (bend * r - slope * (1.0 - r)))
        h[k] = np.maximum(h[k], SMALLEST_CURVATURE * np.abs(g[k]))
    return w * value


@dataclass(frozen=True, repr=False)
class MultiClass(GradeObjective):
    """What objectives with one output for each grade share."""

    pointwise: ClassVar[bool] = True
    summable: ClassVar[bool] = False

    def grades(self, data: Labelled) -> npt.NDArray[np.int64]:
        """Return the labels as grades."""
        grades = whole_grades(single_labels(data, self.name), f"the objective {self.name}", highest=HIGHEST_GRADE)
        require_varied(grades, self.name)
        return grades

    def probabilities(self, score: npt.NDArray[Any], state: State) -> Vector:
        return softmax(score)

    def transform(self, score: npt.NDArray[Any], state: State) -> npt.NDArray[Any]:
        p = self.probabilities(score, state)
        return np.asarray(p @ np.arange(p.shape[1]))


class ClassWeightedBound(RowBound):
    """Keeps the weights of grades, which may come from the data."""

    def __init__(
        self,
        row: Row,
        params: tuple[Any, ...],
        class_weight: Vector,
        grades: npt.NDArray[np.int64],
        data: Labelled,
        engine: str,
        n_jobs: int | None,
    ) -> None:
        self.class_weight = class_weight
        counts, all_params = counts_of(grades, row_weights(data)), (class_weight, *params)
        start = best_outputs(row, all_params, counts, log_shares(counts * class_weight))
        super().__init__(row, all_params, start, grades, data, engine, n_jobs)

    def state(self) -> State:
        return {"class_weight": self.class_weight}

    def resume(self, state: State, rounds: int) -> None:
        self.class_weight = taken_up(state, "class_weight", self.class_weight)
        self.params = (self.class_weight, *self.params[1:])


def counts_of(grades: npt.NDArray[np.int64], weight: Vector | None) -> Vector:
    """Return the weight of the documents of each grade."""
    return np.bincount(grades, weights=weight).astype(np.float64)


def log_shares(counts: Vector) -> Vector:
    """Return the logarithms of the shares; none below a millionth, so that absent grades stay finite."""
    return np.asarray(np.log(np.maximum(counts / counts.sum(), 1e-6)))


def best_outputs(row: Row, params: tuple[Any, ...], counts: Vector, start: Vector) -> Vector:
    """Return the constant outputs of least loss for the weighted counts of the grades, near `start`.

    Half of each Newton step by the diagonal: outputs that move together would otherwise go twice as far as they should.
    """
    outputs, grades = start.copy(), np.arange(len(counts))
    for _ in range(STEPS):
        _, g, h = apply_row(row, grades, np.repeat(outputs[:, None], len(grades), axis=1), params)
        outputs -= 0.5 * (g @ counts) / np.maximum(h @ counts, 1e-6 * counts.sum())
    return outputs


def plain_class_weight(given: ClassWeight) -> str | tuple[float, ...] | None:
    """Return class weights as None, "balanced" or a tuple with one for each grade from 0."""
    if given is None or (isinstance(given, str) and given == "balanced"):
        return given
    if isinstance(given, Mapping):
        # Files have text for keys.
        by_grade = {int(key) if str(key).isdecimal() else key: weight for key, weight in given.items()}
        if len(by_grade) < len(given):
            raise ParameterError(f"class_weight={given!r}: gives a grade twice, as a number and as text.")
        given = by_grade
        for grade in given:
            check_whole("class_weight", grade, lowest=0)
        given = [given.get(grade, 1.0) for grade in range(max(given, default=-1) + 1)]
    if isinstance(given, str) or not np.iterable(given) or not len(given):
        raise ParameterError(
            f"class_weight={given!r}: give None, 'balanced', a weight for each grade from 0, or {{grade: weight}}."
        )
    for weight in given:
        check_positive("class_weight", weight)
    return tuple(float(weight) for weight in given)


def class_weights(given: ClassWeight, counts: Vector, name: str) -> Vector:
    """Return one weight for each grade, for the weighted counts of the grades.

    Raises
    ------
    DataError
        There are more grades than weights.
    """
    if given is None:
        return np.ones(len(counts))
    if isinstance(given, str):
        present = counts > 0
        return np.where(present, counts.sum() / (present.sum() * np.where(present, counts, 1.0)), 1.0)
    if len(given) < len(counts):
        raise DataError(
            f"{name}: class_weight has {len(given)} weights, for grades 0 to {len(given) - 1}, but there is a label "
            f"{len(counts) - 1}; give a weight for each grade."
        )
    return np.array(given, dtype=np.float64)[: len(counts)]


@OBJECTIVES.add("mcrank", "multiclass")
@dataclass(frozen=True, repr=False)
class McRank(MultiClass):
    r"""Classification into grades, ranked by the expected grade.

    One output for each grade, :math:`p = \mathrm{softmax}(s)`, :math:`L = -\sum_i w_{y_i} \log p_{i, y_i}`; the ranking
    score is :math:`\sum_c c\,p_c`.  Boosting starts from the best constant, the logarithms of the grades' shares.  The
    hessian is the diagonal :math:`w p (1 - p)`.  Probabilities, and the expected grade, are those of the data: class
    weights are taken out of them again.

    Parameters
    ----------
    class_weight : None, "balanced", sequence or mapping
        The weight :math:`w_c` of each grade, from 0; a mapping may leave out grades of weight 1.  "balanced" gives
        all grades the same total weight.

    References
    ----------
    Li, Burges and Wu, "McRank: Learning to Rank Using Multiple Classification and Gradient Boosting", NIPS 2007.
    """

    name: ClassVar[str] = "mcrank"
    class_weight: ClassWeight = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "class_weight", plain_class_weight(self.class_weight))

    def bind(self, data: Labelled, *, engine: str = "compiled", n_jobs: int | None = None) -> Bound:
        grades = self.grades(data)
        weight = class_weights(self.class_weight, counts_of(grades, row_weights(data)), self.name)
        return ClassWeightedBound(softmax_loss, (), weight, grades, data, engine, n_jobs)

    def probabilities(self, score: npt.NDArray[Any], state: State) -> Vector:
        return softmax(score - np.log(state.get("class_weight", np.ones(1))))


@OBJECTIVES.add("mcrank_focal")
@dataclass(frozen=True, repr=False)
class McRankFocal(MultiClass):
    r"""Classification into grades by focal loss, ranked by the expected grade.

    One output for each grade, :math:`p = \mathrm{softmax}(s)`,
    :math:`L = -\sum_i w_{y_i} (1 - p_{i, y_i})^\gamma \log p_{i, y_i}`.  The hessian is the exact diagonal; where that
    is less than a twentieth of the gradient's size (negative for badly misclassified documents), that stands in for it.
    Boosting starts from the best constant.  Outputs of a focal loss are no probabilities, which
    `probabilities` makes of them; the expected grade :math:`\sum_c c\,p_c` of these ranks.

    Parameters
    ----------
    gamma : float
        Focusing, at least 0; 0 is the loss of `McRank`.
    class_weight : None, "balanced", sequence or mapping
        The weight :math:`w_c` of each grade, as in `McRank`.

    References
    ----------
    Lin et al., "Focal Loss for Dense Object Detection", ICCV 2017, with softmax in place of the sigmoid.
    """

    name: ClassVar[str] = "mcrank_focal"
    exact_hessian: ClassVar[bool] = False
    gamma: float = 2.0
    class_weight: ClassWeight = None

    def __post_init__(self) -> None:
        check_positive("gamma", self.gamma, zero=True)
        object.__setattr__(self, "class_weight", plain_class_weight(self.class_weight))

    def bind(self, data: Labelled, *, engine: str = "compiled", n_jobs: int | None = None) -> Bound:
        grades = self.grades(data)
        weight = class_weights(self.class_weight, counts_of(grades, row_weights(data)), self.name)
        return ClassWeightedBound(focal_softmax, (float(self.gamma),), weight, grades, data, engine, n_jobs)

    def probabilities(self, score: npt.NDArray[Any], state: State) -> Vector:
        p = softmax(score)
        top = np.eye(score.shape[1], dtype=bool)[score.argmax(axis=1)]
        # Only the greatest probability is near 1: there 1 - p is summed from the others, elsewhere nothing cancels.
        with np.errstate(divide="ignore"):
            log_q = np.where(
                top, np.log(np.where(top, 0.0, p).sum(axis=1, keepdims=True)), np.log1p(-np.where(top, 0, p))
            )
            log_p = score - score.max(axis=1, keepdims=True)
        log_p = log_p - np.log(np.exp(log_p).sum(axis=1, keepdims=True))
        return unfocused(log_p, log_q, self.gamma, state.get("class_weight", np.ones(1)))
