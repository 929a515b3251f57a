#!/usr/bin/env python3
"""Write docs/verify.py: the modules of marketplace/verifier as one file, for those who have nothing of ours.

`python tools/verifier.py` writes it; `--check` says whether it is as the modules are.
"""

from __future__ import annotations

import ast
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = "marketplace.verifier"
MODULES = (
    "refusal",
    "strict_json",
    "note",
    "tree",
    "bundle",
    "receipt",
    "folder",
    "fetching",
    "dataset",
    "export",
    "consistency",
    "command",
)
"""Each imports only those before it."""
TARGET = ROOT / "docs" / "verify.py"
HEAD = """#!/usr/bin/env python3
# One file: Python 3.11 or newer, its standard library, `cryptography`. What is checked and why: docs/verify.md.
# Written by tools/verifier.py from marketplace/verifier: change it there.
"""


class Module:
    """One source file, taken apart: its docstring, its imports, and all that follows."""

    def __init__(self, name: str) -> None:
        source = (ROOT / PACKAGE.replace(".", "/") / f"{name}.py").read_text(encoding="utf-8")
        tree = ast.parse(source)
        self.docstring = ast.get_docstring(tree, clean=False) or ""
        imports = [each for each in tree.body if isinstance(each, ast.Import | ast.ImportFrom)]
        self.imports = {ast.unparse(each) for each in imports if not _is_own(each)}
        last = max((each.end_lineno or 0) for each in imports)
        self.body = "\n".join(source.splitlines()[last:]).strip("\n")
        self.names = {name for each in tree.body for name in _defined(each)}


def _is_own(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.ImportFrom) and (statement.module or "").startswith(PACKAGE)


def _defined(statement: ast.stmt) -> set[str]:
    if isinstance(statement, ast.FunctionDef | ast.ClassDef):
        return {statement.name}
    if isinstance(statement, ast.Assign):
        return {each.id for target in statement.targets for each in ast.walk(target) if isinstance(each, ast.Name)}
    return set()


def one_file() -> str:
    """The text of docs/verify.py. Raises ValueError where two modules give one name to different things."""
    modules = [Module(name) for name in MODULES]
    named: set[str] = set()
    for module in modules:
        if twice := named & module.names:
            raise ValueError(f"defined twice: {', '.join(sorted(twice))}")
        named |= module.names
    imports = set[str]().union(*(module.imports for module in modules)) - {"from __future__ import annotations"}
    docstring = f'"""{modules[-1].docstring}"""'
    head = f"{HEAD}{docstring}\n\nfrom __future__ import annotations\n\n{_sorted(imports)}\n\n"
    parts = [f"# {module.docstring}{_gap(module.body)}{module.body}" for module in modules[:-1]]
    return head + "\n\n\n".join([*parts, modules[-1].body]) + "\n"


def _gap(body: str) -> str:
    """As ruff formats what follows a comment."""
    return "\n\n\n" if body.startswith(("def ", "class ", "@")) else "\n\n"


def _sorted(imports: set[str]) -> str:
    """Standard library first, as ruff sorts them; names from one module together."""
    plain, named = {each for each in imports if each.startswith("import ")}, dict[str, set[str]]()
    for each in imports - plain:
        module, _, names = each.removeprefix("from ").partition(" import ")
        named.setdefault(module, set()).update(names.split(", "))
    ordered = {
        module: sorted(names, key=lambda name: (not name.isupper(), name)) for module, names in named.items()
    }
    lines = {module: f"from {module} import {', '.join(names)}" for module, names in ordered.items()}
    outside = [line for module, line in sorted(lines.items()) if module.startswith("cryptography")]
    inside = [line for module, line in sorted(lines.items()) if not module.startswith("cryptography")]
    return "\n".join([*sorted(plain), *inside]) + "\n\n" + "\n".join(outside)


def main(arguments: list[str]) -> int:
    """0 written, or as it should be; 1 docs/verify.py is not what the modules give."""
    text = one_file()
    if arguments == ["--check"]:
        return 0 if TARGET.exists() and TARGET.read_text(encoding="utf-8") == text else 1
    TARGET.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
