"""Gaps of a file: classes, functions and code that it names and does not contain."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Literal

from msgspec import Struct

from dense_calc.errors import Note, Place, SpecError

_MAX_LISTED_GAPS = 20  # gaps that one message lists
ALL_GAPS = "*"  # the name that means all gaps

NO_INPUT_MESSAGE = (
    "the model has no input shape, as it was saved before it was built; set the shape: "
    "--set 'input=[28, 28, 1]'"
)


class Gap(Struct, frozen=True):
    """A class, a function or code that a file names and does not contain.

    `name` is its name for `--assume`, `title` names it in messages. `is_filled` is true where the
    file states its shapes and weights elsewhere.
    """

    name: str
    sort: Literal["class", "code", "object"]
    title: str
    place: Place
    is_filled: bool = False


def demand_no_gaps(gaps: Iterable[Gap]) -> None:
    """Raise SpecError unless all gaps are filled."""
    open_gaps = [gap for gap in gaps if not gap.is_filled]
    if open_gaps:
        raise gap_error(open_gaps)


def gap_error(gaps: Iterable[Gap]) -> SpecError:
    """One complaint about all gaps, with the options that fill them."""
    groups: dict[tuple[str, str], list[Gap]] = {}
    for gap in gaps:
        groups.setdefault((gap.sort, gap.name), []).append(gap)
    firsts = [same[0] for same in groups.values()]
    if len(firsts) == 1:
        (gap,) = firsts
        return SpecError(
            f"{gap.title} is unknown, and no code is run; {_gap_advice(gap)}", gap.place
        )
    message = (
        f"{len(firsts)} things are unknown, and no code is run; state what each does, or assume "
        f"that all change nothing: --assume '{ALL_GAPS}=identity'"
    )
    return SpecError(message, firsts[0].place, _gap_notes(list(groups.values())))


def _gap_notes(groups: list[list[Gap]]) -> Iterator[Note]:
    """A note for each group of gaps of one name, at the place of the first."""
    for same in groups[:_MAX_LISTED_GAPS]:
        first = same[0]
        several = f", {len(same)} times" if len(same) > 1 else ""
        yield Note(f"{first.title}{several}: {_assume_options(first)}", first.place)
    if len(groups) > _MAX_LISTED_GAPS:
        rest = len(groups) - _MAX_LISTED_GAPS
        yield Note(f"and {rest:,} more", groups[_MAX_LISTED_GAPS][0].place)


def _gap_advice(gap: Gap) -> str:
    """How to fill one gap: a clause of the message."""
    if gap.sort == "object":
        return f"if it does not change the shape: {_assume_options(gap)}"
    return f"state {'it' if gap.sort == 'code' else 'what it does'}: {_assume_options(gap)}"


def _assume_options(gap: Gap) -> str:
    """The options of the command that fill a gap."""
    identity = f"--assume {_quote_for_shell(f'{gap.name}=identity')}"
    if gap.sort == "object":
        return identity
    weights = "" if gap.sort == "code" else ", weights: {kernel: [10, 64]}"
    return (
        f"{identity}, or --assume {_quote_for_shell(f'{gap.name}={{output_shape: [64]{weights}}}')}"
    )


def _quote_for_shell(text: str) -> str:
    """A word quoted for a shell."""
    from shlex import quote  # only a mistake pays for it

    return quote(text)
