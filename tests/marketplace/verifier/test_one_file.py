"""docs/verify.py: one file, the standard library and `cryptography`, and it is what the modules are."""

from __future__ import annotations

import ast
import sys

from tests.marketplace.verifier.outside import SCRIPT
from tools.verifier import MODULES, ROOT, one_file


def test_it_is_what_the_modules_give() -> None:
    assert SCRIPT.read_text(encoding="utf-8") == one_file(), "run: python tools/verifier.py"
    folder = ROOT / "marketplace" / "verifier"
    assert {path.stem for path in folder.glob("*.py")} == {*MODULES, "__init__"}


def test_it_imports_the_standard_library_and_cryptography() -> None:
    tree = ast.parse(SCRIPT.read_text(encoding="utf-8"))
    plain = {alias.name for each in ast.walk(tree) if isinstance(each, ast.Import) for alias in each.names}
    of = {each.module or "" for each in ast.walk(tree) if isinstance(each, ast.ImportFrom)}
    assert {name.partition(".")[0] for name in plain | of} - set(sys.stdlib_module_names) == {"cryptography"}
