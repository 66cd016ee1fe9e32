"""The addresses of the service: POST /classify and GET /health, every error a sentence in JSON.

    {"answers": [{"label": "spam", "probability": 0.98, "probabilities": {"ham": 0.02, "spam": 0.98},
                  "cut": false}]}
    {"error": "texts[1] is empty, or blanks alone: leave it away"}

Of each request the log has a line: method, address, status, number of texts, milliseconds.
"""

import asyncio
import json
import time
from contextlib import suppress

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from helpers.serving.batching import QueueFull, Stopping
from helpers.serving.loading import Service
from helpers.serving.log import LOG, REQUESTS, error_line, request_line
from helpers.serving.reading import Refusal, check_head, pairs_in, read_body

__all__ = ["Watch", "make_application"]

MOST_LEFT = 32_000_000  # bytes of a refused body that are read and thrown away
GONE = 499  # no status of HTTP's: in the log, where the client went away before its answer


def make_application(service: Service) -> "Watch":
    """The ASGI application; the service's batcher must have been entered before the first request."""

    async def health(request: Request) -> Response:
        batcher = service.batcher
        content = {
            "accepting": batcher.accepting, "model": service.model, "version": service.version,
            "classes": service.classes, "pairs": service.pairs,
            "waiting": batcher.waiting, "answered": batcher.answered, "batches": batcher.batches,
        }  # fmt: skip
        return _json(content, 200 if batcher.accepting else 503)

    async def classify(request: Request) -> Response:
        if not service.batcher.accepting:
            raise Stopping
        check_head(request.headers, service.limits)
        body = await read_body(request.stream(), service.limits)
        pairs = pairs_in(body, service.limits, service.pairs)
        request.state.texts = len(pairs)
        futures = service.batcher.submit(pairs)
        answers = await _unless_gone(request, futures)
        for number, answer in enumerate(answers):
            if isinstance(answer, Stopping):
                raise answer
            if isinstance(answer, BaseException):
                LOG.error("text %d of a request: %s", number, error_line(answer))
                raise Refusal(500, f"text {number}, counted from 0, could not be classified: the log says "
                                   "what kind of error it was; send the others without it")  # fmt: skip
        return _json({"answers": answers})

    routes = [
        Route("/classify", classify, methods=["POST"]),
        Route("/health", health, methods=["GET"]),
    ]
    kinds = {
        HTTPException: _no_such_place, Refusal: _refused, QueueFull: _full, Stopping: _stopping,
        ClientDisconnect: _gone, Exception: _unexpected,
    }  # fmt: skip
    application = Starlette(routes=routes, exception_handlers=kinds)
    application.router.redirect_slashes = False
    return Watch(application, service)


async def _unless_gone(request: Request, futures: list[asyncio.Future]) -> list:
    """The results or exceptions of the futures; where the client leaves, all end with ClientDisconnect."""
    answered = asyncio.gather(*futures, return_exceptions=True)
    leaving = asyncio.ensure_future(request.receive())  # after the body only the client's leaving can come
    try:
        await asyncio.wait([answered, leaving], return_when=asyncio.FIRST_COMPLETED)
        if not answered.done():
            raise ClientDisconnect
        return answered.result()
    finally:
        answered.cancel()
        leaving.cancel()


class Watch:
    """An ASGI application around another: counts open requests, logs, and ends connections in order.

    open: requests without an answer; last: when one came or went, by time.monotonic. A refusal may come
    before the body was read. Where the connection ends with it, a client that still sends would lose the
    answer; so what is left of a body is read first and thrown away, within `Limits.arrival` seconds and
    MOST_LEFT bytes.
    """

    def __init__(self, application, service: Service):
        self.application, self.batcher, self.seconds = application, service.batcher, service.limits.arrival
        self.open, self.last = 0, time.monotonic()

    async def __call__(self, scope, receive, send) -> None:
        began = self.last = time.monotonic()
        status, body_left = None, True

        async def receiving():
            nonlocal body_left
            message = await receive()
            body_left = message.get("more_body", False)
            return message

        async def read_what_is_left() -> None:
            found = 0
            with suppress(TimeoutError):
                async with asyncio.timeout(self.seconds):
                    while body_left and found < MOST_LEFT:
                        found += len((await receiving()).get("body", b""))

        async def sending(message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                if body_left and status != 408 and not _waits_for_permission(scope):
                    await read_what_is_left()
                if not self.batcher.accepting:
                    message["headers"] = [*message["headers"], (b"connection", b"close")]
            await send(message)

        self.open += 1
        try:
            await self.application(scope, receiving, sending)
        except Exception as error:  # Starlette has answered it already
            LOG.error("a request: %s", error_line(error))
        finally:
            self.open -= 1
            self.last = time.monotonic()
            REQUESTS.info("%s", request_line(scope, status, 1000 * (self.last - began)))


def _waits_for_permission(scope: dict) -> bool:
    """Whether the client sends no body before it is told to (RFC 9110, section 10.1.1)."""
    return any(name == b"expect" for name, _ in scope["headers"])


def _json(content: dict, status: int = 200, headers: dict | None = None) -> Response:
    """ASCII alone, so that no text can fail to be written."""
    body = json.dumps(content, allow_nan=False).encode("ascii")
    return Response(body, status, headers, media_type="application/json")


def _error(status: int, sentence: str, headers: dict | None = None) -> Response:
    return _json({"error": sentence}, status, headers)


async def _no_such_place(request: Request, error: HTTPException) -> Response:
    if error.status_code == 405:
        allowed = ", ".join(sorted(error.headers["Allow"].split(", ")))
        return _error(405, f"this address has another method: use {allowed}", {"Allow": allowed})
    return _error(error.status_code, "there is no such address: use POST /classify or GET /health")


async def _refused(request: Request, error: Refusal) -> Response:
    return _error(error.status, error.sentence, error.headers)


async def _full(request: Request, error: QueueFull) -> Response:
    sentence = (
        f"{error.waiting:,} texts wait already, at most {error.room:,} may: send this again in "
        f"{error.seconds} s, or fewer texts"
    )
    return _error(503, sentence, {"Retry-After": str(error.seconds)})


async def _stopping(request: Request, error: Stopping) -> Response:
    sentence = "the service is stopping and takes no more requests: send this again when it has been started"
    return _error(503, sentence, {"Retry-After": "5"})


async def _gone(request: Request, error: ClientDisconnect) -> Response:
    return Response(status_code=GONE)  # nobody reads it


async def _unexpected(request: Request, error: Exception) -> Response:
    return _error(500, "an error inside the service: its log says what kind it was")
