"""The input: text, checked before anything is paid for."""

from __future__ import annotations

from dataclasses import dataclass, field

from extractify.errors import DocumentError


@dataclass(frozen=True, slots=True)
class Document:
    """A text to extract from. Raises: DocumentError if it is blank or can't be encoded as UTF-8.

    name: for the user's own records, such as a file name; it isn't sent.
    """

    text: str = field(repr=False)
    name: str | None = None

    def __post_init__(self) -> None:
        """Refuse what no model can read, before it costs a request."""
        where = f" {self.name!r}" if self.name else ""
        if not self.text.strip():
            message = f"The document{where} is empty. Check that the file was read as text."
            raise DocumentError(message)
        check_encodable(self.text, f"The document{where}")


def check_encodable(text: str, what: str) -> None:
    """Raise DocumentError for a text that can't travel. what: names it in the message."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise DocumentError(
            f"{what} has a lone surrogate at character {error.start}, which no encoding can carry. "
            "Read the file with its real encoding, or with errors='replace'."
        ) from None


def decoded(content: bytes, what: str) -> str:
    """Decode UTF-8 text, with or without a byte order mark. what: names it in the message.

    Raises: DocumentError for anything else, which says what to do.
    """
    if b"\0" in content:
        raise DocumentError(
            f"{what} isn't UTF-8 text: it has NUL bytes. It is a binary file, or in another "
            "encoding such as UTF-16; convert it first."
        )
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DocumentError(
            f"{what} isn't UTF-8 text (byte {error.start}). Convert it first, for example with "
            "iconv -f LATIN1 -t UTF-8."
        ) from None
