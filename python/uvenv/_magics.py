"""The magics `%uvenv` and `%%uvenv run`: the functions of the package, with the flags of the command line."""

from __future__ import annotations

import argparse
import codecs
import inspect
import os
import re
import shlex
import subprocess
import sys
import tempfile
import textwrap
import threading
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn, TextIO

from IPython.core.error import UsageError

import uvenv
from uvenv import _variables
from uvenv._errors import Error

_SHORT = {"features": "-F", "crate": "-p", "upgrade": "-U", "upgrade_package": "-P"}
"""The short flags of the command line."""

_NOT_FLAGS = {"self", "command", "progress", "env", "uv_args", "subprocess_arguments"}
"""Arguments that a magic sets itself, or that have no flag."""


def load_ipython_extension(ipython: Any) -> None:
    """Registers the magics with IPython, for `%load_ext uvenv`."""
    ipython.register_magic_function(magic, magic_kind="line_cell", magic_name="uvenv")
    matchers: list[Any] = ipython.Completer.custom_matchers
    # Not twice, when the extension is loaded again.
    matchers[:] = [one for one in matchers if getattr(one, "__module__", None) != __name__]
    matchers.append(_matcher())


def magic(line: str, cell: str | None = None) -> object:
    """Runs `%uvenv COMMAND …`; `%uvenv --help` lists the commands."""
    try:
        words = shlex.split(line)
    except ValueError as error:
        raise UsageError(f"`%uvenv {line}`: {error}") from None
    try:
        command, arguments = _parse(words)
        if cell is not None and command.name != "run":
            raise UsageError(f"`%%uvenv {command.name}` does not take a cell; use `%uvenv {command.name}`")
        return command.do(arguments, cell)
    except _Explained as explained:
        sys.stdout.write(str(explained))
        return None
    except Error as error:
        raise _without_traceback(error, str(error)) from None
    except subprocess.CalledProcessError as error:
        what = f"`{shlex.join(error.cmd)}`" if cell is None else "the cell"
        raise _without_traceback(error, f"{what} ended with exit status {error.returncode}") from None


def _without_traceback(error: Exception, text: str) -> Exception:
    """Makes IPython show only this text, because the stack frames of a magic are no help."""
    error.__dict__["_render_traceback_"] = text.splitlines
    return error


class _Explained(Exception):
    """Raised with the help text when help is requested."""


