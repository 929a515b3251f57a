"""Which files of this machine a jail sees: Python, the engine's packages, their libraries, our own code."""

from __future__ import annotations

import functools
import json
import platform
import subprocess
import sys
import sysconfig
from importlib.util import find_spec
from pathlib import Path

from msgspec import Struct

_PACKAGES = (
    "duckdb",
    "_duckdb*",
    "duckdb-*.dist-info",
    "pyarrow",
    "pyarrow.libs",
    "msgspec",
    "python_calamine",
)
_NUMPY = ("numpy", "numpy.libs")
_OURS = ("policies", "sandbox", "catalog")
_LOADER = {"x86_64": "/lib64/ld-linux-x86-64.so.2", "aarch64": "/lib/ld-linux-aarch64.so.1"}

_ENGINE = "duckdb, numpy, pyarrow.parquet, pyarrow.csv, msgspec, socket, select, resource"
# Prints the libraries that modules have loaded, by the names under which the loader looks for them.
_LIST_LIBRARIES = """
import ctypes, json, sys
sys.path[:0] = sys.argv[2:]
for module in sys.argv[1].split(", "):
    __import__(module)
names = []
class Info(ctypes.Structure):
    _fields_ = [("address", ctypes.c_void_p), ("name", ctypes.c_char_p)]
def visit(info, size, data):
    names.append((info.contents.name or b"").decode())
    return 0
call = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(Info), ctypes.c_size_t, ctypes.c_void_p)
ctypes.CDLL(None).dl_iterate_phdr(call(visit), None)
print(json.dumps([name for name in names if name.startswith("/")]))
"""


class Bind(Struct, frozen=True):
    """A file or folder of the machine and where it appears, read-only, in the jail."""

    source: str
    target: str


PYTHON = f"/py/bin/python{sys.version_info.major}.{sys.version_info.minor}"
SEARCH_PATH = ("/app", "/site")


def numpy() -> tuple[Bind, ...]:
    """What a job of its own sees besides: queries need no numpy, and each start and fork would pay for it."""
    return tuple(Bind(str(path), f"/site/{path.name}") for name in _NUMPY for path in sorted(_site().glob(name)))


def _site() -> Path:
    # Found, not imported: the broker itself never runs the engine.
    engine = find_spec("duckdb")
    if engine is None or engine.origin is None:
        raise ModuleNotFoundError("duckdb is not installed")
    return Path(engine.origin).parents[1]


@functools.cache
def binds() -> tuple[Bind, ...]:
    """What every jail sees, found once per process (it costs the import of the engine in a child process)."""
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    standard_library = Path(sysconfig.get_path("stdlib"))
    site = _site()
    ours = Path(__file__).parents[2]
    found = [
        Bind(str(Path(sys.executable).resolve()), PYTHON),
        Bind(str(standard_library), f"/py/{sys.platlibdir}/{version}"),
        *(Bind(str(path), f"/site/{path.name}") for name in _PACKAGES for path in sorted(site.glob(name))),
        *(Bind(str(ours / name), f"/app/{name}") for name in _OURS),
    ]
    known = [bind.source for bind in (*found, *numpy())]
    loader = _LOADER[platform.machine()]
    found.append(Bind(str(Path(loader).resolve()), loader))
    for library in loaded_libraries(_ENGINE):
        if not any(f"{library}/".startswith(f"{source}/") for source in known) and Path(library) != Path(loader):
            found.append(Bind(str(Path(library).resolve()), f"/lib/{Path(library).name}"))
    return tuple(found)


def empty_folders() -> tuple[str, ...]:
    """Folders inside the binds to cover with nothing: packages of the machine that no engine needs."""
    standard_library = Path(sysconfig.get_path("stdlib"))
    target = f"/py/{sys.platlibdir}/python{sys.version_info.major}.{sys.version_info.minor}"
    return tuple(f"{target}/{name}" for name in ("site-packages", "test") if (standard_library / name).is_dir())


def loaded_libraries(modules: str, *search: Path) -> list[str]:
    """What a Python that imports `modules` (with commas) has loaded; `search`: more folders to look in."""
    done = subprocess.run(
        [sys.executable, "-I", "-c", _LIST_LIBRARIES, modules, *map(str, search)],
        check=True,
        capture_output=True,
        timeout=60,
    )
    names: list[str] = json.loads(done.stdout)
    return names
