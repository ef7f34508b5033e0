"""The result of `fit`, as a grid or as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from dense_calc.analysis.budget import Check
from dense_calc.errors import MAX_LISTED_CHOICES, escape_unprintable
from dense_calc.quantities import QUANTITIES
from dense_calc.render import Style, render_grids
from dense_calc.render.axes import shown_value_text
from dense_calc.render.checks.wording import check_sentence, check_subject, limit_text
from dense_calc.render.grid import Column, Grid, row_cells, translate_signs
from dense_calc.render.json import escape_json, json_array, json_fields, json_object
from dense_calc.render.sweep_grid import TOTAL_COLUMNS, setting_column
from dense_calc.settings.values import FloatRange
from dense_calc.whatif.fitting.answers import FitResult
from dense_calc.whatif.fitting.grids import MAX_POINTS, VariableRange

_AnswerRow = dict[str, Any]


def render_answer(answer: FitResult, format: str, style: Style) -> str:
    """An answer in a format."""
    if format == "json":
        return _answer_json(answer, style)
    return render_grids([answer_grid(answer, style)], format, style)


def answer_grid(answer: FitResult, style: Style) -> Grid:
    """The grid of an answer: its rows, and sentences about them below."""
    columns = list(_answer_columns(answer))
    rows = [row_cells(row, columns, style) for row in _answer_rows(answer)]
    totals = [("", translate_signs(line, style), "") for line in _answer_sentences(answer)]
    return Grid(translate_signs(_answer_title(answer), style), columns, rows, totals)


def _answer_title(answer: FitResult) -> str:
    """The title: `lenet5: the largest width that fits`."""
    model = escape_unprintable(answer.name)
    names = ", ".join(escape_unprintable(each.name) for each in answer.ranges)
    subject = names
    if len(answer.ranges) > 1:
        subject = f"factor of {names}" if answer.is_scaled else f"combination of {names}"
    if not answer.fitting_rows:
        return f"{model}: no {subject} fits"
    if answer.is_frontier:
        return f"{model}: the largest combinations of {names} that fit"
    return f"{model}: the largest {subject} that fits"


def _answer_rows(answer: FitResult) -> Iterator[_AnswerRow]:
    """The rows to show; `what` says what each is."""
    for row in answer.fitting_rows:
        yield row | {"what": "fits"}
    if answer.next_row:
        yield answer.next_row | {"what": "next"}
    if answer.nearest_row:
        yield answer.nearest_row | {"what": "smallest" if _has_only_maximums(answer) else "nearest"}


def _has_only_maximums(answer: FitResult) -> bool:
    """Whether all limits are maximums, so that the nearest row is the smallest."""
    return all(limit.rule == "max" for limit in answer.constraints.limits)


def _answer_columns(answer: FitResult) -> Iterator[Column]:
    """The columns: what a row is, its variables, its counts, and its slack."""
    if not (answer.is_frontier and answer.fitting_rows):
        yield Column("", lambda row: str(row["what"]))
    for each in answer.ranges:
        yield setting_column(each.name, each.values[:1])
    if answer.is_scaled:
        yield Column("Scale", lambda row: f"× {row['scale']:.4g}", is_number=True)
    yield from TOTAL_COLUMNS
    yield Column("Slack", partial(_slack_text, answer), is_number=True)


def _slack_text(answer: FitResult, row: _AnswerRow) -> str:
    """The slack of the tightest limit, with its unit if it does not count parameters."""
    check = answer.constraints.tightest_check(row)
    if check is None or check.slack is None:
        return "-"
    return f"{check.slack:,} {QUANTITIES[check.what].unit.word}".rstrip()


def _answer_sentences(answer: FitResult) -> Iterator[str]:
    """The lines below: the limits, how the count changes, the end of the range, and the search."""
    has_frontier = answer.is_frontier and answer.fitting_rows
    yield from map(_limit_sentence if has_frontier else check_sentence, answer.checks)
    unfit_row = answer.next_row or answer.nearest_row
    if unfit_row and all(check.ok for check in answer.constraints.check_row(unfit_row)):
        yield "the rows that do not fit break a limit on layers; see dense-calc check"
    yield from _dependence_sentences(answer)
    yield from _range_end_sentences(answer)
    yield from _bound_sentences(answer)
    yield _search_sentence(answer)
    if not answer.is_sure:
        yield "larger values may fit; set the range to search with --min and --max"


def _limit_sentence(check: Check) -> str:
    """A limit alone: `params: at most 100,000 (100k)`."""
    return f"{check_subject(check)}: {limit_text(check)}"


def _dependence_sentences(answer: FitResult) -> Iterator[str]:
    """How the count depends on the variables, if it does not simply rise with them."""
    names = " and ".join(escape_unprintable(each.name) for each in answer.ranges)
    if answer.is_constant and answer.total_count > 1:
        yield f"the count does not depend on {names}"
    elif not answer.is_monotone:
        verb = "rises" if len(answer.ranges) == 1 else "rise"
        yield f"the count is not monotone: it also falls as {names} {verb}"


def _range_end_sentences(answer: FitResult) -> Iterator[str]:
    """Why the search found no larger values."""
    if answer.barrier_row and answer.is_sure:
        settings = _settings_text(answer, answer.barrier_row)
        error = escape_unprintable(answer.barrier_row["error"])
        yield f"larger values make no valid model: with {settings}, {error}"
    elif answer.fitting_rows and not answer.next_row and not answer.is_constant:
        for each in answer.ranges:
            last = each.values[-1]
            if any(row["set"][each.name] == last for row in answer.fitting_rows):
                name, end = escape_unprintable(each.name), shown_value_text(last)
                option = "--max" if each.multiple else "--vary"
                yield f"the range of {name} ends at {end}, which fits; {option} widens it"


def _bound_sentences(answer: FitResult) -> Iterator[str]:
    """Where variables end that are raised apart, of which nobody has said it, and in what steps."""
    if answer.is_frontier and (names := _names_where(answer, "is_open")):
        verb = "goes" if " and " not in names else "go"
        told = f"without --max, {names} {verb} on until nothing fits while the others"
        yield f"{told} have the file's values, or for {MAX_POINTS:,} values"
    if names := _names_where(answer, "is_thinned"):
        told = f"the steps of {names} are widened: there may be {MAX_POINTS:,} combinations"
        yield f"{told}; narrow them with --min, --max or --multiple-of"


def _names_where(answer: FitResult, attribute: str) -> str:
    """The names of the variables whose range has an attribute: `width and depth`."""
    chosen = [each.name for each in answer.ranges if getattr(each, attribute)]
    return " and ".join(map(escape_unprintable, chosen))


def _settings_text(answer: FitResult, row: _AnswerRow) -> str:
    """The variables of a row as `--set` takes them."""
    return ", ".join(
        f"{escape_unprintable(each.name)}={row['set'][each.name]}" for each in answer.ranges
    )


def _search_sentence(answer: FitResult) -> str:
    """How many values the search checked, and out of which ranges."""
    share = f"{answer.checked_count:,} of" if answer.checked_count < answer.total_count else "all"
    ranges = " and ".join(map(_range_text, answer.ranges))
    noun = "combinations" if answer.is_frontier else "values" if answer.total_count > 1 else "value"
    is_proven = answer.is_sure and answer.checked_count < answer.total_count
    end = "; none of the others fits" if is_proven else ""
    return f"looked at {share} {answer.total_count:,} {noun}: {ranges}{end}"


def _range_text(variable: VariableRange) -> str:
    """The values of a variable: `width from 8 to 512 in steps of 8`, `width 64, 96 or 128`."""
    name, values = escape_unprintable(variable.name), variable.values
    ends = f"from {shown_value_text(values[0])} to {shown_value_text(values[-1])}"
    if isinstance(values, range | FloatRange):
        step = f" in steps of {shown_value_text(values.step)}" if values.step != 1 else ""
        return f"{name} {ends}{step}"
    if len(values) > MAX_LISTED_CHOICES:
        return f"{len(values):,} values of {name} {ends}"
    *others, last = map(shown_value_text, values)
    return f"{name} {' or '.join(filter(None, [', '.join(others), last]))}"


def _answer_json(answer: FitResult, style: Style) -> str:
    """The answer as JSON, a line for each key, and for each row of a frontier."""
    fields = json_fields(_answer_fields(answer))
    if answer.is_frontier:
        fields = {"name": fields.pop("name"), "frontier": json_array(answer.fitting_rows)} | fields
    return escape_json(json_object(fields) + "\n", style)


def _answer_fields(answer: FitResult) -> dict[str, Any]:
    """The keys and values of an answer, without the rows of a frontier."""
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
    """The tightest limit with its slack, and the slack of each limit."""
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


def _range_fields(variable: VariableRange) -> dict[str, Any]:
    """The values of a variable as plain data."""
    values = variable.values
    ends = {"min": values[0], "max": values[-1]}
    if variable.multiple:
        return ends | {"multiple_of": variable.multiple}
    if isinstance(values, range | FloatRange):
        return ends | {"step": values.step}
    return ends | {"values": list(values)}
