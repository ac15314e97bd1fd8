"""Nothing that is loaded from a file or a server is executed as code."""

import ast
from pathlib import Path

import britannica_assets

EXECUTING_MODULES = {"pickle", "cloudpickle", "dill", "joblib", "marshal", "shelve", "skops"}
EXECUTING_CALLS = {"torch.load", "eval", "exec", "yaml.load", "yaml.unsafe_load"}
EXECUTING_KEYWORDS = {"trust_remote_code", "allow_pickle"}


def _findings(file: Path) -> list[str]:
    found = []
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names if alias.name.partition(".")[0] in EXECUTING_MODULES]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module] if node.module.partition(".")[0] in EXECUTING_MODULES else []
        elif isinstance(node, ast.Call):
            names = [ast.unparse(node.func)] if ast.unparse(node.func) in EXECUTING_CALLS else []
            names += [keyword.arg for keyword in node.keywords if keyword.arg in EXECUTING_KEYWORDS]
        found += [f"{file}:{node.lineno}: {name}" for name in names]  # type: ignore[attr-defined]
    return found


def test_no_pickle_and_no_code_of_a_model_is_loaded() -> None:
    root = Path(britannica_assets.__file__).parent
    assert [finding for file in root.rglob("*.py") for finding in _findings(file)] == []


def test_the_search_finds_what_it_looks_for(tmp_path: Path) -> None:
    file = tmp_path / "bad.py"
    file.write_text("import pickle\ntorch.load(f)\nfrom_pretrained(f, trust_remote_code=True)\n", encoding="utf-8")
    assert len(_findings(file)) == 3
