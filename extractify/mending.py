"""The reply to a patch while it arrives: each value is put in its place once it is complete."""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, Any

from extractify.growing import Tree
from extractify.nodes import ENVELOPE, at, steps
from extractify.patching import PATCH
from extractify.places import ADD, REMOVE, list_place

if TYPE_CHECKING:
    from extractify.growing import Closed
    from extractify.messages import JsonValue
    from extractify.patching import Patch
    from extractify.sites import Site

_WRAPPERS = frozenset({ENVELOPE, PATCH})


class Mending:
    """Puts the parts of a reply into a tree. reply: what the Parser of the reply builds.

    Positions to take out of a list are left to the end: they are those of the value as it was.
    """

    def __init__(self, patch: Patch, tree: Tree, site: Site, closed: Closed) -> None:
        """closed: told of each part of the whole that something was put into."""
        self.reply = Tree(None, self._closed)
        self._tree, self._site, self._told = tree, site, closed
        self._whole: Any = deepcopy(patch.base)
        self._places = {pointer: list_place(patch.base, pointer)[:2] for pointer in patch.pointers}
        tree.settle(self._whole)
        tree.pending.update(patch.pointers)

    @property
    def is_whole(self) -> bool:
        """Whether everything that was asked for is in its place."""
        return not self._tree.pending

    def _closed(self, pointer: str, value: JsonValue, _site: Site | None, _depth: int) -> None:
        path = steps(pointer)
        while path and path[0] in _WRAPPERS:
            path = path[1:]
        asked = path[0] if path else ""
        if asked not in self._places:
            return
        kind, above = self._places[asked]
        if kind == ADD and len(path) == 1:
            self._tree.pending.discard(asked)
            self._tree.changed[above] = None
        elif kind == ADD and len(path) == len((asked, "an item")):
            items = at(self._whole, above)
            if isinstance(items, list):
                items.append(deepcopy(value))
                self._put(f"{above}/{len(items) - 1}")
        elif kind != REMOVE and len(path) == 1:
            parent, last = at(self._whole, asked.rpartition("/")[0]), steps(asked)[-1]
            if isinstance(parent, list):
                parent[int(last) : int(last) + 1] = [value]
            elif isinstance(parent, dict):
                parent[last] = value
            self._tree.pending.discard(asked)
            self._put(asked)

    def _put(self, pointer: str) -> None:
        """Show the whole as it is now, and tell which parts of it are other ones."""
        self._tree.settle(self._whole, pointer)
        site: Site | None = self._site
        here, place = self._whole, ""
        for depth, step in enumerate(steps(pointer), 1):
            is_list = isinstance(here, list)
            here = here[int(step)] if is_list else here[step]
            site = site and (site.item() if is_list else site.member(step))
            place = "/".join(pointer.split("/")[: depth + 1])
            self._told(place, here, site, depth)
