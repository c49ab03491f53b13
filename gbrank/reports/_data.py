"""The data sets: their facts side by side, and how labels and list lengths are spread."""

from __future__ import annotations

from functools import partial

from . import _plots as plots
from ._document import NONE, Block, Plot, Section, Table
from ._material import Material


def data_section(material: Material) -> Section:
    """Return the section of data sets."""
    facts = {name: each.facts() for name, each in material.descriptions.items()}
    words = list(dict.fromkeys(fact for each in facts.values() for fact in each))
    rows = tuple((fact, *(each.get(fact, NONE) for each in facts.values())) for fact in in_order(words))
    note = (
        "Shares are of queries, documents or values. Where all documents of a query have one label, no order is wrong "
        "and nothing can be learnt from it."
    )
    table = Table("What the data hold", ("fact", *facts), rows, note=note)
    drawn: list[Block] = []
    if all(each.labels for each in material.descriptions.values()):
        shares = "; ".join(
            f"{name}: " + ", ".join(f"label {label:g} {share:.1%}" for label, share in each.label_shares.items())
            for name, each in material.descriptions.items()
        )
        draw = partial(plots.label_shares, material.descriptions)
        drawn.append(Plot("Labels", f"Share of the documents of each label. {shares}.", draw))
    sizes = "; ".join(
        f"{name}: {each.documents_per_query['min']:.0f} to {each.documents_per_query['max']:.0f}, "
        f"median {each.documents_per_query['median']:.0f}"
        for name, each in material.descriptions.items()
    )
    draw = partial(plots.query_sizes, material.sets)
    drawn.append(Plot("Documents per query", f"Cumulative distribution of documents per query. {sizes}.", draw))
    return Section("Data", ((table,), tuple(drawn)))


def in_order(words: list[str]) -> list[str]:
    """Return facts with those of labels together, by label, where the first stands."""
    prefix = "documents with label "
    labels = sorted((word for word in words if word.startswith(prefix)), key=lambda word: float(word[len(prefix) :]))
    if not labels:
        return words
    at = words.index(next(word for word in words if word in labels))
    rest = [word for word in words if word not in labels]
    return [*rest[:at], *labels, *rest[at:]]
