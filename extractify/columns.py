"""A target as the columns of a table: what a value has at most, and how each one fits in.

What doesn't fit, such as an integer of more than 64 bits or a key that no schema declares, is kept
by JSON pointer in a column of its own, so that every value fits and nothing is lost. That a key is
absent and that it is null are the same in a table.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from extractify.conjunction import flattened
from extractify.memory import remembered
from extractify.nodes import DECIMAL, DIGITS, Node, resolve, types_of
from extractify.plain import travels

if TYPE_CHECKING:
    from collections.abc import Iterable

    from extractify.messages import JsonValue
    from extractify.schema import Schema

Kind: TypeAlias = Literal[
    "text", "integer", "number", "boolean", "date", "decimal", "json", "struct", "list", "map"
]
VALUE = "value"
"""The column of a value that is no object."""
REST = "_rest"
"""The column of what doesn't fit the others."""
MOST = 1_000
"""The most columns that an object is written as; the objects inside a larger one are JSON text."""
DEEPEST = 32
"""The most objects and lists inside one another; what is deeper is JSON text."""

_DECIMAL128 = 38


@dataclass(frozen=True, slots=True)
class Column:
    """What the values at one place have in common.

    kind: "json" is JSON text, for what has no one type. fields: of a struct. item: of a list, or
    of a map's values. digits: of a decimal, all of them and those behind the point. nullable:
    whether null is a value of the target there. size: how many leaves it has, and depth: how many
    levels.
    """

    kind: Kind
    fields: Mapping[str, Column] = field(default_factory=dict)
    item: Column | None = None
    digits: tuple[int, int] = (0, 0)
    nullable: bool = False
    size: int = 1
    depth: int = 0


JSON = Column("json")
"""What takes any value."""
TEXT = Column("text")
"""What takes any text."""
_NULL = Column("json", nullable=True, size=0)  # of a null alone
_SCALARS: dict[str, Column] = {
    "string": TEXT,
    "integer": Column("integer"),
    "number": Column("number"),
    "boolean": Column("boolean"),
    "null": _NULL,
}


@dataclass(frozen=True, slots=True)
class Table:
    """The columns of a target. root: a struct, whose fields they are.

    wraps: whether a value is no object, and stands in the one column `value`. rest: the name of the
    column of what doesn't fit.
    """

    root: Column
    wraps: bool
    rest: str


@remembered
def table(schema: Schema[Any]) -> Table:
    """The columns of a target, as its values are written: by alias, with computed fields."""
    node = None
    if schema.adapter is not None:
        from extractify.canonical import written

        node = written(schema.adapter)
    node = flattened(node or schema.canonical, lambda *_: None)
    root = _Columns(node).of(node)
    wraps = root.kind != "struct"
    if wraps:
        root = _struct({VALUE: root})
    rest = REST
    while rest in root.fields:
        rest = f"_{rest}"
    return Table(root, wraps, rest)


class _Columns:
    def __init__(self, root: Node) -> None:
        self._root = root
        self._known: dict[str, Column] = {}
        self._open: set[str] = set()

    def of(self, node: object) -> Column:
        """The column of a schema; where any value is allowed there is none, but true."""
        if not isinstance(node, dict):
            return JSON
        if "$ref" in node:
            return self._referred(node["$ref"])
        branches = node.get("anyOf") or node.get("oneOf")
        if branches:
            return _one(self.of(branch) for branch in branches)
        if "enum" in node or "const" in node:
            return _one(_of_value(value) for value in node.get("enum", [node.get("const")]))
        kinds = _kinds(node)
        if len(kinds) > 1:
            return _one(self.of({**node, "type": kind}) for kind in kinds)
        kind = kinds[0] if kinds else ""
        made = {"object": self._object, "array": self._array, "string": _string}.get(kind)
        return made(node) if made else _SCALARS.get(kind, JSON)

    def _referred(self, reference: str) -> Column:
        if reference in self._open:
            return JSON
        if reference not in self._known:
            self._open.add(reference)
            self._known[reference] = self.of(resolve(self._root, reference))
            self._open.remove(reference)
        return self._known[reference]

    def _object(self, node: Node) -> Column:
        if not node.get("properties"):
            values = self.of(node.get("additionalProperties"))
            fits = values is not JSON and "patternProperties" not in node
            return _holding("map", values) if fits else JSON
        needed = node.get("required", ())
        fields = {
            name: replace(column, nullable=column.nullable or name not in needed)
            for name, column in ((name, self.of(sub)) for name, sub in node["properties"].items())
            if _is_a_name(name)
        }
        return _struct(fields)

    def _array(self, node: Node) -> Column:
        items = list(node.get("prefixItems", ()))
        closed = node.get("items") is False or node.get("maxItems", len(items) + 1) <= len(items)
        if not (items and closed):
            items.append(node.get("items"))
        return _holding("list", _one(self.of(item) for item in items))


def _kinds(node: Node) -> list[str]:
    """The types that a schema names or implies."""
    if "properties" in node:
        return types_of(node) or ["object"]
    return types_of(node) or ["array"] * bool({"items", "prefixItems"} & node.keys())


def _string(node: Node) -> Column:
    if node.get("format") == "date":
        return Column("date")
    digits = node.get(DIGITS)
    if node.get("format") == DECIMAL and digits and max(1, digits[1]) <= digits[0] <= _DECIMAL128:
        return Column("decimal", digits=(digits[0], digits[1]))
    return TEXT


def _of_value(value: JsonValue) -> Column:
    named = {str: "string", int: "integer", float: "number", bool: "boolean", type(None): "null"}
    return _SCALARS.get(named.get(type(value), ""), JSON)


def _one(several: Iterable[Column]) -> Column:
    """The column that the values of several fit: of their one kind, or JSON text."""
    columns = list(several)
    nullable = any(column.nullable for column in columns)
    distinct: list[Column] = []
    for column in (replace(column, nullable=False) for column in columns if column.size):
        if column not in distinct:
            distinct.append(column)
    kinds = {column.kind for column in distinct}
    if len(distinct) == 1:
        only = distinct[0]
    elif kinds and kinds <= {"integer", "number"}:
        only = _SCALARS["number"]
    elif kinds and kinds <= {"text", "date", "decimal"}:
        only = TEXT
    else:
        only = JSON
    return replace(only, nullable=nullable) if nullable else only


def _struct(fields: Mapping[str, Column]) -> Column:
    """An object; what would make it too wide or too deep is JSON text. So is one with no keys."""
    wide = sum(column.size for column in fields.values()) > MOST
    fields = {
        name: Column("json", nullable=column.nullable)
        if column.depth >= DEEPEST or (wide and column.size > 1)
        else column
        for name, column in fields.items()
    }
    if not fields:
        return JSON
    size = sum(column.size for column in fields.values())
    depth = 1 + max(column.depth for column in fields.values())
    return Column("struct", fields, size=max(1, size), depth=depth)


def _holding(kind: Literal["list", "map"], item: Column) -> Column:
    item = item if item.depth < DEEPEST else JSON
    return Column(kind, item=item, size=max(1, item.size), depth=1 + item.depth)


def _is_a_name(name: str) -> bool:
    """Whether a column can be called so; the values of others are with the rest."""
    return "\0" not in name and travels(name)
