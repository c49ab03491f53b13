"""The decimal scanner against Python's float, which rounds correctly."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gbrank.data._decimals import MALFORMED, UNDECIDED, scan_number, short_number, tiny_number
from gbrank.data._letor_kernels import MARGIN

DIGITS = st.text("0123456789", min_size=1, max_size=30)
SPARSE_DIGITS = st.text("09", min_size=1, max_size=25)


@st.composite
def decimals(draw):
    whole, fraction = draw(DIGITS | SPARSE_DIGITS), draw(DIGITS | SPARSE_DIGITS | st.just(""))
    text = draw(st.sampled_from([whole, f"{whole}.{fraction}", f".{whole}"]))
    exponent = draw(st.none() | st.integers(-360, 330))
    return draw(st.sampled_from(["", "-", "+"])) + text + ("" if exponent is None else f"e{exponent:+}")


def scanned(kernel, token, behind=" "):
    text = np.frombuffer(f"{token}{behind}".encode() + bytes(MARGIN), np.uint8)
    value, stop, *status = kernel(text.ctypes.data)
    return value, stop - text.ctypes.data if stop != -1 else -1, status


def check(token):
    value, stop, (status,) = scanned(scan_number, token)
    assert stop == len(token)
    assert status == UNDECIDED or (status == 0 and value == float(token))
    for kernel in (tiny_number, short_number):
        value, stop, _ = scanned(kernel, token)
        assert stop == -1 or (stop == len(token) and value == float(token))


@settings(max_examples=1000, deadline=None)
@given(decimals())
def test_decimals_are_exact_or_left_to_python(token):
    check(token)


@settings(max_examples=500, deadline=None)
@given(st.floats(allow_nan=False, allow_infinity=False))
def test_shortest_spellings_of_doubles(value):
    check(repr(value))
    check(f"{value:.20e}")


@settings(max_examples=300, deadline=None)
@given(st.integers(2**53, 2**60), st.integers(-30, 30))
def test_near_the_middle_between_two_doubles(whole, exponent):
    middle = whole * 2 + 1 << 5
    for token in (f"{middle}", f"{middle}.{'0' * 30}1", f"{middle - 1}.{'9' * 30}", f"{middle}e{exponent}"):
        check(token)


def test_few_numbers_are_left_to_python():
    values = np.random.default_rng(0).lognormal(0, 20, 2000)
    left = sum(scanned(scan_number, repr(v))[2] == [UNDECIDED] for v in values.tolist())
    assert left < 20


TINY = ["0", "-0", "7", "1.", ".5", "-.5", "12345678", "-1234567", "0.471076", "-1.25000", "00000000", "1234567."]
SHORT = ["1.234567", "0.12345678", "1234567.12345678", "-0.00000000000001", ".123456789012345", "1234567.", "1."]


@pytest.mark.parametrize(
    ("kernel", "token"), [(tiny_number, token) for token in TINY] + [(short_number, token) for token in SHORT]
)
def test_numbers_that_take_the_short_way(kernel, token):
    value, stop, _ = scanned(kernel, token)
    assert (value, stop) == (float(token), len(token))
    assert np.signbit(value) == np.signbit(float(token))


@pytest.mark.parametrize("token", ["123456789", "12345678.5", "1.123456789012345", "1e3", "+1"])
def test_numbers_that_are_passed_on(token):
    assert scanned(tiny_number, token)[1] == scanned(short_number, token)[1] == -1
    check(token)


BAD = ["", ".", "-", "+", "e5", "1e", "1e+", "1.2.3", "1_000", "0x10", "nan", "inf", "NULL", "--1", "1-", "1,5", "١"]


@pytest.mark.parametrize("token", BAD)
def test_other_text_is_refused(token):
    assert scanned(scan_number, token)[2] == [MALFORMED]
    assert scanned(tiny_number, token)[1] == scanned(short_number, token)[1] == -1


@pytest.mark.parametrize("behind", [" ", "\t", "\r", "\n", "#"])
def test_what_may_stand_behind_a_number(behind):
    assert scanned(scan_number, "1.5", behind)[2] == [0]
    assert scanned(tiny_number, "1.5", behind)[1] == scanned(short_number, "1.5", behind)[1] == 3
