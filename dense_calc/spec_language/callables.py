"""What can be called again by a name: here, in a model inside, or around the model."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial

from msgspec import Struct, field

from dense_calc.errors import Place, SpecError, did_you_mean
from dense_calc.layers.base import LayerKind
from dense_calc.model import Loan, Model
from dense_calc.spec_language.bodies import ROOT, Body, Call, Copy
from dense_calc.tracing.lent_layers import MAX_DEPTH, MAX_LENT, OUTSIDE, lender_of, loans_of_models


class Nest(Struct):
    """Layers of which is being asked what is in them, from the outside in; what was found there."""

    open: list[object] = []
    lent: int = 0


class Parts(Struct):
    """What can be called again in a body under work, with the names that it has there.

    In a block, what is not found may be a layer in the model's own list. In a model inside, it may
    be one that the parts `around` it have. `nest` is one for all models in each other.
    """

    body: Body
    model: Body
    around: Parts | None = None
    nest: Nest = field(default_factory=Nest)

    def part(self, name: str, entry: Place | None) -> Call | Sequence[Copy]:
        """What an entry calls again by this name, here, in the model's own list or around that.

        Raises:
            SpecError: there is no such layer or block, or it cannot be called from here.
        """
        part = self.found_part(name, entry)
        if isinstance(part, Call) and 0 in part.layer.takes:
            raise SpecError(f"'{name}' is an input, which cannot be called again", entry)
        if part is None:
            hint = did_you_mean(name, self.names(), else_listed=False)
            raise SpecError(f"there is no layer '{name}' to call again{hint}", entry)
        return part

    def found_part(self, name: str, entry: Place | None) -> Call | Sequence[Copy] | None:
        """The same, None if there is none."""
        part = self.own_part(name) or self.part_of_model(name, entry)
        if part or self.around is None:
            return part
        return self.around.part_for_inside(name, entry)

    def part_for_inside(self, name: str, entry: Place | None) -> Call | None:
        """What a model inside may call again by this name, as it is called there."""
        part = self.found_part(name, entry)
        if part is None:
            return None
        if isinstance(part, Call):
            loans = tuple([Loan(loan.path, OUTSIDE + loan.holder) for loan in part.loans])
            return Call(OUTSIDE + part.name, self.planned(part, entry), loans)
        told = f"'{name}' is a block of the model around, of which only layers can be called"
        raise SpecError(f"{told}: '{name}/LAYER'", entry)

    def own_part(self, name: str) -> Call | Sequence[Copy] | None:
        """What has this name here, or in the model's own list of layers."""
        part = self.body.part(name)
        if part is not None or self.body.block is None:
            return part
        own = self.model.parts.get(name)
        if not isinstance(own, Call) or own.name.startswith(OUTSIDE):
            return own if isinstance(own, Call) else None
        return Call(ROOT + own.name, own.layer)

    def names(self) -> Iterator[str]:
        """The names of what can be called again."""
        yield from self.body.parts
        yield from (each for each, held in self.model.parts.items() if isinstance(held, Call))
        if self.around:
            yield from self.around.names()

    def part_of_model(self, name: str, entry: Place | None) -> Call | None:
        """The layer of a model inside that has this name, `inner/dense`, None if there is none."""
        head, slash, inner = name.rpartition("/")
        while slash:
            part = self.own_part(head)
            if isinstance(part, Call) and part.layer.model:
                if self.around and part.name.startswith(OUTSIDE):
                    whose = part.name.lstrip(ROOT)
                    return self.around.part_for_inside(f"{whose}/{inner}", entry)
                model = self.planned(part, entry).model
                return layer_of_model(part.name, inner, model, partial(self.beside, part.name))
            head, slash, step = head.rpartition("/")
            inner = f"{step}/{inner}"
        return None

    def beside(self, part: str, name: str) -> str:
        """What a layer is called here that has this name where a part is written."""
        if name.startswith(OUTSIDE):
            return name
        if part.startswith(ROOT):
            return ROOT + name.removeprefix(ROOT)
        copy = part.rpartition("/")[0]
        return self.body.name_of(name, copy) if copy else name

    def planned(self, part: Call, place: Place | None = None) -> LayerKind:
        """The layer that a part is, with what is in it if it is or holds a model.

        Raises:
            SpecError: it is inside itself.
        """
        body = self.model if part.name.startswith(ROOT) else self.body
        plan = body.pending.get(part.name.removeprefix(ROOT))
        return plan(place) if plan else part.layer

    def loans(self, layer: LayerKind) -> Iterator[Loan]:
        """The layers inside this one that are called elsewhere.

        Raises:
            SpecError: there is no such layer, or it cannot be inside another.
        """
        yield from loans_of_models(layer)
        yield from self.borrowed(layer)

    def borrowed(self, layer: LayerKind) -> Iterator[Loan]:
        """Those that are arguments."""
        from dense_calc.layers.borrowed import borrowed_in  # few models pay for it

        for path, borrowed, outer in borrowed_in(layer):
            part = self.part(borrowed.of, borrowed.place)
            kind = type(outer).__name__
            if path[-1] in outer.copies:
                told = f"{kind} copies this layer and shares no weights; write it out"
                raise SpecError(told, borrowed.place)
            if not isinstance(part, Call):
                told = f"'{borrowed.of}' is a block, and {kind} holds a layer"
                raise SpecError(told, borrowed.place)
            yield Loan(path, part.name)
            for loan in self.lent_inside(part, borrowed.place):
                yield Loan((*path, *loan.path), loan.holder)

    def lent_inside(self, part: Call, place: Place | None) -> Iterator[Loan]:
        """The layers inside what is called again that are called elsewhere themselves.

        Raises:
            SpecError: it is inside itself, or holds what cannot be inside another.
        """
        outer = part.name.removeprefix(OUTSIDE)
        if self.around and outer != part.name and not part.loans:
            for loan in self.around.lent_inside(Call(outer, part.layer), place):
                yield Loan(loan.path, OUTSIDE + loan.holder)
            return
        for loan in part.loans or self.own_loans(part, place):
            self.nest.lent += 1
            if self.nest.lent > MAX_LENT:
                raise SpecError(f"more than {MAX_LENT:,} layers of others are inside layers", place)
            if len(loan.path) >= MAX_DEPTH:
                raise SpecError(f"more than {MAX_DEPTH} layers are in each other", place)
            yield loan

    def of_model(self) -> Parts:
        """What can be called again in the model's own list of layers."""
        return Parts(self.model, self.model, self.around, self.nest)

    def own_loans(self, part: Call, place: Place | None) -> Iterator[Loan]:
        """Those of a part that is written here, or in the model's own list of layers."""
        from dense_calc.layers.borrowed import borrowed_in

        layer = self.planned(part, place)
        own = list(loans_of_models(layer))
        if any(borrowed_in(layer)):
            name = part.name.removeprefix(ROOT)
            if any(layer is each for each in self.nest.open):
                raise SpecError(f"'{name}' holds this call, and cannot be inside itself", place)
            if len(self.nest.open) == MAX_DEPTH:
                raise SpecError(f"more than {MAX_DEPTH} layers are in each other", place)
            self.nest.open.append(layer)
            whose = self if name == part.name else self.of_model()
            own += whose.borrowed(layer)
            self.nest.open.pop()
        for loan in own:
            yield Loan(loan.path, self.beside(part.name, loan.holder))


def layer_of_model(
    holder: str, name: str, model: Model, beside: Callable[[str], str]
) -> Call | None:
    """The layer of this name in a model that a holder is, None if there is none.

    `beside` are the names of what is around that model.
    """

    def called(lender: str) -> str:
        """What a layer is called that lends itself to one in the model."""
        if lender.startswith(OUTSIDE):
            return beside(lender.removeprefix(OUTSIDE))
        return f"{holder}/{lender}"

    start, inner = lender_of(name, model.by_name)
    if not start:
        return None
    node = model.by_name[start]
    own = next((called(loan.holder) for loan in node.loans if not loan.path), None)
    own = own or f"{holder}/{node.holder}"
    if not inner:
        loans = [Loan(loan.path, called(loan.holder)) for loan in node.loans if loan.path]
        return Call(own, node.layer, tuple(loans))
    if node.layer.model is None:
        return None
    return layer_of_model(own, inner, node.layer.model, called)
