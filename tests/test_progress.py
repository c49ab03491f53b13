"""Progress callbacks."""

from gbrank._progress import silent


def test_silent_says_nothing(capsys):
    assert silent(1, 2, "at work") is None
    assert capsys.readouterr().out == ""
