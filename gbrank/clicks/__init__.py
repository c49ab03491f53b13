"""Learning from clicks: session logs, click models, and what a new ranking would have brought."""

from ._ab import ABTest, simulate_ab_test
from ._chain import Cascade, DependentClick
from ._counterfactual import PolicyValue, estimate
from ._dbn import DynamicBayesian, SimplifiedDynamicBayesian
from ._files import read_click_log, read_yandex_sessions, write_click_log
from ._interleaving import Interleaving, simulate_interleaving, team_draft
from ._log import ClickLog
from ._model import CLICK_MODELS, ClickModel, Perplexity, load_click_model
from ._policies import PlackettLuce
from ._position import PositionBased, TrustBias, UserBrowsing
from ._simulate import GradedAttraction, simulate_clicks
from ._tables import PairTable

__all__ = [
    "CLICK_MODELS",
    "ABTest",
    "Cascade",
    "ClickLog",
    "ClickModel",
    "DependentClick",
    "DynamicBayesian",
    "GradedAttraction",
    "Interleaving",
    "PairTable",
    "Perplexity",
    "PlackettLuce",
    "PolicyValue",
    "PositionBased",
    "SimplifiedDynamicBayesian",
    "TrustBias",
    "UserBrowsing",
    "estimate",
    "load_click_model",
    "read_click_log",
    "read_yandex_sessions",
    "simulate_ab_test",
    "simulate_clicks",
    "simulate_interleaving",
    "team_draft",
    "write_click_log",
]
