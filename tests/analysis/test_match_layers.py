"""Layers are matched by structure: a comparison tells exactly what was edited."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml
from support.differences import compared, told

from dense_calc.analysis.difference import (
    LayerChange,
    ModelComparison,
    compare_models,
    fold_copies,
)
from dense_calc.api import load
from dense_calc.model import Model

BLOCKS = {
    "wide": [
        {"Dense": {"units": 4, "from": "input"}},
        {"Dense": {"units": 4, "from": "input"}},
        "ReLU",
        {"Concatenate": {"from": ["dense", "re_lu"]}},
    ],
    "norms": [{"LayerNormalization": {"name": "norm"}}, {"Dropout": {"rate": 0.5}}],
}
BLOCK_SIZES = {"wide": 4, "norms": 2}


def random_item(rng: random.Random) -> dict[str, Any]:
    """A layer, or a use of a block, without a name."""
    kinds: list[dict[str, Any]] = [
        {"Dense": {"units": rng.choice([2, 3])}},
        {"Dropout": {"rate": rng.choice([0.1, 0.2])}},
        {"ReLU": {}},
        {"wide": {"repeat": rng.randint(1, 2)}},
        {"norms": {}},
    ]
    return rng.choice(kinds)


def compared_items(old: Sequence[Any], new: Sequence[Any]) -> ModelComparison:
    """What differs between two chains of layers and blocks."""
    texts = (
        yaml.safe_dump({"input": [5], "blocks": BLOCKS, "layers": [*items]}, sort_keys=False)
        for items in (old, new)
    )
    return compared(*texts)


def edits(found: ModelComparison) -> list[LayerChange]:
    """The changes but for those that only follow from others: of sizes and automatic names."""
    return [each for each in found.layers if each.status != "changed" or each.arguments]


def layer_count(item: dict[str, dict[str, Any]]) -> int:
    """The number of layers that an item stands for."""
    ((kind, arguments),) = item.items()
    return BLOCK_SIZES.get(kind, 1) * int(arguments.get("repeat", 1))


@pytest.mark.parametrize("seed", range(100))
def test_what_is_inserted_is_added_and_what_is_deleted_is_removed(seed: int) -> None:
    rng = random.Random(seed)
    items = [random_item(rng) for _ in range(rng.randint(1, 12))]
    place, more = rng.randint(0, len(items)), random_item(rng)
    longer = [*items[:place], more, *items[place:]]
    for status, pair in ("added", (items, longer)), ("removed", (longer, items)):
        found = edits(compared_items(*pair))
        assert [each.status for each in found] == [status] * layer_count(more)


@pytest.mark.parametrize("seed", range(100))
def test_what_is_changed_is_the_only_argument_that_changed(seed: int) -> None:
    rng = random.Random(seed)
    items = [random_item(rng) for _ in range(rng.randint(0, 12))]
    place = rng.randint(0, len(items))
    units = rng.sample([2, 3, 4], 2)
    old, new = ([*items[:place], {"Dense": {"units": each}}, *items[place:]] for each in units)
    (change,) = edits(compared_items(old, new))
    assert (change.type, change.status) == ("Dense", "changed")
    assert [(each.old, each.new) for each in change.arguments] == [tuple(units)]


@pytest.mark.parametrize("seed", range(100))
def test_many_edits_are_told_in_no_more_changes(seed: int) -> None:
    rng = random.Random(seed)
    old = [{"Dense": {"units": rng.randint(2, 5)}} for _ in range(rng.randint(1, 30))]
    new = old.copy()
    count = rng.randint(1, 6)
    for _ in range(count):
        if rng.random() < 0.5:
            new.insert(rng.randint(0, len(new)), {"Dense": {"units": rng.randint(2, 5)}})
        else:
            del new[rng.randrange(len(new)) :][:1]
    assert len(edits(compared_items(old, new))) <= count


MLP = [{"Dense": {"units": units}} for units in (64, 32, 10)]


def test_a_layer_in_front_of_an_mlp_is_one_more_and_one_changed_input() -> None:
    found = compared_items(MLP, [{"Dense": {"units": 100}}, *MLP])
    assert list(map(told, found.layers)) == ["changed dense_1 +6080 <dense", "added dense +600"]
    assert found.outputs is None


def test_a_given_name_is_the_same_layer_whatever_is_around() -> None:
    body, head = ({"Dense": {"units": 4, "name": name}} for name in ("body", "head"))
    found = compared_items([body, head, MLP[0]], [MLP[0], {"ReLU": {}}, head, body])
    assert sorted((each.status, each.name) for each in edits(found) if not each.arguments) == [
        ("added", "dense"),
        ("added", "re_lu"),
        ("removed", "dense"),
    ]


def test_copies_of_a_block_are_matched_as_a_whole() -> None:
    def model(*blocks: dict[str, Any]) -> list[dict[str, Any]]:
        return [*MLP, *blocks, {"Dense": {"units": 4}}]

    wide: dict[str, Any] = {"wide": {}}
    norms: dict[str, Any] = {"norms": {}}
    added = edits(compared_items(model(wide, norms), model(norms, wide, norms)))
    assert [(each.status, each.name) for each in added] == [
        ("added", "norms/norm"),
        ("added", "norms/dropout"),
    ]
    rows = fold_copies(compared_items(model({"wide": {"repeat": 3}}), model({"wide": {}}))).layers
    assert {each.status for each in rows if each.name.startswith("wide")} == {"removed"}


def test_names_of_many_levels_are_compared(tmp_path: Path) -> None:
    models: list[Model] = []
    for units in (3, 4):
        layers = [
            {"class_name": "InputLayer", "config": {"name": "i", "batch_shape": [None, 3]}},
            *(
                {"class_name": "Dense", "config": {"name": f"{'a/' * 5000}{each}", "units": each}}
                for each in (2, units)
            ),
        ]
        file = tmp_path / f"{units}.json"
        config = {"name": "deep", "layers": layers}
        file.write_text(json.dumps({"class_name": "Sequential", "config": config}), "utf-8")
        models.append(load(file))
    found = compare_models(models[0], models[1], "", "")
    assert [(each.status, each.change) for each in found.layers] == [("added", 12), ("removed", -9)]
