"""Maps of dtype policies: each layer takes the policy at its path.

Source: `DTypePolicyMap` of keras/src/dtype_policies, and `Layer.path`.
"""

from __future__ import annotations

from collections.abc import Mapping
from operator import is_
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from dense_calc.errors import LayerError
from dense_calc.layers.arguments.dtype_policies import (
    POLICY_MAP_CLASS,
    DTypePolicy,
    parse_policy_map,
)
from dense_calc.layers.arguments.types import PolicyMap, SerializedPolicy
from dense_calc.layers.base import LayerKind, sublayer_name

_PATH_WILDCARD = ".*"  # any text; no other pattern is supported


class _PolicyMapAtPath(PolicyMap, Struct, frozen=True):
    """A map of policies, seen from the layer at a path: `attention`, `attention/query`."""

    path: str
    default_policy: DTypePolicy
    policies: Mapping[str, DTypePolicy]

    @property
    def policy(self) -> DTypePolicy:
        """The policy of the layer.

        Raises:
            LayerError: several patterns match its path.
        """
        path = self.path
        if path in self.policies:
            return self.policies[path]
        matches = [pattern for pattern in self.policies if matches_path(pattern, path)]
        if len(matches) > 1:
            patterns = " and ".join(f"'{pattern}'" for pattern in matches)
            raise LayerError(
                f"{patterns} of the map of dtype policies both match '{path}'", "dtype"
            )
        return self.policies[matches[0]] if matches else self.default_policy

    def sublayer_map(self, name: str) -> _PolicyMapAtPath:
        return replace(self, path=f"{self.path}/{name}")


def matches_path(pattern: str, path: str) -> bool:
    """Whether a pattern, literal but for `.*`, matches a whole path."""
    first, *others = pattern.split(_PATH_WILDCARD)
    if not others or not path.startswith(first) or not path.endswith(others[-1]):
        return False
    place, end = len(first), len(path) - len(others[-1])
    for part in others[:-1]:
        place = path.find(part, place, end) + len(part)
        if place < len(part):
            return False
    return place <= end


def bind_policy_map(layer: LayerKind, path: str) -> LayerKind:
    """The layer with its map of policies, if it has one, bound to this path.

    Layers that are its arguments get paths of their own, because Keras makes them first.
    """
    changes: dict[str, Any] = {}
    dtype = layer.dtype
    if isinstance(dtype, SerializedPolicy) and dtype.class_name == POLICY_MAP_CLASS:
        changes["dtype"] = _PolicyMapAtPath(path, *parse_policy_map(dtype.config or {}))
    for argument in layer.inner_layer_arguments:
        value = getattr(layer, argument)
        bound = _bind_inner_policy_maps(value)
        if bound is not value:
            changes[argument] = bound
    return replace(layer, **changes) if changes else layer


def _bind_inner_policy_maps(value: Any) -> Any:
    """An argument with the maps of policies of the layers in it bound to their paths."""
    if isinstance(value, LayerKind):
        return bind_policy_map(value, sublayer_name(value))
    if isinstance(value, tuple):
        bound = tuple(map(_bind_inner_policy_maps, value))
        return value if all(map(is_, bound, value)) else bound
    return value
