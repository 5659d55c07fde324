"""JSON with the mistakes that models make, read in one linear pass.

It mends what can be mended in one way only, and writes down each mend. Where two readings are
plausible, where a value is missing, or where the text ends inside a container, it is NotJson.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

from extractify.messages import Fix, JsonValue
from extractify.nodes import escaped
from extractify.numerals import fraction
from extractify.quoting import COMMENT, MAX_MENDS, OPENING, QUOTES, Open, Strings

MAX_DEPTH = 200
"""Deepest nesting read, in containers."""
POINTER_LIMIT = 250
"""Longest pointer given to a fix, in characters; "" stands for a longer one."""

_CLOSERS = {"{": "}", "[": "]", "(": ")"}
_OF_JSON: dict[str, JsonValue] = {"true": True, "false": False, "null": None}
_OF_JSON |= {word: float(word) for word in ("NaN", "Infinity", "-Infinity")}
_LITERALS = _OF_JSON | {"True": True, "TRUE": True, "False": False, "FALSE": False}
_LITERALS |= dict.fromkeys(("None", "Null", "NULL", "undefined"))
_LITERALS |= {word: float(word) for word in ("nan", "inf", "-inf")}

_FILLER = re.compile(
    r"[ \t\n\r]++|(?P<comment>(?://|\#[\s\#!])[^\n]*+|/\*(?:[^*]++|\*(?!/))*+(?:\*/|\Z))"
    r"|(?P<space>(?:[^\S \t\n\r]|[\ufeff\u200b\u2060])++)"
)

# What json.loads can read, containers two levels deep: taken in runs, at the speed of C.
_S = r"[ \t\n\r]*+"
_TEXT = rf'{_S}"(?:[^"\\\x00-\x1f]++|\\["\\/bfnrt]|\\u[0-9a-fA-F]{{4}})*+"{_S}'
_DIGITS = r"-?(?:0|[1-9][0-9]{0,99}+)(?:\.[0-9]++)?(?:[eE][+-]?[0-9]++)?"
_VALUE = rf"(?:{_TEXT}|{_S}(?:{_DIGITS}|{'|'.join(_OF_JSON)}){_S})"
for _ in range(2):
    _ARRAY = rf"\[(?:{_S}\]|(?:{_VALUE}(?:,(?!{_S}\])|(?=\])))++\])"
    _OBJECT = rf"\{{(?:{_S}\}}|(?:{_TEXT}:{_VALUE}(?:,(?!{_S}\}})|(?=\}})))++\}})"
    _VALUE = rf"(?:{_VALUE}|{_S}(?:{_ARRAY}|{_OBJECT}){_S})"
_PLAIN_VALUE = re.compile(_VALUE)
_PLAIN_ITEMS = re.compile(rf"(?:{_VALUE},)++")
_PLAIN_MEMBERS = re.compile(rf"(?:{_TEXT}:{_VALUE},(?={_TEXT}:))++")

_STRINGS = re.compile(r'"(?:[^"\\]|\\.)*+"', re.DOTALL)
_NO_KEY = "".join(QUOTES) + r"{}\[\](),:\n"
_LOOSE_KEY = re.compile(rf"([^\s#/{_NO_KEY}][^{_NO_KEY}]{{0,100}}+)(?=:|\Z)")
_THOUSANDS = re.compile(r"-?[1-9][0-9]{0,2}(?:,[0-9]{3})++(?:\.[0-9]++)?(?=\s*+[,})\n])")
_BARE = re.compile(
    rf"([^\s:,{{}}\[\]()\\#/{''.join(QUOTES)}]"
    rf"(?:[^\s,{{}}\[\]()\\\"`\u201c\u201d]|[^\S\n](?!{COMMENT}|\s))*+)[^\S\n]*+"
    rf"(?:[,\]}})]|/\*|(?://|\#)[^\"\n]*+(?:\n|\Z)|(?P<line>\n)|(?P<quote>[{OPENING}])|\Z)"
)
_BARE_BEHIND = re.compile(r'\s*+,\s*+([^\W\d][^,{}\[\]()"\n]*+)(,?\s*+")?')
_COLON = re.compile(r":(?!//|(?<=[0-9]:)[0-9])")
# Seven digits behind a plus are a phone number.
_NUMBER = re.compile(
    r"(?:\+(?![0-9]{7}))?(-?(?:(?:0|[1-9][0-9]*+)(?:\.[0-9]*+)?|\.[0-9]++)(?:[eE][+-]?[0-9]++)?)"
)
_STRICT_NUMBER = re.compile(_DIGITS.replace("{0,99}", "*"))
# A set of Python: what stands first in the braces isn't a key.
_SET = re.compile(
    r"""\{\s*+(?:(?:"(?:[^"\\\n]|\\.)*+"|'[^'\\\n]*+'|-?[0-9][0-9.]*+)\s*+[,}]|[{\[])"""
)
_ELLIPSIS = re.compile(r"(?:\.\.\.|…)(?=\s*+[,\]])")

