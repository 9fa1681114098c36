"""Says at the end of a run on which Pythons the runtime's suite ran."""

from __future__ import annotations

import pytest

RAN = pytest.StashKey[list[str]]()


@pytest.fixture
def ran(request: pytest.FixtureRequest) -> list[str]:
    """Return the list of what the runtime's suite ran on."""
    return request.config.stash.setdefault(RAN, [])


def pytest_terminal_summary(terminalreporter, config: pytest.Config) -> None:
    """Write the list."""
    ran = config.stash.get(RAN, [])
    if ran:
        terminalreporter.write_sep("-", "the runtime's suite")
        for line in ran:
            terminalreporter.write_line(line)
