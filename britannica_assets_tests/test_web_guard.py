"""The guard in front of Dagster's webserver: what it refuses, and that all else goes through, WebSockets too."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from io import BytesIO

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer, unused_port
from yarl import URL

from britannica_assets.web_guard import guarded, refusal

HOSTS = {"localhost:3000", "127.0.0.1:3000"}
OWN = {"Host": "localhost:3000"}
FROM_ELSEWHERE = {**OWN, "Sec-Fetch-Site": "cross-site"}


@pytest.mark.parametrize(
    ("method", "path", "headers", "reason"),
    [
        ("GET", "/", {"Host": "evil.example:3000"}, "the Host 'evil.example:3000' is not served here"),
        ("GET", "/", {"Host": "localhost"}, "is not served here"),
        ("GET", "/", {}, "is not served here"),
        ("POST", "/graphql", {**OWN, "Origin": "http://evil.example"}, "pages of http://evil.example may not"),
        ("POST", "/graphql", {**OWN, "Origin": "null"}, "pages of null may not"),
        ("POST", "/graphql", {**OWN, "Origin": "http://localhost:5000"}, "pages of http://localhost:5000 may not"),
        ("GET", "/graphql", FROM_ELSEWHERE, "pages of another site"),
        ("POST", "/report_asset_check/a", FROM_ELSEWHERE, "pages of another site"),
        ("GET", "/graphql?query", OWN, "by POST alone"),
        ("HEAD", "/graphql/?query", OWN, "by POST alone"),
    ],
)
def test_foreign_pages_are_refused(method: str, path: str, headers: dict[str, str], reason: str) -> None:
    path, _, parameter = path.partition("?")
    assert reason in refusal(method, path, [parameter], headers, HOSTS)


@pytest.mark.parametrize(
    ("method", "headers"),
    [
        ("POST", OWN),  # a program
        ("POST", {**OWN, "Origin": "http://localhost:3000", "Sec-Fetch-Site": "same-origin"}),
        ("GET", {**OWN, "Host": "127.0.0.1:3000"}),
        ("GET", {**OWN, "Sec-Fetch-Site": "none"}),
        ("GET", {**FROM_ELSEWHERE, "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}),  # a link of MLflow's
    ],
)
def test_own_pages_links_and_programs_pass(method: str, headers: dict[str, str]) -> None:
    assert refusal(method, "/graphql", [], headers, HOSTS) == ""


@asynccontextmanager
async def servers() -> AsyncIterator[str]:
    """The guard's address; behind it a server that tells what it got."""

    async def echo(request: web.Request) -> web.StreamResponse:
        if request.headers.get("Upgrade"):
            socket = web.WebSocketResponse(protocols=["graphql-ws"])
            await socket.prepare(request)
            async for message in socket:
                await socket.send_str(f"{socket.ws_protocol}: {message.data}")
            return socket
        if request.path == "/elsewhere":
            raise web.HTTPFound("/there")
        body = await request.text()
        return web.json_response({"method": request.method, "path": request.raw_path, "body": body})

    backend = web.Application(client_max_size=2**24)
    backend.router.add_route("*", "/{path:.*}", echo)
    async with TestServer(backend) as inner:
        port = unused_port()
        address = str(inner.make_url("")).rstrip("/")
        async with TestServer(guarded(address, {f"127.0.0.1:{port}"}), port=port) as outer:
            yield str(outer.make_url("")).rstrip("/")


def test_requests_and_websockets_go_through() -> None:
    async def ask() -> None:
        async with servers() as url, aiohttp.ClientSession() as session:
            text = "Æ" * 2_000_000
            async with session.post(URL(f"{url}/graphql?a=%2F", encoded=True), data=BytesIO(text.encode())) as answer:
                assert await answer.json() == {"method": "POST", "path": "/graphql?a=%2F", "body": text}
            async with session.get(f"{url}/elsewhere", allow_redirects=False) as answer:
                assert (answer.status, answer.headers["Location"]) == (302, "/there")
            async with session.ws_connect(f"{url}/graphql", protocols=["graphql-ws"]) as socket:
                for word in ("one", "two"):
                    await socket.send_str(word)
                    assert await socket.receive_str() == f"graphql-ws: {word}"

    asyncio.run(ask())


def test_a_foreign_page_reaches_neither_requests_nor_websockets() -> None:
    async def ask() -> None:
        foreign = {"Origin": "http://evil.example"}
        async with servers() as url, aiohttp.ClientSession() as session:
            async with session.post(f"{url}/graphql", headers=foreign) as answer:
                assert (answer.status, await answer.text()) == (
                    403,
                    "pages of http://evil.example may not ask this server\n",
                )
            with pytest.raises(aiohttp.WSServerHandshakeError, match="403"):
                await session.ws_connect(f"{url}/graphql", headers=foreign)

    asyncio.run(ask())


def test_a_server_that_does_not_answer_is_a_sentence() -> None:
    async def ask() -> None:
        port = unused_port()
        nobody = f"http://127.0.0.1:{unused_port()}"
        async with (
            TestServer(guarded(nobody, {f"127.0.0.1:{port}"}), port=port) as guard,
            aiohttp.ClientSession() as session,
            session.get(guard.make_url("/")) as answer,
        ):
            assert (answer.status, "does not answer" in await answer.text()) == (502, True)

    asyncio.run(ask())
