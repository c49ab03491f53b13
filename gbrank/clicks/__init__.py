"""Learning from clicks: session logs, click models, and what a new ranking would have brought."""

from ._ab import ABTest, simulate_ab_test
from ._bias import estimate_propensities
from ._chain import Cascade, DependentClick
from ._concat import concat_click_logs
from ._corrected import corrected_labels, session_data
from ._counterfactual import PolicyValue, estimate
from ._dbn import DynamicBayesian, SimplifiedDynamicBayesian
from ._files import read_click_log, read_yandex_sessions, write_click_log
from ._interleaving import Interleaving, simulate_interleaving, team_draft
from ._log import ClickLog
from ._model import CLICK_MODELS, ClickModel, Perplexity, load_click_model
from ._parameter_intervals import parameter_intervals
from ._policies import PlackettLuce, RandomSwaps
from ._position import PositionBased, TrustBias, UserBrowsing
from ._propensities import Propensities, load_propensities
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
    "Propensities",
    "RandomSwaps",
    "SimplifiedDynamicBayesian",
    "TrustBias",
    "UserBrowsing",
    "concat_click_logs",
    "corrected_labels",
    "estimate",
    "estimate_propensities",
    "load_click_model",
    "load_propensities",
    "parameter_intervals",
    "read_click_log",
    "read_yandex_sessions",
    "session_data",
    "simulate_ab_test",
    "simulate_clicks",
    "simulate_interleaving",
    "team_draft",
    "write_click_log",
]
