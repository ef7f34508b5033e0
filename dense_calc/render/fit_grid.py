"""What fits, as a grid or as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from dense_calc.analysis.budget import Check
from dense_calc.errors import escape_unprintable
from dense_calc.quantities import QUANTITIES
from dense_calc.render import Style
from dense_calc.render.checks.wording import check_sentence, check_subject, limit_text
from dense_calc.render.grid import Column, Grid, row_cells, translate_signs
from dense_calc.render.json import JSON_ENCODER, escape_json, json_array, json_object
from dense_calc.render.sweep_grid import TOTAL_COLUMNS, setting_column
from dense_calc.whatif.fitting.answers import FitResult
from dense_calc.whatif.fitting.lines import VariableRange

_AnswerRow = dict[str, Any]


def answer_grid(answer: FitResult, style: Style) -> Grid:
    """The rows of an answer, and what there is to say of them."""
    columns = list(_answer_columns(answer))
    rows = [row_cells(row, columns, style) for row in _answer_rows(answer)]
    totals = [("", translate_signs(line, style), "") for line in _answer_sentences(answer)]
    return Grid(translate_signs(_answer_title(answer), style), columns, rows, totals)


def _answer_title(answer: FitResult) -> str:
    """The line above: `lenet5: the largest width that fits`."""
    names = ", ".join(escape_unprintable(each.name) for each in answer.ranges)
    one = names
    if len(answer.ranges) > 1:
        one = f"factor of {names}" if answer.is_scaled else f"combination of {names}"
    if not answer.fitting_rows:
        return f"{escape_unprintable(answer.name)}: no {one} fits"
    if answer.is_frontier:
        return f"{escape_unprintable(answer.name)}: the largest combinations of {names} that fit"
    return f"{escape_unprintable(answer.name)}: the largest {one} that fits"


def _answer_rows(answer: FitResult) -> Iterator[_AnswerRow]:
    """The rows to show, each with what it is."""
    for row in answer.fitting_rows:
        yield row | {"what": "fits"}
    if answer.next_row:
        yield answer.next_row | {"what": "next"}
    if answer.nearest_row:
        yield answer.nearest_row | {"what": "smallest" if _has_only_maximums(answer) else "nearest"}


def _has_only_maximums(answer: FitResult) -> bool:
    """Whether what is smallest is nearest to fitting."""
    return all(limit.rule == "max" for limit in answer.constraints.limits)


def _answer_columns(answer: FitResult) -> Iterator[Column]:
    """The columns: what a row is, its variables, its counts, and its slack."""
    if not (answer.is_frontier and answer.fitting_rows):
        yield Column("", lambda row: str(row["what"]))
    for each in answer.ranges:
        yield setting_column(each.name, each.values)
    if answer.is_scaled:
        yield Column("Scale", lambda row: f"× {row['scale']:.4g}", is_number=True)
    yield from TOTAL_COLUMNS
    yield Column("Slack", partial(_slack_text, answer), is_number=True)


def _slack_text(answer: FitResult, row: _AnswerRow) -> str:
    """What is left to the tightest limit, with its unit where that is no parameter."""
    check = answer.constraints.tightest_check(row)
    if check is None or check.slack is None:
        return "-"
    return f"{check.slack:,} {QUANTITIES[check.what].unit.word}".rstrip()


def _answer_sentences(answer: FitResult) -> Iterator[str]:
    """The lines below: the limits, how the count changes, where the range ends, what was tried."""
    told = _limit_sentence if answer.is_frontier and answer.fitting_rows else check_sentence
    yield from map(told, answer.checks)
    beyond = answer.next_row or answer.nearest_row
    if beyond and all(check.ok for check in answer.constraints.check_row(beyond)):
        yield "what does not fit breaks a limit of the budget on layers; dense-calc check tells it"
    yield from _dependence_sentences(answer)
    yield from _range_end_sentences(answer)
    yield _search_sentence(answer)
    if not (answer.is_sure or _is_inferred_monotone(answer)):
        yield "there may be larger ones that fit; say with --min and --max where to look"


def _limit_sentence(check: Check) -> str:
    """A limit alone: `params: at most 100,000 (100k)`."""
    return f"{check_subject(check)}: {limit_text(check)}"


def _dependence_sentences(answer: FitResult) -> Iterator[str]:
    """How the count follows the variables, if that is no matter of course."""
    names = " and ".join(escape_unprintable(each.name) for each in answer.ranges)
    if answer.is_constant and answer.total_count > 1:
        yield f"the count does not depend on {names}"
    elif not answer.is_monotone:
        yield f"the count is not monotone: it also falls as {names} rises"


def _range_end_sentences(answer: FitResult) -> Iterator[str]:
    """Why there is nothing above what fits."""
    if answer.barrier_row and answer.is_sure:
        at = _settings_text(answer, answer.barrier_row)
        yield f"above that there is no model: with {at}, {escape_unprintable(answer.barrier_row['error'])}"
    elif answer.fitting_rows and not answer.next_row and not answer.is_constant:
        for each in answer.ranges:
            if any(row["set"][each.name] == each.values[-1] for row in answer.fitting_rows):
                yield (
                    f"the range of {escape_unprintable(each.name)} ends at {each.values[-1]}, which fits; "
                    "--max widens it"
                )


def _settings_text(answer: FitResult, row: _AnswerRow) -> str:
    """The variables of a row as `--set` takes them."""
    return ", ".join(
        f"{escape_unprintable(each.name)}={row['set'][each.name]}" for each in answer.ranges
    )


def _search_sentence(answer: FitResult) -> str:
    """How much was looked at, and of what."""
    some = f"{answer.checked_count:,} of" if answer.checked_count < answer.total_count else "all"
    ranges = " and ".join(map(_range_text, answer.ranges))
    many = "combinations" if answer.is_frontier else "values" if answer.total_count > 1 else "value"
    told = "; among them, the count never falls" if _is_inferred_monotone(answer) else ""
    return f"looked at {some} {answer.total_count:,} {many}: {ranges}{told}"


def _is_inferred_monotone(answer: FitResult) -> bool:
    """Whether not all was looked at, as what was looked at tells enough."""
    return answer.checked_count < answer.total_count and answer.is_monotone


def _range_text(own: VariableRange) -> str:
    """The values of a variable: `width from 8 to 512 in steps of 8`."""
    step = f" in steps of {own.values.step}" if own.values.step > 1 else ""
    return f"{escape_unprintable(own.name)} from {own.values[0]} to {own.values[-1]}{step}"


def answer_json(answer: FitResult, style: Style) -> str:
    """The answer, a line for each key, and for each row of a frontier."""
    fields = {
        key: JSON_ENCODER.encode(value).decode() for key, value in _answer_fields(answer).items()
    }
    if answer.is_frontier:
        fields = {"name": fields.pop("name"), "frontier": json_array(answer.fitting_rows)} | fields
    return escape_json(json_object(fields) + "\n", style)


def _answer_fields(answer: FitResult) -> dict[str, Any]:
    """The answer as keys and values, but for the rows of a frontier."""
    fit = answer.fitting_rows[0] if answer.fitting_rows else None
    rows = {} if answer.is_frontier else {"fits": fit, "next": answer.next_row}
    return {
        "name": answer.name,
        **rows,
        **({} if answer.fitting_rows else {"smallest": answer.nearest_row}),
        **(_frontier_limit_fields(answer) if answer.is_frontier and fit else _slack_fields(answer)),
        "monotone": answer.is_monotone,
        "constant": answer.is_constant,
        "sure": answer.is_sure,
        "checked": answer.checked_count,
        "of": answer.total_count,
        "ranges": {each.name: _range_fields(each) for each in answer.ranges},
    }


def _slack_fields(answer: FitResult) -> dict[str, Any]:
    """What is left to the tightest limit, which that is, and what is left to each."""
    check = answer.constraints.tightest_check(answer.main_row)
    return {
        "slack": check and check.slack,
        "limit": check and _limit_fields(check),
        "slacks": [_limit_fields(each) | {"slack": each.slack} for each in answer.checks],
    }


def _frontier_limit_fields(answer: FitResult) -> dict[str, Any]:
    """The limits that the rows of a frontier keep to."""
    return {"limits": [_limit_fields(check) for check in answer.checks]}


def _limit_fields(check: Check) -> dict[str, Any]:
    """A limit as plain data."""
    return {"what": check.what, "rule": check.rule, "amount": check.limit}


def _range_fields(own: VariableRange) -> dict[str, int]:
    """The values of a variable as plain data."""
    return {"min": own.values[0], "max": own.values[-1], "multiple_of": own.values.step}
