"""Fold blocks in a Report: the rows of all copies of a block become one row with their totals."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain

from msgspec.structs import replace

from dense_calc.model import ModelBlock, enclosing_names
from dense_calc.report import FoldedRow, LayerRow, Report, deduplicate_weights

MAX_READABLE_ROWS = 50  # a longer table does not fit on a screen


def fold_long_report(report: Report) -> Report:
    """A report in which repeats that are alike are one row, if it is too long to read."""
    if len(report.layers) <= MAX_READABLE_ROWS or not report.blocks:
        return report
    return collapse_repeats(report)


def collapse_to_depth(report: Report, depth: int) -> Report:
    """The report down to a depth: with 1, the model's own layers and a row for each block.

    With 2, also the layers in those blocks, and a row for each block in them; and so on.
    """
    return _fold_blocks(
        report, [block for block in report.blocks if block.name.count("/") + 1 >= depth]
    )


def collapse_repeats(report: Report) -> Report:
    """The report with one row for each repeated block whose copies are alike."""
    repeated = [block for block in report.blocks if len(block.copies) > 1]
    copies = {name for block in repeated for name in block.copies}
    looks: dict[str, list[object]] = defaultdict(list)
    for row in report.layers:
        for prefix in enclosing_names(row.name):
            if prefix in copies:
                looks[prefix].append(_row_signature(row, prefix))
    return _fold_blocks(
        report,
        [
            block
            for block in repeated
            if all(looks[copy] == looks[block.copies[0]] for copy in block.copies)
        ],
    )


def _row_signature(row: LayerRow, prefix: str) -> tuple[object, ...]:
    """The part of a row that must be the same in each copy of a block."""
    name = row.name.removeprefix(prefix)
    return name, row.type, row.output_shape, row.params, row.trainable_params, bool(row.shared_with)


def blocks_by_copy(blocks: Iterable[ModelBlock]) -> dict[str, str]:
    """The names of blocks by those of their copies."""
    return {copy: block.name for block in blocks for copy in block.copies}


def block_layer_name(name: str, blocks: Mapping[str, str]) -> str:
    """The name of a layer with blocks for their copies: `decoder/norm` for `decoder_3/norm`."""
    if "/" not in name:
        return name
    around = (blocks.get(copy, copy).rpartition("/")[2] for copy in enclosing_names(name))
    return "/".join((*around, name.rpartition("/")[2]))


def _fold_blocks(report: Report, blocks: Iterable[ModelBlock]) -> Report:
    """The report with one row for each of these blocks, but for those inside others of them."""
    by_copy = {copy: block for block in blocks for copy in block.copies}
    folded: dict[str, list[LayerRow]] = defaultdict(list)
    names: dict[str, ModelBlock] = {}  # the blocks into which rows are folded, by names of rows
    for row in report.layers:
        block = next((by_copy[each] for each in enclosing_names(row.name) if each in by_copy), None)
        if block:
            names[row.name] = block
            folded[block.name].append(row)
    rows = []
    for row in report.layers:
        block = names.get(row.name)
        if block is None:
            rows.append(_reconnect_row(row, names))
        elif folded[block.name][0] is row:
            rows.append(_block_row(block, folded[block.name], names))
    return replace(report, layers=tuple(rows))


def _reconnect_row(row: LayerRow, names: Mapping[str, ModelBlock]) -> LayerRow:
    """A row with the names of folded blocks for those of the layers in them."""
    if not names:
        return row
    return replace(
        row,
        connected_to=tuple(_outer_names(row.connected_to, names)),
        feeds=tuple(dict.fromkeys(_outer_names(row.feeds, names))),
        shared_with=row.shared_with and next(_outer_names([row.shared_with], names)),
    )


def _outer_names(layers: Iterable[str], names: Mapping[str, ModelBlock]) -> Iterator[str]:
    """The names of layers, or of the folded blocks around them."""
    return (names[each].name if each in names else each for each in layers)


def _block_row(
    block: ModelBlock, rows: Sequence[LayerRow], names: Mapping[str, ModelBlock]
) -> LayerRow:
    """The row of a folded block: its output, its totals, and its connections to the outside."""
    rows = deduplicate_weights(rows)
    params = sum(row.params for row in rows)
    last = next((row for row in rows if row.name == block.output), rows[-1])
    shared = _names_outside_block(
        block, (row.shared_with for row in rows if row.shared_with), names
    )
    row = FoldedRow(
        name=block.name,
        type=block.type,
        output_shape=last.output_shape,
        output_dtype=last.output_dtype,
        params=params,
        trainable_params=sum(row.trainable_params for row in rows),
        non_trainable_params=sum(row.non_trainable_params for row in rows),
        connected_to=_names_outside_block(block, chain(*(row.connected_to for row in rows)), names),
        feeds=_names_outside_block(block, chain(*(row.feeds for row in rows)), names),
        weights=(),
        input_shapes=(),
        shared_with=shared[0] if shared and not params else None,
        repeat=len(block.copies),
    )
    row.__dict__["rows"] = tuple(rows)
    return row


def _names_outside_block(
    block: ModelBlock, layers: Iterable[str], names: Mapping[str, ModelBlock]
) -> tuple[str, ...]:
    """The outer names of these layers, each once, without the block itself."""
    return tuple(name for name in dict.fromkeys(_outer_names(layers, names)) if name != block.name)
