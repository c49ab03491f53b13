"""The model: how it was trained, what its features are worth to it, its parameters and versions."""

from __future__ import annotations

import dataclasses
import inspect
import platform
from functools import partial
from importlib import metadata
from typing import Any

import numpy as np

from .._version import __version__
from ..backends import LIBRARIES, backend
from . import _plots as plots
from ._document import NONE, Block, Plot, Section, Table, Text, fixed, shown
from ._material import Material
from ._results import rounds_trained

TOP = 30


def subject(material: Material) -> str:
    """Return in one line what was trained."""
    ranker, objective = material.ranker, material.ranker.objective_.name
    kind = type(ranker).__name__
    what = kind if kind == "LambdaMART" else f"{kind} with the objective {objective}"
    what += f" on {LIBRARIES[ranker.backend]} {backend(ranker.backend).version()}"
    return what if material.predictor is ranker else f"{what}, calibrated (method {material.predictor.method!r})"


def training(material: Material) -> Section:
    """Return the section of training."""
    ranker = material.ranker
    facts = Table("How it was trained", ("fact", "value"), tuple(training_facts(material)))
    if not ranker.history_:
        nothing = Text("There is no learning curve, since training had no evaluation set.")
        return Section("Training", ((facts,), (nothing,)))
    ends = "; ".join(f"{name}: {fixed(values[-1])} in the last round" for name, values in ranker.history_.items())
    alt = f"{ranker.measure_} after each round; the best round is {ranker.best_iteration_}. {ends}."
    caption = f"Learning curve: mean {ranker.measure_} after each round"
    return Section("Training", ((facts, Plot(caption, alt, partial(plots.learning_curve, ranker))),))


def training_facts(material: Material) -> list[tuple[str, str]]:
    """Return what was trained, for how long, and why it ended."""
    ranker, rounds = material.ranker, rounds_trained(material)
    first = next(iter(ranker.history_), None)
    patience = ranker.early_stopping_rounds
    stopping = "none"
    if patience is not None:
        stopping = f"after {patience} rounds without a new best {ranker.measure_} on {first}"
    trained = f"{rounds:,} of at most {ranker.n_estimators:,}"
    if material.tuning is not None:
        stopping = "in the trials of tuning, not in this training"
        trained = f"{rounds:,}, the number that was best in tuning"
    facts = [
        ("objective", f"{ranker.objective_}"),
        ("gradients by", f"engine {ranker.engine}"),
        ("second derivative", "exact" if ranker.objective_.exact_hessian else "a surrogate"),
        ("rounds trained", trained),
        ("early stopping", stopping),
        ("rounds used by predict", f"{ranker.best_iteration_:,}"),
        ("trees in all", f"{ranker.model_.n_trees():,}"),
    ]
    if first is not None:
        facts.append((f"{ranker.measure_} on {first} after the rounds used", fixed(ranker.best_score_)))
    return facts


def features(material: Material) -> Section:
    """Return the section of importances."""
    table = material.importances
    used = int((table["split"] > 0).sum())
    head = table[table["split"] > 0].head(TOP)
    text = (
        f"{used:,} of {len(table):,} features are used. Gain is what a feature's splits took off the "
        "loss in training, as the booster counts it. It says what the trees used, not what the feature is worth on "
        "other data."
    )
    if head.empty:
        return Section("Features", ((Text(text),),))
    top = ", ".join(f"{name} {share:.1%}" for name, share in head["gain_share"].head(5).items())
    names = f"the first {len(head)} features" if used > len(head) else f"all {used} features used"
    places = max(0, 4 - len(f"{head['gain'].max():.0f}"))
    rows = tuple(
        (str(name), f"{gain:,.{places}f}", f"{share:.2%}", f"{split:,}")
        for name, gain, share, split in head.itertuples()
    )
    plot = Plot(f"Importance: share of the gain, {names}", f"Bars of the share of the gain: {top}; the table has the "
                "numbers.", partial(plots.importance_bars, head, TOP))  # fmt: skip
    columns = ("feature", "gain", "share of gain", "splits")
    return Section("Features", ((Text(text),), (plot, Table(f"Importance of {names}", columns, rows))))


def parameters(material: Material) -> Section:
    """Return the section of parameters, in which those that are not at their default are marked."""
    ranker = material.ranker
    params = ranker.get_params(deep=False)
    blocks: list[Block] = [own_parameters(ranker, params)]
    if material.predictor is not ranker:
        given = material.predictor.get_params(deep=False)
        blocks.append(own_parameters(material.predictor, given | {"ranker": "the ranker above"}))
    own = ranker.objective_.params()
    if own and not set(own) <= set(params):
        usual = {field.name: field.default for field in dataclasses.fields(ranker.objective_)}
        blocks.append(parameter_table(f"Parameters of the objective {ranker.objective_.name}", own, usual))
    learnt = [(name, array_text(values)) for name, values in ranker.state_.items()]
    if learnt:
        blocks.append(Table("Learnt beside the trees", ("name", "values"), tuple(learnt)))
    return Section("Parameters", tuple((block,) for block in blocks))


def own_parameters(estimator: Any, params: dict[str, Any]) -> Table:
    """Return the parameters of an estimator with their defaults."""
    defaults = {name: each.default for name, each in inspect.signature(type(estimator).__init__).parameters.items()}
    return parameter_table(f"Parameters of {type(estimator).__name__}", params, defaults)


def parameter_table(caption: str, params: dict[str, Any], defaults: dict[str, Any]) -> Table:
    """Return parameters with their defaults."""
    changed = [name for name, value in params.items() if not same(value, defaults.get(name))]
    rows = tuple(
        (name, shown(value), shown(defaults[name]) if name in defaults else NONE, "yes" if name in changed else "")
        for name, value in params.items()
    )
    marked = frozenset(number for number, name in enumerate(params) if name in changed)
    note = "Marked rows are not at their default." if changed else "All are at their defaults."
    return Table(caption, ("parameter", "value", "default", "changed"), rows, marked, note)


def same(value: Any, default: Any) -> bool:
    """Tell whether a parameter has its default, whatever its type."""
    if isinstance(value, np.ndarray) or isinstance(default, np.ndarray):
        return bool(np.array_equal(value, default))
    return bool(value == default) or str(value) == str(default)


def array_text(values: Any) -> str:
    """Return a small array's values, or the shape of a large one."""
    array = np.asarray(values)
    if array.size > 24:
        return f"array of shape {array.shape}"
    return ", ".join(f"{value:.5g}" if isinstance(value, float) else str(value) for value in array.reshape(-1).tolist())


def versions(material: Material) -> Section:
    """Return the section of versions."""
    booster = LIBRARIES[material.ranker.backend]
    found = {
        "gbrank": __version__,
        booster: backend(material.ranker.backend).version(),
        "Python": platform.python_version(),
    }
    found |= {name: metadata.version(name) for name in ("numpy", "numba", "scikit-learn")}
    return Section("Versions", ((Table("Software", ("name", "version"), tuple(found.items())),),))
