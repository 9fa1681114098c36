"""The template by itself, in every way that people name one: whole, or refused with a word."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cookiecutter.generate import generate_context, generate_files

from clarifai_build.errors import SandboxError
from clarifai_build.resources import files_below, runtime_dir, template_dir
from clarifai_build.targets.triton.render import check_config
from clarifai_build.targets.vendored import runtime_files
from support import clones
from support.triton_server import Server

TEMPLATE = "cookiecutter-template"


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clone with the template and the runtime."""
    folder = tmp_path_factory.mktemp("checkout") / "repository"
    unwanted = shutil.ignore_patterns("__pycache__")
    shutil.copytree(template_dir(), folder / TEMPLATE, ignore=unwanted)
    shutil.copytree(runtime_dir(), folder / "builder" / "clarifai_runtime", ignore=unwanted)
    clones.commit(folder, {})
    return folder


@pytest.fixture(scope="module")
def libraries(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What is installed beside this Python, without clarifai-build."""
    folder = tmp_path_factory.mktemp("libraries")
    import cookiecutter

    for item in Path(cookiecutter.__file__).parents[1].iterdir():
        if "clarifai_build" not in item.name and item.suffix != ".pth":
            (folder / item.name).symlink_to(item)
    return folder


COOKIECUTTER = ("cookiecutter", "--no-input", "-o")
CRUFT = ("cruft", "create", "--no-input", "--output-dir")
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run(libraries: Path, tmp_path: Path) -> Run:
    """Run `cookiecutter`, or another tool, in a folder, where clarifai-build is not installed."""

    def run(
        folder: Path,
        *arguments: str | Path,
        tool: Sequence[str] = COOKIECUTTER,
        at: Path = tmp_path / "made",
        **environ: str,
    ) -> Any:
        python = getattr(sys, "_base_executable", sys.executable)
        git = str(Path(shutil.which("git") or "").parent)
        return subprocess.run(
            [python, "-m", *tool, str(at), *map(str, arguments)],
            cwd=folder,
            env={
                "PYTHONPATH": str(libraries),
                "PATH": git,
                "HOME": str(tmp_path / "home"),
                **environ,
            },
            capture_output=True,
            text=True,
        )

    (tmp_path / "home").mkdir()
    return run


def assert_whole(folder: Path) -> None:
    """Every file is there, the runtime byte for byte, and Triton takes the configuration."""
    made = files_below(folder)
    assert {name: made.get(name) for name in runtime_files()} == runtime_files()
    assert {"1/__init__.py", "1/inference.py", "1/model.py", "1/serving.json"} <= made.keys()
    assert not any(name.startswith(".") for name in made)
    check_config(made["config.pbtxt"])


@pytest.fixture
def serves(server: Server) -> Iterator[Callable[[Path], None]]:
    """Load a repository into Triton, and ask its model once: its code is the user's to write."""
    loaded: list[str] = []

    def serves(folder: Path) -> None:
        shutil.copytree(folder, server.repository / folder.name)
        server.client.load(folder.name)
        loaded.append(folder.name)
        images = {"image": np.zeros((1, 4, 6, 3), np.uint8)}
        with pytest.raises(
            SandboxError, match=r"get_predictions in 1/inference\.py is still to be"
        ):
            server.client.infer(folder.name, images, ["predicted_bboxes"])

    yield serves
    for name in loaded:
        server.client.unload(name)


def zipped(folder: Path, below: str = "") -> Path:
    """Return a zip of the checkout, or of a folder in it."""
    target = folder.parent / f"{below or 'whole'}.zip"
    prefix = () if below else ("--prefix=repository/",)
    clones.git(folder, "archive", "--format=zip", *prefix, "-o", str(target), "HEAD", below or ".")
    return target


WAYS: dict[str, Callable[[Path], tuple[Path, list[str | Path]]]] = {
    "relative": lambda at: (at, [f"{TEMPLATE}/"]),
    "absolute": lambda at: (at.parent, [at / TEMPLATE]),
    "here": lambda at: (at / TEMPLATE, ["."]),
    "from beside": lambda at: (at / "builder", [f"../{TEMPLATE}"]),
    "directory": lambda at: (at, [".", "--directory", TEMPLATE]),
    "git": lambda at: (at.parent, [f"git+{at.as_uri()}", "--directory", TEMPLATE]),
    "zip": lambda at: (at.parent, [zipped(at), "--directory", TEMPLATE]),
}


@pytest.mark.parametrize("way", WAYS)
def test_each_way_gives_a_repository_that_triton_loads(
    way: str, checkout: Path, run: Run, tmp_path: Path, serves: Callable[[Path], None]
) -> None:
    """From a checkout, a clone or an archive, without clarifai-build."""
    folder, arguments = WAYS[way](checkout)
    name = f"by-{way.replace(' ', '-')}"
    done = run(folder, *arguments, f"model_name={name}")
    assert done.returncode == 0, done.stderr
    assert_whole(tmp_path / "made" / name)
    serves(tmp_path / "made" / name)


def test_a_link_to_the_template_is_followed(checkout: Path, run: Run, tmp_path: Path) -> None:
    """The runtime lies beside what it leads to."""
    (tmp_path / "link").symlink_to(checkout / TEMPLATE)
    assert run(tmp_path, "link").returncode == 0
    assert_whole(tmp_path / "made" / "my-model")


def test_a_second_run_writes_over_the_first(checkout: Path, run: Run, tmp_path: Path) -> None:
    """The runtime, too, where it is asked to."""
    assert run(checkout, TEMPLATE).returncode == 0
    (tmp_path / "made" / "my-model" / "1" / "clarifai_runtime" / "old.py").write_text("")
    assert run(checkout, TEMPLATE, "-f").returncode == 0
    assert_whole(tmp_path / "made" / "my-model")
    assert not (tmp_path / "made" / "my-model" / "1" / "clarifai_runtime" / "old.py").exists()


def test_the_template_alone_says_what_to_do(checkout: Path, run: Run, tmp_path: Path) -> None:
    """Nothing is written where there is no runtime."""
    done = run(tmp_path, zipped(checkout, TEMPLATE))
    assert done.returncode != 0
    assert "--directory cookiecutter-template" in done.stderr
    assert "pip install clarifai-build" in done.stderr
    assert list((tmp_path / "made").iterdir()) == []


@pytest.mark.parametrize("place", ["packages", "command"])
def test_an_installed_runtime_is_found(
    place: str, checkout: Path, libraries: Path, run: Run, tmp_path: Path
) -> None:
    """Beside cookiecutter, or in an environment of its own whose command is on the path."""
    alone = zipped(checkout, TEMPLATE)
    if place == "packages":
        path = f"{libraries}{os.pathsep}{runtime_dir().parent}"
        done = run(tmp_path, alone, PYTHONPATH=path)
    else:
        command = tmp_path / "bin" / "clarifai-build"
        command.parent.mkdir()
        command.write_text(f"#!{sys.executable}\nimport clarifai_build\n")
        command.chmod(0o755)
        done = run(tmp_path, alone, PATH=f"{command.parent}{os.pathsep}{os.environ['PATH']}")
    assert done.returncode == 0, done.stderr
    assert_whole(tmp_path / "made" / "my-model")


@pytest.mark.parametrize(
    "answer",
    ["model_name=a b", 'model_name=x"y', "max_batch_size=many", "image_height=0", "image_width=1e3",
     "instance_count=0", "max_queue_delay_microseconds=-1"],
)  # fmt: skip
def test_answers_that_triton_would_refuse_are_refused(
    answer: str, checkout: Path, run: Run, tmp_path: Path
) -> None:
    """Before anything is written."""
    done = run(checkout, TEMPLATE, answer)
    assert done.returncode != 0
    assert f"{answer.partition('=')[0]}: " in done.stderr
    assert list((tmp_path / "made").iterdir()) == []


def test_an_old_cookiecutter_is_named(
    checkout: Path, libraries: Path, run: Run, tmp_path: Path
) -> None:
    """It would stop halfway, and leave half a repository."""
    older = tmp_path / "older"
    (older / "cookiecutter-2.1.1.dist-info").mkdir(parents=True)
    (older / "cookiecutter-2.1.1.dist-info" / "METADATA").write_text("Version: 2.1.1\n")
    done = run(checkout, TEMPLATE, PYTHONPATH=f"{older}{os.pathsep}{libraries}")
    assert done.returncode != 0
    assert "cookiecutter 2.1.1 is too old" in done.stderr
    assert list((tmp_path / "made").iterdir()) == []


def test_cruft_makes_a_repository_and_keeps_it(
    checkout: Path, run: Run, tmp_path: Path, serves: Callable[[Path], None]
) -> None:
    """It names the template by an address alone; later it finds nothing to update."""
    arguments = ("--directory", TEMPLATE, "--extra-context", '{"model_name": "by-cruft"}')
    made = tmp_path / "made" / "by-cruft"
    done = run(checkout.parent, checkout.as_uri(), *arguments, tool=CRUFT)
    assert done.returncode == 0, done.stderr
    (made / ".cruft.json").rename(tmp_path / "cruft.json")
    assert_whole(made)
    serves(made)
    (tmp_path / "cruft.json").rename(made / ".cruft.json")
    clones.commit(made, {})
    checked = run(made, tool=("cruft", "check", "--project-dir"), at=made)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_a_tool_that_passes_no_folder_finds_the_runtime(
    checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As old versions of cookiecutter do: they name a URL, and no folder."""
    clone = tmp_path / "clone"
    clones.git(tmp_path, "clone", "-q", str(checkout), str(clone))
    context = generate_context(str(clone / TEMPLATE / "cookiecutter.json"))
    answers = context["cookiecutter"] | {"_template": "https://example.com/repository.git"}
    choices = ("model_type", "target", "instance_kind")
    answers = {key: value[0] if key in choices else value for key, value in answers.items()}
    monkeypatch.chdir(tmp_path)
    answers["max_batch_size"] = "8"
    generate_files(str(clone / TEMPLATE), {"cookiecutter": answers}, output_dir=str(tmp_path / "o"))
    assert_whole(tmp_path / "o" / "my-model")


@pytest.mark.parametrize("known_by", ["PWD", "_output_dir"])
def test_without_proc_the_typed_path_is_followed(
    known_by: str, checkout: Path, libraries: Path, tmp_path: Path
) -> None:
    """On systems that tell no other process's folder: from where it was typed, or goes to."""
    from jinja2 import Environment, StrictUndefined

    keys = ("max_batch_size", "instance_count", "max_queue_delay_microseconds")
    answers = dict.fromkeys(keys, "1") | {"image_height": "-1", "image_width": "-1"}
    answers |= {"model_name": "m", "_template": TEMPLATE, "_repo_dir": TEMPLATE}
    if known_by == "_output_dir":
        answers["_output_dir"] = str(checkout / "made")
    hook = checkout / TEMPLATE / "hooks" / "pre_gen_project.py"
    rendered = Environment(undefined=StrictUndefined).from_string(hook.read_text())
    script = tmp_path / "hook.py"
    script.write_text(rendered.render(cookiecutter=answers))
    (tmp_path / "project").mkdir()
    python = getattr(sys, "_base_executable", sys.executable)
    where = checkout if known_by == "PWD" else tmp_path
    environ = {"PATH": "/usr/bin:/bin", "PWD": str(where), "PYTHONPATH": str(libraries)}
    subprocess.run([python, script], cwd=tmp_path / "project", env=environ, check=True)
    found = files_below(tmp_path / "project" / ".clarifai_runtime")
    assert {f"1/clarifai_runtime/{name}": data for name, data in found.items()} == runtime_files()
