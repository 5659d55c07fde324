"""A value while its answer arrives: what is there, what has changed, and what of it is valid."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeAlias, TypeVar

from extractify.growing import MarkedTree, State, Tree
from extractify.incremental import Parser
from extractify.mending import Mending
from extractify.nodes import escaped
from extractify.patching import Patch
from extractify.sites import site_of
from extractify.validation import validate

if TYPE_CHECKING:
    from extractify.messages import JsonValue
    from extractify.schema import Schema
    from extractify.sites import Site

T = TypeVar("T")
Sight: TypeAlias = Literal["all", "data", "nothing"]
"""What an answer shows on the way: all; its data, but not what of it is valid; or nothing yet."""


@dataclass(frozen=True, slots=True)
class Partial(Generic[T]):
    """What of a value has arrived.

    value: plain data in the target's shape; what hasn't come is absent. Numbers, booleans and
    nulls are there when they are complete, strings, lists and objects grow. It is the one copy,
    and goes on growing: copy what has to stay as it is. changed: JSON pointers of what appeared,
    grew or was completed since the last Partial. attempt: whose answer it is, from 1. model: each
    complete part that is valid, by its pointer: the members of the root, and the objects in lists.
    """

    changed: tuple[str, ...]
    attempt: int
    model: Mapping[str, Any] = field(repr=False)
    _tree: Tree = field(repr=False)

    @property
    def value(self) -> JsonValue:
        """The plain data so far."""
        return self._tree.value

    def state(self, pointer: str) -> State:
        """Whether a place is there, and whether it may still change."""
        return self._tree.state(pointer)


@dataclass(frozen=True, slots=True)
class View:
    """How an answer is looked at while it arrives.

    enveloped: whether it was asked for as `{"result": value}`. attempt: its number, from 1. patch:
    what was asked for, None for the whole. sight: how much can be told before the end.
    """

    enveloped: bool = False
    attempt: int = 1
    patch: Patch | None = None
    sight: Sight = "all"


class Partials(Generic[T]):
    """Makes the Partials of one answer. context: for the target's validators."""

    def __init__(
        self,
        schema: Schema[T],
        context: Mapping[str, object] | None = None,
        view: View | None = None,
        before: Mapping[str, Any] | None = None,
    ) -> None:
        """before: the model of the answer that is mended."""
        view = view or View()
        patch = view.patch
        self.has_field = False
        self._sight = view.sight
        site = self._site = site_of(schema)
        self.has_field = False
        self._context, self._attempt = context, view.attempt
        self._model: dict[str, Any] = {} if before is None else dict(before)
        self._shown_model = MappingProxyType(self._model)
        kind = MarkedTree if site.is_marked else Tree
        self._tree = kind(site, self._closed, envelope=view.enveloped)
        mends = None if patch is None else Mending(patch, self._tree, site, self._closed)
        self._mending = mends
        self._parser = Parser(self._tree if mends is None else mends.reply)

    @property
    def model(self) -> Mapping[str, Any]:
        """The valid parts so far."""
        return self._shown_model

    @property
    def is_settled(self) -> bool:
        """Whether all was read on the way, and nothing came behind that might be the answer."""
        whole = self._mending is None or self._mending.is_whole
        sees = self._sight == "all"
        return sees and self._parser.done and whole and not self._parser.has_more

    def read(self, text: str) -> bool:
        """Read what came. Returns: whether it changed anything."""
        if self._sight == "nothing":
            return False
        self._parser.feed(text)
        return bool(self._tree.changed)

    def taken(self) -> Partial[T]:
        """What there is, with what changed since this was asked the last time."""
        changed = tuple(self._tree.changed)
        self._tree.changed.clear()
        return Partial(changed, self._attempt, self._shown_model, self._tree)

    def feed(self, text: str) -> Partial[T] | None:
        """Read what came. Returns: what it changed, None if nothing."""
        return self.taken() if self.read(text) else None

    def complete(self) -> JsonValue:
        """A copy of what is complete."""
        return self._tree.complete()

    def last(self, value: JsonValue, instance: T | None) -> Partial[T]:
        """The end: a value that isn't the one that was read on the way takes its place.

        instance: of the target, None where there is none.
        """
        if not self.is_settled:
            self._sight = "all"
            self._tree.settle(value)
            self._model.clear()
            self._judge_again(value, self._site)
        if instance is not None:
            self._model[""] = instance
        self._tree.changed[""] = None
        return self.taken()

    def _judge_again(
        self, value: JsonValue, site: Site | None, pointer: str = "", depth: int = 0
    ) -> None:
        """Judge the parts of a value that wasn't read on the way."""
        if isinstance(value, dict):
            for key, inner in value.items():
                below = site and site.member(key)
                self._judge_again(inner, below, f"{pointer}/{escaped(key)}", depth + 1)
        elif isinstance(value, list):
            for index, inner in enumerate(value):
                self._judge_again(inner, site and site.item(), f"{pointer}/{index}", depth + 1)
        self._closed(pointer, value, site, depth)

    def _closed(self, pointer: str, value: JsonValue, site: Site | None, depth: int) -> None:
        """Judge a part that is complete; lists are judged by their objects."""
        self.has_field = True
        if self._sight != "all":
            return
        is_part = depth == 1 or (isinstance(value, dict) and pointer.rpartition("/")[2].isdecimal())
        holds_parts = isinstance(value, list) and any(isinstance(each, dict) for each in value)
        schema = site.schema if site is not None and is_part and not holds_parts else None
        if schema is not None:
            # A validator of the user's that fails otherwise is reported when the whole is judged.
            with suppress(Exception):
                verdict = validate(schema, value, self._context)
                if not verdict.problems:
                    self._model[pointer] = verdict.value
