"""extractify.sieve: a member is always found, and few others are taken for one."""

from __future__ import annotations

from hashlib import sha256

from extractify.sieve import Sieve

MANY = 20_000


def digests(name: str) -> list[bytes]:
    return [sha256(f"{name} {number}".encode()).digest() for number in range(MANY)]


def test_every_member_is_found_and_few_others_pass() -> None:
    sieve, members = Sieve(), digests("in")
    assert not any(digest in sieve for digest in members)
    for digest in members:
        sieve.add(digest)
    assert all(digest in sieve for digest in members)
    passed = sum(digest in sieve for digest in digests("out"))
    assert passed < 3 * MANY * MANY / 2**25  # three times what is to be expected


def test_what_differs_behind_the_first_bytes_passes() -> None:
    sieve = Sieve()
    sieve.add(bytes(32))
    assert b"\0\0\0\0" + b"\1" * 28 in sieve
    assert b"\xff" * 32 not in sieve