class _Parser(argparse.ArgumentParser):
    """A parser that neither prints to stderr nor exits."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message} (`{self.prog} --help` explains the flags)")

    def print_help(self, file: Any = None) -> None:  # noqa: ARG002 - as it is called
        raise _Explained(self.format_help())


@dataclass(frozen=True)
class _Flag:
    """An argument of a function, as a flag or as a positional argument."""

    name: str
    help: str
    default: object
    positional: bool
    required: bool = False

    @property
    def words(self) -> list[str]:
        """The names of the argument on the command line."""
        if self.positional:
            return [self.name]
        short = [_SHORT[self.name]] if self.name in _SHORT else []
        return [*short, f"--{self.name.replace('_', '-')}"]

    def add_to(self, parser: argparse.ArgumentParser) -> None:
        """Adds it to a parser."""
        # `%` would begin a placeholder.
        arguments: dict[str, Any] = {"help": self.help.replace("%", "%%")}
        if self.positional:
            if not self.required:
                arguments["nargs"] = "*" if self.default == () else "?"
            parser.add_argument(*self.words, **arguments)
            return
        if self.default is False:
            arguments["action"] = "store_true"
        else:
            arguments |= {"metavar": self.name.upper(), "required": self.required}
        if self.default == ():
            arguments["action"] = "append"
        parser.add_argument(*self.words, **arguments)


@dataclass(frozen=True)
class _Command:
    """A command: a function of the package. Its signature and docstring give the flags and the help."""

    name: str
    call: Callable[..., Any]
    rest: str | None = None
    """What the arguments after `--` are."""
    of_monorepo: bool = True
    more: tuple[_Flag, ...] = ()
    in_place: tuple[str, ...] = ()
    """The arguments that are positional."""

    def flags(self) -> list[_Flag]:
        """Its flags."""
        explained = _explained(self.call)
        flags: list[_Flag] = []
        for name, parameter in inspect.signature(self.call).parameters.items():
            if name in _NOT_FLAGS:
                continue
            required = parameter.default is inspect.Parameter.empty
            flags.append(_Flag(name, explained.get(name, ""), parameter.default, name in self.in_place, required))
        return [*flags, *self.more]

    def parser(self) -> _Parser:
        """Returns the parser of its flags."""
        parser = _Parser(
            prog=f"%uvenv {self.name}",
            description=_summary(self.call),
            epilog=f"Arguments after `--`: {self.rest}." if self.rest else None,
            allow_abbrev=False,
        )
        for flag in self.flags():
            flag.add_to(parser)
        return parser

    def parse(self, words: Sequence[str]) -> dict[str, Any]:
        """Returns the arguments of the function; `rest` has those after `--`."""
        own, rest = _split(words)
        if rest and self.rest is None:
            raise UsageError(f"`%uvenv {self.name}` takes no arguments after `--`")
        given = vars(self.parser().parse_args(own))
        # What was not said is for the call to decide.
        arguments = {name: value for name, value in given.items() if value is not None and value is not False}
        return {**arguments, **({"rest": rest} if self.rest else {})}

    def do(self, arguments: dict[str, Any], cell: str | None) -> object:
        """Calls the function."""
        rest: list[str] = arguments.pop("rest", [])
        if self.name == "run":
            _run(rest, cell, arguments)
            return None
        if self.name == "sync":
            if arguments.pop("dry_run", False):
                return uvenv.Monorepo.discover().plan(uv_args=rest, **arguments)
            arguments["uv_args"] = rest
        if self.of_monorepo:
            return self.call(uvenv.Monorepo.discover(), **arguments)
        return self.call(**arguments)


def _commands() -> dict[str, _Command]:
    repo = uvenv.Monorepo
    dry_run = _Flag("dry_run", "Show what would be done without changing anything.", default=False, positional=False)
    commands = [
        _Command("status", repo.status),
        _Command("lock", repo.lock),
        _Command("sync", repo.sync, "passed to uv unchanged", more=(dry_run,)),
        _Command("activate", repo.activate),
        _Command("run", repo.run, "the command; with `%%uvenv run`, the arguments of the script in the cell"),
        _Command("env", repo.env),
        _Command("check", repo.check),
        _Command("promote", repo.promote, in_place=("packages",)),
        _Command("diff", repo.diff, in_place=("a", "b")),
        _Command("verify", repo.verify),
        _Command("vendor", repo.vendor),
        _Command("sbom", repo.sbom),
        _Command("backends", repo.backends),
        _Command("detect", uvenv.detect_backend, of_monorepo=False),
        _Command("kernel install", repo.install_kernel),
        _Command("kernel list", uvenv.kernels, of_monorepo=False),
        _Command("kernel remove", uvenv.remove_kernel, of_monorepo=False, in_place=("name",)),
    ]
    return {command.name: command for command in commands}


def _parse(words: Sequence[str]) -> tuple[_Command, dict[str, Any]]:
    commands = _commands()
    command, taken = _named(words, commands)
    if command is None:
        if not words or words[0] in {"-h", "--help", "help"} or words[1:2] in (["-h"], ["--help"]):
            raise _Explained(_help(commands))
        known = ", ".join(commands)
        raise UsageError(f"`{' '.join(words[:2])}` is not a command of `%uvenv`; the commands are {known}")
    return command, command.parse(words[taken:])


def _named(words: Sequence[str], commands: dict[str, _Command]) -> tuple[_Command | None, int]:
    """Returns the command with which the words begin, and the number of words in its name."""
    for taken in (2, 1):
        command = commands.get(" ".join(words[:taken]))
        if command is not None and len(words) >= taken:
            return command, taken
    return None, 0


def _help(commands: dict[str, _Command]) -> str:
    width = max(map(len, commands))
    lines = [f"  {name:{width}}  {_summary(command.call)}" for name, command in commands.items()]
    return "\n".join(
        [
            "usage: %uvenv COMMAND [FLAGS]",
            "       %%uvenv run [FLAGS] [-- ARGS]   run the cell as a script in an environment",
            "",
            *lines,
            "",
            "`%uvenv COMMAND --help` explains the flags, which are those of `cargo uvenv`.",
            "",
        ]
    )


def _split(words: Sequence[str]) -> tuple[list[str], list[str]]:
    """Returns the words before `--`, and those after it."""
    if "--" not in words:
        return list(words), []
    at = list(words).index("--")
    return list(words[:at]), list(words[at + 1 :])


def _summary(call: Callable[..., Any]) -> str:
    return (inspect.getdoc(call) or "").partition("\n")[0]


def _explained(call: Callable[..., Any]) -> dict[str, str]:
    """Returns the descriptions of the arguments in a docstring."""
    _, _, rest = (inspect.getdoc(call) or "").partition("\nArgs:\n")
    section = textwrap.dedent(re.split(r"\n\S", rest, maxsplit=1)[0])
    entries = re.findall(r"^\**(\w+): (.*(?:\n[ ]+.*)*)", section, re.MULTILINE)
    return {name: " ".join(text.split()) for name, text in entries}


def _run(rest: list[str], cell: str | None, arguments: dict[str, Any]) -> None:
    """Runs a command, or a cell as a script, and shows its output as it arrives."""
    if cell is None and not rest:
        raise UsageError("`%uvenv run` requires a command after `--`; `%%uvenv run` runs its cell")
    variables = {**_variables.current(), "PYTHONUNBUFFERED": "1"}
    with _script(cell) as script, _streamed() as (out, err):
        command = rest if script is None else ["python", str(script), *rest]
        uvenv.Monorepo.discover().run(
            command, **arguments, check=True, env=variables, stdin=subprocess.DEVNULL, stdout=out, stderr=err
        )


@contextmanager
def _script(cell: str | None) -> Generator[Path | None]:
    if cell is None:
        yield None
        return
    with tempfile.TemporaryDirectory(prefix="uvenv-") as directory:
        script = Path(directory) / "cell.py"
        script.write_text(cell, encoding="utf-8")
        yield script


@contextmanager
def _streamed() -> Generator[tuple[int, int]]:
    """Provides files for the output of a program, and copies it to stdout and stderr, which a kernel replaces."""
    streams = (sys.stdout, sys.stderr)
    pipes = [os.pipe() for _ in streams]
    pumps = [
        threading.Thread(target=_pump, args=(reading, stream), daemon=True)
        for (reading, _), stream in zip(pipes, streams, strict=True)
    ]
    for pump in pumps:
        pump.start()
    try:
        yield pipes[0][1], pipes[1][1]
    finally:
        for _, writing in pipes:
            os.close(writing)
        for pump in pumps:
            # A process that the program has left behind may keep its end for as long as it likes.
            pump.join(timeout=2)


def _pump(reading: int, stream: TextIO) -> None:
    decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
    try:
        while data := os.read(reading, 65536):
            stream.write(decoder.decode(data))
            stream.flush()
    finally:
        os.close(reading)


def _matcher() -> Any:
    """Returns the function that IPython calls for completions."""
    from IPython.core import completer

    interface: Any = completer

    def uvenv_matcher(context: Any) -> dict[str, Any]:
        line: str = context.text_until_cursor
        found = completions(line) if line.startswith(("%uvenv ", "%%uvenv ")) else []
        fitting = [completer.SimpleCompletion(one) for one in found if one.startswith(context.token)]
        # What stands here is no Python, of which others know.
        return {"completions": fitting, "ordered": True, "suppress": bool(fitting)}

    return interface.context_matcher(priority=100)(uvenv_matcher)


def completions(before: str) -> list[str]:
    """Returns what can follow the text of a line: commands, flags, names of profiles and backends."""
    words = before.replace("=", " ").split()[1:]
    if words and not before[-1:].isspace() and before[-1:] != "=":
        words.pop()
    commands = _commands()
    command, taken = _named(words, commands)
    if command is None:
        # The second word of a command of two, or the first of any.
        return sorted({name.split()[len(words)] for name in commands if name.split()[: len(words)] == words})
    given = words[taken:]
    if "--" in given:
        return []
    value_of = given[-1] if given else ""
    flags = command.flags()
    for flag in flags:
        if value_of in flag.words and not flag.positional and flag.default is not False:
            return _values(flag.name, given)
    in_place = _values("profile", given) if "a" in command.in_place else []
    words = [word for flag in flags if not flag.positional for word in flag.words if word.startswith("--")]
    return [*in_place, *words, "--help"]


def _values(name: str, given: list[str]) -> list[str]:
    if name not in {"profile", "backend", "to"}:
        return []
    try:
        profiles = uvenv.Monorepo.discover().profiles
    except Error:
        # A completion is no place for it; the command will say it.
        return []
    if name == "profile":
        return list(profiles)
    if name == "to":
        return [profile for profile in profiles if profile != "dev"]
    chosen = given[given.index("--profile") + 1] if "--profile" in given[:-2] else None
    fitting = [profile for profile in profiles.values() if chosen in {None, profile.name}]
    return [*dict.fromkeys(backend for profile in fitting for backend in profile.backends), "auto", "none"]
