"""Losses written as formulas: values that print, parse back, simplify, differentiate and compile.

`nodes` says what an expression is, `derivatives` what its operators mean, `parsing` and `printing` how it is written,
`simplification` when two are the same; `programs` and `interpretation` run it in machine code.
"""

from .nodes import LEAVES, OPERATORS, Binary, Constant, Expression, Leaf, Unary
from .parsing import parse

__all__ = ["LEAVES", "OPERATORS", "Binary", "Constant", "Expression", "Leaf", "Unary", "parse"]
