"""An extraction whose answers stream: what is asked next, and what each delta makes of the value.

It does no I/O: the sync and the async stream drive the same code. The conversation decides, as it
does without streaming; what is shown on the way is never more than a part of its answers.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING, Generic, TypeVar, cast

from extractify.errors import ConfigurationError, ExtractifyError, ExtractionError
from extractify.events import Thought
from extractify.markers import Grounding
from extractify.messages import Timing
from extractify.partials import Partial, Partials, View
from extractify.plain import dumped

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping

    from extractify.conversation import Asked
    from extractify.dialects.chunks import Delta
    from extractify.events import OnEvent
    from extractify.extraction import Extraction
    from extractify.messages import Completion
    from extractify.partials import Sight
    from extractify.task import Task

T = TypeVar("T")


class Playback(Generic[T]):
    """One extraction. is_replaced: at the end, whether its value wasn't read on the way."""

    def __init__(
        self,
        flow: Generator[Asked, Completion, Extraction[T]],
        task: Task[T],
        context: Mapping[str, object],
        emit: OnEvent,
        interval: float = 0.0,
        *,
        keeps: bool = False,
    ) -> None:
        """interval: seconds between two Partials at least. keeps: what is valid is given out."""
        self.is_replaced = False
        self._extraction: Extraction[T] | None = None
        self._error: ExtractifyError | None = None
        self._flow, self._schema, self._context, self._emit = flow, task.schema, context, emit
        self._interval, self._shown_at, self._keeps = interval, float("-inf"), keeps
        # What has to stand in the document is looked up there when the whole is judged.
        demands = task.policy is Grounding.required or task.schema.marks.requires
        self._sight: Sight = "data" if demands else "all"
        self._step: Callable[[], Asked] = partial(next, flow)
        self._attempt = 0
        self._asked: Asked | None = None
        self._partials: Partials[T] = Partials(task.schema, context)
        self._started = 0.0
        self._timing = Timing()

    def asked(self) -> Asked | None:
        """What to ask next; None when there is a result. Raises: what the conversation raises."""
        try:
            asked = self._step()
        except StopIteration as done:
            self._extraction = cast("Extraction[T]", done.value)
            return None
        except ExtractifyError as error:
            self._error = error
            raise
        given = sum(pointer.count("/") == 1 for pointer in self._partials.model)
        if self._keeps and asked.patch is None and given:
            raise self._taken_back(given)
        self._attempt += 1
        before = None if asked.patch is None else self._partials.model
        sight = "nothing" if asked.reshaped else self._sight
        view = View(asked.enveloped, self._attempt, asked.patch, sight)
        self._partials = Partials(self._schema, self._context, view, before)
        self._started, self._timing = monotonic(), Timing()
        self._asked = asked
        return asked._replace(request=replace(asked.request, stream=True, include_usage=True))

    def take(self, delta: Delta) -> Partial[T] | None:
        """Take what a network read brought. Returns: what to show of it, if anything changed."""
        now = monotonic()
        seconds = now - self._started
        first = self._timing.first_token
        self._timing = replace(
            self._timing, first_token=seconds if first is None else first, last_token=seconds
        )
        if delta.reasoning:
            self._emit(Thought(self._attempt, delta.reasoning))
        changed = self._partials.read(self._text(delta))
        if self._timing.first_field is None and self._partials.has_field:
            self._timing = replace(self._timing, first_field=seconds)
        if not changed or now - self._shown_at < self._interval:
            return None
        self._shown_at = now
        return self._partials.taken()

    def answer(self, completion: Completion) -> None:
        """Take the whole answer: the conversation judges it with the next `asked`."""
        told = replace(completion, timing=self._timing)
        self._step = partial(self._flow.send, told)

    def fail(self, error: ExtractifyError) -> None:
        """Take a fault: the conversation raises it with the next `asked`, or asks elsewhere."""
        if error.partial is None and self._asked is not None and self._attempt == 1:
            error.partial = self._partials.complete()
        self._step = partial(self._flow.throw, error)

    def result(self) -> Extraction[T]:
        """The result. Raises: what ended the conversation, or ConfigurationError where it is on."""
        if self._error is not None:
            raise self._error
        if self._extraction is None:
            message = "The stream was closed before its end, so there is no result. Read on first."
            raise ConfigurationError(message)
        return self._extraction

    def last(self) -> Partial[T]:
        """The end, when there is a result."""
        self.is_replaced = not self._partials.is_settled
        extraction = self.result()
        if not extraction.ok:
            return self._partials.last(extraction.partial, None)
        return self._partials.last(dumped(self._schema.adapter, extraction.value), extraction.value)

    def close(self) -> None:
        """End the conversation, wherever it is."""
        self._flow.close()

    def _taken_back(self, given: int) -> ExtractionError:
        """What was given out can't be asked for again: the next answer may tell another tale."""
        self._flow.close()
        self._error = ExtractionError(
            f"The answer broke after {given} valid items, which were given out already, and can't "
            "be mended item by item. See `partial`; extract the whole instead, or smaller pieces "
            "of the document.",
            partial=self._partials.complete(),
        )
        return self._error

    def _text(self, delta: Delta) -> str:
        """What a delta adds to the text that is read: content, or the arguments of the answer."""
        asked = self._asked
        if asked is None or asked.request.structure != "tool":
            return delta.content
        # Among other tools, only the whole answer tells which call is ours.
        return "" if asked.request.parameters.tools else delta.arguments.get(0, "")
