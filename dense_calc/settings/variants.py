"""The models of one file under other settings, and their totals; the file is read once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from itertools import chain
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from dense_calc.errors import DenseCalcError
from dense_calc.gaps import demand_no_gaps
from dense_calc.limits import Limit
from dense_calc.model import Model, ModelOutput
from dense_calc.quantities import QUANTITIES
from dense_calc.spec_language.outline import MAX_CACHED_MODELS, SpecOutline
from dense_calc.spec_language.scope import Scope
from dense_calc.tracing.layer import BuiltLayer
from dense_calc.tracing.shared_layers import CallsByNode
from dense_calc.tracing.tracer import trace, trace_totals

if TYPE_CHECKING:
    from dense_calc.settings.targets import SettingTarget, SettingTargets
    from dense_calc.spec_language.yaml_tree import YamlNode

Settings = Mapping[str, Any]  # values of vars, of arguments of layers and of inputs, by their names
VariantRow = dict[str, Any]  # the settings of a variant and its totals, by the keys of the JSON
_PicklingArguments = tuple[Callable[..., Any], tuple[Any, ...]]  # a call that makes an equal object

_NodeGroups = list[list[str]]  # names of nodes

_NO_SETTINGS: Settings = {}
_TOTAL_KEYS = [quantity.total for quantity in QUANTITIES.values()]


class _StructureCache(Struct):
    """Results that hold for all models with the same nodes, which have the same `outputs`.

    `groups_by_limit` has the nodes that count together for a limit on layers, by the pattern of
    the limit and whether it holds for each.
    """

    outputs: tuple[ModelOutput, ...]
    targets: SettingTargets | None = None
    groups_by_limit: dict[tuple[str | None, bool], _NodeGroups | None] = {}


class ModelVariants:
    """The models of one file: those of a spec, or the one in a Keras file.

    Each model is made from the last one, as far as nothing has changed. A copy in another process
    is made by the call in `pickling_arguments`, which parses the text but does not read the file.
    """

    def __init__(
        self,
        outline_or_model: SpecOutline | Model,
        name: str,
        pickling_arguments: _PicklingArguments,
    ) -> None:
        self.outline_or_model = outline_or_model
        self.name = name
        self.pickling_arguments = pickling_arguments
        self.structure_caches: dict[int, _StructureCache] = {}
        self.known_calls: CallsByNode = {}

    def __reduce__(self) -> _PicklingArguments:
        return self.pickling_arguments

    @property
    def vars(self) -> Mapping[str, YamlNode]:
        """The vars of a spec; a Keras file has none."""
        return self.outline_or_model.vars if isinstance(self.outline_or_model, SpecOutline) else {}

    def model_with(self, settings: Settings = _NO_SETTINGS) -> Model:
        """The model with these settings.

        Raises:
            SpecError: a setting has no target, its value does not fit, or the file has no model.
        """
        if not settings:
            return self.model_with_vars({})[0]
        from dense_calc.settings.apply import apply_settings, parse_setting  # few runs set anything

        values = {name: parse_setting(name, value) for name, value in settings.items()}
        others = {name: values.pop(name) for name in settings if name not in self.vars}
        model, scope = self.model_with_vars(values)
        if not others:
            return model
        targets = {name: self.find_target(name, model) for name in others}
        return apply_settings(model, others, targets, scope)

    def model_with_vars(self, values: Mapping[str, YamlNode]) -> tuple[Model, Scope]:
        """The model with these values for some of its vars, and the scope of all its vars."""
        if not isinstance(self.outline_or_model, SpecOutline):
            return self.outline_or_model, Scope({})
        scope = self.outline_or_model.make_scope(values)
        return self.outline_or_model.make_model(scope), scope

    def find_target(self, name: str, model: Model) -> SettingTarget:
        """The target in a model of a setting that is no var.

        Raises:
            SpecError: it has none.
        """
        cache = self.structure_cache_of(model)
        if cache.targets is None:
            from dense_calc.settings.targets import SettingTargets

            cache.targets = SettingTargets(model, self.name, self.vars)
        return cache.targets[name]

    def structure_cache_of(self, model: Model) -> _StructureCache:
        """The results that hold for models with the nodes of this one."""
        cache = self.structure_caches.get(id(model.outputs))
        if cache is None or cache.outputs is not model.outputs:
            if len(self.structure_caches) == MAX_CACHED_MODELS:
                self.structure_caches.clear()
            cache = self.structure_caches[id(model.outputs)] = _StructureCache(model.outputs)
        return cache

    def demand_settings(self, names: Iterable[str]) -> None:
        """Raise SpecError if one of these is no setting of the model as it stands."""
        for name in names:
            if name not in self.vars:
                self.find_target(name, self.model_with())

    def setting_value(self, name: str) -> Any:
        """The value that a setting has in the file itself; None where several layers differ in it.

        Raises:
            SpecError: there is no such setting, or the file holds no model.
        """
        if name in self.vars and isinstance(self.outline_or_model, SpecOutline):
            return self.outline_or_model.make_scope({})[name]
        from dense_calc.settings.apply import target_value

        model = self.model_with()
        return target_value(self.find_target(name, model), model)

    @cached_property
    def limits(self) -> tuple[Limit, ...]:
        """The limits of the model without settings.

        Raises:
            SpecError: the file has no model.
        """
        return self.model_with().limits

    @cached_property
    def base_params(self) -> int | None:
        """The parameters of the model without settings, None if Keras would not build it."""
        try:
            return trace_totals(self.model_with(), {})["total_params"]
        except DenseCalcError:
            return None

    def row_with(self, settings: Settings) -> VariantRow:
        """The totals of the model with these settings, or why there is no such model.

        Raises:
            SpecError: the file names a class or function that nobody here has.
        """
        if isinstance(self.outline_or_model, Model):
            demand_no_gaps(self.outline_or_model.gaps)
        base = self.base_params
        try:
            model = self.model_with(settings)
            totals = self.totals(model)
        except DenseCalcError as error:
            return {"set": settings, "error": error.message}
        row: VariantRow = {"set": settings, **{each: totals[each] for each in _TOTAL_KEYS}}
        row["change"] = None if base is None else totals["total_params"] - base
        if model.limits:
            row |= self.budget_verdict(model, totals)
        return row

    def totals(self, model: Model) -> dict[str, int]:
        """The model's amount of each quantity: from the trace's own sums, else from its report.

        Raises:
            DenseCalcError: Keras would not build it.
        """
        totals = trace_totals(model, self.known_calls)
        others = [each for each in QUANTITIES.values() if each.total not in totals]
        if others:
            report = trace(model)
            totals |= {each.total: each.model_amount(report) for each in others}
        return totals

    def budget_verdict(self, model: Model, totals: Mapping[str, int]) -> VariantRow:
        """Whether a model is within its budget, None if a limited layer is missing."""
        budget = [limit for limit in model.limits if limit.rule != "exact"]
        if not budget:
            return {}
        verdicts = {self.is_within_limit(limit, model, totals) for limit in budget}
        return {"within_budget": False if False in verdicts else None if None in verdicts else True}

    def is_within_limit(self, limit: Limit, model: Model, totals: Mapping[str, int]) -> bool | None:
        """Whether a model keeps to a limit, None if the limited layers are missing."""
        if limit.layers is None:
            return limit.allows(totals[QUANTITIES[limit.what].total])
        groups = self.limit_groups(limit, model)
        if groups is None:
            return None
        is_traced = self.known_calls.keys() >= set(chain.from_iterable(groups))
        is_summed = limit.what in BuiltLayer.__struct_fields__
        shares_layers = any(node.lent_layers for node in model.nodes)
        if not (is_traced and is_summed) or shares_layers:
            from dense_calc.analysis.budget import check_limits

            return all(check.ok for check in check_limits(trace(model), [limit]))
        counts = (
            [getattr(self.known_calls[name].built, limit.what) for name in names]
            for names in groups
        )
        return all(limit.allows(sum(each)) for each in counts)

    def limit_groups(self, limit: Limit, model: Model) -> _NodeGroups | None:
        """The names of the nodes that count together for a limit on layers, None if none do."""
        limited = self.structure_cache_of(model).groups_by_limit
        key = limit.layers, limit.each
        if key not in limited:
            from dense_calc.analysis.patterns import LayerIndex

            try:
                limited[key] = list(
                    map(list, LayerIndex(trace(model)).limited_rows(limit).values())
                )
            except DenseCalcError:
                limited[key] = None
        return limited[key]
