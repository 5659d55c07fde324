"""extractify.errors: the tree, what each error carries, and that nothing is lost on the way."""

from __future__ import annotations

import copy
import pickle

import pytest

from extractify import errors
from extractify.errors import EndpointError, ExtractifyError, ExtractionError
from extractify.messages import Attempt, Completion, Message, Problem, Request, Usage
from tests.pickling import pickled

ATTEMPT = Attempt(
    Request("m", (Message("user", "the document"),)),
    Completion("{}", usage=Usage(1, 2, 3)),
    (),
    (),
    1,
)
CLASSES = [
    value
    for value in vars(errors).values()
    if isinstance(value, type) and issubclass(value, ExtractifyError)
]


def made(kind: type[ExtractifyError]) -> ExtractifyError:
    """An error with every field set."""
    error: ExtractifyError
    if issubclass(kind, EndpointError):
        error = kind(
            "Wait a minute.",
            status=429,
            code="3040",
            detail="you sent: the document, sk-secret",
            request_id="r-1",
            retry_after=1.5,
        )
    elif issubclass(kind, ExtractionError):
        problems = (Problem("/a", "int_type", "expected a number", '"the document"'),)
        error = kind("Widen the target.", problems=problems, partial={"a": ["the document"]})
    else:
        error = kind("Set EXTRACTIFY_ENDPOINT.")
    error.attempts = (ATTEMPT, ATTEMPT)
    error.endpoint, error.tries = "http://host/v1#m", 3
    return error


def fields(error: BaseException) -> dict[str, object]:
    return {"type": type(error), "args": error.args, **vars(error)}


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("kind", CLASSES)
def test_every_error_pickles_with_all_it_carries(
    kind: type[ExtractifyError], protocol: int
) -> None:
    error = made(kind)
    error.add_note("in row 7")
    again = pickle.loads(pickle.dumps(error, protocol))
    assert fields(again) == fields(error)
    assert str(again) == str(error)
    assert again.usage == Usage(2, 4, 6)


@pytest.mark.parametrize("kind", CLASSES)
def test_every_error_can_be_copied(kind: type[ExtractifyError]) -> None:
    error = made(kind)
    for again in (copy.copy(error), copy.deepcopy(error)):
        assert again is not error
        assert fields(again) == fields(error)


@pytest.mark.parametrize("kind", CLASSES)
def test_a_message_never_holds_what_an_endpoint_or_a_document_said(
    kind: type[ExtractifyError],
) -> None:
    error = made(kind)
    for text in (str(error), repr(error)):
        assert "secret" not in text
        assert "the document" not in text


def test_an_error_before_any_attempt_has_none() -> None:
    error = errors.SchemaError("Pass a class.")
    assert error.attempts == ()
    assert error.usage == Usage()


def test_a_subclass_of_the_users_own_pickles_too() -> None:
    error = pickled(RowError(7))
    assert (type(error), error.row, str(error)) == (RowError, 7, "row 7")


class RowError(ExtractionError):
    def __init__(self, row: int) -> None:
        super().__init__(f"row {row}")
        self.row = row


def drawn() -> dict[str, str]:
    """Each class in the docstring's tree, and the one it stands under."""
    found: dict[str, str] = {}
    path: list[str] = []
    for line in (errors.__doc__ or "").splitlines():
        bare = line.lstrip(" │├└─")
        if line.startswith("    ") and bare:
            depth = (len(line) - len(bare) - 4) // 4
            path[depth:] = [bare.split()[0]]
            found[path[depth]] = path[depth - 1] if depth else "Exception"
    return found


def test_the_tree_in_the_docstring_is_the_tree_of_the_classes() -> None:
    assert drawn() == {kind.__name__: kind.__base__.__name__ for kind in CLASSES if kind.__base__}


def test_every_error_is_documented() -> None:
    assert all(kind.__doc__ for kind in CLASSES)
