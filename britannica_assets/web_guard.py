"""A reverse proxy that lets no foreign web page at the server behind it.

Dagster's webserver answers any Host, takes WebSockets of any Origin, and executes GraphQL mutations sent by GET: a page
that a browser shows could start runs. In front of it, this one refuses

- a Host that is none of its own: a foreign name that leads to this machine (DNS rebinding);
- an Origin that is none of its own, and what a browser marks as sent by another site, but for a click on a link;
- GraphQL by GET, which a picture's address is enough for.

`python -m britannica_assets.web_guard BACKEND --port PORT [--host NAME ...]` runs it on loopback; all else, WebSockets
too, goes through to the address BACKEND.
"""

import argparse
import asyncio
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import suppress

import aiohttp
from aiohttp import web
from multidict import CIMultiDict, MultiMapping
from yarl import URL

LOOPBACK = "127.0.0.1"
# Of one connection and not of the message (RFC 9110, section 7.6.1).
HOP_BY_HOP = {
    "connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "te", "trailer", "transfer-encoding",
    "upgrade",
}  # fmt: skip
GRAPHQL_PATH = "/graphql"
TO_CONNECT = aiohttp.ClientTimeout(total=None, sock_connect=10)  # seconds; an answer may take as long as it takes


def refusal(method: str, path: str, query: Collection[str], headers: Mapping[str, str], hosts: Collection[str]) -> str:
    """Why a request is refused, as a sentence; "" where it may pass.

    Args:
        method: the request's method.
        path: the path that it asks for.
        query: the names of the query's parameters.
        headers: by names in any case.
        hosts: the names, with ports, by which this server is known.
    """
    host, origin = headers.get("Host", ""), headers.get("Origin")
    if host.lower() not in hosts:
        return f"the Host {host!r} is not served here: use http://{min(hosts)}"
    if origin is not None and origin.lower().partition("://")[2] not in hosts:
        return f"pages of {origin} may not ask this server"
    if headers.get("Sec-Fetch-Site") in ("cross-site", "same-site") and not (
        method == "GET" and headers.get("Sec-Fetch-Mode") == "navigate" and headers.get("Sec-Fetch-Dest") == "document"
    ):
        return "pages of another site may not ask this server"
    if method in ("GET", "HEAD") and path.rstrip("/") == GRAPHQL_PATH and "query" in query:
        return "GraphQL is taken by POST alone"
    return ""


def guarded(backend: str, hosts: Collection[str]) -> web.Application:
    """The proxy as an application of aiohttp.

    Args:
        backend: the address of the server behind it, without a slash at the end.
        hosts: see `refusal`.
    """

    async def handle(request: web.Request) -> web.StreamResponse:
        reason = refusal(request.method, request.path, request.query, request.headers, hosts)
        if reason:
            return web.Response(status=403, text=f"{reason}\n")
        session = request.app[session_key]
        try:
            if request.headers.get("Upgrade", "").lower() == "websocket":
                return await _pass_websocket(request, session, backend)
            return await _pass_request(request, session, backend)
        except aiohttp.ClientConnectorError:
            return web.Response(status=502, text="the server behind this address does not answer (yet)\n")

    async def one_session(app: web.Application) -> AsyncIterator[None]:
        added = ("Accept", "Accept-Encoding", "User-Agent")  # by aiohttp, where the browser sent none
        async with aiohttp.ClientSession(auto_decompress=False, timeout=TO_CONNECT, skip_auto_headers=added) as session:
            app[session_key] = session
            yield

    session_key = web.AppKey("session", aiohttp.ClientSession)
    app = web.Application()
    app.cleanup_ctx.append(one_session)
    app.router.add_route("*", "/{path:.*}", handle)
    return app


def _end_to_end(headers: MultiMapping[str]) -> CIMultiDict[str]:
    listed = {name.strip().lower() for name in headers.get("Connection", "").split(",")}
    return CIMultiDict((name, value) for name, value in headers.items() if name.lower() not in HOP_BY_HOP | listed)


def _target(backend: str, request: web.Request) -> URL:
    return URL(backend + request.raw_path, encoded=True)  # as it came: quoting it anew would change it


async def _pass_request(request: web.Request, session: aiohttp.ClientSession, backend: str) -> web.StreamResponse:
    async with session.request(
        request.method,
        _target(backend, request),
        headers=_end_to_end(request.headers),
        data=request.content if request.body_exists else None,
        allow_redirects=False,
    ) as answer:
        response = web.StreamResponse(status=answer.status, reason=answer.reason, headers=_end_to_end(answer.headers))
        await response.prepare(request)
        async for chunk in answer.content.iter_any():
            await response.write(chunk)
        await response.write_eof()
        return response


async def _pass_websocket(request: web.Request, session: aiohttp.ClientSession, backend: str) -> web.StreamResponse:
    protocols = [name.strip() for name in request.headers.get("Sec-WebSocket-Protocol", "").split(",") if name.strip()]
    async with session.ws_connect(_target(backend, request), protocols=protocols, max_msg_size=0) as inner:
        outer = web.WebSocketResponse(protocols=[inner.protocol] if inner.protocol else (), max_msg_size=0)
        await outer.prepare(request)
        directions = [
            asyncio.create_task(_pass_messages(inner, outer)),
            asyncio.create_task(_pass_messages(outer, inner)),
        ]
        await asyncio.wait(directions, return_when=asyncio.FIRST_COMPLETED)
        await outer.close()
        await inner.close()
        await asyncio.gather(*directions)
        return outer


async def _pass_messages(
    source: aiohttp.ClientWebSocketResponse | web.WebSocketResponse,
    target: aiohttp.ClientWebSocketResponse | web.WebSocketResponse,
) -> None:
    with suppress(ConnectionError):  # the other side has gone, which ends both
        async for message in source:
            if message.type == aiohttp.WSMsgType.TEXT:
                await target.send_str(message.data)
            elif message.type == aiohttp.WSMsgType.BINARY:
                await target.send_bytes(message.data)


def main() -> None:
    """Reads the command line and serves until it is ended."""
    parser = argparse.ArgumentParser(prog="python -m britannica_assets.web_guard", description=__doc__)
    parser.add_argument("backend", help="the address of the server behind, such as http://127.0.0.1:3001")
    parser.add_argument("--port", type=int, required=True, help="to listen on, of loopback")
    parser.add_argument("--host", action="append", default=[], help="a further name that it is known by, with its port")
    arguments = parser.parse_args()
    hosts = {f"localhost:{arguments.port}", f"{LOOPBACK}:{arguments.port}", *arguments.host}
    web.run_app(guarded(arguments.backend.rstrip("/"), hosts), host=LOOPBACK, port=arguments.port, print=None)


if __name__ == "__main__":
    main()
