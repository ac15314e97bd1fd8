"""A real MediaWiki, built once a session from the bundled sample."""

import os
from collections.abc import Iterator

import pytest

from britannica_assets.sample.encyclopedia import compose
from britannica_assets.sample.markup import pages
from britannica_assets_tests.integration import mediawiki


@pytest.fixture(scope="session")
def real_wiki(tmp_path_factory: pytest.TempPathFactory) -> Iterator[mediawiki.MediaWiki]:
    lacking = mediawiki.lacking()
    if lacking is not None:
        if os.environ.get("CI"):
            pytest.fail(f"{lacking}; .ci/run installs it")
        pytest.skip(f"{lacking}: apt-get install mediawiki php-cli php-sqlite3 php-xml php-mbstring php-intl php-apcu")
    folder = tmp_path_factory.mktemp("mediawiki")
    port = mediawiki.free_port()
    by_title = mediawiki.build(folder, pages(compose()), port)
    with mediawiki.serve(folder, port) as url:
        yield mediawiki.MediaWiki(folder, url, by_title)
