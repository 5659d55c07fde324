"""E-mail addresses, URLs, phone numbers and codes in a folded text, whatever their punctuation."""

from __future__ import annotations

import re
from functools import cached_property
from typing import TYPE_CHECKING
from urllib.parse import unquote

from extractify.notations.figures import Found

if TYPE_CHECKING:
    from collections.abc import Iterator

_EMAIL = re.compile(r"(?:mailto:)?([^\s@]{1,64})@([^\s@]{1,255}\.[^\s@.]{2,63})")
_URL = re.compile(
    r"(?:(https?|ftp)://)?(?:www\.)?([^\s/?#]{1,255}\.[^\s/?#]{2,63})([/?#]\S{0,2000})?"
)
_SCHEME = re.compile(r"(?:(?:https?|ftp)://)?(?:www\.)?\Z")
_CODE = re.compile(r"\+?[\w.,()/ -]{5,60}", re.ASCII)
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}.*")
# What may stand inside a phone number or a code in groups; a comma or a wide gap may not.
_GROUPING = frozenset(" .-/()")
_DROPPED = {ord(char): None for char in " .-/()\t\n"}
_GOES_ON = re.compile(r"[.@/?#=&%_~+-]\w|\w")
_GOES_BEFORE = re.compile(r"[\w.+%-]\Z")
_CHAIN = re.compile(r"[0-9]+(?:([-:])[0-9]+)(?:\1[0-9]+)*|[a-z0-9]+(?:-[a-z0-9]+)*-[0-9]+")
# What a chain goes on with, by what joins it: a code of letters and digits is joined by hyphens.
_LINKS = {
    "-": (re.compile(r"-[0-9]"), re.compile(r"[0-9]-\Z")),
    ":": (re.compile(r":[0-9]"), re.compile(r"[0-9]:\Z")),
    None: (re.compile(r"-(?:[0-9]|[a-zA-Z]\b)"), re.compile(r"\Z\b\B")),
}
_COUNTRY = re.compile(r"(?:\+|\b00)([0-9]{1,3})[ .\-/(]{0,3}(?:\(0\)[ ]?)?\Z")
_LEAST_DIGITS = 6


