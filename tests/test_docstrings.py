"""Every example in a docstring does what it shows."""

import doctest
import importlib
import pkgutil
import warnings

import pytest

import gbrank

FLAGS = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
MODULES = [
    info.name for info in pkgutil.walk_packages(gbrank.__path__, "gbrank.") if not info.name.endswith("__main__")
]


@pytest.mark.parametrize("name", ["gbrank", *MODULES])
def test_examples(name):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        result = doctest.testmod(importlib.import_module(name), optionflags=FLAGS)
    assert result.failed == 0


def test_there_are_examples():
    found = sum(
        len(test.examples) for name in MODULES for test in doctest.DocTestFinder().find(importlib.import_module(name))
    )
    assert found > 30
