"""Builds a real MediaWiki from the sample's pages and serves it on loopback: the reference for the sample wiki.

Needs Debian's packages mediawiki, php-cli, php-sqlite3, php-xml, php-mbstring, php-intl and php-apcu.
"""

import html
import os
import shutil
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from britannica_assets.sample.markup import ROOT, Page, with_sentence

HOME = Path("/usr/share/mediawiki")
PHP_MODULES = frozenset(("pdo_sqlite", "xml", "mbstring", "intl", "apcu"))
CREATED_AT = "2020-01-01T00:00:00Z"
START_TIMEOUT = 300  # seconds, on a busy machine

# Raw HTML carries the markup that Wikisource's templates would give; pages of scans may be transcluded.
SETTINGS = """
$wgScriptPath = "/w";
$wgArticlePath = "/wiki/$1";
$wgExtraNamespaces += [ 102 => "Author", 103 => "Author_talk", 104 => "Page", 105 => "Page_talk" ];
$wgExtraNamespaces += [ 106 => "Index", 107 => "Index_talk" ];
$wgNamespacesWithSubpages[NS_MAIN] = true;
$wgRawHtml = true;
$wgJobRunRate = 0;
$wgMainCacheType = $wgParserCacheType = $wgMessageCacheType = CACHE_NONE;
$wgSessionCacheType = CACHE_ACCEL;
$wgCacheDirectory = __DIR__ . "/cache";
"""

# PHP's own server hands every request to this script; a colon in a path must not be taken for a port.
ROUTER = """<?php
$path = rawurldecode( strtok( $_SERVER["REQUEST_URI"], "?" ) );
$entry = $path === "/w/api.php" ? "api.php" : "index.php";
if ( $entry === "index.php" && !str_starts_with( $path, "/wiki/" ) ) {{
    http_response_code( 404 );
    return true;
}}
if ( $entry === "index.php" ) {{
    $_GET["title"] = $_REQUEST["title"] = substr( $path, strlen( "/wiki/" ) );
}}
$_SERVER["SCRIPT_NAME"] = "/w/$entry";
$_SERVER["SCRIPT_FILENAME"] = "{home}/$entry";
chdir( "{home}" );
require "{home}/$entry";
return true;
"""


class MediaWikiError(Exception):
    """A step of the building or serving failed; the message holds PHP's output."""


def lacking() -> str | None:
    """What this machine lacks for a MediaWiki, or None."""
    if not (HOME / "maintenance" / "install.php").exists():
        return f"Debian's mediawiki is not installed (no {HOME})"
    if shutil.which("php") is None:
        return "php is not installed (Debian's php-cli)"
    loaded = subprocess.run(["php", "-m"], capture_output=True, text=True, check=True).stdout.split()
    missing = sorted(PHP_MODULES - {module.lower() for module in loaded})
    return f"PHP lacks {', '.join(missing)}" if missing else None


@dataclass(frozen=True)
class MediaWiki:
    """A MediaWiki in `folder`, served at `url`."""

    folder: Path
    url: str
    pages: dict[str, Page]

    def edit(self, title: str, sentence: str) -> None:
        """Adds a sentence to the scan page of the article `title`, as a proofreader does."""
        scan = str(self.pages[f"{ROOT}/{title}"].transcludes)
        edited = f"<html>{with_sentence(self.pages[scan].html, sentence)}</html>"
        _maintain(self.folder, "edit.php", "--user", "Proofreader", scan, stdin=edited)
        _maintain(self.folder, "runJobs.php")

    def delete(self, title: str) -> None:
        """Deletes the article `title`, and leaves red links behind."""
        listed = self.folder / "delete.txt"
        listed.write_text(f"{ROOT}/{title}\n", encoding="utf-8")
        _maintain(self.folder, "deleteBatch.php", "-u", "Proofreader", str(listed))
        _maintain(self.folder, "runJobs.php")


