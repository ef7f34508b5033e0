"""The help of a command: its options in sections, those that commands share after its own."""

from __future__ import annotations

import click

_OWN_SECTION = "Options"
_SECTIONS = {
    "Model": ("--set", "--assume"),
    "Git": ("--base", "--max-increase", "--allow-missing-base"),
    "Output": ("--format", "--columns", "--output", "--force", "--width", "--color", "--ascii"),
}
_MAX_TERM_WIDTH = 30  # click's own; the text beside a longer term starts on the next line


class SectionedCommand(click.Command):
    """A command whose help has its options in sections, with one column of terms for all."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        sections: dict[str, list[tuple[str, str]]] = {}
        for option in self.get_params(ctx):
            record = option.get_help_record(ctx)
            if isinstance(option, click.Option) and record is not None:
                sections.setdefault(_section_of(option), []).append(record)
        longest = max(len(term) for records in sections.values() for term, _ in records)
        width = min(longest, _MAX_TERM_WIDTH)
        for title, records in sections.items():
            with formatter.section(title):
                formatter.write_dl([(term.ljust(width), text) for term, text in records])


def _section_of(option: click.Parameter) -> str:
    """The section of an option; the limits are those of the quantities."""
    from dense_calc.quantities import limit_kinds  # only the help needs it here

    sections = {"Limits": [kind.flag for kind in limit_kinds().values()], **_SECTIONS}
    found = (title for title, flags in sections.items() if not set(flags).isdisjoint(option.opts))
    return next(found, _OWN_SECTION)
