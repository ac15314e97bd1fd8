"""The assets from the articles on, through Dagster, at a scale of one's own that is chosen by its path.

The scale has a single teacher, which the shipped ones do not know; all models are as small as models get.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from britannica_assets.sample import minimal_pairs
from britannica_assets.sample.encyclopedia import compose
from britannica_assets.wikisource.articles import ARTICLES_SCHEMA

TINY = """
extends: demo
tracks:
  encyclopedia: null
  babylm_10m: {train_words: 9_000, validation_words: 900}
tokenizer: {vocab_size: 400}
sequence_length: 32
teachers:
  gpt2: null
  llama: null
  third:
    architecture: &shape
      {family: llama, num_hidden_layers: 1, num_attention_heads: 2, hidden_size: 16, intermediate_size: 32}
    training: &training {learning_rate: 3.0e-3, batch_size: 32, epochs: 1, warmup_steps: 2, weight_decay: 0.1}
student: {architecture: *shape, training: *training}
distillation: {top_k: 8, left_context: 8}
generation: {max_new_tokens: 10, prompts: ["The town of", "![x](/graphql?query=mutation)"]}
"""
# Dagster's UI would render it as a picture, and its webserver executes mutations that are sent by GET.
HOSTILE = "![x](/graphql?query=mutation)"
# Dagster reads the configuration when the definitions are loaded: a process of its own has its own.
PROGRAM = """
import json, sys, warnings
import dagster as dg
warnings.filterwarnings("ignore", category=dg.PreviewWarning)
from britannica_assets.definitions import defs
from britannica_assets.jobs import CORPUS_ASSETS
metadata, checks = {}, {}
with dg.DagsterInstance.ephemeral() as instance:
    runs = (
        (defs.resolve_implicit_global_asset_job_def(), None, [dg.AssetKey(name) for name in CORPUS_ASSETS]),
        (defs.resolve_job_def("track"), "babylm_10m", None),
    )
    for job, partition, assets in runs:
        result = job.execute_in_process(partition_key=partition, asset_selection=assets, instance=instance)
        for event in result.get_asset_materialization_events():
            found = event.materialization
            metadata[found.asset_key.to_user_string()] = {
                key: [type(value).__name__, str(value.value)] for key, value in found.metadata.items()
            }
        checks |= {check.check_name: check.passed for check in result.get_asset_check_evaluations()}
open(sys.argv[1], "w").write(json.dumps([metadata, checks]))
"""


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data folder with one scraped volume: a third of the sample."""
    rows = [
        {
            "volume": 1,
            "part": article.part,
            "position": number,
            "title": article.title,
            "text": article.text,
            "first_page": str(article.first_page),
            "last_page": str(article.last_page),
            "quality": 4,
            "contributor_initials": article.initials,
            "contributor": article.contributor,
            "revision": number,
            "words": len(article.text.split()),
        }
        for number, article in enumerate(compose()[::3], 1)
    ]
    for row in rows:
        row["title"], row["text"] = f"{row['title']} {HOSTILE}", f"{HOSTILE} {row['text']}"
    (tmp_path / "articles").mkdir()
    pl.DataFrame(rows, schema=ARTICLES_SCHEMA).write_parquet(tmp_path / "articles" / "01.parquet")
    minimal_pairs.write(tmp_path / "pairs")
    (tmp_path / "tiny.yaml").write_text(TINY, encoding="utf-8")
    return tmp_path


def test_the_whole_graph_follows_a_scale_of_ones_own(data: Path) -> None:
    environment = os.environ | {
        "BRITANNICA_DATA_DIR": str(data),
        "BRITANNICA_SCALE": str(data / "tiny.yaml"),
        "BRITANNICA_EVAL_DIR": str(data / "pairs"),
        "OMP_NUM_THREADS": "1",
        "TOKENIZERS_PARALLELISM": "false",
    }
    environment.pop("MLFLOW_TRACKING_URI", None)
    command = [sys.executable, "-c", PROGRAM, str(data / "result.json")]
    finished = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert finished.returncode == 0, finished.stderr[-6000:]
    metadata, checks = json.loads((data / "result.json").read_text(encoding="utf-8"))
    assert metadata.keys() >= {
        "encyclopedia", "clean_encyclopedia", "corpus_split", "tokenizer", "token_ids", "published_dataset",
        "teacher_third", "teacher_targets", "student", "student_without_teachers", "blimp_scores", "leaderboard",
        "generated_articles", "checkpoint_scores", "published_models",
    }  # fmt: skip
    assert not metadata.keys() & {"teacher_gpt2", "teacher_llama"}
    assert metadata["teacher_targets"]["teachers"][1] == "teacher_third"
    assert metadata["student"]["scale"][1] == metadata["blimp_scores"]["scale"][1] == "tiny"
    assert len(metadata["student"]["configuration_digest"][1]) == 8
    columns = metadata["clean_encyclopedia"]["dagster/column_schema"]
    assert columns[0] == "TableSchemaMetadataValue"
    assert "name='quality', type='Int8'" in columns[1]
    assert "01" not in metadata["encyclopedia"]["missing_volumes"][1]
    shown = {
        (asset, key): value
        for asset, entries in metadata.items()
        for key, (kind, value) in entries.items()
        if kind == "MarkdownMetadataValue"
    }
    assert [place for place, value in shown.items() if HOSTILE in value] == []
    assert "graphql" in shown["generated_articles", "generated"]
    assert "graphql" in shown["clean_encyclopedia", "sample"]
    assert checks["train_and_validation_are_disjoint"]
    assert checks["decoding_gives_back_the_text"]
    scores = pl.read_parquet(data / "blimp_scores" / "babylm_10m.parquet")
    assert set(scores["model"]) == {"student", "student_without_teachers", "teacher_third"}
    (source,) = set(scores["source"])
    assert source.startswith("other files (")  # by the digest of the pairs
    published = data / "published_models" / "babylm_10m"
    assert (published / "britannica-student-babylm_10m" / "main" / "model.safetensors").is_file()
    assert "19 of 19 have no predictions on the fast sets" in (published / "README.md").read_text(encoding="utf-8")
    page = (data / "leaderboard" / "leaderboard.html").read_text(encoding="utf-8")
    assert "teacher third" in page
    assert pl.read_parquet(data / "generated_articles" / "babylm_10m.parquet")["prompt"].to_list() == [
        "The town of",
        HOSTILE,
    ]
