"""validate, schema, config, init and import as processes: streams, exit codes, what they import."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from clarifai_build.cli.legacy import upload_init
from clarifai_build.model_types import MODEL_TYPES

EXAMPLES = Path(__file__).parents[1] / "examples"
HEAVY = (
    "boto3",
    "concurrent.futures",
    "grpc",
    "hashlib",
    "numpy",
    "jinja2",
    "cookiecutter",
    "rich",
    "jsonschema",
    "google.protobuf",
)


def run(*arguments: str | Path, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run the tool without a terminal and without credentials."""
    environ = {key: value for key, value in os.environ.items() if not key.startswith("CLARIFAI_")}
    return subprocess.run(
        [sys.executable, "-m", "clarifai_build", *map(str, arguments)],
        cwd=cwd,
        env=environ,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )


def test_validate_prints_every_problem_of_every_file() -> None:
    """Problems are data, on stdout, each with a caret; the count is prose, on stderr."""
    done = run("validate", EXAMPLES / "invalid", EXAMPLES / "valid")
    assert done.returncode == 3
    problems = json.loads(run("validate", "-o", "json", EXAMPLES / "invalid").stdout)["problems"]
    assert done.stdout.count(": error[") == len(problems)
    assert done.stderr.strip().endswith("errors")
    assert {problem["file"].split("/")[-1] for problem in problems} >= {
        path.name for path in EXAMPLES.glob("invalid/*.clarifai.yaml")
    }


def test_validate_is_quiet_about_good_manifests() -> None:
    """Exit code 0 and nothing on stdout."""
    done = run("validate", EXAMPLES / "valid")
    assert (done.returncode, done.stdout) == (0, "")
    assert "no problems" in done.stderr


def test_validate_of_this_folder_is_the_default(tmp_path: Path) -> None:
    """Without arguments, the manifests below the working folder are meant."""
    assert run("validate", cwd=tmp_path).returncode == 64
    (tmp_path / "clarifai.yaml").write_text("model: {}\n")
    done = run("validate", cwd=tmp_path)
    assert done.returncode == 3
    assert done.stdout.startswith("clarifai.yaml:1:1: error[missing-key]")


@pytest.mark.parametrize("output", ["json", "sarif"])
def test_validate_writes_documents_even_where_nothing_is_wrong(output: str) -> None:
    """Machine readers always get one document."""
    done = run("validate", "-o", output, EXAMPLES / "valid")
    assert done.returncode == 0
    assert json.loads(done.stdout)


def test_github_annotations_are_one_line_a_problem() -> None:
    """Each becomes an annotation in a pull request."""
    done = run("validate", "-o", "github", EXAMPLES / "invalid")
    assert done.returncode == 3
    problems = json.loads(run("validate", "-o", "json", EXAMPLES / "invalid").stdout)["problems"]
    lines = done.stdout.splitlines()
    assert len(lines) == len(problems)
    assert all(line.startswith("::error ") for line in lines)