class Identifiers:
    """The identifiers of a folded text."""

    def __init__(self, text: str) -> None:
        self._text = text

    def find(self, leaf: str) -> Iterator[Found]:
        """Yield where an identifier stands. leaf: folded."""
        leaf = leaf.removeprefix("tel:")
        email = _EMAIL.fullmatch(leaf)
        if email:
            yield from self._email(email.group(1), email.group(2))
            return
        url = _URL.fullmatch(leaf)
        if url and not url.group(2).replace(".", "").isdigit() and " " not in leaf:
            yield from self._url(url.group(2), url.group(3) or "")
        if _CODE.fullmatch(leaf) and not _DATE.fullmatch(leaf):
            yield from self._code(leaf)

    def _email(self, user: str, domain: str) -> Iterator[Found]:
        """Also as `info [at] acme [dot] example`, which is written for people."""
        if user not in self._text:
            return
        point = r"(?: ?[\[({<] ?(?:dot|punkt|\.) ?[\])}>] ?| dot |\.\n?)"
        at = r"(?: ?[\[({<] ?(?:at|@|ät) ?[\])}>] ?| at | ?@[ \n]?)"
        parts = [point.join(map(re.escape, part.split("."))) for part in (user, domain)]
        pattern = rf"(?<![\w.+-]){parts[0]}{at}{parts[1]}(?![\w@]|[.-]\w)"
        for match in re.finditer(pattern, self._text):
            yield Found(*match.span())

    def _url(self, host: str, path: str) -> Iterator[Found]:
        """With or without a scheme, `www.` and a slash at the end."""
        for written in dict.fromkeys((path, unquote(path).lower())):
            core = host + written.rstrip("/")
            for at in _places(self._text, core):
                end = at + len(core)
                scheme = _SCHEME.search(self._text, max(0, at - 14), at)
                start = scheme.start() if scheme else at
                if self._text.startswith("/", end):
                    end += 1
                following = self._text[end : end + 2]
                goes_on = following[:1].isalnum() or (
                    following[:1] in {".", "-", "/", "?", "#", "_", "="}
                    and following[1:2].isalnum()
                )
                before = self._text[start - 1 : start] if start else ""
                ended = self._text[end - 1] == "/" and following[:1].strip() not in {"", ")", ">"}
                if not (goes_on or ended or before.isalnum() or before in {"@", ".", "-", "/"}):
                    yield Found(start, end)

    def _code(self, leaf: str) -> Iterator[Found]:
        """The same letters and digits in other groups, such as a phone number or an IBAN."""
        compact = leaf.removeprefix("+").translate(_DROPPED)
        if sum(char.isdigit() for char in compact) < _LEAST_DIGITS or "," in compact:
            return
        yield from self._grouped(compact)
        if not compact.isdigit():
            return
        if leaf.startswith(("+", "00")):
            whole = compact.removeprefix("00")
            rests = (whole[size:] for size in (1, 2, 3))
            nationals = [("0" if size else "") + rest for rest in rests for size in (0, 1)]
        else:
            nationals = [compact[1:]] if compact.startswith("0") else []
        for national in nationals:
            if len(national) > _LEAST_DIGITS:
                yield from self._grouped(national, international=leaf)

    def _grouped(self, compact: str, international: str = "") -> Iterator[Found]:
        text, (joined, offsets) = self._text, self._joined
        for place in _places(joined, compact):
            start, end = offsets[place], offsets[place + len(compact) - 1] + 1
            inside = text[start:end]
            between = {char for char in inside if not char.isalnum()}
            if not between <= _GROUPING or text[end : end + 1].isalnum():
                continue
            if between == {" "} and len(compact) < _LEAST_DIGITS + 3:
                continue  # it may be two columns of a table
            if re.match(r"[ .\-/()]{1,2}[0-9]", text[end : end + 3]) and compact[-1].isdigit():
                continue  # the number goes on
            before = text[max(0, start - 12) : start]
            country = _COUNTRY.search(before)
            if country and _agrees(country.group(1), compact, international):
                yield Found(start - len(before) + country.start(), end)
            elif not country and not re.search(r"[\w+]\Z|[0-9][ .\-/(]{1,2}\Z", before):
                opened = text[start - 1 : start] in {"(", "+"} and start
                yield Found(start - 1 if opened else start, end)

    @cached_property
    def _joined(self) -> tuple[str, list[int]]:
        """The text without what groups, and where each character of it was."""
        text = self._text
        dropped = " .-/()\t\n"
        return text.translate(_DROPPED), [at for at, char in enumerate(text) if char not in dropped]


def is_address(folded: str) -> bool:
    """Whether a value is an e-mail address or a URL, whose ends other letters may go on from."""
    if " " in folded or "." not in folded:
        return False
    return "@" in folded or folded.startswith("www.") or "://" in folded


def is_chained(folded: str) -> bool:
    """Whether a value is joined by hyphens or colons: a date, a range, a time, `inv-2041`."""
    return _CHAIN.fullmatch(folded) is not None


def goes_on(text: str, span: tuple[int, int], folded: str) -> bool:
    """Whether an address or a chain of digits that stands there is a part of a longer one."""
    start, end = span
    chain = _CHAIN.fullmatch(folded)
    behind, before = _LINKS[chain.group(1)] if chain else (_GOES_ON, _GOES_BEFORE)
    return bool(behind.match(text, end) or before.search(text, max(0, start - 2), start))


def _agrees(country: str, compact: str, international: str) -> bool:
    """Whether the country code before a national number is that of the value, if it has one."""
    if not international.startswith(("+", "00")):
        return True
    whole = international.lstrip("+").removeprefix("00").translate(_DROPPED)
    return whole == country + compact


def _places(text: str, part: str) -> Iterator[int]:
    at = text.find(part)
    while at >= 0:
        yield at
        at = text.find(part, at + len(part))
