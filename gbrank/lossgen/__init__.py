"""Automatic generation of losses: what they are made of, how they are proposed, filtered and judged."""

from ._constants import TunedConstants, tune_constants
from ._controller import Controller
from ._effectiveness import AGAINST, Effectiveness, compare_losses
from ._filters import REASONS
from ._graph import Graph, Node, Space
from ._search import KNOWN, LossSearch
from ._searchers import SEARCHERS, Evolution, RandomSearch, Searcher
from ._selection import SelectionEffect, selection_effect
from ._store import Candidate, Store

__all__ = [
    "AGAINST",
    "KNOWN",
    "REASONS",
    "SEARCHERS",
    "Candidate",
    "Controller",
    "Effectiveness",
    "Evolution",
    "Graph",
    "LossSearch",
    "Node",
    "RandomSearch",
    "Searcher",
    "SelectionEffect",
    "Space",
    "Store",
    "TunedConstants",
    "compare_losses",
    "selection_effect",
    "tune_constants",
]
