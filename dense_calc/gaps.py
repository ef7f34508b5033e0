"""What a file names and does not tell: classes, functions and code that nobody has here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Literal

from msgspec import Struct

from dense_calc.errors import Note, Place, SpecError

_MAX_LISTED_GAPS = 20  # gaps that a message tells one by one
ALL_GAPS = "*"  # the name that means them all

NO_INPUT_MESSAGE = (
    "the model has no input shape: it was saved before it was built; say what it reads: "
    "--set 'input=[28, 28, 1]'"
)


class Gap(Struct, frozen=True):
    """Something that a file names and does not tell: what `--assume` calls it, and what it is.

    `title` says it in words. `is_filled` is whether the file says elsewhere all that matters.
    """

    name: str
    sort: Literal["class", "code", "object"]
    title: str
    place: Place
    is_filled: bool = False


def demand_no_gaps(gaps: Iterable[Gap]) -> None:
    """Raise SpecError where a file names what it does not tell."""
    open_ones = [gap for gap in gaps if not gap.is_filled]
    if open_ones:
        raise gap_error(open_ones)


def gap_error(gaps: Iterable[Gap]) -> SpecError:
    """The complaint about what is not known, with the ways on: one message for all of it."""
    found: dict[tuple[str, str], list[Gap]] = {}
    for gap in gaps:
        found.setdefault((gap.sort, gap.name), []).append(gap)
    firsts = [same[0] for same in found.values()]
    if len(firsts) == 1:
        (gap,) = firsts
        return SpecError(
            f"{gap.title} is not known, and no code is run; {_gap_advice(gap)}", gap.place
        )
    message = (
        f"{len(firsts)} things are not known, and no code is run; say what each does, or of all "
        f"of them that they change nothing: --assume '{ALL_GAPS}=identity'"
    )
    return SpecError(message, firsts[0].place, _gap_notes(list(found.values())))


def _gap_notes(found: list[list[Gap]]) -> Iterator[Note]:
    """A note for each thing that is not known, by its first place."""
    for same in found[:_MAX_LISTED_GAPS]:
        first = same[0]
        several = f", {len(same)} times" if len(same) > 1 else ""
        yield Note(f"{first.title}{several}: {_assume_options(first)}", first.place)
    if len(found) > _MAX_LISTED_GAPS:
        yield Note(f"and {len(found) - _MAX_LISTED_GAPS:,} more", found[_MAX_LISTED_GAPS][0].place)


def _gap_advice(gap: Gap) -> str:
    """How to say what one thing does."""
    if gap.sort == "object":
        return f"if it changes no shape, say so: {_assume_options(gap)}"
    return f"say {'it' if gap.sort == 'code' else 'what it does'}: {_assume_options(gap)}"


def _assume_options(gap: Gap) -> str:
    """What to write on the command line."""
    identity = f"--assume {_quote_for_shell(f'{gap.name}=identity')}"
    if gap.sort == "object":
        return identity
    weights = "" if gap.sort == "code" else ", weights: {kernel: [10, 64]}"
    return (
        f"{identity}, or --assume {_quote_for_shell(f'{gap.name}={{output_shape: [64]{weights}}}')}"
    )


def _quote_for_shell(text: str) -> str:
    """A word as a shell takes it."""
    from shlex import quote  # only a mistake pays for it

    return quote(text)
