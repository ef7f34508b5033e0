"""Completion in bash and fish, where click's scripts lose a part of a word."""

from __future__ import annotations

import os

from click.shell_completion import (
    BashComplete,
    CompletionItem,
    FishComplete,
    add_completion_class,
    split_arg_string,
)

_CURSOR = "_"  # any character of a word


class _DenseCalcBash(BashComplete):
    """Bash takes `=` and `:` for the ends of words: the whole line says what stands before them."""

    source_template = BashComplete.source_template.replace(
        'COMP_WORDS="${COMP_WORDS[*]}" COMP_CWORD=$COMP_CWORD',
        'COMP_LINE="${COMP_LINE:0:COMP_POINT}" COMP_WORDBREAKS="$COMP_WORDBREAKS"',
    )

    def get_completion_args(self) -> tuple[list[str], str]:
        _, *words, last = split_arg_string(os.environ["COMP_LINE"] + _CURSOR)
        return words, last.removesuffix(_CURSOR)

    def get_completions(self, args: list[str], incomplete: str) -> list[CompletionItem[str]]:
        items = super().get_completions(args, incomplete)
        ends = set("=:") & set(os.environ["COMP_WORDBREAKS"])
        start = 1 + max((incomplete.rfind(end) for end in ends), default=-1)
        return [CompletionItem(item.value[start:], item.type) for item in items]


class _DenseCalcFish(FishComplete):
    """Fish, in which a completed list `a,b` keeps what follows its comma."""

    source_template = FishComplete.source_template.replace(
        'string split ","', 'string split --max 1 ","'
    )


def use_own_shells() -> None:
    """Make click complete by these classes."""
    add_completion_class(_DenseCalcBash)
    add_completion_class(_DenseCalcFish)
