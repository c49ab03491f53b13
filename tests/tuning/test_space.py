import optuna
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

from gbrank import GBRanker, LambdaMART, ParameterError
from gbrank.tuning import DEFAULT_SPACE, default_space
from gbrank.tuning._space import holds, read_space, start_values


@pytest.mark.parametrize(
    ("name", "form", "wanted"),
    [
        ("learning_rate", (0.1, 0.3), FloatDistribution(0.1, 0.3)),
        ("learning_rate", {"low": 0.1, "high": 1, "log": True}, FloatDistribution(0.1, 1.0, log=True)),
        ("reg_lambda", (0, 10), FloatDistribution(0.0, 10.0)),  # a real parameter stays real
        ("subsample", {"low": 0.5, "high": 1.0, "step": 0.25}, FloatDistribution(0.5, 1.0, step=0.25)),
        ("max_leaves", (4, 64), IntDistribution(4, 64)),
        ("max_depth", {"low": 2, "high": 8, "step": 2}, IntDistribution(2, 8, step=2)),
        ("max_bins", [63, 255], CategoricalDistribution([63, 255])),
        ("objective__truncation", (5, 50), IntDistribution(5, 50)),
        ("objective__sigmoid", (1, 2), FloatDistribution(1.0, 2.0)),
        (
            "objective",
            ["lambdarank", "pairwise_logistic"],
            CategoricalDistribution(["lambdarank", "pairwise_logistic"]),
        ),
        ("backend_params__path_smooth", (0.0, 5.0), FloatDistribution(0.0, 5.0)),
        ("backend_params__min_data_per_group", (1, 5), IntDistribution(1, 5)),
        ("max_leaves", IntDistribution(4, 8), IntDistribution(4, 8)),
    ],
)
def test_short_forms_become_distributions(name, form, wanted):
    assert read_space({name: form}, GBRanker()) == {name: wanted}


def test_parameters_of_lambdamart_are_its_own():
    assert read_space({"truncation": (5, 50)}, LambdaMART()) == {"truncation": IntDistribution(5, 50)}


@pytest.mark.parametrize(
    ("name", "form", "message"),
    [
        ("learning_rat", (0.1, 0.3), "'learning_rate'"),
        ("objective__trunkation", (5, 50), "'objective__truncation'"),
        ("backend_params__", (0, 1), "unknown parameter to tune"),
        ("backend_params__path_smoth", (0.0, 1.0), "unknown parameter of LightGBM"),
        ("n_estimators", (10, 100), "early stopping"),
        ("backend", ["lightgbm", "xgboost"], "a study of its own"),
        ("max_leaves", (2.0, 31.5), "whole number"),
        ("max_leaves", {"low": 4, "high": 8, "step": 0.5}, "whole number"),
        ("max_leaves", (1, 8), "admits 1: .*at least 2"),
        ("learning_rate", (-0.1, 0.3), "admits -0.1"),
        ("subsample", [0.5, 1.5], "admits 1.5"),
        ("objective__sigmoid", (-1.0, 1.0), "admits -1.0"),
        ("learning_rate", (0.3, 0.1), "low must be below high"),
        ("learning_rate", (0.0, 0.3, True), "give an Optuna distribution"),
        ("learning_rate", {"low": 0.1}, "low and high"),
        ("learning_rate", {"low": 0.1, "high": 0.2, "base": 2}, "low and high"),
        ("learning_rate", {"low": 0.0, "high": 0.2, "log": True}, "low"),
        ("learning_rate", {"low": 0.1, "high": 0.2, "log": "yes"}, "true or false"),
        ("learning_rate", {"low": "0.1", "high": 0.2}, "is not a number"),
        ("learning_rate", [], "choices"),
        ("max_leaves", [[4], [8]], "choices"),
        ("learning_rate", "log", "give an Optuna distribution"),
        ("objective", (1, 2), "list of choices"),
        ("objective", ["lambdarang"], "'lambdarank'"),
    ],
)
def test_a_bad_space_is_refused(name, form, message):
    with pytest.raises(ParameterError, match=message):
        read_space({name: form}, GBRanker())


@pytest.mark.parametrize("space", [{}, [("learning_rate", (0.1, 0.2))], "default"])
def test_a_space_is_a_mapping_with_something_in_it(space):
    with pytest.raises(ParameterError, match="mapping from parameter names"):
        read_space(space, GBRanker())


@pytest.mark.parametrize("backend", sorted(DEFAULT_SPACE))
def test_default_spaces_suit_their_backend(backend):
    ranker = GBRanker(backend=backend)
    assert read_space(None, ranker) == default_space(backend)
    assert read_space(default_space(backend), ranker) == default_space(backend)
    assert "max_bins" not in default_space(backend)


def test_a_default_space_is_a_copy():
    default_space("lightgbm").clear()
    assert default_space("lightgbm")
    with pytest.raises(ParameterError, match="'lightgbm'"):
        default_space("lightgb")


def test_start_values_leave_out_what_the_library_decides():
    ranker = GBRanker(max_leaves=9, backend_params={"path_smooth": 1.5})
    space = read_space(
        {"max_leaves": (2, 9), "backend_params__path_smooth": (0.0, 2.0), "backend_params__extra_seed": (0, 9)}, ranker
    )
    assert start_values(ranker, space) == {"max_leaves": 9, "backend_params__path_smooth": 1.5}


@pytest.mark.parametrize(
    ("distribution", "value", "held"),
    [
        (FloatDistribution(0.1, 0.5), 0.5, True),
        (FloatDistribution(0.1, 0.5), 0.6, False),
        (FloatDistribution(0.1, 0.5), None, False),
        (FloatDistribution(0.1, 0.5, step=0.1), 0.3, True),
        (FloatDistribution(0.1, 0.5, step=0.1), 0.35, False),
        (IntDistribution(2, 8, step=2), 4, True),
        (IntDistribution(2, 8, step=2), 5, False),
        (IntDistribution(2, 8), 4.0, False),
        (IntDistribution(1, 8), True, False),
        (CategoricalDistribution([1, "a", None]), None, True),
        (CategoricalDistribution([1, "a"]), True, False),
    ],
)
def test_holds(distribution, value, held):
    assert holds(distribution, value) is held


def test_distributions_are_optunas_own():
    assert all(isinstance(each, optuna.distributions.BaseDistribution) for each in default_space("xgboost").values())
