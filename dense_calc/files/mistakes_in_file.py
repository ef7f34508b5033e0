"""All mistakes of a spec, found by reading it on after the first."""

from __future__ import annotations

from dense_calc.errors import DenseCalcError, LayerError, SpecError
from dense_calc.keras_format.detect import may_be_keras
from dense_calc.mistakes import MAX_PLACES, collect_mistakes
from dense_calc.spec_language.outline import SpecOutline
from dense_calc.spec_language.yaml_tree import parse_yaml
from dense_calc.tracing.tracer import find_untraceable

_MAX_SHOWN = 20


def find_mistakes(error: DenseCalcError) -> list[DenseCalcError]:
    """The mistakes of the spec that an error speaks of, from top to bottom.

    What only follows from an earlier mistake is none. If the spec alone does not have the error,
    as that of a setting, or if it is a file of another kind, the error is the only one.
    """
    place = error.place
    if place is None or not isinstance(error, SpecError | LayerError):
        return [error]
    source = place.source
    if may_be_keras(source.text):
        return [error]
    with collect_mistakes() as mistakes:
        try:
            outline = SpecOutline(parse_yaml(source), "")
            model = outline.make_model(outline.make_scope({}))
            mistakes.errors += find_untraceable(model)
        except DenseCalcError as last:  # after which nothing can be read on
            if not mistakes.has_unknown_names:
                mistakes.errors.append(last)
    if _identify(error) not in map(_identify, mistakes.errors):
        return [error]
    # what else is told of the place of a mistake follows from it
    distinct = {each.position: each for each in reversed((error, *mistakes.errors))}
    return [distinct[position] for position in sorted(distinct)]


def describe_mistakes(error: DenseCalcError) -> str:
    """An error and the other mistakes of its spec as text; of many, the first ones."""
    return "\n".join(map(str, first_mistakes(error)))


def first_mistakes(error: DenseCalcError) -> list[DenseCalcError | str]:
    """The first mistakes of the spec that an error speaks of, and a text that counts the others."""
    mistakes = find_mistakes(error)
    rest = len(mistakes) - _MAX_SHOWN
    least = "at least " * (len(mistakes) > MAX_PLACES)
    more = [f"and {least}{rest:,} more mistake{'s' * (rest > 1)}"] if rest > 0 else []
    return [*mistakes[:_MAX_SHOWN], *more]


def _identify(error: DenseCalcError) -> tuple[str, tuple[int, int]]:
    """What makes two errors the same: their message, and where it points."""
    return error.message, error.position
