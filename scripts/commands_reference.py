"""Writes docs/reference/commands.md from the commands' own parsers."""

from __future__ import annotations

import argparse
import importlib
from collections.abc import Iterator
from pathlib import Path

from clarifai_build.cli.main import COMMANDS, Parser

PAGE = Path(__file__).parents[1] / "docs" / "reference" / "commands.md"
HEAD = """\
# Commands

Made from the commands' own help by `make reference`. Data goes to stdout, progress and prose to
stderr.

What a command warns of is on stderr, too, as `warning[CODE] STAGE: …`. The object that it prints
with `--json` or `-o json` then has `warnings`, a list of objects with `code`, `message`, `stage`
and `hint`; without a warning, there is no such key. Of several models, the stage begins with the
model's id. `validate` counts in its `warnings`, and a plan, which may be saved, has none. The codes
are those of [problems](problems.md).

| exit code | means |
|---|---|
| 0 | done, or nothing to do |
| 1 | failed |
| 2 | changes pending (only `plan --detailed-exitcode`) |
| 3 | invalid manifest |
| 4 | not authorised |
| 5 | storage or API failed |
| 6 | lease held by another |
| 7 | plan is stale |
| 64 | usage |
| 70 | a bug in clarifai-build; the traceback is in a log file that the message names |
| 130 | interrupted |
"""


def page() -> str:
    """Return the whole page."""
    return "\n".join([HEAD, *(_section(name) for name in COMMANDS)])


def _section(name: str) -> str:
    module_name, summary = COMMANDS[name]
    module = importlib.import_module(f"clarifai_build.cli.commands.{module_name}")
    parser = Parser(add_help=False)
    module.configure(parser)
    text = (module.__doc__ or summary).strip()
    rows = "\n".join(_rows(parser, ""))
    table = f"\n| argument | |\n|---|---|\n{rows}\n" if rows else ""
    return f"## {name}\n\n{text}\n{table}"


def _rows(parser: argparse.ArgumentParser, prefix: str) -> Iterator[str]:
    for action in parser._actions:
        if isinstance(action, argparse._HelpAction) or action.help == argparse.SUPPRESS:
            continue
        if isinstance(action, argparse._SubParsersAction):
            for choice, sub in action.choices.items():
                summary = sub.description or next(
                    (entry.help for entry in action._choices_actions if entry.dest == choice), ""
                )
                yield f"| `{prefix}{choice}` | {summary or ''} |"
                yield from _rows(sub, f"{prefix}{choice} ")
            continue
        help_text = (action.help or "").replace("|", "\\|")
        yield f"| `{prefix}{_usage(action)}` | {help_text} |"


def _usage(action: argparse.Action) -> str:
    choices = "|".join(map(str, action.choices)) if action.choices else ""
    value = action.metavar or choices or action.dest.upper()
    if not action.option_strings:
        return str(action.metavar or action.dest).upper().replace("|", "\\|")
    names = ", ".join(action.option_strings)
    return names if action.nargs == 0 else f"{names} {value}".replace("|", "\\|")


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
