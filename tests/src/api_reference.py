"""Writes the reference of the Python API, from the docstrings of the installed package, as Markdown."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from importlib import metadata
from typing import cast

import griffe

PREAMBLE = """\
# Python API

<!-- Written from the docstrings of `python/uvenv`: UPDATE_DOCS=1 cargo test -p uvenv-tests --test e2e reference -->

What `import uvenv` offers; [Python](python.md) tells how to use it.
"""

# A signature that is longer gets a line for each parameter.
WIDTH = 100


def main() -> None:
    place = str(metadata.distribution("cargo-uvenv").locate_file(""))
    package = cast(
        "griffe.Module", griffe.load("uvenv", search_paths=[place], docstring_parser="google", allow_inspection=False)
    )
    Reference(package).write()


class Reference:
    """The sections of the page, for the names that the package exports."""

    def __init__(self, package: griffe.Module) -> None:
        members = {str(name): package.members[str(name)] for name in package.exports or []}
        targets = {name: member.final_target if member.is_alias else member for name, member in members.items()}
        objects = dict(sorted(targets.items(), key=lambda item: source_order(item[1])))
        self.shortcuts = {name: method for name, each in objects.items() if (method := shortcut_to(each))}
        functions = {name: each for name, each in objects.items() if isinstance(each, griffe.Function)}
        self.functions = {name: each for name, each in functions.items() if name not in self.shortcuts}
        self.types = {name: each for name, each in objects.items() if isinstance(each, griffe.Attribute)}
        classes = {name: each for name, each in objects.items() if isinstance(each, griffe.Class)}
        self.exceptions = {name: each for name, each in classes.items() if is_exception(each)}
        self.classes = {name: each for name, each in classes.items() if name not in self.exceptions}

    def write(self) -> None:
        print(PREAMBLE)
        self.overview()
        for name, each in self.classes.items():
            self.class_(name, each)
        print("## Functions\n")
        print("On the monorepo of the current directory, with the arguments of the methods:\n")
        rows = [(f"`uvenv.{name}`", f"[`{method}`](#{anchor(method)})") for name, method in self.shortcuts.items()]
        table(("function", "method"), rows)
        for name, function in self.functions.items():
            self.function(f"uvenv.{name}", function)
        print("## Types\n")
        rows = [
            (f"`{name}`", f"`{each.value}`".replace("|", r"\|"), summary(each))
            for name, each in self.types.items()
            if each.docstring
        ]
        table(("type", "stands for", "meaning"), rows)
        print("## Exceptions\n")
        for name, each in self.exceptions.items():
            if has_members(each):
                self.class_(name, each, level="###")
        self.exception_table()

    def overview(self) -> None:
        rows = [(f"[`{name}`](#{anchor(name)})", summary(each)) for name, each in self.classes.items()]
        functions = {f"uvenv.{name}": each for name, each in self.functions.items()}
        rows += [(f"[`{name}`](#{anchor(name)})", summary(each)) for name, each in functions.items()]
        rows.append(("[functions](#functions)", ", ".join(f"`uvenv.{name}`" for name in self.shortcuts)))
        rows.append(("[exceptions](#exceptions)", "One for each error code, below `uvenv.Error`."))
        table(("name", "what it is"), rows)

    def class_(self, name: str, class_: griffe.Class, level: str = "##") -> None:
        print(f"{level} `{name}`\n")
        self.docstring(class_)
        for member in documented_members(class_):
            title = f"{name}.{member.name}"
            if isinstance(member, griffe.Function):
                self.function(title, member)
            elif isinstance(member, griffe.Attribute) and "property" in member.labels:
                self.member(title, f"{member.name}: {member.annotation}", member)

    def function(self, title: str, function: griffe.Function) -> None:
        self.member(title, signature(title.rpartition(".")[2], function), function)

    def member(self, title: str, definition: str, each: griffe.Object) -> None:
        print(f"### `{title}`\n")
        print(f"```python\n{definition}\n```\n")
        self.docstring(each)

    def exception_table(self) -> None:
        rows = []
        for name, each in self.exceptions.items():
            bases = " ".join(f"`{base}`" for base in each.bases)
            code = str(each.keywords.get("code", "")).strip("'\"")
            rows.append((f"`{name}`", bases, code and f"[`{code}`](errors.md#{code})", summary(each)))
        table(("exception", "is a", "code", "raised where"), rows)

    def docstring(self, each: griffe.Object) -> None:
        """The sections of a docstring."""
        for section in each.docstring.parsed if each.docstring else []:
            match section:
                case griffe.DocstringSectionText():
                    print(f"{section.value}\n")
                case griffe.DocstringSectionAttributes():
                    rows = [(f"`{a.name}`", self.type(a.annotation), paragraph(a.description)) for a in section.value]
                    table(("attribute", "type", "meaning"), rows)
                case griffe.DocstringSectionParameters():
                    table(("argument", "meaning"), [(f"`{a.name}`", paragraph(a.description)) for a in section.value])
                case griffe.DocstringSectionReturns():
                    for item in section.value:
                        print(f"**Returns** {self.type(item.annotation)}: {paragraph(item.description)}\n")
                case griffe.DocstringSectionRaises():
                    rows = [(f"`{item.annotation}`", paragraph(item.description)) for item in section.value]
                    table(("raises", "where"), rows)
                case griffe.DocstringSectionWarns():
                    rows = [(f"`{item.annotation}`", paragraph(item.description)) for item in section.value]
                    table(("warns", "where"), rows)
                case griffe.DocstringSectionAdmonition() if section.value.kind == "example":
                    print(f"```pycon\n{section.value.description}\n```\n")
                case _:
                    sys.exit(f"{each.path}: the reference does not know such a section: {section.kind.value}")

    def type(self, annotation: object) -> str:
        """A type, which leads to its section if it is a class of the package."""
        text = str(annotation).replace("|", r"\|")
        return f"[`{text}`](#{anchor(text)})" if text in self.classes else f"`{text}`"


def source_order(each: griffe.Object) -> tuple[bool, bool, str, int]:
    """That of the sources, behind where everything starts."""
    module = each.module.path
    return each.name != "Monorepo", module != "uvenv._monorepo", module, each.lineno or 0


def shortcut_to(each: griffe.Object) -> str | None:
    """The method that a function is made of, which its decorator `@_here(Monorepo.sync)` names."""
    decorators = [str(each.value) for each in each.decorators] if isinstance(each, griffe.Function) else []
    methods = [text[len("_here(") : -1] for text in decorators if text.startswith("_here(")]
    return methods[0] if methods else None


def documented_members(class_: griffe.Class) -> list[griffe.Object]:
    members = (member for name, member in class_.members.items() if not name.startswith("_"))
    return [member for member in members if isinstance(member, griffe.Object) and member.docstring]


def has_members(class_: griffe.Class) -> bool:
    """Whether its docstring tells of attributes."""
    sections = class_.docstring.parsed if class_.docstring else []
    return any(isinstance(section, griffe.DocstringSectionAttributes) for section in sections)


def is_exception(class_: griffe.Class) -> bool:
    bases = {str(base) for each in (class_, *class_.mro()) for base in each.bases}
    return bool(bases & {"Exception", "BaseException"})


def signature(name: str, function: griffe.Function) -> str:
    """How a function is defined, without `self`."""
    parameters = [each for each in function.parameters if each.name not in {"self", "cls"}]
    words = list(parameter_words(parameters))
    returns = f" -> {function.returns}" if function.returns else ""
    line = f"{name}({', '.join(words)}){returns}"
    if len(line) <= WIDTH:
        return line
    lines = "".join(f"    {word},\n" for word in words)
    return f"{name}(\n{lines}){returns}"


def parameter_words(parameters: Iterable[griffe.Parameter]) -> Iterator[str]:
    has_star = False
    for each in parameters:
        keyword_only = each.kind is griffe.ParameterKind.keyword_only
        if keyword_only and not has_star:
            yield "*"
        has_star = has_star or keyword_only or each.kind is griffe.ParameterKind.var_positional
        stars = {griffe.ParameterKind.var_positional: "*", griffe.ParameterKind.var_keyword: "**"}.get(
            each.kind or None, ""
        )
        annotation = f": {each.annotation}" if each.annotation else ""
        has_default = each.default is not None and not stars
        default = f" = {each.default}" if has_default else ""
        yield f"{stars}{each.name}{annotation}{default}"


def text_of(each: griffe.Object) -> str:
    return each.docstring.value if each.docstring else ""


def summary(each: griffe.Object) -> str:
    return paragraph(text_of(each).split("\n\n")[0])


def paragraph(text: str) -> str:
    """Text in one line that may stand in a cell of a table."""
    return " ".join(text.split()).replace("|", r"\|")


def anchor(title: str) -> str:
    """What GitHub calls a heading."""
    return "".join(c for c in title.lower().replace(" ", "-") if c.isalnum() or c in "-_")


def table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> None:
    if rows:
        lines = [head, tuple("---" for _ in head), *rows]
        print("\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n")


if __name__ == "__main__":
    main()
