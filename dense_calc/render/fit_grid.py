"""What fits, as a grid or as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from dense_calc.analysis.budget import Check
from dense_calc.errors import printable
from dense_calc.quantities import QUANTITIES
from dense_calc.render import Style
from dense_calc.render.checks.wording import allowed, sentence, subject
from dense_calc.render.grid import Column, Grid, cells_of, shown
from dense_calc.render.json import ENCODER, lines_of, object_of, safe
from dense_calc.render.sweep_grid import TOTALS, setting_column
from dense_calc.whatif.fitting.answers import Answer
from dense_calc.whatif.fitting.lines import Range

Row = dict[str, Any]


def grid(answer: Answer, style: Style) -> Grid:
    """The rows of an answer, and what there is to say of them."""
    columns = list(columns_of(answer))
    rows = [cells_of(row, columns, style) for row in rows_of(answer)]
    totals = [("", shown(line, style), "") for line in sentences(answer)]
    return Grid(shown(title(answer), style), columns, rows, totals)


def title(answer: Answer) -> str:
    """The line above: `lenet5: the largest width that fits`."""
    names = ", ".join(printable(each.name) for each in answer.ranges)
    one = names
    if len(answer.ranges) > 1:
        one = f"factor of {names}" if answer.is_scaled else f"combination of {names}"
    if not answer.fits:
        return f"{printable(answer.name)}: no {one} fits"
    if answer.is_frontier:
        return f"{printable(answer.name)}: the largest combinations of {names} that fit"
    return f"{printable(answer.name)}: the largest {one} that fits"


def rows_of(answer: Answer) -> Iterator[Row]:
    """The rows to show, each with what it is."""
    for row in answer.fits:
        yield row | {"what": "fits"}
    if answer.next:
        yield answer.next | {"what": "next"}
    if answer.nearest:
        yield answer.nearest | {"what": "smallest" if is_from_above(answer) else "nearest"}


def is_from_above(answer: Answer) -> bool:
    """Whether what is smallest is nearest to fitting."""
    return all(limit.rule == "max" for limit in answer.demand.limits)


def columns_of(answer: Answer) -> Iterator[Column]:
    """The columns: what a row is, its variables, its counts, and its slack."""
    if not (answer.is_frontier and answer.fits):
        yield Column("", lambda row: str(row["what"]))
    for each in answer.ranges:
        yield setting_column(each.name, each.steps)
    if answer.is_scaled:
        yield Column("Scale", lambda row: f"× {row['scale']:.4g}", number=True)
    yield from TOTALS
    yield Column("Slack", partial(slack_text, answer), number=True)


def slack_text(answer: Answer, row: Row) -> str:
    """What is left to the tightest limit, with its unit where that is no parameter."""
    check = answer.demand.tightest(row)
    if check is None or check.slack is None:
        return "-"
    return f"{check.slack:,} {QUANTITIES[check.what].unit.word}".rstrip()


def sentences(answer: Answer) -> Iterator[str]:
    """The lines below: the limits, how the count changes, where the range ends, what was tried."""
    told = limit_sentence if answer.is_frontier and answer.fits else sentence
    yield from map(told, answer.checks)
    beyond = answer.next or answer.nearest
    if beyond and all(check.ok for check in answer.demand.checks(beyond)):
        yield "what does not fit breaks a limit of the budget on layers; dense-calc check tells it"
    yield from what_changes(answer)
    yield from where_it_ends(answer)
    yield what_was_tried(answer)
    if not (answer.is_sure or is_steady(answer)):
        yield "there may be larger ones that fit; say with --min and --max where to look"


def limit_sentence(check: Check) -> str:
    """A limit alone: `params: at most 100,000 (100k)`."""
    return f"{subject(check)}: {allowed(check)}"


def what_changes(answer: Answer) -> Iterator[str]:
    """How the count follows the variables, if that is no matter of course."""
    names = " and ".join(printable(each.name) for each in answer.ranges)
    if answer.is_constant and answer.of > 1:
        yield f"the count does not depend on {names}"
    elif not answer.is_monotone:
        yield f"the count is not monotone: it also falls as {names} rises"


def where_it_ends(answer: Answer) -> Iterator[str]:
    """Why there is nothing above what fits."""
    if answer.barrier and answer.is_sure:
        at = settings_text(answer, answer.barrier)
        yield f"above that there is no model: with {at}, {printable(answer.barrier['error'])}"
    elif answer.fits and not answer.next and not answer.is_constant:
        for each in answer.ranges:
            if any(row["set"][each.name] == each.steps[-1] for row in answer.fits):
                yield (
                    f"the range of {printable(each.name)} ends at {each.steps[-1]}, which fits; "
                    "--max widens it"
                )


def settings_text(answer: Answer, row: Row) -> str:
    """The variables of a row as `--set` takes them."""
    return ", ".join(f"{printable(each.name)}={row['set'][each.name]}" for each in answer.ranges)


def what_was_tried(answer: Answer) -> str:
    """How much was looked at, and of what."""
    some = f"{answer.checked:,} of" if answer.checked < answer.of else "all"
    ranges = " and ".join(map(range_text, answer.ranges))
    many = "combinations" if answer.is_frontier else "values" if answer.of > 1 else "value"
    told = "; among them, the count never falls" if is_steady(answer) else ""
    return f"looked at {some} {answer.of:,} {many}: {ranges}{told}"


def is_steady(answer: Answer) -> bool:
    """Whether not all was looked at, as what was looked at tells enough."""
    return answer.checked < answer.of and answer.is_monotone


def range_text(own: Range) -> str:
    """The values of a variable: `width from 8 to 512 in steps of 8`."""
    step = f" in steps of {own.steps.step}" if own.steps.step > 1 else ""
    return f"{printable(own.name)} from {own.steps[0]} to {own.steps[-1]}{step}"


def render_json(answer: Answer, style: Style) -> str:
    """The answer, a line for each key, and for each row of a frontier."""
    fields = {key: ENCODER.encode(value).decode() for key, value in plain(answer).items()}
    if answer.is_frontier:
        fields = {"name": fields.pop("name"), "frontier": lines_of(answer.fits)} | fields
    return safe(object_of(fields) + "\n", style)


def plain(answer: Answer) -> dict[str, Any]:
    """The answer as keys and values, but for the rows of a frontier."""
    fit = answer.fits[0] if answer.fits else None
    rows = {} if answer.is_frontier else {"fits": fit, "next": answer.next}
    return {
        "name": answer.name,
        **rows,
        **({} if answer.fits else {"smallest": answer.nearest}),
        **(limits_of(answer) if answer.is_frontier and fit else slack_of(answer)),
        "monotone": answer.is_monotone,
        "constant": answer.is_constant,
        "sure": answer.is_sure,
        "checked": answer.checked,
        "of": answer.of,
        "ranges": {each.name: range_of(each) for each in answer.ranges},
    }


def slack_of(answer: Answer) -> dict[str, Any]:
    """What is left to the tightest limit, which that is, and what is left to each."""
    check = answer.demand.tightest(answer.told)
    return {
        "slack": check and check.slack,
        "limit": check and limit_of(check),
        "slacks": [limit_of(each) | {"slack": each.slack} for each in answer.checks],
    }


def limits_of(answer: Answer) -> dict[str, Any]:
    """The limits that the rows of a frontier keep to."""
    return {"limits": [limit_of(check) for check in answer.checks]}


def limit_of(check: Check) -> dict[str, Any]:
    """A limit as plain data."""
    return {"what": check.what, "rule": check.rule, "amount": check.limit}


def range_of(own: Range) -> dict[str, int]:
    """The values of a variable as plain data."""
    return {"min": own.steps[0], "max": own.steps[-1], "multiple_of": own.steps.step}
