"""extractify.documents: a text is checked before anything is paid for."""

from __future__ import annotations

import pytest

from extractify.documents import Document, decoded
from extractify.errors import DocumentError
from tests.pickling import pickled


def test_a_document_is_its_text_and_keeps_a_name_for_the_user() -> None:
    document = Document("Invoice 7", name="a.txt")
    assert (document.text, document.name) == ("Invoice 7", "a.txt")
    assert Document("x").name is None
    assert pickled(document) == document


@pytest.mark.parametrize("text", ["", "  ", "\n\t\u00a0\u2003"])
def test_an_empty_document_is_refused(text: str) -> None:
    with pytest.raises(DocumentError, match="is empty"):
        Document(text)


def test_the_error_names_the_document_and_says_nothing_of_its_text() -> None:
    with pytest.raises(DocumentError, match=r"document 'a\.txt' has .* at character 7,") as caught:
        Document("secret \ud83d", name="a.txt")
    assert "secret" not in str(caught.value)
    str(caught.value).encode()


@pytest.mark.parametrize("text", ["\U0001f600", "\x00", "ünï\u2028", "\ufeffx"])
def test_whatever_an_encoding_can_carry_is_a_document(text: str) -> None:
    assert Document(text).text == text


def test_bytes_are_decoded_with_or_without_a_byte_order_mark() -> None:
    assert decoded("\ufeffPréz".encode(), "a.txt") == decoded("Préz".encode(), "a.txt") == "Préz"


@pytest.mark.parametrize(
    ("content", "reason"), [(b"a\0b", "has NUL bytes"), (b"caf\xe9", r"\(byte 3\)")]
)
def test_bytes_that_are_no_text_are_named_and_not_quoted(content: bytes, reason: str) -> None:
    with pytest.raises(DocumentError, match=rf"^a\.txt isn't UTF-8 text.*{reason}") as caught:
        decoded(content, "a.txt")
    assert "caf" not in str(caught.value)
