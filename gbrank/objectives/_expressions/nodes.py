"""Losses as values: expressions made of leaves, constants and operators."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from ..._checks import ParameterError
from ..._registry import unknown
from .derivatives import BINARY, UNARY, Jet, jet_of_leaf, jet_of_one, jet_of_two, shaped

if TYPE_CHECKING:
    import numpy.typing as npt

    from .._base import Vector

LEAVES: Mapping[str, tuple[str, ...]] = {
    "pair": ("d", "dG", "dD", "dY", "Gi", "Gj", "ri", "rj", "IDCG"),
    "point": ("s", "y"),
}
"""Names that losses of a pair, and of a document, are made of; see `ExpressionLoss`."""

VARIABLE = {"pair": "d", "point": "s"}
"""By which leaf a loss of each kind is differentiated."""

NONNEGATIVE = frozenset(LEAVES["pair"]) - {"d"}
KINDS = {name: kind for kind, names in LEAVES.items() for name in names}

OPERATORS: Mapping[str, int] = dict.fromkeys(BINARY, 2) | dict.fromkeys(UNARY, 1)
"""Operators and the number of their arguments."""

MOST_NODES, MOST_LEVELS = 200, 50
"""Sizes beyond which an expression is refused."""


@dataclass(frozen=True)
class Expression:
    """An expression: a `Leaf`, a `Constant`, or an operator applied to expressions.

    ``str(e)`` is the formula, and ``parse(str(e)) == e``.  A subtraction is the sum with what is negated, a division
    the product with the inverse.  How operators behave where mathematics leaves them undefined is said in
    `derivatives`.

    Attributes
    ----------
    size : int
        Number of nodes, each counted as often as it is written.
    depth : int
        Number of nodes on the longest way from the root to a leaf.
    names : frozenset of str
        The leaves that occur.
    """

    size: int = field(init=False, repr=False, compare=False, default=1)
    depth: int = field(init=False, repr=False, compare=False, default=1)
    names: frozenset[str] = field(init=False, repr=False, compare=False, default=frozenset())

    @staticmethod
    def parse(text: str) -> Expression:
        """Return the expression that a formula writes, see `parsing.parse`."""
        from .parsing import parse

        return parse(text)

    @property
    def arguments(self) -> tuple[Expression, ...]:
        """What the operator at the root is applied to; nothing for leaves and constants."""
        return ()

    def _measure(self) -> None:
        parts = self.arguments
        object.__setattr__(self, "size", 1 + sum(part.size for part in parts))
        object.__setattr__(self, "depth", 1 + max(part.depth for part in parts))
        object.__setattr__(self, "names", frozenset().union(*(part.names for part in parts)))
        if self.size > MOST_NODES or self.depth > MOST_LEVELS:
            raise ParameterError(
                f"expression: {self.size} nodes on {self.depth} levels are more than {MOST_NODES} on {MOST_LEVELS}; "
                "simplify it."
            )

    def nodes(self) -> Iterator[Expression]:
        """Yield all nodes from left to right, each before those that it is applied to."""
        yield self
        for part in self.arguments:
            yield from part.nodes()

    def rebuilt(self, arguments: tuple[Expression, ...]) -> Expression:
        """Return the operator at the root applied to other expressions."""
        return self

    def constants(self) -> tuple[float, ...]:
        """Return the constants from left to right, each as often as it is written.

        Examples
        --------
        >>> from gbrank.objectives import Expression
        >>> Expression.parse("2 * exp(-0.5 * d)").constants()
        (2.0, -0.5)
        """
        return tuple(node.value for node in self.nodes() if isinstance(node, Constant))

    def with_constants(self, values: tuple[float, ...]) -> Expression:
        """Return the same expression with other constants, in the order of `constants`.

        Raises
        ------
        ParameterError
            More or fewer values than constants, or one that is not finite.

        Examples
        --------
        >>> from gbrank.objectives import Expression
        >>> print(Expression.parse("2 * exp(-0.5 * d)").with_constants((1, -3)))
        1 * exp(-3 * d)
        """
        count = len(self.constants())
        if len(values) != count:
            raise ParameterError(f"with_constants: {len(values)} values for {count} constants; give one for each.")
        return _put(self, iter(values))

    def rounded(self, digits: int = 6) -> Expression:
        """Return the same expression with constants of so many significant digits, for reading; it is another loss.

        Examples
        --------
        >>> from gbrank.objectives import Expression
        >>> print(Expression.parse("0.8438761205343121 * exp(-d)").rounded())
        0.843876 * exp(-d)
        """
        return self.with_constants(tuple(float(f"{value:.{digits}g}") for value in self.constants()))

    def evaluate(self, leaves: Mapping[str, npt.ArrayLike], wrt: str = "d") -> tuple[Vector, Vector, Vector]:
        """Return value, first and second derivative by the leaf `wrt`, elementwise.

        Parameters
        ----------
        leaves : mapping of str to array
            Arrays that broadcast together, one for each leaf that occurs.
        wrt : str

        Returns
        -------
        tuple of three arrays of the shape that `leaves` have together

        Raises
        ------
        ParameterError
            A leaf without an array.

        Examples
        --------
        >>> from gbrank.objectives import Expression
        >>> value, d1, d2 = Expression.parse("d**2 * dG").evaluate({"d": [1.0, 3.0], "dG": 2.0})
        >>> print(value, d1, d2)
        [ 2. 18.] [ 4. 12.] [4. 4.]
        """
        for name in sorted(self.names - leaves.keys()):
            raise ParameterError(f"evaluate: no array for the leaf {name!r} of {self}; give leaves={{{name!r}: ...}}.")
        with np.errstate(all="ignore"):
            return shaped(_jet(self, leaves, wrt, {}), leaves)

    def canonical(self) -> Expression:
        """Return the simplest way to write the same loss, see `simplification`.

        Examples
        --------
        >>> from gbrank.objectives import Expression
        >>> print(Expression.parse("dG * log(exp(-d) + 1) + 0 * abs(d)").canonical())
        dG * softplus(-d)
        """
        from .simplification import canonical

        return canonical(self)

    def latex(self) -> str:
        r"""Return the formula in LaTeX.

        Examples
        --------
        >>> from gbrank.objectives import Expression
        >>> print(Expression.parse("exp(-d) * dG / IDCG").latex())
        \frac{e^{-d}\, \Delta G}{\mathrm{IDCG}}
        """
        from .printing import latex

        return latex(self)

    def __str__(self) -> str:
        from .printing import text

        return text(self)


@dataclass(frozen=True)
class Leaf(Expression):
    """A number of the pair or of the document, by its name, one of `LEAVES`."""

    name: str

    def __post_init__(self) -> None:
        if self.name not in KINDS:
            raise unknown("leaf", self.name, KINDS)
        object.__setattr__(self, "names", frozenset((self.name,)))


@dataclass(frozen=True)
class Constant(Expression):
    """A finite number."""

    value: float

    def __post_init__(self) -> None:
        try:
            value = float(self.value)
        except (TypeError, ValueError, OverflowError):
            value = math.nan
        if not math.isfinite(value):
            raise ParameterError(f"constant {self.value!r}: must be a finite number.")
        object.__setattr__(self, "value", value + 0.0)  # -0.0 is 0.0


@dataclass(frozen=True)
class Unary(Expression):
    """An operator of one argument."""

    op: str
    x: Expression

    def __post_init__(self) -> None:
        if self.op not in UNARY:
            raise unknown("operator of one argument", self.op, UNARY)
        self._measure()

    @property
    def arguments(self) -> tuple[Expression, ...]:
        return (self.x,)

    def rebuilt(self, arguments: tuple[Expression, ...]) -> Expression:
        return Unary(self.op, *arguments)


@dataclass(frozen=True)
class Binary(Expression):
    """An operator of two arguments."""

    op: str
    a: Expression
    b: Expression

    def __post_init__(self) -> None:
        if self.op not in BINARY:
            raise unknown("operator of two arguments", self.op, BINARY)
        self._measure()

    @property
    def arguments(self) -> tuple[Expression, ...]:
        return self.a, self.b

    def rebuilt(self, arguments: tuple[Expression, ...]) -> Expression:
        return Binary(self.op, *arguments)


def _put(expression: Expression, values: Iterator[float]) -> Expression:
    if isinstance(expression, Constant):
        return Constant(next(values))
    parts = tuple(_put(part, values) for part in expression.arguments)
    return expression.rebuilt(parts) if parts else expression


def _jet(expression: Expression, leaves: Mapping[str, npt.ArrayLike], wrt: str, known: dict[Expression, Jet]) -> Jet:
    if expression not in known:
        match expression:
            case Leaf(name=name):
                jet = jet_of_leaf(leaves[name], name == wrt)
            case Constant(value=value):
                jet = jet_of_leaf(value, False)
            case Unary(op=op, x=x):
                jet = jet_of_one(op, _jet(x, leaves, wrt, known))
            case Binary(op=op, a=a, b=b):
                jet = jet_of_two(op, _jet(a, leaves, wrt, known), _jet(b, leaves, wrt, known))
        known[expression] = jet
    return known[expression]
