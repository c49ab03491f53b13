"""The canonical form of an expression: the same loss, written in the simplest way.

Constants are folded; sums, products, maxima and minima lose their brackets, their neutral elements and what cancels,
and stand in one order; signs and constant factors come to the front of products, what divides to the end; ``log(1 +
exp(x))`` becomes ``softplus(x)``, and so on.  Values stay the same up to rounding, as long as no part comes to the
limits that `derivatives` tells of.
"""

from __future__ import annotations

import functools
from collections import Counter

from ..._checks import ParameterError
from .nodes import NONNEGATIVE, Binary, Constant, Expression, Leaf, Unary

ROUNDS = 30
LARGEST = 1e90
"""Coefficient from which on a product or sum stays as it is written: near the limits, the order matters."""
ZERO, ONE = Constant(0.0), Constant(1.0)
Product = tuple[float, tuple[Expression, ...], tuple[Expression, ...]]
"""Coefficient, factors, and what the product is divided by."""


@functools.lru_cache(maxsize=4096)
def canonical(expression: Expression) -> Expression:
    """Return the canonical form."""
    try:
        for _ in range(ROUNDS):
            simpler = _simplified(expression)
            if simpler == expression:
                break
            expression = simpler
    except ParameterError:  # a form that is larger than an expression may be
        pass
    return expression


def _simplified(e: Expression) -> Expression:
    """Return an expression after one pass of all rules, from the leaves to the root."""
    if not e.arguments:
        return e
    parts = tuple(_simplified(part) for part in e.arguments)
    if all(isinstance(part, Constant) for part in parts):
        return Constant(float(e.rebuilt(parts).evaluate({})[0]))
    e = e.rebuilt(parts)
    match e:
        case Binary(op="add"):
            return _of_sum(e)
        case Unary(op="square", x=Unary(op="abs", x=x)):
            return _of_product(Unary("square", x))
        case Binary(op="multiply") | Unary(op="negate" | "inverse" | "square"):
            return _of_product(e)
        case Binary(op="max" | "min"):
            return _of_extremes(e)
        case Unary(op="abs", x=x):
            return _of_size(x)
        case Unary(op="log", x=Unary(op="exp", x=x)):
            return x
        case Unary(op="log", x=Unary(op="sigmoid", x=x)):
            return _negated(Unary("softplus", _negated(x)))
        case Unary(op="log", x=x):
            exponent = _exponent_above_one(x)
            return e if exponent is None else Unary("softplus", exponent)
        case Unary(op="tanh", x=x) if _product(x)[0] < 0:
            return _negated(Unary("tanh", _negated(x)))
    return e


def _product(e: Expression) -> Product:
    """Return what a product is made of; of anything else, itself."""
    match e:
        case Constant(value=value):
            return value, (), ()
        case Unary(op="negate", x=x):
            coefficient, factors, divisors = _product(x)
            return -coefficient, factors, divisors
        case Binary(op="multiply", a=a, b=b):
            (c, up, down), (c2, up2, down2) = _product(a), _product(b)
            return c * c2, up + up2, down + down2
        case Unary(op="inverse", x=x):
            coefficient, factors, divisors = _product(x)
            if coefficient != 0 and abs(1 / coefficient) < LARGEST:
                return 1 / coefficient, divisors, factors
        case Unary(op="square", x=x):
            coefficient, factors, divisors = _product(x)
            if coefficient not in (1, 0) or divisors:
                rest = _joined(factors)
                under = () if not divisors else (Unary("square", _joined(divisors)),)
                return coefficient**2, (Unary("square", rest),) if factors else (), under
    return 1.0, (e,), ()


def _of_product(e: Expression) -> Expression:
    """Return a product, quotient or power with its constants in front."""
    coefficient, factors, divisors = _product(e)
    if not abs(coefficient) < LARGEST:
        return e
    return _scaled(coefficient, _quotient(factors, divisors))


def _quotient(factors: tuple[Expression, ...], divisors: tuple[Expression, ...]) -> Expression:
    """Return the product of factors, divided by that of the others."""
    over, under = _joined(_powers(factors)), _joined(_powers(divisors))
    if under == ONE:
        return over
    match under:
        case Unary(op="exp", x=x):
            return _joined(_powers((*factors, Unary("exp", _negated(x)))))
    exponent = _exponent_above_one(under)
    if exponent is not None:
        return _joined(_powers((*factors, Unary("sigmoid", _negated(exponent)))))
    return Unary("inverse", under) if over == ONE else Binary("multiply", over, Unary("inverse", under))


