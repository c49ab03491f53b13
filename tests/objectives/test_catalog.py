"""What is told of objectives: complete for each, and the same in the docs.

Run as a program, this writes the list at the end of docs/objectives.rst anew.
"""

import dataclasses
import json
import textwrap
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import pytest

import gbrank
from gbrank.objectives import OBJECTIVES, SquaredError
from gbrank.objectives._catalog import FAMILIES, describe_objective, plain_formula

PAGE = Path(__file__).parents[2] / "docs" / "objectives.rst"
TITLE = "All objectives\n--------------\n"


@pytest.mark.parametrize("name", list(OBJECTIVES))
def test_every_objective_tells_all_about_itself(name):
    told = describe_objective(OBJECTIVES[name])
    assert told.name == name
    assert told.summary.endswith((".", "?"))
    assert told.formula, "no formula in :math:`...`"
    assert not set("\\`{}") & set(told.formula_text), told.formula_text
    assert told.references, "no section References"
    assert told.family in FAMILIES, f"name the module {OBJECTIVES[name].__module__} in FAMILIES"
    fields = {field.name for field in dataclasses.fields(OBJECTIVES[name])}
    assert {each.name for each in told.parameters} == fields
    assert [each.name for each in told.parameters if not each.meaning] == []


@pytest.mark.parametrize("name", list(OBJECTIVES))
def test_constructor_and_aliases_make_the_objective(name):
    told = describe_objective(OBJECTIVES[name])
    cls = OBJECTIVES[name]
    assert eval(told.constructor, vars(gbrank.objectives) | {cls.__name__: cls}) == gbrank.objective(name)
    assert all(OBJECTIVES[alias] is cls for alias in told.aliases)
    assert json.loads(json.dumps(told.to_dict(), allow_nan=False))["name"] == name


@dataclass(frozen=True, repr=False)
class Base(SquaredError):  # noqa: N818 (no exception)
    r"""What others share.

    Parameters
    ----------
    width, height : float
        Of :math:`\theta`.
    depth : int
    """

    width: float = 1.0
    height: float = 2.0
    depth: int = 3


@dataclass(frozen=True, repr=False)
class Told(Base):
    r"""A loss,
    told over two lines.

    With :math:`p = \sigma(s)`, :math:`w
    > 0` and ``code`` of `limit`,

    .. math::

        L = \sum_i \frac{w_i}{2}
            \log p_i.

    The hessian stands.

    Parameters
    ----------
    limit : float
        The limit, in units
        of the label.
    width, ...
        See `Base`.

    References
    ----------
    .. [1] One, "First", 2001,
       page 1.
    .. [2] Two, "Second", 2002.
    """

    name: ClassVar[str] = "told"
    exact_hessian: ClassVar[bool] = False
    limit: float = float("inf")


def test_everything_is_read_from_the_docstring():
    told = describe_objective(Told)
    assert told.summary == "A loss, told over two lines."
    assert told.formula == r"L = \sum_i \frac{w_i}{2} \log p_i"
    assert told.formula_text == "L = Σ_i (w_i)/(2) log p_i"
    assert [tuple(each) for each in told.parameters] == [
        ("limit", float("inf"), "The limit, in units of the label."),
        ("width", 1.0, "Of θ."),
        ("height", 2.0, "Of θ."),
        ("depth", 3, "int"),
    ]
    assert told.references == ('One, "First", 2001, page 1.', 'Two, "Second", 2002.')
    assert told.details.startswith("With p = σ(s), w > 0 and code of limit,")
    assert told.details.endswith("The hessian stands.")
    assert told.constructor == "Told(limit=inf, width=1.0, height=2.0, depth=3)"
    assert (told.family, told.exact_hessian, told.shift_invariant) == ("other", False, False)
    assert told.to_dict()["parameters"][0]["default"] == "inf"


def test_a_class_without_docstring_is_told_by_its_fields():
    @dataclass(frozen=True, repr=False)
    class Silent(SquaredError):  # noqa: N818 (no exception)
        width: float = 1.0

    told = describe_objective(Silent)
    assert (told.formula, told.references, told.parameters[0].meaning) == ("", (), "")


@pytest.mark.parametrize(
    ("latex", "text"),
    [
        (r"L_q = \sum_i s_i", "L_q = Σ_i s_i"),
        (r"e^{-\theta_{y_i - 1}}", "e^(-θ_(y_i - 1))"),
        (r"\frac{a_{ij}}{\sqrt{b + 1}}", "(a_ij)/(√(b + 1))"),
        (r"\{1, \dots, n\}", "{1, ..., n}"),
        (r"\mathrm{softmax}(s)_{\mathrm{true}}", "softmax(s)_true"),
        (r"a \le b,\; c^{10}", "a ≤ b, c^10"),
    ],
)
def test_formulas_as_text(latex, text):
    assert plain_formula(latex) == text


# The page.


def listing():
    """Return the end of the page: all objectives by family."""
    told = [describe_objective(OBJECTIVES[name]) for name in OBJECTIVES]
    blocks = [TITLE]
    for family in FAMILIES:
        members = [entry(each) for each in told if each.family == family]
        if members:
            blocks += [f"{family.capitalize()}\n{'~' * len(family)}\n", *members]
    return "\n".join(blocks)


def entry(told):
    names = " or ".join(f"``{name}``" for name in (told.name, *told.aliases))
    formula = "" if told.formula_text in told.summary else f":math:`{told.formula}`."
    hessian = "Exact hessian." if told.exact_hessian else "The hessian is a surrogate."
    text = "  ".join(filter(None, [told.summary, formula, hessian, *told.references]))
    lines = textwrap.wrap(text, 116, break_on_hyphens=False, break_long_words=False)
    return "\n".join([names, *("    " + line for line in lines)]) + "\n"


def test_the_page_lists_every_objective():
    text = PAGE.read_text(encoding="utf-8")
    assert [name for name in OBJECTIVES if f"\n``{name}``" not in text] == []
    assert text.endswith(listing()), f"run: python {Path(__file__).name}"


if __name__ == "__main__":
    head = PAGE.read_text(encoding="utf-8").partition(TITLE)[0]
    PAGE.write_text(head + listing(), encoding="utf-8")
