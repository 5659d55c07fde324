"""How many members the objects of a value had in its JSON, at least, told by the value alone.

JSON that holds more keys than this holds keys that were dropped: one given twice, or one that the
target doesn't declare. The counters are made once per target from pydantic's core schema. Where a
validator of the user's own may have added something, nothing is counted: too few is safe, and
costs time only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from operator import attrgetter
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from pydantic_core import SchemaValidator

if TYPE_CHECKING:
    from pydantic_core import CoreSchema

Counter: TypeAlias = Callable[[Any], int]
Core: TypeAlias = Mapping[str, Any]

_fields_set = attrgetter("__pydantic_fields_set__")


def counter(core: Core) -> Counter:
    """A function from a value to the number of keys that its JSON held at least."""
    return _Compiler().counter(core) or _nothing


def finite(core: Core) -> SchemaValidator:
    """The same validator, but that no number is infinite or none."""
    # A model's own validator would take the place of what is changed inside of it.
    return SchemaValidator(cast("CoreSchema", _finite(core)), _use_prebuilt=False)


def enveloped(core: Core, key: str) -> dict[str, Any]:
    """The core schema of an object that holds the value under its one key."""
    field = {"type": "typed-dict-field", "schema": core, "required": True}
    return {"type": "typed-dict", "fields": {key: field}, "extra_behavior": "forbid"}


def mentions(core: object, key: str, value: object) -> bool:
    """Whether a core schema has this value under this key at any depth."""
    if isinstance(core, dict):
        return core.get(key) == value or any(mentions(each, key, value) for each in core.values())
    return isinstance(core, list | tuple) and any(mentions(each, key, value) for each in core)


def _finite(core: object) -> object:
    if isinstance(core, dict):
        changed = {key: _finite(value) for key, value in core.items()}
        return {**changed, "allow_inf_nan": False} if core.get("type") == "float" else changed
    if isinstance(core, list | tuple):
        return type(core)(map(_finite, core))
    return core


def _nothing(_value: object) -> int:
    return 0


class _Compiler:
    """Makes counters; None stands for one that always says 0."""

    def __init__(self) -> None:
        self._defined: dict[str, Core] = {}
        self._by_reference: dict[str, Counter | None] = {}

    def counter(self, core: Core) -> Counter | None:
        kind = str(core["type"]).replace("-", "_")
        make: Callable[[Core], Counter | None] | None = getattr(self, f"_{kind}", None)
        return make(core) if make else None

    def _definitions(self, core: Core) -> Counter | None:
        self._defined = {each["ref"]: each for each in core["definitions"]}
        return self.counter(core["schema"])

    def _definition_ref(self, core: Core) -> Counter:
        counters, reference = self._by_reference, core["schema_ref"]
        if reference not in counters:
            counters[reference] = None  # while it is being made: it may hold itself
            counters[reference] = self.counter(self._defined[reference])

        def count(value: object) -> int:
            made = counters[reference]  # by now it is there, also where the type holds itself
            return made(value) if made else 0

        return count

    def _nullable(self, core: Core) -> Counter | None:
        inner = self.counter(core["schema"])
        return inner and (lambda value: 0 if value is None else inner(value))

    def _default(self, core: Core) -> Counter | None:
        return self.counter(core["schema"])

    def _any(self, _core: Core) -> Counter:
        return _free

    def _list(self, core: Core) -> Counter | None:
        items = core.get("items_schema")
        if items is None:
            return _free
        plain = self._resolved(items)
        model = self._flat(plain)
        if model is not None:
            if not model.optional:
                needed = len(model.required)
                return lambda value: needed * len(value)
            return lambda value: sum(map(len, map(_fields_set, value)))
        inner = self.counter(items)
        return inner and (lambda value: sum(map(inner, value)))

    def _dict(self, core: Core) -> Counter:
        values = core.get("values_schema")
        inner = _free if values is None else self.counter(values)
        if inner is None:
            return len
        return lambda value: len(value) + sum(map(inner, value.values()))

    def _typed_dict(self, core: Core) -> Counter:
        counters = {name: self.counter(each["schema"]) for name, each in core["fields"].items()}
        inner = [(name, each) for name, each in counters.items() if each]
        if any(_has_default(each["schema"]) for each in core["fields"].values()):
            return _nothing
        return lambda value: len(value) + sum(each(value[n]) for n, each in inner if n in value)

    def _flat(self, core: Core) -> _Model | None:
        """A model of leaves alone, which can't hold itself."""
        fields = core.get("schema", {}).get("fields", {}) if core["type"] == "model" else {}
        if mentions(fields, "type", "definition-ref"):
            return None
        model = self._model_of(core)
        return None if model is None or model.inner else model

    def _model(self, core: Core) -> Counter | None:
        if core.get("root_model"):
            inner = self.counter(core["schema"])
            return inner and (lambda value: inner(value.root))
        model = self._model_of(core)
        return model.counter() if model else None

    def _resolved(self, core: Core) -> Core:
        return self._defined[core["schema_ref"]] if core["type"] == "definition-ref" else core

    def _function_after(self, core: Core) -> Counter | None:
        """Count what a validator of a whole model can't have added: what has to be there."""
        model = self._model_of(core["schema"])
        if model is None:
            return None
        needed, kind = len(model.required), core["schema"]["cls"]
        return lambda value: needed if type(value) is kind else 0

    def _model_of(self, core: Core) -> _Model | None:
        fields = core.get("schema", {}) if core["type"] == "model" else {}
        if core.get("custom_init") or core.get("post_init") or core.get("root_model"):
            return None
        if fields.get("type") != "model-fields" or fields.get("extras_schema"):
            return None
        counters = {name: self.counter(each["schema"]) for name, each in fields["fields"].items()}
        optional = {name for name, each in fields["fields"].items() if _has_default(each["schema"])}
        extra = core.get("config", {}).get("extra_fields_behavior") == "allow"
        inner = [(name, each, name in optional) for name, each in counters.items() if each]
        return _Model(counters.keys() - optional, inner, optional=bool(optional) or extra)

    def _union(self, core: Core) -> Counter | None:
        choices = core["choices"]
        each = choices.values() if isinstance(choices, dict) else choices
        return self._one_of(one[0] if isinstance(one, tuple) else one for one in each)

    _tagged_union = _union

    def _one_of(self, choices: Iterable[Core]) -> Counter | None:
        """Count by the class of the value; of two choices of one class, nobody knows."""
        counters: dict[type, Counter] = {}
        for choice in choices:
            inner, plain = self.counter(choice), self._resolved(choice)
            kind = plain.get("cls") or {"list": list, "dict": dict}.get(plain["type"])
            if inner and (kind is None or kind in counters):
                return None
            if inner and kind:
                counters[kind] = inner
        return lambda value: counters.get(type(value), _nothing)(value)


class _Model:
    """A model's fields. inner: the name, the counter and whether it may be left out, of each."""

    def __init__(
        self, required: Iterable[str], inner: list[tuple[str, Counter, bool]], *, optional: bool
    ) -> None:
        self.required = tuple(required)
        self.optional = optional
        self.inner = inner

    def counter(self) -> Counter:
        inner, needed = self.inner, len(self.required)
        if not self.optional and not inner:
            return lambda _value: needed
        if not self.optional:
            always = [(attrgetter(name), each) for name, each, _ in inner]
            return lambda value: needed + sum(each(get(value)) for get, each in always)

        def count(value: object) -> int:
            given = _fields_set(value)
            own = len(given)
            for name, each, _ in inner:
                if name in given:
                    own += each(getattr(value, name))
            return own

        return count


def _has_default(core: Core) -> bool:
    """Whether a field may be left out, however deep in validators its default stands."""
    while core["type"] != "default" and isinstance(core.get("schema"), dict):
        core = core["schema"]
    return bool(core["type"] == "default")


def _free(value: object) -> int:
    if type(value) is dict:
        return len(value) + sum(map(_free, value.values()))
    return sum(map(_free, value)) if type(value) is list else 0
