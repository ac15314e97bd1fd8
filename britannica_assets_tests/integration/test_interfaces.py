"""`make demo`, then both user interfaces over what it made, in a real browser.

Pictures of the pages are kept under `artifacts/` for people to look at.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import polars as pl
import pytest
import requests
from selenium import webdriver
from selenium.common.exceptions import WebDriverException
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By

from britannica_assets.sample.encyclopedia import compose
from britannica_assets.sample.markup import ROOT
from britannica_assets.sample.wiki import ANONYMOUS_TOKEN

pytestmark = pytest.mark.integration

REPOSITORY = Path(__file__).parents[2]
PICTURES = REPOSITORY / "artifacts"
TIMEOUT = 600  # seconds for a page or a run, however busy the machine is
BROWSER = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--window-size=1680,1050",
]


@dataclass(frozen=True)
class Demo:
    """What `make demo` left behind: its folder, its output, and the environment that shows it."""

    folder: Path
    output: str
    environment: dict[str, str]


@dataclass(frozen=True)
class Interfaces:
    """The addresses that `make demo-ui` serves at."""

    wiki: str
    dagster: str
    mlflow: str


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    """Runs the demo as a user does, in a folder of its own."""
    folder = tmp_path_factory.mktemp("demo")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("BRITANNICA_", "MLFLOW_"))}
    finished = subprocess.run(
        [sys.executable, "-m", "britannica_assets", "demo", "--data", str(folder)],
        cwd=REPOSITORY,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == 0, finished.stdout[-4000:] + finished.stderr[-8000:]
    return Demo(folder, finished.stdout, environment)


def wait_until(condition: Callable[[], object], message: Callable[[], str]) -> None:
    """Waits until `condition` is true; errors of browser and HTTP count as not yet."""
    deadline = time.monotonic() + TIMEOUT
    while True:
        try:
            if condition():
                return
        except (WebDriverException, requests.RequestException) as error:
            last: Exception | None = error
        else:
            last = None
        if time.monotonic() > deadline:
            raise AssertionError(message()) from last
        time.sleep(0.5)


@pytest.fixture(scope="module")
def browser() -> Iterator[webdriver.Chrome]:
    binary, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if not (binary and driver):
        assert "CI" not in os.environ, "chromium and chromium-driver are not installed, and CI never skips this test"
        pytest.skip("chromium and chromium-driver (Debian packages) are not installed")
    options = Options()
    options.binary_location = binary
    for argument in BROWSER:
        options.add_argument(argument)
    PICTURES.mkdir(exist_ok=True)
    with webdriver.Chrome(options=options, service=Service(driver)) as started:
        yield started


@pytest.fixture(scope="module")
def interfaces(demo: Demo) -> Iterator[Interfaces]:
    """`make demo-ui` over what the demo made; a Ctrl-C ends it with all that it started."""
    output = demo.folder / "demo_ui.txt"
    with output.open("w") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "britannica_assets", "demo-ui", "--data", str(demo.folder)],
            cwd=demo.folder,
            env=demo.environment,
            stdout=file,
            stderr=file,
        )

    def served() -> bool:
        assert process.poll() is None, output.read_text()
        return "Ctrl-C" in output.read_text()

    try:
        wait_until(served, output.read_text)
        addresses = re.findall(r"http://\S+", output.read_text())
        wiki, dagster, mlflow = (urlsplit(address)._replace(path="", query="", fragment="") for address in addresses)
        yield Interfaces(wiki.geturl(), dagster.geturl(), mlflow.geturl())
    finally:
        process.send_signal(signal.SIGINT)
        status = process.wait(TIMEOUT)
    assert status == 0, output.read_text()
    for address in (dagster, mlflow):
        with pytest.raises(requests.ConnectionError):
            requests.get(address.geturl(), timeout=5)


def click(browser: webdriver.Chrome, xpath: str) -> None:
    def clicked() -> bool:
        browser.find_element(By.XPATH, xpath).click()
        return True

    wait_until(clicked, lambda: f"nothing to click at {xpath}")


def shows(browser: webdriver.Chrome, text: str) -> None:
    wait_until(
        lambda: text in browser.find_element(By.TAG_NAME, "body").text, lambda: f"the page does not show {text!r}"
    )


def materialize(browser: webdriver.Chrome, page: str, partition: str) -> None:
    """Clicks on the button of a page, and in its dialog on the partition."""
    partitions = "//*[contains(text(), 'Select a partition')]"

    def asks_for_a_partition() -> bool:
        browser.get(page)
        time.sleep(4)  # the button is there before it knows of partitions, on a busy machine for longer
        browser.find_element(By.XPATH, "//button[starts-with(., 'Materialize')]").click()
        time.sleep(2)
        return bool(browser.find_elements(By.XPATH, partitions))

    wait_until(asks_for_a_partition, lambda: "no dialog asks for the partition")
    click(browser, partitions)
    click(
        browser,
        f"//input[@placeholder='Filter partitions']/following::*[normalize-space(text())='{partition}'][1]",
    )
    click(browser, "//*[contains(text(), 'Launch runs to materialize')]")
    click(browser, "//button[starts-with(., 'Launch') and not(@disabled)]")


def test_demo_ends_with_a_registered_student_and_an_article(demo: Demo) -> None:
    assert "student" in demo.output
    assert "An article by the student of babylm_10m" in demo.output
    assert f"britannica demo-ui --data={demo.folder}" in demo.output
    scores = pl.read_parquet(demo.folder / "blimp_scores" / "babylm_10m.parquet")
    assert set(scores["model"]) == {"teacher_gpt2", "teacher_llama", "student", "student_without_teachers"}
    articles = pl.read_parquet(demo.folder / "generated_articles" / "babylm_10m.parquet")
    assert articles["text"].str.len_chars().min() > 20  # type: ignore[operator]


def test_dagster_materializes_by_clicking(demo: Demo, browser: webdriver.Chrome, interfaces: Interfaces) -> None:
    dagster = interfaces.dagster
    browser.get(f"{dagster}/asset-groups?expanded=global@global:corpus")  # more of them are drawn without names
    shows(browser, "Global asset lineage")
    shows(browser, "clean_encyclopedia")
    click(browser, "//button[.='Skip']")  # Dagster's greeting, which lies over the page at the first visit
    time.sleep(2)  # the graph's layout is animated
    browser.save_screenshot(str(PICTURES / "asset_graph.png"))

    before = (demo.folder / "generated_articles" / "babylm_10m.parquet").stat().st_mtime_ns
    materialize(browser, f"{dagster}/assets/generated_articles?view=overview", "babylm_10m")
    wait_until(
        lambda: (demo.folder / "generated_articles" / "babylm_10m.parquet").stat().st_mtime_ns > before,
        lambda: f"the run did not materialize: {(demo.folder / 'work' / 'logs' / 'dagster.log').read_text()[-3000:]}",
    )
    browser.get(f"{dagster}/assets/generated_articles?view=overview")
    click(browser, "//*[contains(text(), 'Show Markdown')]")
    first = pl.read_parquet(demo.folder / "generated_articles" / "babylm_10m.parquet")["text"][0]
    shows(browser, " ".join(first.split()[:4]))
    browser.save_screenshot(str(PICTURES / "generated_articles.png"))


def test_a_change_of_the_wiki_reaches_the_clean_text(
    demo: Demo, browser: webdriver.Chrome, interfaces: Interfaces
) -> None:
    sentence = "A proofreader was here."
    edit = {"action": "edit", "title": f"{ROOT}/{compose()[0].title}", "token": ANONYMOUS_TOKEN, "appendtext": sentence}
    assert (
        requests.post(f"{interfaces.wiki}/w/api.php", data=edit, timeout=TIMEOUT).json()["edit"]["result"] == "Success"
    )
    materialize(browser, f"{interfaces.dagster}/locations/britannica_assets/jobs/scrape_volume", "01")
    clean_text = demo.folder / "clean_encyclopedia" / "encyclopedia_cleaned.txt"
    wait_until(
        lambda: sentence in clean_text.read_text(),
        lambda: f"the change did not arrive: {(demo.folder / 'work' / 'logs' / 'dagster.log').read_text()[-3000:]}",
    )


def test_pages_of_other_sites_start_nothing(interfaces: Interfaces) -> None:
    mutation = "mutation { reloadWorkspace { __typename } }"
    graphql, search = f"{interfaces.dagster}/graphql", f"{interfaces.mlflow}/api/2.0/mlflow/experiments/search"
    answers = [
        requests.get(graphql, {"query": mutation}, timeout=TIMEOUT),
        *(
            requests.post(address, json=body, headers={header: value}, timeout=TIMEOUT)
            for address, body in [(graphql, {"query": mutation}), (search, {"max_results": 1})]
            for header, value in [("Host", "evil.example"), ("Origin", "http://evil.example")]
        ),
    ]
    assert [answer.status_code for answer in answers] == [403] * 5
    assert requests.post(graphql, json={"query": mutation}, timeout=TIMEOUT).ok


def test_mlflow_compares_student_and_ablation(demo: Demo, browser: webdriver.Chrome, interfaces: Interfaces) -> None:
    mlflow = interfaces.mlflow
    search = requests.get(
        f"{mlflow}/api/2.0/mlflow/experiments/get-by-name?experiment_name=britannica/babylm_10m", timeout=TIMEOUT
    )
    experiment = search.json()["experiment"]["experiment_id"]
    found = requests.post(
        f"{mlflow}/api/2.0/mlflow/runs/search",
        json={"experiment_ids": [experiment], "max_results": 50},
        timeout=TIMEOUT,
    )
    runs = {run["info"]["run_name"]: run["info"]["run_id"] for run in found.json()["runs"]}
    chosen = [run for name, run in runs.items() if name.startswith("student")]
    assert len(chosen) == 2, runs
    quoted = ",".join(f'"{run}"' for run in chosen)
    browser.get(f'{mlflow}/#/compare-runs?runs=[{quoted}]&experiments=["{experiment}"]')
    shows(browser, "Comparing 2 Runs")
    shows(browser, "student_without_teachers")
    time.sleep(3)  # the plots are drawn after the text
    browser.save_screenshot(str(PICTURES / "mlflow_comparison.png"))
    browser.get(f"{mlflow}/#/experiments/{experiment}/runs?compareRunsMode=CHART")
    shows(browser, "blimp_scores")
    time.sleep(5)
    browser.save_screenshot(str(PICTURES / "mlflow_curves.png"))
    for run in chosen:
        history = requests.get(
            f"{mlflow}/api/2.0/mlflow/metrics/get-history",
            params={"run_id": run, "metric_key": "train_cross_entropy"},
            timeout=TIMEOUT,
        )
        losses = [point["value"] for point in history.json()["metrics"]]
        assert len(losses) > 10
        assert losses[-1] < losses[0]
