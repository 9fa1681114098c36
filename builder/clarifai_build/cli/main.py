"""Dispatch: find the command, import only its module, run it, turn errors into exit codes."""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Callable, Sequence
from contextlib import closing
from itertools import pairwise
from typing import NoReturn

from clarifai_build._version import __version__
from clarifai_build.cli.console import Console
from clarifai_build.cli.process import Interrupts, tune_gc
from clarifai_build.errors import BuilderError, UsageError
from clarifai_build.util.text import inert, printable

COMMANDS: dict[str, tuple[str, str]] = {
    "init": ("init", "start a new model folder"),
    "validate": ("validate", "check manifests, offline, all problems at once"),
    "config": ("config", "show the resolved manifest and where each value came from"),
    "render": ("render", "write the model as it is served to a folder"),
    "build": ("build", "write the artifact, a zip or a tar.gz, to disk"),
    "test": ("test", "run the model's predefined tests, in Python or as it is served"),
    "lock": ("lock", "pin requirements, weights and the tool into clarifai.lock"),
    "plan": ("plan", "show what apply would do"),
    "apply": ("apply", "build, upload and register what has changed"),
    "verify": ("verify", "prove that what is published is what the source gives"),
    "diff": ("diff", "compare source, zips, versions and Git revisions"),
    "versions": ("versions", "list what is live and what was"),
    "rollback": ("rollback", "make an earlier version the newest again, without a rebuild"),
    "destroy": ("destroy", "remove what clarifai-build made of a model"),
    "gc": ("gc", "remove artifacts that no version refers to"),
    "inspect": ("inspect", "show what an artifact holds and how it was made"),
    "status": ("status", "show whether what is live is what the manifest says"),
    "unlock": ("unlock", "take the lease of a model away from an apply that died"),
    "import": ("import_", "make a manifest from a Triton repository or a runner folder"),
    "cache": ("cache", "list or prune what is cached on this machine"),
    "schema": ("schema", "print the manifest's JSON schema"),
    "sandbox": ("sandbox", "a local S3, Clarifai API and Triton: up, down, status"),
}

EXIT_CODES = """\
exit codes:
  0 done, or nothing to do     4 not authorised           7 plan is stale
  1 failed                     5 storage or API failed   64 usage
  2 changes pending (plan)     6 lease held by another   70 a bug of ours
  3 invalid manifest                                    130 interrupted
"""


class Parser(argparse.ArgumentParser):
    """An argument parser whose errors are those of usage, and JSON where that is asked for."""

    console: Console | None = None

    def error(self, message: str) -> NoReturn:
        if self.console and self.console.json_errors:
            hint = f"try '{self.prog} --help'"
            self.console.failure(UsageError.of("usage", message, hint=hint))
            # EX_USAGE in sysexits.h; argparse would exit with 2, which here means pending changes.
            self.exit(UsageError.exit_code)
        from clarifai_build.util.redaction import masked
        from clarifai_build.util.tokens.variables import secret_values, without_secrets

        self.print_usage(sys.stderr)
        # As typed: a token may stand where no option takes one.
        message = inert(printable(without_secrets(masked(message), secret_values())))
        self.exit(UsageError.exit_code, f"{self.prog}: {message}\nTry '{self.prog} --help'.\n")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    return guarded(lambda console: _dispatch(arguments, console))


def guarded(run: Callable[[Console], int]) -> int:
    """Run something that takes the console, and turn what it raises into an exit code."""
    interrupts = Interrupts()
    interrupts.install()
    tune_gc()
    console = Console.standard()
    try:
        with closing(console):
            code = run(console)
        console.flush()
        return code
    except KeyboardInterrupt:
        return _interrupted(console)
    # A library may turn the interrupt into an error of its own, hence `came`.
    except Exception as error:  # noqa: BLE001 - the program's one catch-all
        return _interrupted(console) if interrupts.came else _failed(console, error)
    finally:
        console.flush()


def _interrupted(console: Console) -> int:
    console.err("interrupted")
    # 128 + SIGINT, as shells report it.
    return 130


def _failed(console: Console, error: Exception) -> int:
    """Report an error; what is neither a BuilderError nor the machine's is a bug of this tool."""
    if not isinstance(error, BuilderError):
        from clarifai_build.util.crash_report import internal_error, refused_path

        error = refused_path(error) or internal_error(error)
    console.failure(error)
    return error.exit_code


def _dispatch(arguments: list[str], console: Console) -> int:
    parser = _top_parser()
    if not arguments:
        parser.print_help(sys.stderr)
        return UsageError.exit_code
    if arguments[0].startswith("-"):
        parser.parse_args(arguments)
        return UsageError.exit_code
    name, *rest = arguments
    if name not in COMMANDS:
        parser.error(_unknown(name))
    module_name, summary = COMMANDS[name]
    # Only this command: all of them would load boto3, grpc and rich for every `--help`.
    module = importlib.import_module(f"clarifai_build.cli.commands.{module_name}")
    command = Parser(
        prog=f"clarifai-build {name}",
        description=module.__doc__ or summary,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    module.configure(command)
    command.console = console
    # Before parsing, since its errors are to be JSON, too; `-o` in every spelling argparse takes.
    console.json_errors = "--json" in rest or (
        command.get_default("output") == "text"  # elsewhere, -o names a file
        and not {"-ojson", "-o=json", "--output=json"}.isdisjoint(
            [*rest, *map("=".join, pairwise(rest))]
        )
    )
    code: int = module.run(command.parse_args(rest), console)
    return code


def _top_parser() -> Parser:
    width = max(map(len, COMMANDS))
    listing = "\n".join(f"  {name:<{width}}  {text}" for name, (_, text) in COMMANDS.items())
    parser = Parser(
        prog="clarifai-build",
        usage="clarifai-build COMMAND [OPTIONS]",
        description=(
            "One clarifai.yaml per model: validated, built into the same bytes anywhere,\n"
            "uploaded to S3 and registered with Clarifai."
        ),
        epilog=(
            f"commands:\n{listing}\n\nclarifai-build COMMAND --help explains one.\n\n{EXIT_CODES}"
        ),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"clarifai-build {__version__}")
    return parser


def _unknown(name: str) -> str:
    import difflib

    near = difflib.get_close_matches(name, COMMANDS, n=1)
    return f"no command '{name}'" + (f"; did you mean '{near[0]}'?" if near else "")
