"""The port, and a stop that answers everything it accepted.

A stop (SIGTERM, SIGINT; Ctrl-Break on Windows) goes in this order:

    1. no more texts are taken: new requests get 503, /health says so with 503
    2. what was accepted is answered, for `Limits.stop` seconds at most; what is left then gets 503
    3. once no request came for half a second (five at most), the port is closed, then the connections

The port stays open until then because closing it at once would break connections of clients that can't know
yet. A second signal leaves out what is waited for: the texts that wait get 503.
"""

import asyncio
import errno
import signal
import socket
import time
from collections.abc import Callable

import uvicorn

from helpers.everyday import InputError
from helpers.serving.application import make_application
from helpers.serving.loading import Service
from helpers.serving.log import LOG, number_of

__all__ = ["Server", "listen", "serve"]

QUIET, MOST_QUIET = 0.5, 5.0  # seconds without a request before the port is closed; how long that is tried


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens; port 0 is any free one. InputError for a host or port that can't be had.

    It names its protocol, TCP. asyncio asks for that before it sets TCP_NODELAY on what is accepted; without
    it the body of an answer, sent after its head, waits for the client's delayed acknowledgment, some 40 ms.
    """
    failed = None
    try:
        for family, *_, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
            try:
                plain = socket.create_server(address[:2], family=family, backlog=2048)
            except OSError as error:
                failed = failed or error  # a name may have another address, which can be had
            else:
                return socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP, fileno=plain.detach())
        raise failed
    except (OSError, UnicodeError) as error:
        nowhere = (errno.EADDRNOTAVAIL, errno.EINVAL)
        if isinstance(error, socket.gaierror | UnicodeError) or error.errno in nowhere:
            raise InputError(
                f"there is no host {host!r} here: use 127.0.0.1 for this machine alone, 0.0.0.0 for all "
                "networks"
            ) from None
        reason = error.strerror or str(error)
        raise InputError(
            f"port {port} of {host} can't be had ({reason}): stop what uses it, or name another with --port"
        ) from None


async def serve(
    service: Service, listening: socket.socket, ready: Callable[["Server"], None] = lambda server: None
) -> int | None:
    """Serve until a signal asks for a stop; None, or the number of a second signal that cut the stop short.

    ready: called with the server when requests are answered. Signals are heard in the main thread only;
    elsewhere whoever keeps the server calls its `ask_to_stop`.
    """
    async with service.batcher:
        server = Server(service, ready)
        await server.serve([listening])
        batcher = service.batcher
        answered = number_of(batcher.answered, "text was", "texts were")
        LOG.info("stopped: %s answered in %s", answered, number_of(batcher.batches, "batch", "batches"))
        return server.hurried


class Server(uvicorn.Server):
    """uvicorn's server with a stop of our own."""

    def __init__(self, service: Service, ready: Callable[["Server"], None]):
        self.service, self.ready, self.hurried = service, ready, None
        self._loop = asyncio.get_running_loop()
        self._winding: asyncio.Task | None = None
        self.watch = make_application(service)
        config = uvicorn.Config(
            self.watch, http="h11", ws="none", lifespan="off", log_config=None, access_log=False,
            server_header=False, timeout_keep_alive=60,
            timeout_graceful_shutdown=int(service.limits.arrival) + 1,
        )  # fmt: skip
        super().__init__(config)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        host, port = sockets[0].getsockname()[:2]
        LOG.info("%s listens on http://%s:%d", self.service.model, f"[{host}]" if ":" in host else host, port)
        self.ready(self)

    def handle_exit(self, sig: int, frame: object) -> None:
        """uvicorn's handler of signals."""
        self._loop.call_soon_threadsafe(self.ask_to_stop, sig)

    def ask_to_stop(self, sig: int = signal.SIGTERM) -> None:
        """Begin the stop, or cut it short; in the event loop's thread."""
        batcher = self.service.batcher
        if self._winding is None:
            LOG.info("stopping: %s still answered", number_of(batcher.waiting, "text is", "texts are"))
            self._winding = asyncio.create_task(self._wind_down())
        elif self.hurried is None:
            self.hurried = sig
            LOG.info("stopping at once: %s no answer", number_of(batcher.waiting, "text gets", "texts get"))
            batcher.give_up()

    async def _wind_down(self) -> None:
        batcher = self.service.batcher
        batcher.close()
        if not await batcher.drain(self.service.limits.stop):
            LOG.info("stopping: %s no answer", number_of(batcher.waiting, "text gets", "texts get"))
            batcher.give_up()
        began = time.monotonic()
        while self.hurried is None and time.monotonic() - began < MOST_QUIET:
            if not self.watch.open and time.monotonic() - max(began, self.watch.last) > QUIET:
                break
            await asyncio.sleep(QUIET / 10)
        self.should_exit = True  # uvicorn closes the port, then the connections that are idle
