"""The models of one file under other settings, and their totals; the file is read once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from dense_calc.errors import DenseCalcError
from dense_calc.limits import Limit
from dense_calc.model import Model
from dense_calc.spec_language.outline import SpecOutline
from dense_calc.spec_language.scope import Scope
from dense_calc.tracing.tracer import trace

if TYPE_CHECKING:
    from dense_calc.settings.targets import SettingTargets
    from dense_calc.spec_language.yaml_tree import YamlNode

Settings = Mapping[str, Any]  # values of vars, of arguments of layers and of inputs, by their names
VariantRow = dict[str, Any]  # the settings of a variant and its totals, by the keys of the JSON
_PicklingArguments = tuple[Callable[..., Any], tuple[Any, ...]]  # a call that makes an equal object

NO_SETTINGS: Settings = {}


def idle_assumption_message(name: str, option: str) -> str:
    """The warning that a spec has no gaps that an `option` could fill."""
    return f"{name} is a spec, in which each layer is one of Keras; {option} changes nothing there"


class ModelVariants(Struct, dict=True, eq=False):
    """The models of one file: those of a spec, or the one in a Keras file.

    A copy in another process is made by the call in `pickling_arguments`, which parses the text but
    does not read the file.
    """

    outline_or_model: SpecOutline | Model
    name: str
    pickling_arguments: _PicklingArguments

    def __reduce__(self) -> _PicklingArguments:
        return self.pickling_arguments

    @property
    def is_spec(self) -> bool:
        """Whether the file is a spec, not one that Keras wrote."""
        return isinstance(self.outline_or_model, SpecOutline)

    @property
    def vars(self) -> Mapping[str, YamlNode]:
        """The vars of a spec; a Keras file has none."""
        return self.outline_or_model.vars if isinstance(self.outline_or_model, SpecOutline) else {}

    def model_with(self, settings: Settings = NO_SETTINGS) -> Model:
        """The model with these settings.

        Raises:
            SpecError: a setting has no target, its value does not fit, or the file has no model.
        """
        if not settings:
            return self._model_with_vars({})[0]
        from dense_calc.settings.apply import apply_settings  # few runs set anything
        from dense_calc.settings.values import demand_setting_names, parse_setting

        demand_setting_names(settings)
        values = {name: parse_setting(name, value) for name, value in settings.items()}
        others = {name: values.pop(name) for name in settings if name not in self.vars}
        model, scope = self._model_with_vars(values)
        return apply_settings(self._find_targets(model), others, scope) if others else model

    def _model_with_vars(self, values: Mapping[str, YamlNode]) -> tuple[Model, Scope]:
        """The model with these values for some of its vars, and the scope of all its vars."""
        if not isinstance(self.outline_or_model, SpecOutline):
            return self.outline_or_model, Scope({})
        scope = self.outline_or_model.make_scope(values)
        return self.outline_or_model.make_model(scope), scope

    def _find_targets(self, model: Model) -> SettingTargets:
        """The targets in a model of settings that are no vars."""
        from dense_calc.settings.targets import SettingTargets  # few runs set any

        return SettingTargets(model, self.name, self.vars)

    @cached_property
    def _own_targets(self) -> SettingTargets:
        """Those in the model without settings; SpecError if the file has no model."""
        return self._find_targets(self.model_with())

    def demand_settings(self, names: Iterable[str]) -> None:
        """Raise SpecError if one of these is no setting of the model as it stands."""
        for name in names:
            if name not in self.vars:
                self._own_targets[name]

    def setting_value(self, name: str, usage: str | None = None) -> Any:
        """The value that a setting has in the file itself; None where several layers differ in it.

        Messages say by `usage` how a setting is named, as in '--vary {}'; None for '{}=VALUE'.

        Raises:
            SpecError: there is no such setting, or the file holds no model.
        """
        if name in self.vars and isinstance(self.outline_or_model, SpecOutline):
            return self.outline_or_model.make_scope({})[name]
        from dense_calc.settings.apply import argument_value

        return argument_value(self._own_targets, name, usage)

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
            return trace(self.model_with()).total_params
        except DenseCalcError:
            return None
