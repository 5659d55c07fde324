"""The plain value that grows while its text arrives, and what of it has changed.

There is one copy of it, and it is always up to date. A target with markers has a second one beside
it, in which parts are held back or shown with their state.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from extractify.nodes import ENVELOPE, escaped, steps
from extractify.sites import Site

if TYPE_CHECKING:
    from extractify.messages import JsonValue

State: TypeAlias = Literal["pending", "incomplete", "complete"]
Closed: TypeAlias = Callable[[str, Any, Site | None, int], None]
"""Told of each place that is complete: pointer, plain value, site, and how deep it lies."""


@dataclass(slots=True)
class _Open:
    """A container that is being read. item: the site of each of its items, where it is a list."""

    pointer: str
    value: Any
    site: Site | None
    item: Site | None
    key: str = ""


class Tree:
    """Built by a Parser.

    changed: the pointers of what appeared, grew or was completed, in that order, until the taker
    clears it. pending: the pointers of what is asked for again. envelope: whether the value under
    an only key `result` is the root.
    """

    def __init__(self, site: Site | None, closed: Closed, *, envelope: bool = False) -> None:
        self.changed: dict[str, None] = {}
        self.pending: set[str] = set()
        self._site, self._closed = site, closed
        self._root: list[Any] = []
        self._stack: list[_Open] = []
        # A first brace may be the envelope's: its first key tells.
        self._may_wrap, self._is_wrapper = envelope, False
        # What was begun last: where it stands, and what holds it there.
        self._pointer, self._leaf_site = "", site
        self._box: Any = self._root
        self._slot: Any = 0
        self._in_string = False
        self._has_quotes = site is not None and site.has_quotes
        self._skips = False  # what is read is a quote, and no part of the value

    @property
    def value(self) -> JsonValue:
        """What is shown so far; None before anything is."""
        value: JsonValue = self._root[0] if self._root else None
        return value

    def state(self, pointer: str) -> State:
        """Whether a place is there, and whether it may still change."""
        opened = any(each.pointer == pointer for each in self._stack)
        awaited = any(each == pointer or each.startswith(f"{pointer}/") for each in self.pending)
        if opened or awaited or (self._in_string and pointer == self._pointer):
            return "incomplete"
        here: Any = self._root
        for step in ["0", *steps(pointer)]:
            if isinstance(here, list) and step.isdecimal() and int(step) < len(here):
                here = here[int(step)]
            elif isinstance(here, dict) and step in here:
                here = here[step]
            else:
                return "pending"
        return "complete"

    def settle(self, value: JsonValue, changed: str = "") -> None:
        """Take a value for the whole, all of it complete but what is pending."""
        self._stack.clear()
        self._in_string = False
        self._root[:] = [value]
        self.changed[changed] = None

    def complete(self) -> JsonValue:
        """A copy of what has come, without the string that isn't complete."""
        root = deepcopy(self._root)
        if not self._in_string:
            return root[0] if root else None
        box: Any = root
        for step in ["0", *steps(self._pointer)][:-1]:
            box = box[int(step) if isinstance(box, list) else step]
        del box[self._slot]
        return root[0] if root else None

    # -- what a Parser tells

    def open(self, opener: str) -> None:
        """A container begins: "{" or "["."""
        if self._may_wrap:
            self._may_wrap = False
            self._is_wrapper = opener == "{"
            if self._is_wrapper:
                return
        self._begin({} if opener == "{" else [])
        site = self._leaf_site
        item = site.item() if site is not None and opener == "[" else None
        top = _Open(self._pointer, self._box[self._slot], site, item)
        self._stack.append(top)
        self._opened(top)

    def close(self) -> None:
        """The innermost container is complete."""
        if self._is_wrapper:
            self._is_wrapper = False
            self.open("{")
        if not self._stack:  # it is the envelope's
            return
        top = self._stack.pop()
        self._left(top)
        self._closed(top.pointer, top.value, top.site, len(self._stack))

    def key(self, key: str) -> bool:
        """The key of the member that follows. Returns: whether the object takes it."""
        if self._is_wrapper:
            self._is_wrapper = False
            if key == ENVELOPE:
                return True
            self.open("{")
        if not self._stack:  # one more key in the envelope
            return False
        top = self._stack[-1]
        if key in top.value:
            return False
        top.key = key
        site = top.site
        self._skips = self._has_quotes and site is not None and site.is_quote(top.pointer, key)
        return True

    def begin(self) -> None:
        """A string begins, empty as yet."""
        self._begin("")
        self._in_string = True
        self._said()

    def text(self, piece: str) -> None:
        """The string goes on: in place, as long as nobody else holds it."""
        box, slot = self._box, self._slot
        text = box[slot]
        box[slot] = None
        text += piece
        box[slot] = text
        self._said()

    def end(self) -> None:
        """The string is complete."""
        self._in_string = False
        self._told(self._box[self._slot])

    def leaf(self, value: JsonValue) -> None:
        """A number, a boolean or null, complete."""
        self._begin(value)
        self._told(value)

    def _told(self, value: JsonValue) -> None:
        self._said()
        if not self._skips:
            self._closed(self._pointer, value, self._leaf_site, len(self._stack))
        self._skips = False

    def _begin(self, value: object) -> None:
        """Put what begins in its place; a quote goes nowhere."""
        if self._skips:
            self._box, self._slot = [value], 0
            return
        if not self._stack:
            self._box, self._slot = self._root, 0
            self._root.append(value)
            return
        top = self._stack[-1]
        box = self._box = top.value
        if isinstance(box, list):
            self._slot = len(box)
            self._pointer = f"{top.pointer}/{self._slot}"
            self._leaf_site = top.item
            box.append(value)
        else:
            key = self._slot = top.key
            self._pointer = f"{top.pointer}/{escaped(key)}"
            self._leaf_site = top.site.member(key) if top.site is not None else None
            box[key] = value

    # -- what is shown of it

    def _opened(self, top: _Open) -> None:
        self.changed[top.pointer] = None

    def _left(self, top: _Open) -> None:
        self.changed[top.pointer] = None

    def _said(self) -> None:
        if not self._skips:
            self.changed[self._pointer] = None


