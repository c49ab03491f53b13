import numpy as np
import pytest

from gbrank import DataError, ParameterError
from gbrank.clicks import Propensities
from gbrank.reports import propensity_curve


def test_plots_draw_values_and_intervals():
    found = Propensities([1, 0.5, 0.2], [1, 0.4, 0.1], [1, 0.6, 0.3], method="swaps")
    axes = propensity_curve(found).axes[0]
    assert axes.lines[0].get_xdata().tolist() == [1, 2, 3]
    assert axes.lines[0].get_ydata().tolist() == [1, 0.5, 0.2]
    (area,) = axes.collections
    corners = {tuple(point) for point in area.get_paths()[0].vertices.tolist()}
    assert {(2.0, 0.4), (2.0, 0.6), (3.0, 0.1), (3.0, 0.3)} <= corners
    figure = propensity_curve({"a": found, "b": Propensities([1, 0.4])})
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["a", "b"]
    assert len(figure.axes[0].collections) == 1
    with pytest.raises(ParameterError, match="there are none"):
        propensity_curve({})


def test_arrays_are_drawn_as_they_are_given():
    users = np.array([0.8, 0.4])
    for found in (users, users.tolist(), {"users": users, "found": Propensities([1, 0.5])}):
        assert propensity_curve(found).axes[0].lines[0].get_ydata().tolist() == [0.8, 0.4]
    with pytest.raises(DataError, match="users"):
        propensity_curve({"users": "high"})
