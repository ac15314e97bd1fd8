"""Reads configurations: a shipped one by name or a YAML file by path, which may extend another one."""

from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from britannica_assets.config.schema import Configuration, ConfigurationError

SHIPPED_FOLDER = Path(__file__).parent
EXTENDS = "extends"


def shipped_scales() -> list[str]:
    """The names of the configurations that come with the package."""
    return sorted(file.stem for file in SHIPPED_FOLDER.glob("*.yaml"))


def resolve_scale(scale: str, folder: Path | None = None) -> Path:
    """The file of a scale: of a shipped one by its name, else of a path, relative to `folder` (the working folder).

    Raises:
        ConfigurationError: it is neither; the message lists the shipped ones.
    """
    if scale in shipped_scales():
        return SHIPPED_FOLDER / f"{scale}.yaml"
    path = (folder or Path.cwd()) / Path(scale).expanduser()
    if not path.is_file():
        raise ConfigurationError(
            f"{scale!r} is neither a shipped configuration ({', '.join(shipped_scales())}) nor a file ({path} does not"
            " exist); set BRITANNICA_SCALE to one of these names or to the path of a YAML file"
        )
    return path


def configuration_name(scale: str) -> str:
    """What a scale is called in MLflow and on assets: a shipped one's name, a file's without its folder and ending."""
    return Path(scale).stem


def load_configuration(scale: str) -> Configuration:
    """Reads and checks the configuration of a scale, see `resolve_scale`.

    A file may say `extends: paper`, or the path of another one relative to itself, and change a few keys: mappings
    merge deeply, other values replace, null removes (as JSON Merge Patch does, RFC 7396).

    Raises:
        ConfigurationError: no such file, no valid YAML, an unknown key, or a value that cannot be run;
            the message names the file and each key.
    """
    path = resolve_scale(scale)
    try:
        return Configuration.model_validate(_read(path, ()))
    except ValidationError as error:
        raise ConfigurationError(
            f"{path} has {error.error_count()} error(s); docs/configuration.yaml explains every key:\n"
            f"{describe_problems(error)}"
        ) from error


def describe_problems(error: ValidationError) -> str:
    """A line for each problem of a configuration: the key, what is wrong with it, and its value."""
    return "\n".join(
        f"  {'.'.join(str(part) for part in problem['loc']) or '(top level)'}: {problem['msg']}"
        + (f" (got {problem['input']!r})" if not isinstance(problem["input"], dict) else "")
        for problem in error.errors()
    )


def _read(path: Path, extending: tuple[Path, ...]) -> dict[str, Any]:
    """The keys of a file over those of the files that it extends."""
    if path.resolve() in extending:
        raise ConfigurationError(f"{path} extends itself, through {', '.join(map(str, extending))}; remove one extends")
    try:
        keys = yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise ConfigurationError(f"{path} is not valid YAML: {error}") from error
    if not isinstance(keys, dict):
        raise ConfigurationError(
            f"{path} holds {type(keys).__name__}, not a mapping of keys; see docs/configuration.yaml"
        )
    base = keys.pop(EXTENDS, None)
    if base is None:
        return _merge({}, keys)
    if not isinstance(base, str):
        raise ConfigurationError(f"{path} extends {base!r}; name a shipped configuration or the path of a file")
    try:
        file = resolve_scale(base, path.parent)
    except ConfigurationError as error:
        raise ConfigurationError(f"{path} extends what cannot be read: {error}") from error
    return _merge(_read(file, (*extending, path.resolve())), keys)


def _merge(base: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in changes.items():
        if value is None:
            merged.pop(key, None)
        elif isinstance(value, dict):
            below = merged.get(key)
            merged[key] = _merge(below if isinstance(below, dict) else {}, value)
        else:
            merged[key] = value
    return merged