def build(folder: Path, pages: Iterable[Page], port: int) -> dict[str, Page]:
    """Installs a MediaWiki on SQLite in `folder`, for `port`, and imports `pages`; returns these by title."""
    by_title = {page.title: page for page in pages}
    (folder / "cache").mkdir(parents=True)
    # fmt: off
    _php(
        folder, HOME / "maintenance" / "install.php", "--dbtype", "sqlite", "--dbpath", str(folder), "--dbname", "wiki",
        "--confpath", str(folder), "--pass", "a-Practice-Password", "--server", f"http://127.0.0.1:{port}",
        "--scriptpath", "/w", "Wikisource", "Proofreader",
    )
    # fmt: on
    with (folder / "LocalSettings.php").open("a", encoding="utf-8") as settings:
        settings.write(SETTINGS)
    (folder / "router.php").write_text(ROUTER.format(home=HOME), encoding="utf-8")
    dump = folder / "pages.xml"
    dump.write_text(_dump(by_title.values()), encoding="utf-8")
    _maintain(folder, "importDump.php", "--quiet", "--no-updates", str(dump))
    _maintain(folder, "refreshLinks.php")  # records which articles transclude a page of the scan
    _maintain(folder, "runJobs.php")
    return by_title


@contextmanager
def serve(folder: Path, port: int) -> Iterator[str]:
    """Serves the MediaWiki built in `folder`; yields its base URL once it answers."""
    environment = _environment(folder) | {"PHP_CLI_SERVER_WORKERS": "3"}
    options = ["-d", "apc.enable_cli=1", "-d", "display_errors=0"]
    log = folder / "server.log"
    with log.open("wb") as output:
        server = subprocess.Popen(
            ["php", *options, "-q", "-S", f"127.0.0.1:{port}", str(folder / "router.php")],
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        url = f"http://127.0.0.1:{port}"
        deadline = time.monotonic() + START_TIMEOUT
        while not _answers(f"{url}/w/api.php?action=query&format=json"):
            if server.poll() is not None or time.monotonic() > deadline:
                raise MediaWikiError(f"PHP's server does not answer:\n{log.read_text(errors='replace')[-2000:]}")
            time.sleep(0.1)
        yield url
    finally:
        os.killpg(server.pid, signal.SIGKILL)  # with its workers, of which one may not hear a gentler signal
        server.wait()


def free_port() -> int:
    """A port of loopback that nothing listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=10) as response:
            return bool(response.status == 200)
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return False


def _dump(pages: Iterable[Page]) -> str:
    entries = "".join(
        f"<page><title>{html.escape(page.title)}</title><ns>0</ns><id>{number}</id>"
        f"<revision><id>{number}</id><timestamp>{CREATED_AT}</timestamp>"
        "<contributor><username>Proofreader</username><id>1</id></contributor>"
        "<model>wikitext</model><format>text/x-wiki</format>"
        f'<text xml:space="preserve">{html.escape(page.wikitext)}</text></revision></page>\n'
        for number, page in enumerate(pages, 1)
    )
    schema = "http://www.mediawiki.org/xml/export-0.11/"
    return f'<mediawiki xmlns="{schema}" version="0.11" xml:lang="en">\n{entries}</mediawiki>\n'


def _environment(folder: Path) -> dict[str, str]:
    return os.environ | {"MW_CONFIG_FILE": str(folder / "LocalSettings.php")}


def _maintain(folder: Path, script: str, *arguments: str, stdin: str | None = None) -> None:
    _php(folder, HOME / "maintenance" / script, *arguments, stdin=stdin)


def _php(folder: Path, script: Path, *arguments: str, stdin: str | None = None) -> None:
    done = subprocess.run(
        ["php", str(script), *arguments],
        env=_environment(folder),
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise MediaWikiError(f"{script.name} ended with {done.returncode}:\n{(done.stdout + done.stderr)[-2000:]}")
