"""The pages say what the code says."""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import re
from pathlib import Path

import pytest

from clarifai_build.cli.main import COMMANDS, Parser
from support.pages import PAGES, ROOT, blocks, calls

IDS = [page.relative_to(ROOT).as_posix() for page in PAGES]


def test_every_command_and_option_is_documented() -> None:
    """docs/reference/commands.md is what `make reference` would write."""
    script = ROOT / "scripts" / "commands_reference.py"
    spec = importlib.util.spec_from_file_location("commands_reference", script)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.PAGE.read_text(encoding="utf-8") == module.page()


def parser_of(command: str) -> argparse.ArgumentParser:
    """Return the command's own parser."""
    module = importlib.import_module(f"clarifai_build.cli.commands.{COMMANDS[command][0]}")
    parser = Parser(prog=command)
    module.configure(parser)
    return parser


@pytest.mark.parametrize("page", PAGES, ids=IDS)
def test_commands_shown_are_commands(page: Path) -> None:
    """Each call of clarifai-build on a page is one that its parser takes."""
    for command, *arguments in calls(page):
        if not command.startswith("-"):
            parser_of(command).parse_args(arguments)


@pytest.mark.parametrize("page", PAGES, ids=IDS)
def test_make_targets_shown_exist(page: Path) -> None:
    """Each `make` target on a page is in the Makefile."""
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    shown = [command for block in blocks(page) for command in block if command.startswith("make ")]
    assert {command.split()[1] for command in shown} <= set(targets)


@pytest.mark.parametrize("page", PAGES, ids=IDS)
def test_links_lead_somewhere(page: Path) -> None:
    """Each relative link on a page is to a file that exists."""
    links = re.findall(r"\]\((?!https?://|#)([^)#\s]+)", page.read_text(encoding="utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []
