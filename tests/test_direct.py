"""extractify.direct: what is said over one connection, without the connection."""

from __future__ import annotations

import asyncio
import socket
import threading
from itertools import pairwise
from typing import TYPE_CHECKING

import h11
import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from extractify import AsyncClient, Client, Endpoint, Limits
from extractify.direct import Direct, Route, Talk
from extractify.posting import Patience
from tests.loopback import Loopback

if TYPE_CHECKING:
    from collections.abc import Sequence

URL = httpx.URL("http://127.0.0.1:9/v1/chat/completions?a=b")
ROUTE = Route(URL, {"accept": "application/json"}, None)
PATIENCE = Patience(5, 5, 5)
PLAIN = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\ncontent-length: 2\r\n\r\n{}"
ANSWERS = [
    (PLAIN, True),
    (PLAIN.replace(b" OK", b" "), True),
    (PLAIN.replace(b"\r\n\r\n", b"\r\nConnection: Keep-Alive\r\n\r\n"), True),
    (PLAIN.replace(b"length: 2", b"length:2 "), True),
    (PLAIN.replace(b"200 OK", b"503 Service Unavailable"), True),
    (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n", True),
    (b"HTTP/1.1 100 Continue\r\n\r\n" + PLAIN, True),
    (PLAIN.replace(b"\r\n", b"\n"), True),
    (PLAIN.replace(b"\r\n\r\n", b"\r\nconnection: close\r\n\r\n"), False),
    (PLAIN.replace(b"HTTP/1.1", b"HTTP/1.0"), False),
    (PLAIN + b"more", False),
]


def read(talk: Talk, parts: Sequence[bytes]) -> tuple[int, dict[str, str], bytes]:
    """What the answer says that arrives in these parts."""
    arriving = iter(parts)
    while (head := talk.head()) is None:
        talk.hear(next(arriving, b""))
    body = b""
    while (piece := talk.piece()) != b"":
        if piece:
            body += piece
        else:
            talk.hear(next(arriving, b""))
    return head.status, head.headers, body


def test_a_request_is_written_as_h11_writes_it() -> None:
    asked = Talk(ROUTE).ask(b'{"a": 1}')
    server = h11.Connection(h11.SERVER)
    server.receive_data(asked)
    request, data = server.next_event(), server.next_event()
    assert isinstance(request, h11.Request)
    assert isinstance(data, h11.Data)
    assert (request.method, request.target) == (b"POST", b"/v1/chat/completions?a=b")
    assert dict(request.headers) == {
        b"host": b"127.0.0.1:9",
        b"accept": b"application/json",
        b"content-length": b"8",
    }
    assert bytes(data.data) == b'{"a": 1}'


def test_a_header_that_cannot_be_sent_is_refused() -> None:
    with pytest.raises(h11.LocalProtocolError):
        Talk(Route(URL, {"accept": "a\r\nb: c"}, None)).ask(b"{}")


@given(st.sampled_from(ANSWERS), st.lists(st.integers(0, 120)))
def test_an_answer_says_the_same_wherever_it_is_cut(
    answer: tuple[bytes, bool], cuts: list[int]
) -> None:
    raw, goes_on = answer
    edges = sorted({0, len(raw), *(cut for cut in cuts if cut < len(raw))})
    parts = [raw[start:end] for start, end in pairwise(edges)]
    talk = Talk(ROUTE)
    talk.ask(b"{}")
    status, headers, body = read(talk, parts)
    assert status in {200, 503}
    assert body == b"{}"
    assert headers.get("content-length", "2") == "2"
    assert talk.is_over() is talk.may_go_on
    if goes_on:
        assert talk.may_go_on
        talk.ask(b"[]")
        assert read(talk, parts)[2] == b"{}"


def test_a_connection_is_not_used_again_where_more_came_than_the_answer() -> None:
    talk = Talk(ROUTE)
    talk.ask(b"{}")
    assert read(talk, [PLAIN + b"HTTP/1.1 200 OK"])[2] == b"{}"
    assert not talk.is_over()


@pytest.mark.parametrize(
    ("raw", "told"),
    [
        (b"", "without sending a response"),
        (PLAIN[:-1], "1 bytes too early"),
        (PLAIN[:30], "."),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{", "incomplete"),
        (b"HTTP/1.1 101 Switching\r\nupgrade: x\r\n\r\n", "."),
        (b"SSH-2.0-OpenSSH\r\n\r\n", "."),
        (PLAIN.replace(b"length: 2", b"length: 2\r\ncontent-length: 3"), "."),
        (PLAIN.replace(b"length: 2", b"length: -2"), "."),
    ],
)
def test_an_answer_that_is_none_is_refused(raw: bytes, told: str) -> None:
    talk = Talk(ROUTE)
    talk.ask(b"{}")
    with pytest.raises((httpx.RemoteProtocolError, h11.RemoteProtocolError), match=told):
        read(talk, [raw] if raw else [])
    assert not talk.is_over()


def test_what_a_server_says_before_it_hangs_up_on_a_large_request_is_read() -> None:
    refusal = b"HTTP/1.1 413 Too Large\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}"
    with socket.create_server(("127.0.0.1", 0)) as server:

        def refuse() -> None:
            connection, _ = server.accept()
            with connection:
                connection.sendall(refusal)
                connection.shutdown(socket.SHUT_WR)
                while connection.recv(2**16):
                    pass

        thread = threading.Thread(target=refuse)
        thread.start()
        port = server.getsockname()[1]
        direct = Direct(Route(httpx.URL(f"http://127.0.0.1:{port}/"), {}, None))
        answer = direct.post(b" " * 5_000_000, PATIENCE)
        assert (answer.status, b"".join(answer.pieces())) == (413, b"{}")
        answer.close()
        direct.close()
        thread.join()


def test_no_limit_is_a_limit_too() -> None:
    limits = Limits(connect=None, response_bytes=None, aiohttp=False)

    async def run(where: Endpoint) -> int:
        async with AsyncClient(where, limits=limits) as client:
            return (await client.extract(int, "seven")).value

    with Loopback(["7", "7"]) as server:
        where = Endpoint(server.url, "m")
        with Client(where, limits=limits) as client:
            assert client.extract(int, "seven").value == 7
        assert asyncio.run(run(where)) == 7
