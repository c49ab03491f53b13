r"""What can be told of an objective, read from its class: nothing of it is written twice.

A docstring begins with a summary and holds the formula as ``:math:`` (the one of ``L = ...``, where there are
several); its numpydoc sections ``Parameters`` and ``References`` are read too.  Names and defaults of parameters are
those of the dataclass, and the family is told by the module.
"""

from __future__ import annotations

import dataclasses
import inspect
import math
import re
from typing import Any, NamedTuple

from ._base import OBJECTIVES, Objective

FAMILIES = {
    "pointwise": ("_pointwise", "_classification", "_multiclass", "_quantile"),
    "ordinal": ("_ordinal",),
    "pairwise": ("_pairwise", "_contrastive"),
    "listwise": (
        "_listwise",
        "_smooth_ranks",
        "_rank_bce",
        "_plackett_luce",
        "_yeti",
        "_stochastic_rank",
        "_diversity",
    ),
    "clicks": ("_inverse_propensity", "_estimated_relevance", "_position_term", "_position_based", "_unbiased"),
    "formula": ("_expression",),
    "combined": ("_combined",),
}
"""The families in the order in which they are told, and their modules."""

SYMBOLS = {
    **{"alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "epsilon": "ε", "eta": "η", "theta": "θ", "kappa": "κ"},
    **{"lambda": "λ", "mu": "μ", "nu": "ν", "xi": "ξ", "pi": "π", "rho": "ρ", "sigma": "σ", "tau": "τ", "phi": "φ"},
    **{"varphi": "φ", "varepsilon": "ε", "chi": "χ", "psi": "ψ", "omega": "ω", "Sigma": "Σ", "Gamma": "Γ", "Psi": "Ψ"},
    **{"Delta": "Δ", "Phi": "Φ", "Theta": "Θ", "Lambda": "Λ", "Omega": "Ω", "sum": "Σ", "prod": "Π", "infty": "∞"},
    **{"le": "≤", "leq": "≤", "ge": "≥", "geq": "≥", "ne": "≠", "neq": "≠", "in": "∈", "to": "→", "approx": "≈"},
    **{"leftarrow": "←"},
    **{"cdot": "·", "times": "×", "pm": "±", "ldots": "...", "dots": "...", "cdots": "...", "mid": "|", "sqrt": "√"},
    **{"partial": "∂", "propto": "∝", "sim": "~", "ell": "ℓ", "lfloor": "⌊", "rfloor": "⌋", "lvert": "|", "rvert": "|"},
    **{"quad": " ", "qquad": " ", "left": "", "right": "", "bigl": "", "bigr": "", "big": "", "displaystyle": ""},
}
"""What the commands of LaTeX look like in text; one that is not here keeps its name: \\log, \\max, ..."""

GROUPS = (
    (r"(?:mathrm|mathit|mathbf|mathbb|mathcal|operatorname|text)\*?\{([^{}]*)\}", r"\1"),
    (r"[dt]?frac\{([^{}]*)\}\{([^{}]*)\}", r"(\1)/(\2)"),
    (r"([_^])\{([^\W_]*)\}", r"\1\2"),
    (r"(?<=[_^√])\{([^{}]*)\}", r"(\1)"),
    (r"(?<![_^√}])(?<!frac)\{([^{}]*)\}", r"\1"),
)
"""What becomes of a group in braces that holds no other: the first that applies, again and again."""


class Parameter(NamedTuple):
    """A parameter of an objective: name, default, and what its docstring says."""

    name: str
    default: Any
    meaning: str


@dataclasses.dataclass(frozen=True)
class Description:
    """All that can be told of an objective.

    `formula` is LaTeX, `formula_text` the same to be read as text; `details` is what the docstring says beyond its
    summary, as text.
    """

    name: str
    aliases: tuple[str, ...]
    constructor: str
    family: str
    summary: str
    formula: str
    formula_text: str
    exact_hessian: bool
    shift_invariant: bool
    parameters: tuple[Parameter, ...]
    references: tuple[str, ...]
    details: str

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, for JSON; a default that JSON has no word for is its text."""
        told = dataclasses.asdict(self)
        told["parameters"] = [each._asdict() | {"default": _plain_value(each.default)} for each in self.parameters]
        return told | {"aliases": list(self.aliases), "references": list(self.references)}


def describe_objective(cls: type[Objective]) -> Description:
    r"""Return what docstring and fields of a class of objectives tell.

    Parameters
    ----------
    cls : subclass of Objective
        One that can be made without arguments.

    Examples
    --------
    >>> from gbrank.objectives import OBJECTIVES
    >>> told = describe_objective(OBJECTIVES["quantile"])
    >>> told.name, told.family, told.exact_hessian, told.parameters[0].default
    ('quantile', 'pointwise', False, 0.9)
    >>> told.formula
    'L = \\sum_i \\max(\\alpha (y_i - s_i), (\\alpha - 1)(y_i - s_i))'
    >>> told.formula_text
    'L = Σ_i max(α (y_i - s_i), (α - 1)(y_i - s_i))'
    """
    made = cls()
    params = dict(sorted(made.params().items(), key=lambda item: item[0] not in cls.__annotations__))  # its own first
    sections = _sections(cls)
    body = sections.get("", "")
    formula = _formula(body)
    meanings: dict[str, str] = {}
    for base in reversed(cls.__mro__):
        meanings |= _parameter_meanings(_sections(base).get("Parameters", ""))
    return Description(
        name=made.name,
        constructor=f"{cls.__name__}({', '.join(f'{name}={value!r}' for name, value in params.items())})",
        aliases=tuple(sorted(alias for alias, name in OBJECTIVES.aliases.items() if name == made.name)),
        family=_family(cls.__module__.rpartition(".")[2]),
        summary=plain_text(body.partition("\n\n")[0]),
        formula=formula,
        formula_text=plain_formula(formula),
        exact_hessian=made.exact_hessian,
        shift_invariant=made.shift_invariant,
        parameters=tuple(Parameter(name, value, meanings.get(name, "")) for name, value in params.items()),
        references=tuple(_paragraphs(sections.get("References", ""))),
        details="\n\n".join(map(plain_text, body.split("\n\n")[1:])),
    )


def _family(module: str) -> str:
    return next((family for family, modules in FAMILIES.items() if module in modules), "other")


def plain_formula(latex: str) -> str:
    r"""Return a formula of LaTeX as text.

    Examples
    --------
    >>> plain_formula(r"L = -\sum_i \frac{w_{ij}}{2} \log_2\left(1 + e^{a_{y_i} - \mathrm{b}_i}\right)")
    'L = -Σ_i (w_ij)/(2) log_2(1 + e^(a_(y_i) - b_i))'
    """
    text = re.sub(r"\\[,;:! ]", " ", latex).replace("\\{", "⦃").replace("\\}", "⦄").replace("\\|", "‖")
    text = re.sub(r"\\([A-Za-z]+)", lambda found: SYMBOLS.get(found[1], found[1]), text)
    before = None
    while text != before:
        before = text
        text = next((new for pattern, plain in GROUPS if (new := re.sub(pattern, plain, text)) != text), text)
    text = text.replace("⦃", "{").replace("⦄", "}")
    return " ".join(text.split()).replace("( ", "(").replace(" )", ")")


def plain_text(text: str) -> str:
    r"""Return prose in reStructuredText as one line of text, formulas made readable.

    Examples
    --------
    >>> plain_text(r"With :math:`p = \sigma(s)`,\nthe ``focal`` loss of `alpha`.".replace("\\n", "\n"))
    'With p = σ(s), the focal loss of alpha.'
    """
    text = re.sub(r"\.\. math::\s*", "", re.sub(r":math:`([^`]+)`", lambda found: plain_formula(found[1]), text))
    return " ".join(re.sub(r"(?::\w+:)?``?([^`]+)``?", r"\1", text).split())


def _sections(cls: type) -> dict[str, str]:
    """Return the sections of the class's own docstring by title, the text before them under ""."""
    doc = inspect.cleandoc(cls.__dict__.get("__doc__") or "")
    parts = re.split(r"^(\w[\w ]*)\n-{3,}$", doc, flags=re.MULTILINE)
    return {"": parts[0].strip()} | dict(zip(parts[1::2], (part.strip("\n") for part in parts[2::2]), strict=True))


def _formula(body: str) -> str:
    """Return the first formula of the loss L, else the first equation, else the first formula, else ""."""
    block = r"^\.\. math::[ \n]+((?:[ ]*\S.*\n?)+)"
    inline = r":math:`([^`]+)`"
    found = [
        " ".join((each[1] or each[2]).split()) for each in re.finditer(f"{inline}|{block}", body, flags=re.MULTILINE)
    ]
    for wanted in (r"L(_\w+|\([^)]*\))? *=", r".*=", ""):
        for each in found:
            if re.match(wanted, each):
                return each.rstrip(".,;")
    return ""


def _parameter_meanings(section: str) -> dict[str, str]:
    """Return what the section says of each parameter, its kind of value where no more; "See ..." is not repeated."""
    meanings: dict[str, str] = {}
    for head, text in re.findall(r"^(\w[^\n]*)\n?((?:[ ]+[^\n]*\n?|\n(?=[ ]))*)", section, flags=re.MULTILINE):
        names, _, kind = head.partition(" : ")
        meanings |= dict.fromkeys(names.split(", "), plain_text(text) or plain_text(kind))
    return {name: meaning for name, meaning in meanings.items() if not meaning.startswith("See ")}


def _paragraphs(section: str) -> list[str]:
    """Return the references of a section: paragraphs or items of a list, each as one line."""
    parts = re.split(r"\n\s*\n|^(?:\.\. \[\w+\]|[-*]) +", section, flags=re.MULTILINE)
    return [plain_text(part) for part in parts if part.strip()]


def _plain_value(value: Any) -> Any:
    plain = isinstance(value, str | int | None) or (isinstance(value, float) and math.isfinite(value))
    return value if plain else repr(value)
