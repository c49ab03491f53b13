"""Formulas as text to expressions.

A formula is written as in Python, whose grammar reads it; nothing of it is ever run.
"""

from __future__ import annotations

import ast
import functools

from ..._checks import ParameterError
from ..._registry import unknown
from .nodes import KINDS, OPERATORS, Binary, Constant, Expression, Leaf, Unary

LONGEST = 5000


def parse(text: str) -> Expression:
    """Return the expression that a formula writes.

    Parameters
    ----------
    text : str
        Made of the names in `LEAVES`, numbers, ``+ - * /``, ``**2``, parentheses, and the functions ``exp``, ``log``,
        ``softplus``, ``sigmoid``, ``tanh``, ``abs``, ``max`` and ``min``.

    Raises
    ------
    ParameterError
        What is no formula, with the column, counted from 1.

    Examples
    --------
    >>> parse("exp(-d)")
    Unary(op='exp', x=Unary(op='negate', x=Leaf(name='d')))
    >>> print(parse("max(0, 1 - d) * dG / IDCG"))
    max(0, 1 - d) * dG / IDCG
    """
    if not isinstance(text, str):
        raise ParameterError(f"formula={text!r}: give text, as 'log(1 + exp(-d))', or an Expression.")
    if len(text) > LONGEST:
        raise ParameterError(f"formula: {len(text)} characters are more than {LONGEST}; simplify it.")
    return _parse(text)


@functools.lru_cache(maxsize=1024)
def _parse(text: str) -> Expression:
    indent = len(text) - len(text.lstrip())
    line = " ".join(text[indent:].splitlines())
    try:
        tree = ast.parse(line, mode="eval")
    except SyntaxError as error:
        column = indent + min(error.offset or len(line) + 1, len(line) + 1)
        raise ParameterError(
            f"formula, column {column}: {error.msg or 'no formula'}; write a formula like 'log(1 + exp(-d)) * dG'."
        ) from None
    except (ValueError, RecursionError, MemoryError) as error:
        raise ParameterError(f"formula: cannot be read ({error}); write a formula like 'log(1 + exp(-d))'.") from None
    return _Reader(line, indent).read(tree.body)


class _Reader:
    """What turns Python's syntax tree of `line` into an expression; columns count from `indent`."""

    def __init__(self, line: str, indent: int) -> None:
        self.line, self.indent = line, indent

    def read(self, node: ast.expr) -> Expression:
        try:
            return self._read(node)
        except ParameterError as error:
            raise error if str(error).startswith("formula") else self._error(node, str(error)) from None

    def _read(self, node: ast.expr) -> Expression:
        match node:
            case ast.Constant(value=bool() | str() | bytes() | complex() | None):
                pass
            case ast.Constant(value=value):
                return Constant(value)  # type: ignore[arg-type]  # a number: all that is left
            case ast.Name(id=name):
                return self._leaf(name)
            case ast.UnaryOp(op=ast.USub(), operand=ast.Constant()):
                return Constant(-self._number(node.operand))
            case ast.UnaryOp(op=ast.USub(), operand=x):
                return Unary("negate", self.read(x))
            case ast.UnaryOp(op=ast.UAdd(), operand=x):
                return self.read(x)
            case ast.BinOp(left=a, op=op, right=b):
                return self._of_two(node, a, op, b)
            case ast.Call(func=ast.Name(id=name), args=args, keywords=[]):
                return self._call(node, name, args)
        raise self._error(node, f"{self._source(node)!r} is no part of a formula; use names, numbers, + - * / **2 and "
                          "functions.")  # fmt: skip

    def _leaf(self, name: str) -> Expression:
        if name in OPERATORS:
            raise ParameterError(f"{name} is a function; write {name}(...).")
        if name not in KINDS:
            same = [known for known in KINDS if known.lower() == name.lower()]  # which is nearer than other letters
            if same:
                raise ParameterError(f"unknown name {name!r}. Did you mean {same[0]!r}?")
            raise unknown("name", name, [*KINDS, *OPERATORS])
        return Leaf(name)

    def _number(self, node: ast.expr) -> float:
        found = self.read(node)
        assert isinstance(found, Constant)
        return found.value

    def _of_two(self, node: ast.expr, a: ast.expr, op: ast.operator, b: ast.expr) -> Expression:
        match op, b:
            case ast.Add(), _:
                return Binary("add", self.read(a), self.read(b))
            case ast.Sub(), ast.Constant():
                return Binary("add", self.read(a), Constant(-self._number(b)))
            case ast.Sub(), _:
                return Binary("add", self.read(a), Unary("negate", self.read(b)))
            case ast.Mult(), _:
                return Binary("multiply", self.read(a), self.read(b))
            case ast.Div(), _:
                inverse = Unary("inverse", self.read(b))
                is_one = isinstance(a, ast.Constant) and type(a.value) in (int, float) and a.value == 1
                return inverse if is_one else Binary("multiply", self.read(a), inverse)
            case ast.Pow(), ast.Constant(value=value) if type(value) in (int, float) and value == 2:
                return Unary("square", self.read(a))
            case ast.Pow() | ast.BitXor(), _:
                raise self._error(b, "the only power is **2; write others with exp and log.")
        raise self._error(node, f"{self._source(node)!r}: use + - * / and **2; |x| is abs(x).")

    def _call(self, node: ast.expr, name: str, args: list[ast.expr]) -> Expression:
        if name in KINDS:
            raise ParameterError(f"{name} is a number, not a function; write {name} * (...) for a product.")
        if name not in OPERATORS:
            raise unknown("function", name, OPERATORS)
        parts, count = [self.read(arg) for arg in args], OPERATORS[name]
        if count == 1 and len(parts) == 1:
            return Unary(name, parts[0])
        if count == 2 and len(parts) >= 2:
            return functools.reduce(lambda a, b: Binary(name, a, b), parts)
        wanted = "one argument" if count == 1 else "two arguments or more"
        raise self._error(node, f"{name} with {len(parts)} arguments; give it {wanted}.")

    def _source(self, node: ast.expr) -> str:
        return ast.get_source_segment(self.line, node) or self.line

    def _error(self, node: ast.expr, told: str) -> ParameterError:
        characters = len(self.line.encode()[: node.col_offset].decode(errors="ignore"))
        return ParameterError(f"formula, column {self.indent + characters + 1}: {told}")
