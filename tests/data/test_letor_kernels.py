"""The compiled passes against plain Python over the same bytes."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gbrank.data import _decimals as decimals
from gbrank.data import _letor_kernels as kernels
from gbrank.data._letor_format import put_decimal, shortest
from gbrank.data._letor_text import Text


def addresses(content: bytes):
    """Return a copy with margin, which must be kept alive, and the addresses of its start and stop."""
    held = np.frombuffer(content + bytes(kernels.MARGIN), np.uint8).copy()
    return held, held.ctypes.data, held.ctypes.data + len(content)


def count_plainly(content: bytes, has_ids: int):
    rows = [line.split(b"#")[0] for line in content.split(b"\n")[:-1]]
    rows = [row for row in rows if row.strip(b" \t\r")]
    values = sum(max(row.count(b":") - has_ids, 0) for row in rows)
    last = [-1]
    for row in rows:
        before = row.rpartition(b":")[0]
        digits = before[len(before.rstrip(b"0123456789")) :]
        last.append(int(digits) if digits and b":" in row else -1)
    return len(rows), values, max(last)


@settings(max_examples=400, deadline=None)
@given(
    st.lists(st.sampled_from([b"1", b"23", b":", b" ", b"\t", b"\r", b"#", b"\n", b"qid", b"x\0", b"\xff"])),
    st.sampled_from([0, 1]),
)
def test_count_whatever_the_text(parts, has_ids):
    content = b"".join(parts) + b"\n"
    _held, start, stop = addresses(content)
    rows, values, largest = kernels.count(start, stop, has_ids)
    assert (rows, values) == count_plainly(content, has_ids)[:2]
    expected = count_plainly(content, has_ids)[2]
    assert largest == expected or (largest > kernels.MOST_INDEX and expected > kernels.MOST_INDEX)


def word_of(content: bytes) -> np.uint64:
    return np.uint64(int.from_bytes(content[:8].ljust(8), "little"))


@settings(deadline=None)
@given(st.lists(st.sampled_from(b":#\n\x09\x0b\x22\x24\xff\x8a\xa3 0"), min_size=8, max_size=8).map(bytes))
def test_bytes_of_a_word(content):
    flags = int(decimals.equal_bytes(word_of(content), word_of(b":" * 8))).to_bytes(8, "little")
    assert flags == bytes(128 * (byte == ord(":")) for byte in content)
    assert bool(kernels.ends_text(word_of(content))) == (b"\n" in content or b"#" in content)


@settings(deadline=None)
@given(st.text("0123456789", max_size=8), st.binary(max_size=8))
def test_digits(digits, behind):
    content = digits.encode() + behind
    _held, start, _ = addresses(content)
    expected = len(content[:8].ljust(8)) - len(content[:8].ljust(8).lstrip(b"0123456789"))
    assert decimals.leading_digits(word_of(content)) == expected
    if len(digits) < 8:
        assert decimals.digits_at(start, len(digits)) == int(digits or "0")


def test_spelt_indices():
    words, masks, sizes = kernels.spelt_indices(1001)
    for index in (0, 7, 10, 999, 1000):
        spelt = f" {index}:".encode()
        assert words[index] == int.from_bytes(spelt, "little")
        assert (masks[index], sizes[index]) == (256 ** len(spelt) - 1, len(spelt))
    assert all(len(each) == 0 for each in kernels.spelt_indices(0))


IDS = st.integers(-(2**70), 2**70).map(str) | st.text("0123456789-+", max_size=20) | st.text("abé0", max_size=5)


@settings(max_examples=400, deadline=None)
@given(IDS)
def test_query_ids(token):
    content = f"qid:{token} ".encode()
    _held, start, stop = addresses(content)
    number, canonical, end, code = kernels.scan_qid(start)
    assert (code == kernels.DONE) == bool(token)
    assert end == stop - 1
    try:
        plain = str(int(token)) == token and -(2**63) <= int(token) < 2**63
    except ValueError:
        plain = False
    assert canonical == plain
    if plain:
        assert number == int(token)


@pytest.mark.parametrize("value", [2**63 - 1, -(2**63), 2**63, -(2**63) - 1, 0])
def test_query_ids_at_the_limits(value):
    _held, start, _ = addresses(f"qid:{value}\n".encode())
    number, canonical, _, _ = kernels.scan_qid(start)
    assert canonical == (-(2**63) <= value < 2**63)
    assert not canonical or number == value


@settings(deadline=None)
@given(st.integers(1, 5), st.lists(st.sampled_from([b"ab\n", b"\n", b"x" * 70 + b"\n", b"last"]), min_size=1))
def test_pieces_are_whole_lines_in_order(tmp_path_factory, n_pieces, lines):
    path = tmp_path_factory.mktemp("pieces") / "text"
    content = b"".join(lines)
    path.write_bytes(content)
    text = Text(path, n_pieces)
    joined = b"".join(text.between(*piece) for piece in text.pieces)
    assert joined == content
    assert all(text.between(*piece).endswith(b"\n") for piece in text.pieces[:-1])
    assert [text.place(piece.start) for piece in text.pieces] == sorted(text.place(p.start) for p in text.pieces)


@settings(max_examples=400, deadline=None)
@given(st.floats(0, width=32, allow_nan=False, allow_infinity=False))
def test_shortest_reads_back_and_is_as_short_as_numpys(value):
    typed = np.zeros(1, np.float32)
    number, decimals = shortest(np.float32(value), typed)
    if decimals < 0:
        assert value >= 2**53 or value < 1e-12
        return
    out = np.zeros(64, np.uint8)
    token = out[: put_decimal(number, decimals, out, 0)].tobytes().decode()
    assert np.float32(float(token)) == np.float32(value)
    best = np.format_float_positional(np.float32(value), unique=True, trim="-")
    assert len(token) == len(best) or value >= 2**24  # large whole numbers are written in full
