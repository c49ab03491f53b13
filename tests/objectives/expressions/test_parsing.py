"""Formulas read and printed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gbrank import ParameterError
from gbrank.objectives import Expression
from gbrank.objectives._expressions import Binary, Constant, Leaf, Unary, parse

D = Leaf("d")


@given(st.integers(0, 2**40), st.sampled_from(["pair", "point"]))
def test_what_is_printed_parses_back(random_expression, seed, kind):
    e = random_expression(seed, kind=kind)
    assert parse(str(e)) == e
    assert hash(parse(str(e))) == hash(e)


@pytest.mark.parametrize(
    ("text", "expression"),
    [
        ("-2", Constant(-2)),
        ("-d**2", Unary("negate", Unary("square", D))),
        ("-2**2", Unary("negate", Unary("square", Constant(2)))),
        ("(-2)**2", Unary("square", Constant(-2))),
        ("-(-d)", Unary("negate", Unary("negate", D))),
        ("-(-2)", Unary("negate", Constant(-2))),
        ("negate(2)", Unary("negate", Constant(2))),
        ("d - 2", Binary("add", D, Constant(-2))),
        ("d - -2", Binary("add", D, Unary("negate", Constant(-2)))),
        ("d - 2 * dG", Binary("add", D, Unary("negate", Binary("multiply", Constant(2), Leaf("dG"))))),
        ("1 / d", Unary("inverse", D)),
        ("1 * (1 / d)", Binary("multiply", Constant(1), Unary("inverse", D))),
        ("2 / d", Binary("multiply", Constant(2), Unary("inverse", D))),
        ("d - (dG - d)", Binary("add", D, Unary("negate", Binary("add", Leaf("dG"), Unary("negate", D))))),
        ("d / (dG * d)", Binary("multiply", D, Unary("inverse", Binary("multiply", Leaf("dG"), D)))),
        ("max(max(d, 0), 1.5e-07)", Binary("max", Binary("max", D, Constant(0)), Constant(1.5e-7))),
    ],
)
def test_signs_and_brackets(text, expression):
    assert parse(text) == expression
    assert str(expression) == text


def test_other_ways_to_write():
    assert parse("max(d, 0, dG)") == parse("max(max(d, 0), dG)")
    assert parse("  square(d)\n+ 1") == parse("d**2 + 1")
    assert parse("+d") == parse("d")
    assert Expression.parse("inverse(d)") == parse("1 / d")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "column 1: "),
        ("d +", "column 4: "),
        ("  (d", r"column 3: '\(' was never closed"),
        ("1 + dg", "column 5: unknown name 'dg'. Did you mean 'dG'"),
        ("é + sigmod(d)", "column 1: unknown name 'é'"),
        ("d * sigmod(d)", "column 5: unknown function 'sigmod'. Did you mean 'sigmoid'"),
        ("2 * d**3", r"column 8: the only power is \*\*2"),
        ("d | dG", r"\|x\| is abs\(x\)"),
        ("d(2)", "d is a number, not a function"),
        ("exp + d", "exp is a function"),
        ("exp(d, d)", "exp with 2 arguments; give it one"),
        ("max(d)", "max with 1 arguments; give it two"),
        ("1e999 * d", "must be a finite number"),
        ("True * d", "'True' is no part of a formula"),
        ("__import__('os').system('x')", "no part of a formula"),
        ("d.real", "no part of a formula"),
        ("[d for d in d]", "no part of a formula"),
        ("(" * 250 + "d" + ")" * 250, "nested"),
        ("+".join(["d"] * 300), "nodes on .* levels are more"),
        ("exp(" * 60 + "d" + ")" * 60, "levels"),
        ("d" * 6000, "6000 characters"),
        (3, "give text"),
    ],
)
def test_what_is_no_formula(text, told):
    with pytest.raises(ParameterError, match=told):
        parse(text)


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda: Leaf("x"), "unknown leaf"),
        (lambda: Constant(float("nan")), "finite"),
        (lambda: Unary("max", D), "unknown operator of one"),
        (lambda: Binary("exp", D, D), "unknown operator of two"),
        (lambda: parse("2 * d").with_constants((1, 2)), "2 values for 1 constants"),
        (lambda: parse("dG * d").evaluate({"d": 1.0}), "no array for the leaf 'dG'"),
    ],
)
def test_what_is_no_expression(make, told):
    with pytest.raises(ParameterError, match=told):
        make()


@given(st.integers(0, 2**40))
def test_constants_are_put_back(random_expression, seed):
    e = random_expression(seed)
    assert e.with_constants(e.constants()) == e
    others = tuple(float(k) for k in range(len(e.constants())))
    assert e.with_constants(others).constants() == others
    assert e.size == len(list(e.nodes()))


@pytest.mark.parametrize(
    ("text", "latex"),
    [
        (
            "log(1 + exp(-d)) * dG * dD / IDCG",
            r"\frac{\log\left(1 + e^{-d}\right)\, \Delta G\, \Delta D}{\mathrm{IDCG}}",
        ),
        ("d - -2", r"d - \left(-2\right)"),
        ("-(d - 1)**2", r"-\left(d - 1\right)^2"),
        ("abs(d) * 1e-05", r"\left|d\right| \cdot 1 \cdot 10^{-5}"),
        ("sigmoid(d) * (Gi - Gj)", r"\sigma\left(d\right)\, \left(G_i - G_j\right)"),
    ],
)
def test_latex(text, latex):
    assert parse(text).latex() == latex
