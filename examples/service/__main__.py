"""Runs the service: `python -m service [--endpoint local:smollm2]`, in the folder above.

On SIGTERM it says that it isn't ready, for as long as a load balancer needs to notice. Then it
takes no more connections, lets what runs come to its end, and closes its own connections.
"""

from __future__ import annotations

import argparse
import asyncio
from typing import TYPE_CHECKING

import uvicorn

from .app import create
from .filling import Settings

if TYPE_CHECKING:
    import socket

    from fastapi import FastAPI


class Server(uvicorn.Server):
    """grace: seconds between the signal and the end of listening."""

    def __init__(self, app: FastAPI, config: uvicorn.Config, grace: float) -> None:
        super().__init__(config)
        self.app, self.grace = app, grace

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self.app.state.service.draining = True
        await asyncio.sleep(self.grace)
        await super().shutdown(sockets)


def main() -> None:
    default = Settings()
    parser = argparse.ArgumentParser(prog="service", description="Fills in forms from texts.")
    parser.add_argument("--endpoint", help="such as local:smollm2; or EXTRACTIFY_ENDPOINT")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8000, help="0 for a free one")
    parser.add_argument("--running", type=int, default=default.running, help="at once")
    parser.add_argument("--waiting", type=int, default=default.waiting, help="and those that wait")
    parser.add_argument("--size", type=int, default=default.size, help="bytes of a document")
    parser.add_argument("--seconds", type=float, default=default.seconds, help="of an extraction")
    parser.add_argument("--grace", type=float, default=0.0, help="seconds of failing readiness")
    given = vars(parser.parse_args())
    host, port, grace = given.pop("host"), given.pop("port"), given.pop("grace")
    settings = Settings(**given)
    app = create(settings)
    patience = int(settings.seconds) + 1
    config = uvicorn.Config(app, host, port, timeout_graceful_shutdown=patience)
    Server(app, config, grace).run()


if __name__ == "__main__":
    main()
