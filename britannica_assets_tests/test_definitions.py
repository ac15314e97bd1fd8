"""The asset graph as Dagster loads it: complete, described, quick to import, and as the configuration says."""

import json
import os
import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest

from britannica_assets.definitions import defs
from britannica_assets.run_config import overrides_schema
from britannica_assets.track_models import STUDENT

SNAPSHOT = Path(__file__).with_name("definitions.json")


def describe_definitions() -> dict[str, object]:
    """All that other people's commands rely on, in a form whose changes show in review."""
    checks = [
        spec for asset in defs.assets or [] if isinstance(asset, dg.AssetsDefinition) for spec in asset.check_specs
    ]
    return {
        "assets": {
            spec.key.to_user_string(): {
                "group": spec.group_name,
                "partitions": len(spec.partitions_def.get_partition_keys()) if spec.partitions_def else None,
                "upstream": sorted(dependency.asset_key.to_user_string() for dependency in spec.deps),
                "kinds": sorted(spec.kinds),
                "checks": sorted(check.name for check in checks if check.asset_key == spec.key),
            }
            for spec in sorted(defs.resolve_all_asset_specs(), key=lambda spec: spec.key)
        },
        "jobs": sorted(job.name for job in defs.jobs or []),
        "schedules": {
            schedule.name: schedule.default_status.value
            for schedule in defs.schedules or []
            if isinstance(schedule, dg.ScheduleDefinition)
        },
        "sensors": {sensor.name: sensor.default_status.value for sensor in defs.sensors or []},
    }


def load_in_a_process(program: str, **environment: str) -> str:
    """What a program prints that loads the definitions in a process of its own."""
    loaded = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False, env=os.environ | environment
    )
    assert loaded.returncode == 0, loaded.stderr
    assert loaded.stderr == ""
    return loaded.stdout


def test_the_graph_is_the_reviewed_one() -> None:
    """After a wanted change: `python -m britannica_assets_tests.test_definitions` writes the snapshot anew."""
    assert describe_definitions() == json.loads(SNAPSHOT.read_text(encoding="utf-8"))


def test_every_asset_explains_itself() -> None:
    for spec in defs.resolve_all_asset_specs():
        assert spec.description, spec.key
        assert spec.owners, spec.key
        assert spec.kinds, spec.key
        assert spec.code_version, spec.key
        assert spec.group_name not in (None, "default"), spec.key


def test_run_configuration_is_typed_and_explained_and_nothing_is_ignored() -> None:
    job = defs.resolve_implicit_global_asset_job_def()
    for spec in defs.resolve_all_asset_specs():
        asset = spec.key.to_user_string()
        with pytest.raises(dg.DagsterInvalidConfigError, match="unexpected config entry"):
            dg.validate_run_config(job, {"ops": {asset: {"config": {"epoch": 3}}}})
    given = {"epochs": 3, "learning_rate": 0.001, "optimizer": "muon", "alpha": 0.25, "compile": None}
    assert dg.validate_run_config(job, {"ops": {STUDENT: {"config": given}}})["ops"][STUDENT]["config"] == given
    for wrong in ({"optimizer": "sgd"}, {"epochs": 1.5}, {"live_teachers": "yes"}):
        with pytest.raises(dg.DagsterInvalidConfigError):
            dg.validate_run_config(job, {"ops": {STUDENT: {"config": wrong}}})
    assert all(field.description for field in overrides_schema(STUDENT).values())


def test_loading_imports_no_heavy_library() -> None:
    heavy = [
        "torch",
        "transformers",
        "mlflow",
        "accelerate",
        "tokenizers",
        "matplotlib",
        "datasets",
        "pandas",
        "jinja2",
    ]
    before = "import sys, dagster; before = set(sys.modules); import britannica_assets.definitions; "
    loaded = load_in_a_process(f"{before}print([name for name in {heavy} if name in set(sys.modules) - before])")
    assert loaded.strip() == "[]"


def test_a_third_teacher_and_a_track_come_by_configuration_alone(tmp_path: Path) -> None:
    own = tmp_path / "own.yaml"
    own.write_text(
        "extends: demo\ntracks: {encyclopedia: null, nursery: {train_words: 9000, validation_words: 900}}\n"
        "teachers: {third: {architecture: {family: llama, num_hidden_layers: 1, num_attention_heads: 2,"
        " hidden_size: 16, intermediate_size: 32}, training: {learning_rate: 1.0e-3, batch_size: 8, epochs: 1,"
        " warmup_steps: 1, weight_decay: 0}}}\n",
        encoding="utf-8",
    )
    program = "from britannica_assets_tests.test_definitions import *; print(json.dumps(describe_definitions()))"
    described = json.loads(load_in_a_process(program, BRITANNICA_SCALE=str(own)))
    reviewed = json.loads(SNAPSHOT.read_text(encoding="utf-8"))
    assets = described["assets"]
    assert assets.keys() - reviewed["assets"].keys() == {"teacher_third"}
    for asset in ("teacher_targets", "student", "blimp_scores"):
        assert "teacher_third" in assets[asset]["upstream"]
    assert assets["teacher_third"] == reviewed["assets"]["teacher_gpt2"]
    partitions = (
        "from britannica_assets.partitions import track_partitions as p; print(p.get_partition_keys());"
        " from britannica_assets.code_location import configuration as c;"
        " from britannica_assets.track_models import track_models;"
        " print(track_models(c)[-1].registered_model)"
    )
    assert load_in_a_process(partitions, BRITANNICA_SCALE=str(own)).splitlines() == [
        "['babylm_10m', 'nursery']",
        "britannica-teacher-third",
    ]


if __name__ == "__main__":
    SNAPSHOT.write_text(json.dumps(describe_definitions(), indent=2) + "\n", encoding="utf-8")
