"""How the modules of the package depend on each other."""

import ast
from graphlib import TopologicalSorter
from pathlib import Path

import uvenv


def imported(path: Path) -> set[str]:
    """Returns the modules of the package that a module imports, for types only or when it is called too."""
    froms = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.ImportFrom)]
    modules = {node.module.removeprefix("uvenv.") for node in froms if (node.module or "").startswith("uvenv.")}
    return modules | {name.name for node in froms if node.module == "uvenv" for name in node.names}


def test_modules_do_not_import_each_other_in_circles() -> None:
    paths = Path(uvenv.__file__).parent.glob("_[a-z]*.py")
    graph = {path.stem: imported(path) for path in paths}
    assert "_reports" in graph["_html"]
    # A circle is an error.
    TopologicalSorter(graph).prepare()
