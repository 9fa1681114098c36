"""Runs tests with pytest inside a forked child."""

from __future__ import annotations

import faulthandler
import os
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

PATIENCE = 10.0
FACTOR = 5.0
"""A test that takes this many times as long as it did hangs."""

# What the package and its tests import, so that no child has to. Nothing here imports the package.
_HEAVY = [
    *(
        "boto3",
        "botocore.session",
        "clarifai_grpc.grpc.api.service_pb2_grpc",
        "cookiecutter.generate",
    ),
    *("cyclonedx.model.bom", "fsspec", "grpc", "http.server", "huggingface_hub", "isal.isal_zlib"),
    *("hypothesis.stateful", "jsonschema", "numpy", "packaging.requirements", "PIL.Image"),
    *("rich.progress", "tritonclient.grpc", "yaml"),
]


_OPTIONS = [
    *("-q", "--tb=line", "-m", "not slow", "--hypothesis-seed=0"),
    *("-p", "no:cacheprovider", "-p", "no:xdist"),
]


def patience(seconds: float) -> float:
    """Return how long to wait for what took some seconds before, on a machine as busy as now."""
    busy = max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))
    return max(PATIENCE * busy, FACTOR * seconds)


def warm_up() -> None:
    """Import what is slow to import, once."""
    for name in _HEAVY:
        __import__(name)


def run(arguments: Sequence[str], folder: Path, *plugins: object) -> int:
    """Run pytest with options and files; return its exit status."""
    os.environ["XDG_CACHE_HOME"] = str(folder / "cache")
    scratch = ["--basetemp", str(folder / "tmp")]
    (folder / "temp").mkdir()
    os.environ["TMPDIR"] = str(folder / "temp")
    tempfile.tempdir = None
    os.chdir(ROOT)
    return int(pytest.main([*_OPTIONS, *scratch, *arguments], plugins=[_Hypothesis(), *plugins]))


class _Hypothesis:
    """An example is as good as the smallest one here, and a slow machine is no failure."""

    @staticmethod
    def pytest_sessionstart() -> None:
        """Come after the suite's own profile, and before the tests that are built with it."""
        from hypothesis import HealthCheck, Phase, settings

        settings.register_profile(
            "mutation",
            parent=settings(),
            phases=[Phase.explicit, Phase.generate, Phase.target],
            suppress_health_check=list(HealthCheck),
            database=None,
        )
        settings.load_profile("mutation")


class Chosen:
    """Runs some tests only, in the order given; ends the process when one hangs."""

    def __init__(self, seconds: dict[str, float]) -> None:
        self._seconds = seconds
        self._order = {test: number for number, test in enumerate(seconds)}

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Leave out the others."""
        items[:] = [item for item in items if item.nodeid in self._order]
        items.sort(key=lambda item: self._order[item.nodeid])

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        """Exit with 1, as for a failure, when the test's time is up."""
        limit = patience(self._seconds[item.nodeid])
        faulthandler.dump_traceback_later(limit, exit=True)
        try:
            return (yield)
        finally:
            faulthandler.cancel_dump_traceback_later()