@pytest.mark.parametrize("arguments", [["--help"], ["validate", "--help"], ["validate"]])
def test_nothing_heavy_is_imported_to_help_or_validate(arguments: list[str]) -> None:
    """Both stay fast because they load no SDK, no template engine and no arrays."""
    if arguments == ["validate"]:
        arguments = ["validate", str(EXAMPLES / "valid"), str(EXAMPLES / "invalid")]
    script = (
        "import sys\nfrom clarifai_build.cli.main import main\n"
        f"try:\n    main({arguments!r})\nexcept SystemExit:\n    pass\n"
        f"print(sorted(set({HEAVY!r}) & set(sys.modules)), file=sys.stderr)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.stderr.splitlines()[-1] == "[]"


def test_schema_is_printed_as_it_is() -> None:
    """What `schema` prints is the file that ships."""
    printed = json.loads(run("schema").stdout)
    root = Path(__file__).parents[2] / "schema" / "clarifai.schema.json"
    assert printed == json.loads(root.read_text())


def test_config_shows_values_with_origins() -> None:
    """As text for people, as JSON for scripts; an invalid manifest shows its problems."""
    manifest = EXAMPLES / "valid" / "everything.clarifai.yaml"
    assert "triton.max_batch_size = 8" in run("config", "--show", manifest).stdout
    shown = json.loads(run("config", "--show", "-o", "json", manifest).stdout)
    assert {"path": "triton.isolate", "value": True, "origin": f"{manifest}:31"} in shown
    broken = run("config", "--show", EXAMPLES / "invalid" / "unknown-key.clarifai.yaml")
    assert (broken.returncode, broken.stdout) == (3, "")
    assert "error[unknown-key]" in broken.stderr


@pytest.mark.parametrize("arguments", [["config"], ["config", "-o", "json"], ["validate"]])
def test_any_encoding_takes_every_character(
    tmp_path: Path, arguments: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a stream has no characters for is escaped; documents stay readable."""
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")
    text = "model: {id: m, type: visual-classifier, labels: [é, é]}\n"
    if arguments[0] == "config":
        text = text.replace("é, é", "é")
    (tmp_path / "clarifai.yaml").write_text(text, encoding="utf-8")
    (tmp_path / "inference.py").write_text("class InferenceModel:\n    def predict(self): ...\n")
    done = run(*arguments, "clarifai.yaml", cwd=tmp_path)
    assert done.returncode == (0 if arguments[0] == "config" else 3), done.stderr
    assert "\\u00e9" in done.stdout or "\\xe9" in done.stdout
    if "json" in arguments:
        assert "é" in str(json.loads(done.stdout))


@pytest.mark.parametrize("model_type", MODEL_TYPES)
def test_what_init_writes_validates_builds_and_passes_its_tests(
    tmp_path: Path, model_type: str
) -> None:
    """As it is, for each of the nine types, without a warning."""
    folder = tmp_path / "new model"
    started = run("init", folder, "--type", model_type)
    assert started.returncode == 0, started.stderr
    assert str(folder / "clarifai.yaml") in started.stdout.splitlines()
    checked = run("validate", folder)
    assert (checked.returncode, checked.stdout) == (0, "")
    built = run("build", folder / "clarifai.yaml", "-o", tmp_path / "model.zip")
    assert built.returncode == 0, built.stderr
    rendered = run("render", folder / "clarifai.yaml", "-o", tmp_path / "repository")
    assert rendered.returncode == 0, rendered.stderr
    tested = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "1/test.py"],
        cwd=tmp_path / "repository",
        capture_output=True,
        text=True,
    )
    assert tested.returncode == 0, tested.stdout


def test_init_takes_its_options(tmp_path: Path) -> None:
    """What is given on the command line stands in the manifest."""
    options = ["--id", "my-id", "--image-shape", "480,640", "--bucket", "some-bucket"]
    options += ["--endpoint-url", "http://127.0.0.1:9000", "--user-id", "me", "--app-id", "app"]
    assert run("init", tmp_path, "--type", "visual-embedder", *options).returncode == 0
    shown = json.loads(run("config", "-o", "json", tmp_path / "clarifai.yaml").stdout)
    values = {one["path"]: one["value"] for one in shown}
    assert values["model.id"] == "my-id"
    assert values["shapes.image"] == [480, 640]
    assert values["storage.endpoint_url"] == "http://127.0.0.1:9000"
    assert (values["clarifai.user_id"], values["clarifai.app_id"]) == ("me", "app")


@pytest.mark.parametrize(
    "option", ["--endpoint-url=not a url", "--user-id=no good", "--app-id=a b", "--id=-"]
)
def test_init_checks_its_options_before_it_writes(tmp_path: Path, option: str) -> None:
    """What no manifest takes is a usage error."""
    assert run("init", tmp_path, "--type", "text-to-text", option).returncode == 64
    assert list(tmp_path.iterdir()) == []


def test_init_says_where_it_can_not_write(tmp_path: Path) -> None:
    """A file in the folder's place is a problem with a code."""
    (tmp_path / "file").touch()
    done = run("init", tmp_path / "file", "--id", "m", "--type", "text-to-text")
    assert done.returncode == 1
    assert "error[unwritable]" in done.stderr


def test_upload_init_keeps_every_file(tmp_path: Path) -> None:
    """What was edited since the first run stays, config.pbtxt included."""
    options = ["--model_name=m", "--model_type=text-to-text", f"--repo_dir={tmp_path}"]
    assert upload_init(options) == 0
    config = tmp_path / "m" / "config.pbtxt"
    config.write_text("# mine")
    assert upload_init(options) == 0
    assert config.read_text() == "# mine"
    assert upload_init([*options[:2], f"--repo_dir={config}"]) == 1


@pytest.mark.parametrize(
    "arguments", [["status", "-o", "json"], ["status", "--output=json"], ["plan", "--json"]]
)
def test_usage_errors_are_json_where_that_is_asked_for(arguments: list[str]) -> None:
    """Whichever way a command asks for JSON."""
    done = run(*arguments, "--bogus")
    assert done.returncode == 64
    assert json.loads(done.stdout)["error"]["code"] == "usage"


def test_a_plan_has_a_name_that_apply_knows(tmp_path: Path) -> None:
    """Any other name is refused before anything is planned."""
    done = run("plan", "--out", "my.plan", cwd=tmp_path)
    assert done.returncode == 64
    assert ".json" in done.stderr


def test_a_missing_manifest_has_a_way_out(tmp_path: Path) -> None:
    """The problem names the command that writes one."""
    assert "clarifai-build init" in run("build", cwd=tmp_path).stderr


def test_init_adds_what_is_missing_and_touches_nothing(tmp_path: Path) -> None:
    """Files that are there keep every byte, and the type is that of their manifest."""
    mine = {"inference.py": "# mine\n", "labels.txt": "x\n"}
    mine["clarifai.yaml"] = "model: {id: a, type: visual-classifier, labels: labels.txt}\n"
    for name, content in mine.items():
        (tmp_path / name).write_text(content)
    done = run("init", tmp_path)
    assert done.returncode == 0, done.stderr
    assert {name: (tmp_path / name).read_text() for name in mine} == mine
    assert done.stderr.count("kept as it is: ") == len(mine)
    assert (tmp_path / "requirements.txt").is_file()
    refused = run("init", tmp_path, "--type", "text-to-text")
    assert refused.returncode == 64
    assert "visual-classifier" in refused.stderr


def test_init_never_asks_without_a_terminal(tmp_path: Path) -> None:
    """What is not given and has no default is a usage error."""
    done = run("init", tmp_path / "model")
    assert done.returncode == 64
    assert "--type" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_init_asks_on_a_terminal(tmp_path: Path) -> None:
    """Wrong answers are asked again; empty ones take the default."""
    answers = ["visual-detektor", "visual-embedder", "no good", "my-id", "0,1", "64,64", ""]
    parent, child = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "clarifai_build", "init", str(tmp_path / "model")],
        stdin=child,
        stdout=subprocess.PIPE,
        stderr=child,
    )
    os.close(child)
    os.write(parent, "".join(f"{answer}\n" for answer in answers).encode())
    output, _ = process.communicate(timeout=60)
    os.close(parent)
    assert process.returncode == 0
    assert b"clarifai.yaml" in output
    manifest = (tmp_path / "model" / "clarifai.yaml").read_text()
    assert "id: my-id" in manifest
    assert "image: [64, 64]" in manifest
    assert "bucket: ${env:MODELS_BUCKET:-my-models}" in manifest


def test_import_says_what_there_is_nothing_to_do_for(tmp_path: Path) -> None:
    """A folder that is neither, and one that has a manifest already, are refused."""
    assert "nothing-to-import" in run("import", tmp_path).stderr
    (tmp_path / "clarifai.yaml").touch()
    assert "already-there" in run("import", tmp_path).stderr


@pytest.mark.parametrize("interval", ["-1", "nan", "inf", "1e9", "soon"])
def test_an_interval_is_seconds_of_a_day(interval: str) -> None:
    """Anything else would end in a traceback, or never."""
    done = run("status", "--watch", f"--interval={interval}", EXAMPLES / "valid")
    assert done.returncode == 64
    assert f"'{interval}' is not a number of seconds from 0 to 86400" in done.stderr
