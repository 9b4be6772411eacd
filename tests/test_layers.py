"""Imports go down: a room of the package knows only rooms below it, and there is no circle.

What the rooms are is in CONTRIBUTING.md. Imports inside functions count as well.
"""

import ast
from graphlib import TopologicalSorter
from pathlib import Path

import arbitrary_nst

# From bottom to top.
LAYERS = (
    "errors common embedding image networks checkpoints samples engines pipeline api "
    "training export video batch demo cli __init__ __main__"
).split()

ROOT = Path(arbitrary_nst.__file__).parent
FILES = {
    ".".join(path.relative_to(ROOT.parent).with_suffix("").parts).removesuffix(".__init__"): path
    for path in ROOT.rglob("*.py")
}


def imports(module: str) -> set[str]:
    """The modules of the package that a module imports anywhere in its code."""
    names = set()
    for node in ast.walk(ast.parse(FILES[module].read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{module}: a relative import"
            whole = {f"{node.module}.{alias.name}" for alias in node.names}
            names |= {name if name in FILES else str(node.module) for name in whole}
    return names & FILES.keys()


def layer(module: str) -> int:
    _, *parts = module.split(".")
    return LAYERS.index(parts[0] if parts else "__init__")


def test_no_import_goes_up():
    up = [
        f"{module} imports {other}"
        for module in FILES
        for other in imports(module)
        if layer(other) > layer(module)
    ]
    assert not up, "\n".join(up)


def test_no_circle():
    """Also not inside a room, where the door hands on names that its rooms may not take from it."""
    TopologicalSorter({module: imports(module) for module in FILES}).prepare()
