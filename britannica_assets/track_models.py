"""The models of a track in their order, with what scoring, plots and pages need to tell them apart.

The configuration names the teachers; everything else follows from a model's asset.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from britannica_assets.config import Configuration

STUDENT = "student"
STUDENT_WITHOUT_TEACHERS = "student_without_teachers"
STUDENT_MODELS = (STUDENT, STUDENT_WITHOUT_TEACHERS)
TEACHER_PREFIX = "teacher_"
TARGETS = f"{TEACHER_PREFIX}targets"  # the teachers' predictions, which are no model

STUDENT_COLORS = {STUDENT: "#8a3b2e", STUDENT_WITHOUT_TEACHERS: "#d39a6a"}
TEACHER_COLORS = ("#4a6785", "#8fa9bf", "#5f7f5a", "#b5a642", "#7a5c86", "#3f8f8b")

Role = Literal["student", "ablation", "teacher"]


@dataclass(frozen=True)
class TrackModel:
    """One model of a track: the asset that makes it, its role, its label in plots and tables, its colour."""

    asset: str
    role: Role
    label: str
    color: str

    @property
    def registered_model(self) -> str:
        """The name in MLflow's registry."""
        return registered_model(self.asset)


def registered_model(asset: str) -> str:
    """The name in MLflow's registry of the model that `asset` makes."""
    return f"britannica-{asset.replace('_', '-')}"


def asset_of(registered_model: str) -> str:
    """The asset that makes a registered model: the reverse of `registered_model`."""
    return registered_model.removeprefix("britannica-").replace("-", "_")


def teacher_asset(name: str) -> str:
    """The asset of the teacher that the configuration calls `name`."""
    return f"{TEACHER_PREFIX}{name}"


def teacher_name(asset: str) -> str:
    """The configuration's name of the teacher that `asset` makes."""
    return asset.removeprefix(TEACHER_PREFIX)


def track_models(configuration: "Configuration") -> list[TrackModel]:
    """The models that a configuration trains: the student, the one without teachers, the teachers in their order."""
    return describe_models([*STUDENT_MODELS, *map(teacher_asset, configuration.teachers)])


def describe_models(assets: Iterable[str]) -> list[TrackModel]:
    """Each of `assets` as a model, students first; teachers keep their order, from which their colours follow."""
    distinct = list(dict.fromkeys(assets))
    teachers = [asset for asset in distinct if asset not in STUDENT_MODELS]
    return [_student(asset) for asset in STUDENT_MODELS if asset in distinct] + [
        TrackModel(asset, "teacher", _label(asset), TEACHER_COLORS[number % len(TEACHER_COLORS)])
        for number, asset in enumerate(teachers)
    ]


def models_in(names: Sequence[str]) -> list[TrackModel]:
    """The models that occur in a column of scores, teachers by name, so that none is missing from a plot."""
    return describe_models(sorted(set(names)))


def _student(asset: str) -> TrackModel:
    role: Role = "student" if asset == STUDENT else "ablation"
    return TrackModel(asset, role, _label(asset), STUDENT_COLORS[asset])


def _label(asset: str) -> str:
    return asset.replace("_", " ")
