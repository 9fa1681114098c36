"""Requirements files as people have them are read as pip itself reads them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pip._internal.exceptions import InstallationError
from pip._internal.network.session import PipSession
from pip._internal.req.req_file import RequirementsFileParser, get_line_parser

from clarifai_build.errors import SourceError
from clarifai_build.requirements.reader import Line, lines_in, lines_of
from clarifai_build.validation.requirements_file import problems
from support.trees import write_files

FILES = {
    "a comment after a tab": "pillow==10.3.0\t# why\nnumpy",
    "a sign that is no comment": "git+https://h.example/x.git@v1#egg=x\nnumpy#1\n",
    "lines that go on": "numpy \\\n  >=1.24, \\\n  <3\nscipy==1.0 \\\n  # its end\npillow",
    "a backslash at the end of the file": "numpy==1.26.4 \\",
    "hashes": f"six==1.16.0 \\\n    --hash=sha256:{'a' * 64} \\\n    --hash=sha256:{'b' * 64}\n",
    "options of all kinds": "-i https://h.example/simple --pre\n--extra-index-url=https://e.example\n"
    "-fhttps://f.example\n--find https://g.example --trusted-host e.example\n--no-binary :all:\n",
    "abbreviated and quoted": "--find-l 'https://f.example/a b'\n--only-b \"numpy,scipy\"\n",
    "installed in place": "-e git+https://h.example/y.git#egg=y\n--editable=./z\n",
    "options of one requirement": "numpy --global-option=x\n",
    "a marker with dashes": "numpy ; python_version >= '3.8' and platform_machine != 'arm-64'\n",
    "windows and old mac": "numpy\r\nscipy\rpillow\x0csix\n",
    "an option that is not there": "numpy\n--frobnicate yes\n",
    "an option without a value": "--index-url\n",
    "a quote that does not end": "--find-links 'https://f.example\n",
    "a space after the backslash": "numpy \\ \n==1.26.4\n",
}


PIP = RequirementsFileParser(PipSession(), get_line_parser(None))


def read_by_pip(file: Path) -> list[tuple[int, str, str, list[str]]] | None:
    """Return line, requirement, what is installed in place, and values; None where pip refuses."""
    try:
        return [_of_pip(line) for line in PIP._parse_file(str(file), constraint=False)]
    except InstallationError:
        return None


def _of_pip(line: Any) -> tuple[int, str, str, list[str]]:
    given = vars(line.opts)
    names = ("find_links", "extra_index_urls", "trusted_hosts", "requirements", "constraints")
    values = [value for name in names for value in given.get(name) or ()]
    values += [value for value in (given.get("index_url"),) if value]
    hashes = given.get("hashes") or {}
    values += [f"{kind}:{digest}" for kind, found in hashes.items() for digest in found]
    told = line.requirement if line.is_requirement else ""
    in_place = line.is_requirement and line.is_editable
    # pip strips a requirement when it makes something of it.
    return line.lineno, "" if in_place else told.strip(), told if in_place else "", sorted(values)


def _of_ours(line: Line) -> tuple[int, str, str, list[str]]:
    names = ("find-links", "extra-index-url", "trusted-host", "requirement", "constraint")
    options = [*(f"--{name}" for name in names), "--index-url", "--hash"]
    values = [value for option in options for value in line.values(option)]
    return line.first, line.requirement, line.editable, sorted(values)


def read_by_us(file: Path) -> list[tuple[int, str, str, list[str]]] | None:
    """Return the same of our reader."""
    lines = lines_of(file.read_bytes(), file.name)
    return None if any(line.error for line in lines) else [_of_ours(line) for line in lines]


@pytest.mark.parametrize("text", FILES.values(), ids=FILES.keys())
def test_each_file_means_what_it_means_to_pip(tmp_path: Path, text: str) -> None:
    """Line by line: requirements, options with their values, and what is refused."""
    file = write_files(tmp_path, {"r.txt": text.encode()}) / "r.txt"
    assert read_by_us(file) == read_by_pip(file)


PIECES = ("numpy", "==1", " ", "\t", "#", "\\", "\n", "\r\n", "-r", "-e", " --hash=sha256:aa", "'")


@given(st.lists(st.sampled_from(PIECES), max_size=9).map("".join))
@settings(max_examples=200)
def test_any_text_means_what_it_means_to_pip(
    tmp_path_factory: pytest.TempPathFactory, text: str
) -> None:
    """Also where nobody would write it so."""
    file = tmp_path_factory.getbasetemp() / "any.txt"
    file.write_bytes(text.encode())
    assert read_by_us(file) == read_by_pip(file)


@pytest.mark.parametrize(
    ("content", "found"),
    [
        ("numpy==1.0\n".encode("utf-16"), ["numpy==1.0"]),
        ("\ufeffnumpy\n".encode("utf-16-be"), ["numpy"]),
        (b"\xff\xfe\0\0" + "numpy\n".encode("utf-32-le"), ["numpy"]),
        (b"\xef\xbb\xbfnumpy\r\n", ["numpy"]),
        ("# -*- coding: latin-1 -*-\n# caf\xe9\nnumpy\n".encode("latin-1"), ["numpy"]),
        ("# pinned by M\xe9lanie\nnumpy\n".encode(), ["numpy"]),
    ],
)
def test_encodings_are_those_that_pip_reads(content: bytes, found: list[str]) -> None:
    """By a byte order mark, else by a comment at the top, else UTF-8."""
    assert [line.requirement for line in lines_of(content, "r.txt")] == found


@pytest.mark.parametrize(
    "content",
    [
        "# caf\xe9\nnumpy\n".encode("latin-1"),
        "numpy\n".encode("utf-16-le"),
        b"# coding: klingon\nnumpy\n",
    ],
)
def test_what_reads_on_one_machine_alone_is_refused(tmp_path: Path, content: bytes) -> None:
    """pip would guess by the locale of the machine: the platform's is another."""
    file = write_files(tmp_path, {"r.txt": content}) / "r.txt"
    with pytest.raises(SourceError) as caught:
        lines_of(content, "r.txt")
    assert [p.code for p in caught.value.problems] == ["not-utf8"]
    assert [(p.code, p.file, p.line) for p in problems(file, "r.txt")] == [("not-utf8", "r.txt", 1)]


def test_a_comment_after_a_tab_is_no_problem(tmp_path: Path) -> None:
    """As `validate` sees it."""
    file = write_files(tmp_path, {"r.txt": b"pillow==10.3.0\t# why\n"}) / "r.txt"
    assert list(problems(file, "r.txt")) == []


def test_an_option_that_older_releases_of_pip_lack_is_read() -> None:
    """pip has it since 23.1; the one that tests are run with may be older."""
    (line,) = lines_in("numpy --config-settings a=b --config-setting c=d\n")
    assert (line.requirement, line.error) == ("numpy", "")
    assert line.values("--config-settings") == ("a=b", "c=d")
