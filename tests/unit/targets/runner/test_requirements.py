"""A runner's flat list of requirements: for one Python, without what Clarifai's tool misreads."""

from __future__ import annotations

import pytest

from clarifai_build.errors import SourceError
from clarifai_build.targets.runner.requirements import flat
from clarifai_build.targets.runner.sdk import CLARIFAI, CLARIFAI_FOR_NUMPY_1

WRITTEN = """# a comment
numpy==2.2.6 ; python_version >= '3.10' \\
    --hash=sha256:aa \\
    --hash=sha256:bb
tomli ; python_version < '3.11'
pywin32 ; sys_platform == 'win32'
late ; python_full_version < '3.12.3'
tests ; extra == 'tests'
--extra-index-url https://example.com/simple
--require-hashes
pkg @ https://example.com/p.whl ; os_name == 'posix'
-e git+https://example.com/x#egg=x
foo[bar]>=1,!=1.5
"""


def read(text: str, python: str = "3.12") -> list[str]:
    """Return the lines of the flat list."""
    return flat(text.encode(), python).decode().splitlines()


def test_markers_are_decided_and_hashes_dropped() -> None:
    """What counts on Linux with this Python stays, in its order, after the SDK."""
    assert read(WRITTEN) == [
        f"clarifai=={CLARIFAI}",
        "numpy==2.2.6",
        "--extra-index-url https://example.com/simple",
        "pkg @ https://example.com/p.whl",
        "-e git+https://example.com/x#egg=x",
        "foo[bar]>=1,!=1.5",
    ]


@pytest.mark.parametrize(
    ("numpy", "fits"),
    [
        ("", CLARIFAI),
        ("numpy", CLARIFAI),
        ("numpy>=1.24", CLARIFAI),
        ("numpy==2.3.*", CLARIFAI),
        ("numpy~=2.0.2", CLARIFAI),
        ("NumPy<2", CLARIFAI_FOR_NUMPY_1),
        ("numpy==1.26.4", CLARIFAI_FOR_NUMPY_1),
        ("numpy~=1.26", CLARIFAI_FOR_NUMPY_1),
        ("numpy==2.0.0", CLARIFAI_FOR_NUMPY_1),
        ("numpy-financial<2", CLARIFAI),
        ("numpy==1.26.4 ; python_version < '3.12'", CLARIFAI),
    ],
)
def test_the_sdk_fits_the_numpy(numpy: str, fits: str) -> None:
    """The newest one, but where numpy 2 is ruled out."""
    assert read(numpy)[0] == f"clarifai=={fits}"


def test_a_named_sdk_stays_and_comes_first() -> None:
    """Once."""
    assert read("numpy\nclarifai==12.4.2\n") == ["clarifai==12.4.2", "numpy"]


@pytest.mark.parametrize(
    "line",
    ["a<2,<3", "a>1,>2", "a>=1,>=2", "a==1,==1", "a @ https://h/?x==1==2", "a --global-option=x"],
)
def test_what_would_be_misread_is_refused(line: str) -> None:
    """At its line, with the way out."""
    with pytest.raises(SourceError) as caught:
        flat(f"# first\n{line}\n".encode(), "3.12", "r.txt")
    (problem,) = caught.value.problems
    assert (problem.code, problem.file, problem.line) == ("requirement-flat", "r.txt", 2)
    assert "clarifai-build lock" in str(problem.hint)
