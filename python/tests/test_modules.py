"""How the modules of the package depend on each other."""

import ast
from graphlib import TopologicalSorter
from pathlib import Path

import uvenv


def imported(path: Path) -> set[str]:
    """Returns the modules of the package that a module imports, for types only or when it is called too."""
    modules: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module == "uvenv":
            modules |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("uvenv."):
            modules.add(node.module.removeprefix("uvenv."))
    return modules


def test_modules_do_not_import_each_other_in_circles() -> None:
    paths = Path(uvenv.__file__).parent.glob("_[a-z]*.py")
    graph = {path.stem: imported(path) for path in paths}
    assert "_reports" in graph["_html"]
    # A circle is an error.
    TopologicalSorter(graph).prepare()
