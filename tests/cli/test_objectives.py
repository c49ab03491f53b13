"""``gbrank objectives``."""

import json

import pytest

from gbrank.objectives import OBJECTIVES
from gbrank.objectives._catalog import describe_objective


def test_all_are_listed_by_family(gbrank):
    told = gbrank("objectives").out
    blocks = told.rstrip("\n").split("\n\n")
    assert blocks[0] == "POINTWISE"
    assert {block.split()[0] for block in blocks if not block.isupper()} == set(OBJECTIVES)
    assert "  L = Σ_i (s_i - y_i)^2 / 2\n  exact hessian" in told
    assert max(map(len, told.splitlines())) <= 110


@pytest.mark.parametrize("name", list(OBJECTIVES))
def test_one_is_told_whole(gbrank, name):
    told = gbrank("objectives", name).out
    assert told.startswith(name)
    assert ("\nReferences\n  " in told) == bool(describe_objective(OBJECTIVES[name]).references)
    assert all(f"\n  {parameter} = " in told for parameter in OBJECTIVES[name]().params())
    assert "\\" not in told
    assert "`" not in told


def test_as_json(gbrank):
    everything = json.loads(gbrank("objectives", "--json").out)["objectives"]
    assert [each["name"] for each in everything] == list(OBJECTIVES)
    one = json.loads(gbrank("objectives", "quantile", "--json").out)["objectives"]
    assert one == [each for each in everything if each["name"] == "quantile"]
    assert one[0]["parameters"][0] == {"name": "alpha", "default": 0.9, "meaning": one[0]["parameters"][0]["meaning"]}
    assert one[0]["formula"].startswith("L = \\sum_i")
    assert one[0]["exact_hessian"] is False


def test_other_names_are_told_and_found(gbrank):
    for alias, name in OBJECTIVES.aliases.items():
        told = gbrank("objectives", alias).out
        assert told.startswith(f"{name} (also ")
        assert alias in told.split("\n", 1)[0]


def test_a_wrong_name_comes_with_the_nearest(gbrank):
    ended = gbrank("objectives", "ordnal", code=1)
    assert ended.out == ""
    assert ended.err == "gbrank: error: unknown objective 'ordnal'. Did you mean 'ordinal'?\n"
