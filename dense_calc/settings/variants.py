"""A file read once → its models under other settings, and what each comes to."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from itertools import chain
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from dense_calc.errors import DenseCalcError
from dense_calc.gaps import demand_no_gaps
from dense_calc.limits import Limit
from dense_calc.model import End, Model
from dense_calc.quantities import QUANTITIES
from dense_calc.spec_language.outline import MAX_KEPT, Outline
from dense_calc.spec_language.scope import Scope
from dense_calc.tracing.layer import Built
from dense_calc.tracing.shared_layers import Known
from dense_calc.tracing.tracer import totals_of, trace

if TYPE_CHECKING:
    from dense_calc.settings.targets import Target, Targets
    from dense_calc.spec_language.yaml_tree import Marked

Settings = Mapping[str, Any]  # values of vars, of arguments of layers and of inputs, by their names
Row = dict[str, Any]  # what a variant comes to, by the keys of the JSON
Again = tuple[Callable[..., Any], tuple[Any, ...]]  # a call that makes the same

Groups = list[list[str]]  # names of nodes

NO_SETTINGS: Settings = {}
TOTALS = [quantity.total for quantity in QUANTITIES.values()]


class Kin(Struct):
    """What is known of all models with the same nodes: of those the `outputs` are the same, too.

    `targets` are those of settings; `limited` are the nodes on which limits are put,
    by what these say.
    """

    outputs: tuple[End, ...]
    targets: Targets | None = None
    limited: dict[tuple[str | None, bool], Groups | None] = {}


class Variants:
    """The models of one file: of a spec, or the one that a file of Keras' holds.

    What is known of the last one is kept, and the next is made of what has changed. A copy in
    another process reads the text of the file again, as `again` does, but not the file.
    """

    def __init__(self, whole: Outline | Model, name: str, again: Again) -> None:
        self.whole = whole
        self.name = name
        self.again = again
        self.kin: dict[int, Kin] = {}
        self.known: Known = {}

    def __reduce__(self) -> Again:
        return self.again

    @property
    def vars(self) -> Mapping[str, Marked]:
        """The vars of a spec."""
        return self.whole.vars if isinstance(self.whole, Outline) else {}

    def model(self, settings: Settings = NO_SETTINGS) -> Model:
        """The model with these settings.

        Raises:
            SpecError: one of them means nothing or does not fit, or the file holds no model.
        """
        if not settings:
            return self.of_vars({})[0]
        from dense_calc.settings.apply import marked, overridden  # most models are what they are

        values = {name: marked(name, value) for name, value in settings.items()}
        others = {name: values.pop(name) for name in settings if name not in self.vars}
        model, scope = self.of_vars(values)
        if not others:
            return model
        targets = {name: self.target(name, model) for name in others}
        return overridden(model, others, targets, scope)

    def of_vars(self, values: Mapping[str, Marked]) -> tuple[Model, Scope]:
        """The model with these values for some of its vars, and all its vars."""
        if not isinstance(self.whole, Outline):
            return self.whole, Scope({})
        scope = self.whole.scope(values)
        return self.whole.model(scope), scope

    def target(self, name: str, model: Model) -> Target:
        """What a setting that is no var changes in a model.

        Raises:
            SpecError: nothing.
        """
        kin = self.kin_of(model)
        if kin.targets is None:
            from dense_calc.settings.targets import Targets

            kin.targets = Targets(model, self.name, self.vars)
        return kin.targets[name]

    def kin_of(self, model: Model) -> Kin:
        """What is known of models like this one."""
        found = self.kin.get(id(model.outputs))
        if found is None or found.outputs is not model.outputs:
            if len(self.kin) == MAX_KEPT:
                self.kin.clear()
            found = self.kin[id(model.outputs)] = Kin(model.outputs)
        return found

    def demand(self, names: Iterable[str]) -> None:
        """Raise SpecError if one of these is no setting of the model as it stands."""
        for name in names:
            if name not in self.vars:
                self.target(name, self.model())

    def value(self, name: str) -> Any:
        """What a setting is in the file itself; None where several layers differ in it.

        Raises:
            SpecError: there is no such setting, or the file holds no model.
        """
        if name in self.vars and isinstance(self.whole, Outline):
            return self.whole.scope({})[name]
        from dense_calc.settings.targets import value_at

        model = self.model()
        return value_at(self.target(name, model), model)

    @cached_property
    def limits(self) -> tuple[Limit, ...]:
        """The limits that the file sets its model as it stands.

        Raises:
            SpecError: it holds no model.
        """
        return self.model().limits

    @cached_property
    def base(self) -> int | None:
        """The parameters of the model as it stands, None if that is none."""
        try:
            return totals_of(self.model(), {})["total_params"]
        except DenseCalcError:
            return None

    def row(self, settings: Settings) -> Row:
        """What the model comes to with these settings, or why there is none.

        Raises:
            SpecError: the file names what it does not tell, whatever the settings are.
        """
        if isinstance(self.whole, Model):
            demand_no_gaps(self.whole.gaps)
        base = self.base
        try:
            model = self.model(settings)
            totals = self.totals(model)
        except DenseCalcError as error:
            return {"set": settings, "error": error.message}
        row: Row = {"set": settings, **{each: totals[each] for each in TOTALS}}
        row["change"] = None if base is None else totals["total_params"] - base
        if model.limits:
            row |= self.kept(model, totals)
        return row

    def totals(self, model: Model) -> dict[str, int]:
        """What the model has of each quantity; what is no sum that the trace keeps, by its report.

        Raises:
            DenseCalcError: Keras would not build it.
        """
        totals = totals_of(model, self.known)
        others = [each for each in QUANTITIES.values() if each.total not in totals]
        if others:
            report = trace(model)
            totals |= {each.total: each.of_model(report) for each in others}
        return totals

    def kept(self, model: Model, totals: Mapping[str, int]) -> Row:
        """Whether a model is within its budget, None if a layer that has a limit is not there."""
        budget = [limit for limit in model.limits if limit.rule != "exact"]
        if not budget:
            return {}
        found = {self.is_kept(limit, model, totals) for limit in budget}
        return {"within_budget": False if False in found else None if None in found else True}

    def is_kept(self, limit: Limit, model: Model, totals: Mapping[str, int]) -> bool | None:
        """Whether a model keeps to a limit, None if that is put on layers that are not there."""
        if limit.layers is None:
            return limit.allows(totals[QUANTITIES[limit.what].total])
        groups = self.groups(limit, model)
        if groups is None:
            return None
        is_known = self.known.keys() >= set(chain.from_iterable(groups))
        is_known = is_known and limit.what in Built.__struct_fields__
        if not is_known or any(node.loans for node in model.nodes):  # in a model inside, or shared
            from dense_calc.analysis.budget import checks

            return all(check.ok for check in checks(trace(model), [limit]))
        counts = (
            [getattr(self.known[name].built, limit.what) for name in names] for names in groups
        )
        return all(limit.allows(sum(each)) for each in counts)

    def groups(self, limit: Limit, model: Model) -> Groups | None:
        """The names of the nodes that count together for a limit on layers, None if none do."""
        limited = self.kin_of(model).limited
        key = limit.layers, limit.each
        if key not in limited:
            from dense_calc.analysis.patterns import Layers

            try:
                limited[key] = list(map(list, Layers(trace(model)).limited(limit).values()))
            except DenseCalcError:
                limited[key] = None
        return limited[key]
