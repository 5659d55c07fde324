"""A value as another process would see it."""

import pickle
from typing import TypeVar

T = TypeVar("T")


def pickled(value: T) -> T:
    """The value after a journey through pickle."""
    copy: T = pickle.loads(pickle.dumps(value))
    return copy
