"""Maps of dtype policies: each layer takes the policy that stands under its path.

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

_PATH_WILDCARD = ".*"  # of the patterns that Keras reads, the one that is read here: any text


class _PolicyMapAtPath(PolicyMap, Struct, frozen=True):
    """A map of policies for the layer at a path, such as `attention` or `attention/query`."""

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
        found = [pattern for pattern in self.policies if matches_path(pattern, path)]
        if len(found) > 1:
            several = " and ".join(f"'{pattern}'" for pattern in found)
            raise LayerError(f"{several} of the map of dtype policies both match '{path}'", "dtype")
        return self.policies[found[0]] if found else self.default_policy

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
    """A layer whose map of policies, if it has one, is for this path.

    Layers that are its arguments are at paths of their own: Keras builds them before.
    """
    changes: dict[str, Any] = {}
    dtype = layer.dtype
    if isinstance(dtype, SerializedPolicy) and dtype.class_name == POLICY_MAP_CLASS:
        changes["dtype"] = _PolicyMapAtPath(path, *parse_policy_map(dtype.config or {}))
    for argument in layer.inner_layer_arguments:
        held = getattr(layer, argument)
        inner = _bind_inner_policy_maps(held)
        if inner is not held:
            changes[argument] = inner
    return replace(layer, **changes) if changes else layer


def _bind_inner_policy_maps(held: Any) -> Any:
    """A layer that is an argument, or several, with maps of policies for their paths."""
    if isinstance(held, LayerKind):
        return bind_policy_map(held, sublayer_name(held))
    if isinstance(held, tuple):
        inner = tuple(map(_bind_inner_policy_maps, held))
        return held if all(map(is_, inner, held)) else inner
    return held