def _powers(factors: tuple[Expression, ...]) -> tuple[Expression, ...]:
    """Return factors in order, with squares in place of equal ones."""
    made: list[Expression] = []
    for factor, count in Counter(factors).items():
        made += [Unary("square", _bare(factor))] * (count // 2) + [factor] * (count % 2)
    return tuple(sorted(made, key=_order))


def _bare(e: Expression) -> Expression:
    """Return what is inside the bars of an absolute value, or anything else itself."""
    return e.x if isinstance(e, Unary) and e.op == "abs" else e


def _joined(factors: tuple[Expression, ...]) -> Expression:
    """Return the product; of nothing, 1."""
    return functools.reduce(lambda a, b: Binary("multiply", a, b), factors) if factors else ONE


def _scaled(coefficient: float, core: Expression) -> Expression:
    """Return a number times what has no coefficient of its own."""
    if core == ONE or coefficient == 0:
        return Constant(coefficient)
    if coefficient == 1:
        return core
    if coefficient == -1:
        turned = _turned(core)
        return turned if turned.size <= core.size + 1 else Unary("negate", core)
    return _joined((Constant(coefficient), *_chain(core, "multiply")))


def _turned(core: Expression) -> Expression:
    """Return a sum with the sign of each term turned, or the negative of anything else."""
    if not (isinstance(core, Binary) and core.op == "add"):
        return Unary("negate", core)
    constant, terms = _terms(core)
    return _summed(-constant, {term: -coefficient for term, coefficient in terms.items()})


def _negated(e: Expression) -> Expression:
    """Return an expression with its sign turned."""
    return _of_product(Unary("negate", e))


def _terms(e: Expression) -> tuple[float, dict[Expression, float]]:
    """Return the constant of a sum, and the coefficient of each other term."""
    constant, terms = 0.0, dict[Expression, float]()
    for term in _chain(e, "add"):
        coefficient, factors, divisors = _product(term)
        core = _quotient(factors, divisors)
        if core == ONE:
            constant += coefficient
        else:
            terms[core] = terms.get(core, 0.0) + coefficient
    return constant, terms


def _of_sum(e: Expression) -> Expression:
    """Return a sum with like terms added up."""
    constant, terms = _terms(e)
    if max(map(abs, (constant, *terms.values()))) > LARGEST:
        return e
    return _summed(constant, terms)


def _summed(constant: float, terms: dict[Expression, float]) -> Expression:
    """Return a sum: a positive constant, terms with a plus, those with a minus, a negative constant."""
    kept = [(core, coefficient) for core, coefficient in terms.items() if coefficient != 0]
    kept.sort(key=lambda each: (each[1] < 0, _order(each[0])))
    parts: list[Expression] = [Constant(constant)] if constant > 0 else []
    for core, coefficient in kept:
        if coefficient < 0 and parts:
            parts.append(Unary("negate", _scaled(-coefficient, core)))
        else:
            parts.append(_scaled(coefficient, core))
    if constant < 0:
        parts.append(Constant(constant))
    return functools.reduce(lambda a, b: Binary("add", a, b), parts) if parts else ZERO


def _of_extremes(e: Binary) -> Expression:
    """Return the greatest or least of different things, in order, at most one of them a constant."""
    pick = max if e.op == "max" else min
    parts = dict.fromkeys(_chain(e, e.op))
    numbers = [part.value for part in parts if isinstance(part, Constant)]
    others = sorted((part for part in parts if not isinstance(part, Constant)), key=_order)
    if numbers and pick(numbers) <= 0 and any(map(is_nonnegative, others)):
        if e.op == "min" and all(map(is_nonnegative, others)):
            return Constant(min(numbers))
        numbers = [] if e.op == "max" else numbers
    listed: list[Expression] = [*([Constant(pick(numbers))] if numbers else []), *others]
    return functools.reduce(lambda a, b: Binary(e.op, a, b), listed)


def _of_size(x: Expression) -> Expression:
    """Return the absolute value, a constant factor outside of it, without bars where there is no sign."""
    coefficient, factors, divisors = _product(x)
    rest = _quotient(factors, divisors)
    if coefficient != 1:
        return _scaled(abs(coefficient), _of_size(rest))
    return x if is_nonnegative(x) else Unary("abs", x)


def is_nonnegative(e: Expression) -> bool:
    """Tell whether an expression is surely never below 0."""
    match e:
        case Constant(value=value):
            return value >= 0
        case Leaf(name=name):
            return name in NONNEGATIVE
        case Unary(op="square" | "exp" | "softplus" | "sigmoid" | "abs"):
            return True
        case Unary(op="inverse" | "tanh", x=x):
            return is_nonnegative(x)
        case Binary(op="add" | "multiply" | "min", a=a, b=b):
            return is_nonnegative(a) and is_nonnegative(b)
        case Binary(op="max", a=a, b=b):
            return is_nonnegative(a) or is_nonnegative(b)
    return False


def _exponent_above_one(e: Expression) -> Expression | None:
    """Return x of ``1 + exp(x)``."""
    match e:
        case Binary(op="add", a=Constant(value=1.0), b=Unary(op="exp", x=x)):
            return x
    return None


def _chain(e: Expression, op: str) -> tuple[Expression, ...]:
    """Return what an operator joins, without brackets."""
    if isinstance(e, Binary) and e.op == op:
        return _chain(e.a, op) + _chain(e.b, op)
    return (e,)


def _order(e: Expression) -> tuple[int, str]:
    """Return the key by which terms and factors stand: small ones first."""
    return e.size, str(e)
