"""What is told of measures: complete for each, and the same in the docs.

Run as a program, this writes the lists at the end of docs/measures.rst anew.
"""

import json
import textwrap
from pathlib import Path

import pytest

from gbrank.metrics import PRESETS, measure
from gbrank.metrics._catalog import FAMILIES, SYMBOLS, describe_measure, preset_rules, rule_meanings
from gbrank.metrics._definitions import MEASURES
from gbrank.metrics._spelling import FIELDS

PAGE = Path(__file__).parents[2] / "docs" / "measures.rst"
TITLE = "All measures\n------------\n"
BUILT_IN = [name for name in MEASURES if MEASURES[name].own is None]


@pytest.mark.parametrize("name", BUILT_IN)
def test_every_measure_tells_all_about_itself(name):
    told = describe_measure(name)
    assert told.name == name
    assert told.words
    assert told.formula
    assert told.source
    assert told.family in FAMILIES, f"name {name} in FAMILIES"
    assert set(told.rules) <= set(FIELDS)
    made = measure(name if told.cutoff != "needed" else f"{name}@5")
    assert made.closed_forms == told.closed_forms
    assert ("ties" in told.rules) == (told.ties != "")
    assert made.ties == (told.ties or "expected")
    assert told.words in made.describe()
    assert json.loads(json.dumps(told.to_dict(), allow_nan=False))["rules"] == list(told.rules)
    for alias in told.aliases:
        assert describe_measure(alias) == told


def test_every_rule_has_a_meaning():
    assert set(rule_meanings()) == set(FIELDS)
    assert all(rule_meanings().values())


@pytest.mark.parametrize("name", list(PRESETS))
def test_what_is_told_of_a_preset_makes_it(name):
    inside = preset_rules(name)
    ndcg = measure(f"ndcg@10({inside})")
    assert ndcg.convention == measure("ndcg@10", preset=name).convention


# The page.


def listing():
    """Return the end of the page: all measures by family, rules and presets."""
    blocks = [TITLE, wrapped(SYMBOLS, "") + "\n"]
    for family, members in FAMILIES.items():
        blocks += [
            f"{family.capitalize()}\n{'~' * len(family)}\n",
            *(entry(describe_measure(each)) for each in members),
        ]
    blocks += ["Rules\n-----\n", *(f"``{field}``\n{wrapped(told)}\n" for field, told in rule_meanings().items())]
    blocks += [
        "Presets\n-------\n",
        wrapped("What each tool does with NDCG when nothing else is asked of it.", "") + "\n",
    ]
    blocks += [f"``{name}``\n    {preset_rules(name) or 'the defaults'}\n" for name in PRESETS]
    return "\n".join(blocks)


def entry(told):
    names = " or ".join(f"``{name}``" for name in (told.name, *told.aliases))
    cutoff = {"optional": "", "needed": "Needs a cutoff.", "none": "Takes no cutoff."}[told.cutoff]
    exact = ", ".join(told.closed_forms)
    ties = f"Ties in closed form: {exact}." if told.ties else "Tied scores are no order."
    aspects = f"Aspects: {told.aspects}." if told.aspects else ""
    words = told.words[0].upper() + told.words[1:] + "."
    formula = f"``{told.formula}``."
    return f"{names}\n{wrapped('  '.join(filter(None, [words, formula, cutoff, ties, aspects, told.source + '.'])))}\n"


def wrapped(text, indent="    "):
    return textwrap.fill(
        text, 120, initial_indent=indent, subsequent_indent=indent, break_on_hyphens=False, break_long_words=False
    )


def test_the_page_lists_every_measure():
    text = PAGE.read_text(encoding="utf-8")
    assert sorted(name for members in FAMILIES.values() for name in members) == sorted(BUILT_IN)
    assert text.endswith(listing()), f"run: python {Path(__file__).name}"


if __name__ == "__main__":
    head = PAGE.read_text(encoding="utf-8").partition(TITLE)[0]
    PAGE.write_text(head + listing(), encoding="utf-8")
