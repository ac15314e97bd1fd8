"""The HTTP server of the sample wiki, on loopback.

`python -m britannica_assets.sample.wiki_server [--port 8911]` serves it until stopped; tests and demo use `serve()`.
"""

import argparse
import gzip
import shlex
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

from britannica_assets.sample.encyclopedia import compose
from britannica_assets.sample.markup import ROOT, href
from britannica_assets.sample.wiki import ANONYMOUS_TOKEN, Wiki


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # headers and body are two writes; the second must not wait for the first's receipt
    wiki: Wiki

    def do_GET(self) -> None:
        self._respond(urlsplit(self.path).query)

    def do_HEAD(self) -> None:
        self._respond(urlsplit(self.path).query)

    def do_POST(self) -> None:
        self._respond(self.rfile.read(int(self.headers["Content-Length"])).decode())

    def _respond(self, query: str) -> None:
        with self.wiki.lock:
            self.wiki.requests.append(self.path)
            response = self.wiki.answer(urlsplit(self.path).path, query)
        data = response.body.encode()
        self.send_response(response.status)
        if "gzip" in self.headers.get("Accept-Encoding", ""):
            data = gzip.compress(data, compresslevel=1)
            self.send_header("Content-Encoding", "gzip")
        for name, value in response.headers.items():
            self.send_header(name, value)
        self.send_header("Vary", "Accept-Encoding")
        self.send_header("Content-Type", response.content_type)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def log_message(self, format: str, *arguments: object) -> None:
        """Logs nothing: `Wiki.requests` holds the paths."""


def serve(wiki: Wiki | None = None, *, port: int = 0) -> AbstractContextManager[str]:
    """Serves the wiki on loopback in a thread of this process; gives its base URL. Port 0 takes a free one."""
    return serve_with(type("_BoundHandler", (_Handler,), {"wiki": wiki or Wiki()}), port=port)


@contextmanager
def serve_with(handler: type[BaseHTTPRequestHandler], *, port: int = 0) -> Iterator[str]:
    """Serves with an HTTP handler of your own, in the same way."""
    with ThreadingHTTPServer(("127.0.0.1", port), handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def edit_command(url: str) -> str:
    """A shell command that adds a sentence to the first article of the wiki served at `url`."""
    title = f"{ROOT}/{compose()[0].title}"
    fields = {"action": "edit", "title": title, "token": ANONYMOUS_TOKEN, "appendtext": "It was mended yesterday."}
    options = [part for name, value in fields.items() for part in ("--data-urlencode", f"{name}={value}")]
    return shlex.join(["curl", "--silent", *options, f"{url}/w/api.php"])


def main(port: int) -> None:
    """Serves the sample wiki until the process is stopped, and prints the address of its first list."""
    with serve(port=port) as url:
        print(f"{url}{href(f'{ROOT}/Vol 1:1')}", flush=True)
        threading.Event().wait()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Serves the bundled sample encyclopaedia as a small Wikisource.")
    parser.add_argument("--port", type=int, default=8911)
    main(parser.parse_args().port)