@dataclass(slots=True)
class _Shown:
    """A container as it is shown. slot: its own in the one around it. holder: tells its state.

    awaited: the keys that it waits for.
    """

    value: Any
    slot: int | str
    holder: dict[str, Any] | None
    awaited: frozenset[str]
    is_placed: bool = False


class MarkedTree(Tree):
    """The same for a target with markers: `value` is what they let be shown."""

    def __init__(self, site: Site | None, closed: Closed, *, envelope: bool = False) -> None:
        super().__init__(site, closed, envelope=envelope)
        self._shown_root: list[Any] = []
        self._shown: list[_Shown] = []
        self._hidden = 0  # how many of the open containers aren't placed yet

    @property
    def value(self) -> JsonValue:
        """What is shown so far; None before anything is."""
        value: JsonValue = self._shown_root[0] if self._shown_root else None
        return value

    def settle(self, value: JsonValue, changed: str = "") -> None:
        """Take a value for the whole, all of it complete but what is pending."""
        super().settle(value, changed)
        self._shown.clear()
        self._hidden = 0
        self._shown_root[:] = [_all_shown(value, self._site)]

    def _opened(self, top: _Open) -> None:
        site, value = top.site, type(top.value)()
        is_stated = site is not None and site.with_state
        holder = {"value": value, "state": "incomplete"} if is_stated else None
        is_object = isinstance(value, dict)
        awaited = site.awaited if site is not None and is_object else frozenset[str]()
        shown = _Shown(value, self._slot, holder, awaited)
        self._shown.append(shown)
        self._hidden += 1
        if not awaited and not (site is not None and site.held):
            self._place(len(self._shown) - 1, top.pointer)

    def _left(self, top: _Open) -> None:
        shown = self._shown[-1]
        if not shown.is_placed:
            self._place(len(self._shown) - 1, top.pointer)
        if shown.holder is not None:
            shown.holder["state"] = "complete"
        self._shown.pop()
        self._note(top.pointer)

    def _said(self) -> None:
        if self._skips:
            return
        site, value, is_complete = self._leaf_site, self._box[self._slot], not self._in_string
        if site is not None and site.held and not is_complete:
            return
        if site is not None and site.with_state:
            value = {"value": value, "state": "complete" if is_complete else "incomplete"}
        self._set(len(self._shown) - 1, self._slot, value)
        self._note(self._pointer)

    def _place(self, depth: int, pointer: str) -> None:
        """Show a container in the one around it."""
        shown = self._shown[depth]
        shown.is_placed = True
        self._hidden -= 1
        self._set(depth - 1, shown.slot, shown.holder or shown.value)
        self._note(pointer)

    def _set(self, depth: int, slot: int | str, value: object) -> None:
        box: Any = self._shown[depth].value if depth >= 0 else self._shown_root
        if slot == len(box) and isinstance(box, list):
            box.append(value)
        else:
            box[slot] = value
        if depth < 0 or self._shown[depth].is_placed:
            return
        awaited = self._shown[depth].awaited
        if awaited and all(_is_given(box.get(key)) for key in awaited):
            site = self._stack[depth].site
            if site is None or not site.held:
                self._place(depth, self._stack[depth].pointer)

    def _note(self, pointer: str) -> None:
        if not self._hidden:
            self.changed[pointer] = None


def _all_shown(value: JsonValue, site: Site | None) -> JsonValue:
    """A complete value as it is shown: with its state, where that is asked for."""
    if site is None or not site.is_marked:
        return value
    shown: JsonValue = value
    if isinstance(value, dict):
        shown = {key: _all_shown(inner, site.member(key)) for key, inner in value.items()}
    elif isinstance(value, list):
        shown = [_all_shown(inner, site.item()) for inner in value]
    return {"value": shown, "state": "complete"} if site.with_state else shown


def _is_given(shown: object) -> bool:
    """Whether a field is there and not null, with its state or without."""
    if isinstance(shown, dict) and shown.keys() == {"value", "state"}:
        return shown["value"] is not None
    return shown is not None
