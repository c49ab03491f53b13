"""Expressions as text, which `parsing` reads back, and as LaTeX."""

from __future__ import annotations

from .nodes import Binary, Constant, Expression, Leaf, Unary

SUM, PRODUCT, SIGN, POWER, ATOM = range(5)
"""How strongly the root of a formula binds its parts."""

LATEX_LEAVES = {
    **{"dG": r"\Delta G", "dD": r"\Delta D", "dY": r"\Delta y"},
    **{"Gi": "G_i", "Gj": "G_j", "ri": "r_i", "rj": "r_j", "IDCG": r"\mathrm{IDCG}"},
}
LATEX_FUNCTIONS = {
    **{"log": r"\log", "tanh": r"\tanh", "max": r"\max", "min": r"\min"},
    **{"softplus": r"\operatorname{softplus}", "sigmoid": r"\sigma"},
}


def text(expression: Expression) -> str:
    """Return the formula as `parsing.parse` reads it."""
    return _text(expression)[0]


def _text(e: Expression) -> tuple[str, int]:
    match e:
        case Leaf(name=name):
            return name, ATOM
        case Constant(value=value):
            return number(value), SIGN if value < 0 else ATOM
        case Unary(op="negate", x=Constant(value=value)) if value >= 0:
            return f"negate({number(value)})", ATOM  # "-2" is a constant
        case Unary(op="negate", x=x):
            return f"-{_within(x, POWER)}", SIGN
        case Unary(op="square", x=x):
            return f"{_within(x, ATOM)}**2", POWER
        case Unary(op="inverse", x=x):
            return f"1 / {_within(x, SIGN)}", PRODUCT
        case Binary(op="add", a=a, b=Constant(value=value)) if value < 0:
            return f"{_within(a, SUM)} - {number(-value)}", SUM
        case Binary(op="add", a=a, b=Unary(op="negate", x=x)) if _text(e.b)[1] == SIGN:
            return f"{_within(a, SUM)} - {_within(x, PRODUCT)}", SUM
        case Binary(op="add", a=a, b=b):
            return f"{_within(a, SUM)} + {_within(b, PRODUCT)}", SUM
        case Binary(op="multiply", a=a, b=Unary(op="inverse", x=x)) if a != Constant(1.0):
            return f"{_within(a, PRODUCT)} / {_within(x, SIGN)}", PRODUCT
        case Binary(op="multiply", a=a, b=b):
            return f"{_within(a, PRODUCT)} * {_within(b, SIGN)}", PRODUCT
        case Unary(op=op) | Binary(op=op):
            return f"{op}({', '.join(map(text, e.arguments))})", ATOM
    raise TypeError(e)


def _within(e: Expression, least: int) -> str:
    told, level = _text(e)
    return told if level >= least else f"({told})"


def number(value: float) -> str:
    """Return the shortest decimal of a number, without a fraction of 0."""
    return repr(value).removesuffix(".0")


def latex(expression: Expression) -> str:
    """Return the formula in LaTeX."""
    return _latex(expression)[0]


def _latex(e: Expression) -> tuple[str, int]:
    match e:
        case Leaf(name=name):
            return LATEX_LEAVES.get(name, name), ATOM
        case Constant(value=value):
            return _latex_number(value), SIGN if value < 0 else ATOM
        case Unary(op="negate", x=x):
            told, level = _latex(x)
            return f"-{told if level in (PRODUCT, POWER, ATOM) else _bracketed(told)}", SIGN
        case Unary(op="square", x=x):
            return f"{_latex_within(x, ATOM)}^2", POWER
        case Unary(op="inverse", x=x):
            return rf"\frac{{1}}{{{latex(x)}}}", ATOM
        case Unary(op="exp", x=x):
            return f"e^{{{latex(x)}}}", POWER
        case Unary(op="abs", x=x):
            return rf"\left|{latex(x)}\right|", ATOM
        case Binary(op="add", a=a, b=b):
            second, _ = _latex(b)
            joint = " - " if second.startswith("-") else " + "
            return f"{latex(a)}{joint}{second.removeprefix('-')}", SUM
        case Binary(op="multiply", a=a, b=Unary(op="inverse", x=x)):
            return rf"\frac{{{latex(a)}}}{{{latex(x)}}}", ATOM
        case Binary(op="multiply", a=a, b=b):
            joint = r" \cdot " if isinstance(b, Constant) else r"\, "
            return f"{_latex_within(a, PRODUCT)}{joint}{_latex_within(b, POWER)}", PRODUCT
        case Unary(op=op) | Binary(op=op):
            inner = ", ".join(map(latex, e.arguments))
            return rf"{LATEX_FUNCTIONS[op]}\left({inner}\right)", ATOM
    raise TypeError(e)


def _latex_within(e: Expression, least: int) -> str:
    told, level = _latex(e)
    return told if level >= least else _bracketed(told)


def _bracketed(told: str) -> str:
    return rf"\left({told}\right)"


def _latex_number(value: float) -> str:
    digits, _, power = number(value).partition("e")
    return rf"{digits} \cdot 10^{{{int(power)}}}" if power else digits
