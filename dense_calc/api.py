"""The public face of the library: a function for each job.

Each takes a model as a path, a text, a mapping or an open file. A `str` is the text of a model
where it has several lines or begins with `{`, as JSON does; any other is a path, `-` is standard
input, and `gallery:gpt2` a model that comes with the package. `bytes` are what is in a file.

`settings` are what `--set` says: vars, arguments of layers (`conv2d.filters`) and `input`, with
their values. `assume` fills the gaps of a Keras file: names of classes that Keras does not have,
and for each "identity", or its output shape and weights: `"{output_shape: [64], weights: {kernel:
[10, 64]}}"`.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Literal

from dense_calc.errors import DenseCalcError
from dense_calc.files.in_memory import AnyModel, as_path_or_file
from dense_calc.files.loader import read_variants
from dense_calc.model import Model
from dense_calc.quantities import parse_limits
from dense_calc.report import Report
from dense_calc.settings.variants import (
    NO_SETTINGS,
    ModelVariants,
    Settings,
    idle_assumption_message,
)
from dense_calc.tracing.tracer import trace as trace  # noqa: PLC0414 # it is public here

if TYPE_CHECKING:
    from dense_calc.analysis.budget import CheckResult
    from dense_calc.analysis.difference import ModelComparison
    from dense_calc.analysis.explanation import Explanation
    from dense_calc.whatif.fitting.answers import FitResult
    from dense_calc.whatif.growing import GrowthPart, GrowthResult
    from dense_calc.whatif.sweeping import Sweep
    from dense_calc.whatif.variables import Bounds, Variables

Assumptions = Mapping[str, str] | None


def load(source: AnyModel, assume: Assumptions = None, /, **settings: Any) -> Model:
    """The model in a file: a spec, or a file that Keras wrote.

    >>> load("gallery:lenet5", width=12).name
    'lenet5'

    A setting whose name is no word of Python goes into a dict: `**{"conv2d_1.filters": 64, "input":
    [64, 64, 1]}`.

    Raises:
        FileError: the file cannot be read.
        SpecError: the file holds no model, or there is no such setting.
    """
    return _read(source, assume).model_with(settings)


def summarize(source: AnyModel, assume: Assumptions = None, /, **settings: Any) -> Report:
    """The report on a model: its layers with their shapes, weights and counts, and the totals.

    Its shapes start with the batch axis, of size None; its counts are in parameters and in bytes.

    >>> summarize("gallery:lenet5", width=12).total_params
    64262

    Raises:
        FileError: the file cannot be read.
        SpecError: the file holds no model, or it leaves a shape open.
        LayerError: Keras would not build a layer: its arguments or its inputs do not fit.
    """
    return trace(_read(source, assume).model_with(settings))


def explain(
    source: AnyModel,
    /,
    *layers: str,
    symbolic: bool = False,
    settings: Settings = NO_SETTINGS,
    assume: Assumptions = None,
) -> Explanation:
    """How layers get their shapes and their numbers of parameters.

    `layers` are names of layers or blocks, or patterns; none stands for all, the largest first.
    With `symbolic`, counts and sizes are also formulas in the vars of the file.

    >>> explain("gallery:mnist", "dense").layers[0].arithmetic
    '10 × (784 + 1)'

    Raises:
        DenseCalcError: the file holds no model, or there is no such layer.
    """
    from dense_calc.analysis.explanation import explain_layers

    models = _read(source, assume)
    explanation = explain_layers(models.model_with(settings), layers)
    if not symbolic:
        return explanation
    from dense_calc.whatif.explain_in_vars import explain_in_vars

    return explain_in_vars(models, settings, explanation)


def check(
    source: AnyModel,
    /,
    *,
    settings: Settings = NO_SETTINGS,
    assume: Assumptions = None,
    **limits: int | str | None,
) -> CheckResult:
    """Whether a model keeps to the budget in its file and to these limits: `result.ok`.

    Limits are what the flags of the command are: `max_params="1M"`, `max_size="4 MiB"`.

    >>> result = check("gallery:lenet5", max_params="60k")
    >>> result.ok, [each.slack for each in result.checks]
    (False, [-1706, 38294, 0, None])

    Raises:
        DenseCalcError: the file holds no model, or a limit is no amount.
        TypeError: a limit is unknown.
    """
    from dense_calc.analysis.budget import check_limits, check_result

    parsed = parse_limits("check", limits)
    models = _read(source, assume)
    model = models.model_with(settings)
    return check_result(models.name, check_limits(trace(model), (*parsed, *model.limits)))


def diff(
    old: AnyModel,
    new: AnyModel,
    /,
    *,
    settings: Settings = NO_SETTINGS,
    assume: Assumptions = None,
) -> ModelComparison:
    """The difference between two models: layers added, removed and changed, and their parameters.

    >>> diff("gallery:llama2-7b", "gallery:mistral-7b").total_params.change
    503316480

    Raises:
        DenseCalcError: one of them holds no model.
    """
    from dense_calc.analysis.difference import compare_models

    was, now = _read(old, assume), _read(new, assume)
    models = was.model_with(settings), now.model_with(settings)
    return compare_models(*models, was.name, now.name)


def sweep(
    source: AnyModel,
    /,
    settings: Mapping[str, Any],
    *,
    zip: bool = False,
    assume: Assumptions = None,
) -> Sweep:
    """What a model comes to with every combination of these settings: a sequence of rows.

    `settings` maps vars, arguments of layers (`conv2d_1.filters`) and inputs to their values: a
    list, a range, or a text as the command line has it, `"2:12:2"`. With `zip`, the first values
    of all go together, then the second ones, and so on. The rows are made while they are read;
    they and the sweep itself, or a part of it, can be pickled.

    >>> [row["total_params"] for row in sweep("gallery:lenet5", {"width": [6, 12]})]
    [61706, 64262]

    Raises:
        FileError: the file cannot be read.
        SpecError: it holds no model, or there is no such setting.
    """
    from dense_calc.whatif.sweeping import build_sweep

    return build_sweep(_read(source, assume), settings, zip)


def fit(
    source: AnyModel,
    /,
    vary: Variables,
    *,
    multiple_of: Bounds = 1,
    min: Bounds = 1,
    max: Bounds | None = None,
    scale: bool = False,
    settings: Settings = NO_SETTINGS,
    assume: Assumptions = None,
    **limits: int | str | None,
) -> FitResult:
    """The largest values of a variable, or of several, with which a model keeps to its limits.

    The result has one row for one variable, or for several that move together with `scale`; for
    several apart, every row of which no variable can be raised; none if nothing fits. A row is a
    dict: what was set, the counts, and the slack, what is left to the tightest limit. `vary` names
    the variables, or maps their names to the values to try, as `sweep` has them, or to None. Limits
    and bounds are what the flags of the command are: `max_params="1M"`; without limits, the file's
    budget. A bound is a number for all variables without a list of values, or a mapping of names to
    numbers.

    >>> [row] = fit("gallery:lenet5", "width", max_params="100k")
    >>> row["set"], row["total_params"], row["slack"]
    ({'width': 95}, 99620, 380)

    Raises:
        FileError: the file cannot be read.
        DenseCalcError: it holds no model, has no such variable, or nothing limits it.
        TypeError: a limit is unknown.
    """
    from dense_calc.whatif.fitting.answers import FitQuery, answer_fit_query
    from dense_calc.whatif.variables import parse_bounds, parse_variables

    values = parse_variables(vary)
    listed = {name: each for name, each in values.items() if each is not None}
    written = {"multiple_of": multiple_of, "min": min, "max": max}
    others = values.keys() - listed.keys()
    bounds = {key: parse_bounds(key, bound, others) for key, bound in written.items()}
    parsed = parse_limits("fit", limits)
    query = FitQuery(tuple(values), parsed, listed, scale=scale, settings=settings, **bounds)
    return answer_fit_query(_read(source, assume), query)


def growth(
    source: AnyModel,
    /,
    vary: str | Iterable[str],
    *,
    min: Bounds | None = None,
    max: Bounds | None = None,
    by: GrowthPart | None = None,
    settings: Settings = NO_SETTINGS,
    assume: Assumptions = None,
) -> GrowthResult:
    """The number of parameters as an exact polynomial in these variables, and where it holds.

    Bounds are a number for all variables, or a mapping of names to numbers; by default, they are 1
    and some four times the value in the file. `by` adds a formula for each layer or each block.

    >>> growth("gallery:lenet5", "width").to_dict()["polynomial"]
    '426*width + 59150'

    Raises:
        DenseCalcError: the file holds no model, or has no such variable.
    """
    from dense_calc.whatif.growing import measure_growth
    from dense_calc.whatif.variables import demand_names_only, parse_bounds, parse_variables

    names = demand_names_only(parse_variables(vary))
    lows, highs = parse_bounds("min", min, names), parse_bounds("max", max, names)
    return measure_growth(_read(source, assume), names, lows, highs, by=by, settings=settings)


def convert(
    source: AnyModel,
    /,
    to: Literal["keras", "yaml"],
    *,
    settings: Settings = NO_SETTINGS,
    assume: Assumptions = None,
) -> str:
    """The model as JSON for `keras.models.model_from_json`, or as a spec in YAML.

    >>> print(convert("gallery:mnist", "yaml"), end="")
    name: mnist
    input: [1, 28, 28]
    layers:
      - Flatten
      - Dense: {units: 10}
      - Activation: {activation: softmax}

    Raises:
        DenseCalcError: the file holds no model, or one that Keras cannot load.
    """
    model = _read(source, assume).model_with(settings)
    if to == "keras":
        from dense_calc.keras_format.writer import to_keras

        return to_keras(model)
    if to != "yaml":
        raise DenseCalcError(f"a model is converted to 'keras' or 'yaml', not to '{to}'")
    from dense_calc.spec_language.spec_writer import format_spec

    return format_spec(model)


def _read(source: AnyModel, assume: Assumptions) -> ModelVariants:
    """The models in a source for any settings; DenseCalcError if there are none."""
    models = read_variants(as_path_or_file(source), assume or {})
    if assume and models.is_spec:
        warnings.warn(idle_assumption_message(models.name, "assume"), stacklevel=3)
    return models
