"""extractify.sockets against a server in the same loop."""

from __future__ import annotations

import asyncio
import struct
from contextlib import asynccontextmanager
from socket import SO_LINGER, SOL_SOCKET
from typing import TYPE_CHECKING

import httpcore
import pytest

from extractify.sockets import Socket

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    Served = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def connected(serve: Served) -> AsyncIterator[Socket]:
    over = asyncio.Event()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await serve(reader, writer)
        await over.wait()
        writer.transport.abort()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        socket = await Socket.opened("127.0.0.1", server.sockets[0].getsockname()[1], None, 5)
        try:
            yield socket
        finally:
            over.set()
            await socket.aclose()


def test_what_is_written_leaves_with_the_next_read_in_one_piece() -> None:
    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(await reader.read(100))

    async def run() -> bytes:
        async with connected(echo) as socket:
            await socket.write(b"head ")
            await socket.write(b"body")
            return await socket.read(100, 5)

    assert asyncio.run(run()) == b"head body"


def test_a_read_takes_no_more_than_it_was_asked_for() -> None:
    async def send(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"abcde")

    async def run() -> list[bytes]:
        async with connected(send) as socket:
            return [await socket.read(4, 5), await socket.read(4, 5)]

    assert asyncio.run(run()) == [b"abcd", b"e"]


def test_a_server_has_to_wait_for_a_slow_reader() -> None:
    size, sent = 2**26, asyncio.Event()

    async def flood(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(bytes(size))
        await writer.drain()
        sent.set()

    async def run() -> int:
        async with connected(flood) as socket:
            await socket.read(1, 5)
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(sent.wait(), 0.2)
            got = 1
            while got < size:
                got += len(await socket.read(2**24, 5))
            return got

    assert asyncio.run(run()) == size


def test_an_idle_connection_is_over_when_the_server_says_something_or_hangs_up() -> None:
    async def idle(_reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        pass

    async def talk(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 408 Request Timeout\r\n\r\n")

    async def end(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write_eof()

    async def run(serve: Served) -> object:
        async with connected(serve) as socket:
            await asyncio.sleep(0.05)
            return socket.get_extra_info("is_readable")

    assert [asyncio.run(run(serve)) for serve in (idle, talk, end)] == [False, True, True]


def test_the_end_is_no_bytes_and_a_broken_connection_is_an_error() -> None:
    async def end(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write_eof()

    async def reset(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"all of it")
        await asyncio.sleep(0.05)
        linger = struct.pack("ii", 1, 0)  # hangs up with a reset
        writer.get_extra_info("socket").setsockopt(SOL_SOCKET, SO_LINGER, linger)
        writer.transport.abort()

    async def run(serve: Served) -> bytes:
        async with connected(serve) as socket:
            return await socket.read(100, 5) + await socket.read(100, 5)

    assert asyncio.run(run(end)) == b""
    with pytest.raises(httpcore.ReadError):
        asyncio.run(run(reset))


def test_silence_and_a_port_that_nobody_listens_at_are_errors() -> None:
    async def idle(_reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        pass

    async def run() -> None:
        async with connected(idle) as socket:
            with pytest.raises(httpcore.ReadTimeout):
                await socket.read(100, 0.01)
        with pytest.raises(httpcore.ConnectError):
            await Socket.opened("127.0.0.1", 9, None, 5)
        with pytest.raises(httpcore.ConnectTimeout):
            await Socket.opened("127.0.0.1", 9, None, 0)

    asyncio.run(run())
