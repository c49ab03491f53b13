"""``gbrank measures``."""

import json

import pytest

from gbrank.metrics import PRESETS
from gbrank.metrics._catalog import FAMILIES, rule_meanings

NAMES = [name for members in FAMILIES.values() for name in members]


def test_all_are_listed_by_family(gbrank):
    told = gbrank("measures").out
    blocks = told.rstrip("\n").split("\n\n")
    assert blocks[0] == "GRADED RELEVANCE"
    heads = {block.split()[0].partition("@")[0] for block in blocks if "\n  " in block}
    assert set(NAMES) <= heads
    assert "  Σ_r g_r d_r / max Σ_r g_r d_r\n  ties: expected; in closed form expected" in told
    assert blocks[-2] == "PRESETS"
    assert [line.split()[0] for line in blocks[-1].splitlines()] == list(PRESETS)
    assert max(map(len, told.splitlines())) <= 110


@pytest.mark.parametrize("name", NAMES)
def test_one_is_told_whole(gbrank, name):
    told = gbrank("measures", name).out
    assert told.startswith(name)
    rules = told.partition("\nRules\n")[2]
    assert rules
    assert {line.strip() for line in rules.splitlines() if not line.startswith("    ")} <= set(rule_meanings())


def test_a_measure_with_rules_is_described(gbrank):
    told = gbrank("measures", "nDCG(dcg='log2')@10").out
    assert "ndcg@10: discounted gain divided by its highest value, over the first 10 places; gain linear" in told
    assert "It needs aspects" in gbrank("measures", "alpha_ndcg").out


def test_as_json(gbrank):
    told = json.loads(gbrank("measures", "--json").out)
    assert set(NAMES) <= {each["name"] for each in told["measures"]}
    assert told["presets"]["lightgbm"] == "ties=stable, no_relevant=1"
    one = json.loads(gbrank("measures", "infAP", "--json").out)["measures"]
    assert one == [each for each in told["measures"] if each["name"] == "infap"]
    assert one[0]["closed_forms"] == ["stable", "reversed", "trec"]
    assert one[0]["ties"] == "sampled"


def test_a_wrong_name_comes_with_the_nearest(gbrank):
    ended = gbrank("measures", "nccg", code=1)
    assert ended.out == ""
    assert ended.err.startswith("gbrank: error: unknown measure 'nccg'. Did you mean ")
