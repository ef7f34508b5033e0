"""Amounts as people write them, and increases: exact numbers, or a complaint."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dense_calc.limits import BYTE_UNIT, MAX_AMOUNT, PARAM_UNIT, AmountError, parse_increase
from dense_calc.quantities import LimitKind, limit_kinds, parse_limit

PARAMS, SIZE, LEAST = limit_kinds()["params"], limit_kinds()["size"], limit_kinds()["min_params"]

# what is written → how many that is at most
AMOUNTS: list[tuple[LimitKind, object, int]] = [
    (PARAMS, "100k", 100_000),
    (PARAMS, "100K", 100_000),
    (PARAMS, "5M", 5_000_000),
    (PARAMS, "1.5B", 1_500_000_000),
    (PARAMS, "1.5b", 1_500_000_000),
    (PARAMS, "2T", 2_000_000_000_000),
    (PARAMS, " 5 M ", 5_000_000),
    (PARAMS, "+5M", 5_000_000),
    (PARAMS, ".5M", 500_000),
    (PARAMS, "1e6", 1_000_000),
    (PARAMS, "1E+6", 1_000_000),
    (PARAMS, "1.5e3", 1500),
    (PARAMS, "1_000_000", 1_000_000),
    (PARAMS, "1,000,000", 1_000_000),
    (PARAMS, "12 params", 12),
    (PARAMS, 0, 0),
    (PARAMS, 7850, 7850),
    (PARAMS, 1.5e3, 1500),
    (PARAMS, "1.9999", 1),
    (PARAMS, "0.1234567k", 123),
    (PARAMS, MAX_AMOUNT, MAX_AMOUNT),
    (SIZE, "20MiB", 20 * 2**20),
    (SIZE, "80 MB", 80_000_000),
    (SIZE, "1kB", 1000),
    (SIZE, "1KiB", 1024),
    (SIZE, "1.1 KiB", 1126),
    (SIZE, "2gib", 2 * 2**30),
    (SIZE, "1TB", 10**12),
    (SIZE, "512", 512),
    (SIZE, "512 bytes", 512),
    (SIZE, "512B", 512),
    (LEAST, "1.1", 2),
    (LEAST, "1k", 1000),
]


@pytest.mark.parametrize(("kind", "written", "meant"), AMOUNTS)
def test_an_amount_is_what_people_mean(kind: LimitKind, written: object, meant: int) -> None:
    assert parse_limit(kind, written).amount == meant


NONE: list[object] = [
    *("", "k", "M", "many", "nan", "NaN", ".nan", "inf", "1.5.5", "1,5M", "1,00", "5X", "5 5"),
    *("1_", "_1", "1__0", "0x10", "1e", "1e-3", "5%", "½", "٣", "1e100", "9" * 41, "5M\n6M"),
    *(True, None, [], {}, float("nan"), float("inf")),
]


@pytest.mark.parametrize("written", NONE, ids=repr)
def test_what_is_no_amount_is_refused(written: object) -> None:
    with pytest.raises(AmountError, match=r"a limit must be a number such as|is too large"):
        parse_limit(PARAMS, written)


@pytest.mark.parametrize("written", ["-5", "-5M", "- 5", -1, -0.5, "-.5k", "-1e3"])
def test_a_limit_below_zero_is_refused(written: object) -> None:
    with pytest.raises(AmountError, match="a limit must be at least 0, not"):
        parse_limit(PARAMS, written)


def test_a_unit_that_counts_something_else_is_refused() -> None:
    with pytest.raises(AmountError, match=r"not '5MB'; 'MB' counts bytes$"):
        parse_limit(PARAMS, "5MB")
    with pytest.raises(AmountError, match=r"not '5k'; did you mean '5kB' or '5kiB'\?$"):
        parse_limit(SIZE, "5k")


def test_a_limit_tells_how_it_was_written_unless_in_plain_digits() -> None:
    assert parse_limit(PARAMS, "100k").amount_text == "100k"
    assert parse_limit(PARAMS, 100).amount_text is None
    assert parse_limit(PARAMS, "100").amount_text is None


DIGITS = st.from_regex(r"[0-9]{1,6}(\.[0-9]{1,6})?", fullmatch=True)


@given(DIGITS, st.sampled_from([*PARAM_UNIT.factors]), st.integers(0, 10**12))
def test_a_value_keeps_to_a_limit_if_it_is_not_above_what_is_written(
    digits: str, unit: str, value: int
) -> None:
    amount = Fraction(digits) * PARAM_UNIT.factors[unit]
    most, least = (
        parse_limit(PARAMS, digits + unit).amount,
        parse_limit(LEAST, digits + unit).amount,
    )
    assert isinstance(most, int)
    assert isinstance(least, int)
    assert (value <= most) == (value <= amount)
    assert (value >= least) == (value >= amount)


@given(DIGITS, st.sampled_from([*BYTE_UNIT.factors]), st.integers(0, 10**15))
def test_a_size_keeps_to_a_limit_likewise(digits: str, unit: str, value: int) -> None:
    amount = parse_limit(SIZE, f"{digits} {unit.upper()}").amount
    assert isinstance(amount, int)
    assert (value <= amount) == (value <= Fraction(digits) * BYTE_UNIT.factors[unit])


@given(st.text(max_size=50))
def test_any_text_is_an_amount_or_refused(text: str) -> None:
    for kind in (PARAMS, SIZE):
        try:
            amount = parse_limit(kind, text).amount
        except AmountError:
            continue
        assert isinstance(amount, int)
        assert 0 <= amount <= MAX_AMOUNT


# what is written, what there was → how many more there may be
INCREASES = [
    ("5%", 1000, 50),
    ("0.5%", 1000, 5),
    (" 5% ", 1019, 50),
    ("200%", 7, 14),
    ("0%", 7, 0),
    ("5%", 0, 0),
    ("100k", 1, 100_000),
    ("1.5M", 0, 1_500_000),
    ("12 params", 3, 12),
    ("0", 3, 0),
]


@pytest.mark.parametrize(("written", "params", "allowed"), INCREASES)
def test_an_increase_is_in_per_cent_or_in_parameters(
    written: str, params: int, allowed: int
) -> None:
    assert parse_increase(written).allowed_params(params) == allowed


@pytest.mark.parametrize("written", ["5", "5.0", "1e6", "1_000", " 5 "])
def test_a_bare_number_could_be_either(written: str) -> None:
    text = written.strip()
    said = f"'{text}' could be parameters or per cent: say {text}params or {text}%"
    with pytest.raises(AmountError) as caught:
        parse_increase(written)
    assert str(caught.value) == said


@pytest.mark.parametrize("written", ["", "%", "-5%", "-5k", "five%", "5%%", "5MB", "nan%", "% 5"])
def test_what_is_no_increase_is_refused(written: str) -> None:
    with pytest.raises(AmountError, match="a limit"):
        parse_increase(written)
