"""A text that arrives in pieces or, from some servers, whole again each time."""

from __future__ import annotations

_CERTAIN = 16
"""Characters that no next piece repeats by chance: the text comes whole each time."""
_PATIENCE = 8


class Pieces:
    """Finds out which it is. A few pieces may be held back until that is told."""

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._last = ""  # piece of those that may all be the whole
        self._held: list[str] = []
        self._is_whole: bool | None = None
        self._size = 0

    @property
    def text(self) -> str:
        """What has been told so far."""
        if len(self._pieces) > 1:
            self._pieces = ["".join(self._pieces)]
        return self._pieces[0] if self._pieces else ""

    def take(self, piece: str) -> str:
        """Take what came. Returns: what it adds to the text, as far as that is sure."""
        if not piece or self._is_whole is False:
            return self._told(piece)
        if self._is_whole:
            return self._told(self._beyond(piece))
        if not self._last:
            self._last = piece
            return self._told(piece)
        if not piece.startswith(self._last) or len(self._held) == _PATIENCE:
            return self._in_pieces(piece)
        self._held.append(piece)
        is_certain = len(self._last) >= _CERTAIN
        self._last = piece
        if not is_certain:
            return ""
        self._is_whole, self._held = True, []
        return self._told(piece[self._size :])

    def settled(self, whole: str) -> str:
        """Take the end, and the whole text if a final message repeats it. Returns: what it adds."""
        if self._is_whole is None and self._held and whole != self._last:
            return self._in_pieces("") + self.settled(whole)
        if whole.startswith(self.text):
            return self._told(whole[self._size :])
        if whole:
            self._pieces, self._size = [whole], len(whole)
        return ""

    def _beyond(self, piece: str) -> str:
        """What a piece adds to the whole that came before it, unless it says less."""
        if piece.startswith(self._last):
            self._last = piece
            return piece[self._size :]
        return "" if self._last.startswith(piece) else piece

    def _in_pieces(self, piece: str) -> str:
        self._is_whole = False
        held, self._held = self._held, []
        return self._told("".join([*held, piece]))

    def _told(self, text: str) -> str:
        if text:
            self._pieces.append(text)
            self._size += len(text)
        return text