# Backslashes that may have been meant as such though they read as escapes: `\tau`, `C:\new`, the
# end of a row in LaTeX. Beside a backslash that can't be an escape, nobody knows.
_UNSURE = re.compile(r"(?<!\\)(?:\\\\)*+(?:\\(?:[bfnrt][A-Za-z]|x[0-9a-fA-F]{2})|(?<=\\)(?=\s))")


@dataclass(frozen=True, slots=True)
class Mended:
    """A value and what was mended in its text.

    conflicts: pointers of the keys that one object gives twice, with different values. `value`
    holds the last of them, as with every JSON parser; which one was meant, nobody knows.
    """

    value: JsonValue
    fixes: tuple[Fix, ...]
    conflicts: tuple[str, ...]


def mend(text: str, *, sets: bool = False) -> Mended:
    """Read a text as one JSON value, and nothing beside it. Raises: NotJson.

    sets: read braces around items as a list, which a schema has to want then, and a second pair of
    braces around an object as one.
    """
    reader = _Reader(text, sets=sets)
    value = reader.read()
    return Mended(value, tuple(dict.fromkeys(reader.fixes)), tuple(dict.fromkeys(reader.conflicts)))


class _Reader(Strings):
    """One pass over a text. fixes, conflicts: what it met so far."""

    def __init__(self, text: str, *, sets: bool) -> None:
        super().__init__(text)
        self._sets = sets
        self.conflicts: list[str] = []
        self._root: JsonValue = None
        self._in_runs = True
        self._one_bracket_mended = False
        self._branches = False

    def read(self) -> JsonValue:
        self._skip()
        rest = self._text[self._at :]
        if rest.startswith(("{", "[")):
            self._push(rest[0])
            while self._stack:
                self._step(self._stack[-1])
            self._end()
        else:  # a scalar is read strictly: mended, any prose would be a string
            try:
                self._root = json.loads(rest, parse_float=fraction)
            except (ValueError, RecursionError):
                self._fail(truncated=rest.startswith('"') and '"' in _STRINGS.sub("", rest))
        self._settle("")
        return self._root

    def _end(self) -> None:
        """See what stands behind the value, and whether all of it can have been meant as read."""
        self._skip()
        surplus = self._text[self._at :].rstrip()
        # One closer too many may have stood further up, and moved what follows it.
        if surplus.strip("} \t\r\n") or (surplus and (self._one_bracket_mended or self._branches)):
            self._fail()
        if self._lone_backslash and _UNSURE.search(self._text):
            self._fail()
        if surplus:
            self._note("bracket", surplus)

    def _settle(self, pointer: str | None = None) -> None:
        """Say where that was which was noted last: by default at the member or item being read."""
        if self._noted:
            where = self._pointer() if pointer is None else pointer
            self.fixes.extend(Fix(where, kind, got) for kind, got in self._noted)
            self._noted.clear()

    def _pointer(self) -> str:
        if not self._stack:
            return ""
        top = self._stack[-1]
        step = str(len(top.value)) if isinstance(top.value, list) else top.key
        known = len(self._stack) == 1 or top.pointer
        fits = len(top.pointer) + len(step) < POINTER_LIMIT
        return f"{top.pointer}/{escaped(step)}" if known and fits else ""

    def _skip(self) -> None:
        while match := _FILLER.match(self._text, self._at):
            self._at = match.end()
            if match.lastgroup:
                self._note(match.lastgroup, self._text[match.start() : match.start() + 100])

    def _next(self) -> str:
        """Pass space and comments, and return the character that follows."""
        self._skip()
        if self._at >= len(self._text):
            self._fail(truncated=True)
        return self._text[self._at]

    # -- containers

    def _push(self, opener: str) -> None:
        if len(self._stack) >= MAX_DEPTH or (
            opener == "(" and _THOUSANDS.match(self._text, self._at + 1)
        ):
            self._fail()
        keyed = opener == "{" and not (self._sets and _SET.match(self._text, self._at))
        value: dict[str, JsonValue] | list[JsonValue] = {} if keyed else []
        self._stack.append(Open(_CLOSERS[opener], self._pointer(), value))
        self._at += 1

    def _pop(self) -> None:
        top = self._stack.pop()
        value: JsonValue = top.value
        if top.closer == ")":
            self._note("bracket", "(")
            if isinstance(value, list) and len(value) == 1 and not top.comma:
                value = value[0]
        elif top.closer == "}" and isinstance(value, list):
            self._note("bracket", "{")
            if len(value) == 1 and isinstance(value[0], dict | list):
                value = value[0]
        elif top.comma:
            self._note("comma", ",")
        self._settle(top.pointer)
        if self._stack:
            self._place(value)
        else:
            self._root = value

    def _place(self, value: JsonValue) -> None:
        """Take a member or an item into the innermost container, and pass the comma behind it."""
        top = self._stack[-1]
        self._settle()
        if isinstance(top.value, list):
            top.value.append(value)
        else:
            if top.key in top.value:
                self._mends += 1
                if self._mends > MAX_MENDS:
                    self._fail()
                before, now = (json.dumps(x, sort_keys=True) for x in (top.value[top.key], value))
                self.conflicts.extend([self._pointer()] if before != now else [])
            top.value[top.key] = value
        self._pass_comma(top)
        self._branches |= top.comma and isinstance(value, dict | list)

    def _pass_comma(self, top: Open) -> None:
        top.comma = self._next() == ","
        self._at += top.comma

    def _step(self, top: Open) -> None:
        """Read one member, one item, one closer, or a run of what needs no mending."""
        if (not top.value or top.comma) and self._run(top):
            return
        char = self._next()
        if char in "]})":
            self._close(top, char)
            return
        if isinstance(top.value, list) and top.value:
            ellipsis = _ELLIPSIS.match(self._text, self._at)
            if ellipsis:
                self._note("ellipsis", ellipsis.group())
                self._at = ellipsis.end()
                self._pass_comma(top)
                return
        if top.value and not top.comma:
            self._note("comma")
            if top.closer == ")":  # `("a" "b")` is one string in Python
                self._fail()
        if isinstance(top.value, dict):
            self._key(top, char)
            char = self._next()
        if char not in _CLOSERS:
            self._place(self._leaf(top, char))
        elif plain := self._plain(_PLAIN_VALUE, ""):
            self._place(plain[0])
        else:
            self._push(char)

    def _run(self, top: Open) -> bool:
        """Read as many members or items as stand there in plain JSON, each with its comma."""
        start = self._at
        if isinstance(top.value, list):
            items = self._plain(_PLAIN_ITEMS, "[]")
            top.value.extend(items)
        else:
            items = self._plain(_PLAIN_MEMBERS, "{}")
            members = items[0] if items else {}
            if not isinstance(members, dict) or not members.keys().isdisjoint(top.value.keys()):
                self._in_runs, self._at = False, start
                return False
            top.value.update(members)
        if items:
            self._settle(top.pointer)
            top.comma = True
            self._branches |= "}" in self._text[start : self._at]
        return bool(items)

    def _plain(self, pattern: re.Pattern[str], around: str) -> list[JsonValue]:
        """Read what json.loads can read; nothing where a key is given twice, to say where that is.

        around: the brackets around a run; without them, one value is read.
        """
        allowed = self._in_runs and len(self._stack) < MAX_DEPTH - 2
        match = pattern.match(self._text, self._at) if allowed else None
        if match is None:
            return []
        source = f"{around[0]}{match.group()[:-1]}{around[1]}" if around else match.group()
        try:
            value: JsonValue = json.loads(source, object_pairs_hook=_distinct, parse_float=fraction)
        except ValueError:
            self._in_runs = False
            return []
        self._at = match.end()
        return value if around == "[]" and isinstance(value, list) else [value]

    def _close(self, top: Open, char: str) -> None:
        if char == top.closer:
            self._at += 1
            self._pop()
            return
        # A bracket is missing, superfluous or the wrong one. How many containers are closed from
        # here on tells which, as long as it is the only one.
        expected = [each.closer for each in self._stack]
        if self._one_bracket_mended or ")" in {char, *expected}:
            self._fail()
        self._one_bracket_mended = True
        self._note("bracket", char)
        rest = _STRINGS.sub("", self._text[self._at :])
        closed = sum(map(rest.count, "]}")) - sum(map(rest.count, "[{"))
        if closed < len(expected) and char in expected:
            while self._stack[-1].closer != char:
                self._pop()
        elif closed == len(expected):
            self._at += 1
            self._pop()
        elif closed == len(expected) + 1 and self._text[: self._at].rstrip()[-1] == char == "}":
            self._at += 1
            self._pass_comma(top)
        else:
            self._fail()

    # -- keys and leaves

    def _key(self, top: Open, char: str) -> None:
        """Read a key and its colon."""
        top.key, top.doubled = "", False
        if char in QUOTES:
            top.key = self._string("key")
        elif match := _LOOSE_KEY.match(self._text, self._at):
            top.key = match[1].rstrip()
            self._at = match.end()
            self._note("key", top.key)
        else:
            self._fail()
        if self._next() == ":":  # else it was seen where the key lacks its quote
            self._at += 1
        self._settle()

    def _leaf(self, top: Open, char: str) -> JsonValue:
        """Read a string, a number or a literal, or what can only be one of them."""
        member = isinstance(top.value, dict)
        if char in QUOTES:
            return self._string("member" if member else "item")
        start = self._at
        if member and (match := _THOUSANDS.match(self._text, start)):
            self._note("number", match.group())
            self._at = match.end()
            return match.group()
        match = _BARE.match(self._text, start)
        if match is None:
            self._fail()
        bare = match[1].rstrip()
        self._at = match.end(1)
        self._next()
        if not member and (match["quote"] or (match["line"] and not _is_simple(bare))):
            self._fail()
        if number := _NUMBER.fullmatch(bare):
            if not _STRICT_NUMBER.fullmatch(bare):
                self._note("number", bare)
            return self._number(number[1])
        if bare not in _OF_JSON:
            self._note("literal" if bare in _LITERALS else "quote", bare)
        if bare not in _LITERALS and self._is_unsure(top, bare, start):
            self._fail()
        return _LITERALS.get(bare, bare)

    def _number(self, digits: str) -> int | float:
        try:
            return int(digits) if digits.lstrip("-").isdecimal() else fraction(digits)
        except ValueError:  # more digits than Python turns into a number
            self._fail()

    def _is_unsure(self, top: Open, bare: str, start: int) -> bool:
        """Whether words without quotes may be more, or less, than one string."""
        if _COLON.search(bare) or all(map(_is_simple, bare.split())) or top.closer == ")":
            return True
        if isinstance(top.value, dict):
            return False
        # `[Zhou, Guangwei, "Dargie"]` are two authors or three.
        before = self._text[max(0, start - 20) : start].rstrip(", \t\r\n")[-1:]
        behind = _BARE_BEHIND.match(self._text, self._at)
        split = behind and (" " in bare + behind[1].rstrip() or behind[2] or before in QUOTES)
        return bool(split) or not bare.strip("0123456789.")


def _distinct(pairs: list[tuple[str, JsonValue]]) -> dict[str, JsonValue]:
    members = dict(pairs)
    if len(members) < len(pairs):
        raise ValueError
    return members


def _is_simple(word: str) -> bool:
    return word in _LITERALS or _NUMBER.fullmatch(word) is not None
