"""References to the environment, contexts of the official CLI, and where values come from."""

from __future__ import annotations

from pathlib import Path

import pytest

from clarifai_build.errors import ManifestError, Problem
from clarifai_build.manifest import environment
from clarifai_build.manifest import settings as contexts
from clarifai_build.manifest.document import parse
from clarifai_build.validation.load import examine, load
from clarifai_build.validation.resolved_settings import settings

MANIFEST = """\
model:
  id: ${env:NAME:-example}
  type: text-to-text
storage:
  bucket: ${env:BUCKET}
clarifai:
  user_id: ${env:CLARIFAI_USER_ID}
"""
CONFIG = """\
current_context: work
contexts:
  default:
    CLARIFAI_USER_ID: home-user
  work:
    CLARIFAI_USER_ID: work-user
    CLARIFAI_APP_ID: ENVVAR
    CLARIFAI_PAT: 0123456789abcdef0123456789abcdef
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A model folder that is a home folder with contexts, too."""
    (tmp_path / "clarifai.yaml").write_text(MANIFEST)
    (tmp_path / "inference.py").write_text(
        "class InferenceModel:\n    def predict(self, input_data): ...\n"
    )
    config = tmp_path / ".config" / "clarifai" / "config"
    config.parent.mkdir(parents=True)
    config.write_text(CONFIG)
    return tmp_path


def test_set_variables_replace_references(folder: Path) -> None:
    """The environment fills in, and defaults step in where it does not."""
    manifest = load(folder, {"BUCKET": "my-models", "CLARIFAI_USER_ID": "someone"})
    assert manifest.model.id == "example"
    assert manifest.storage is not None
    assert manifest.storage.bucket == "my-models"
    assert manifest.clarifai.user_id == "someone"


def test_unset_variables_are_errors_with_places(folder: Path) -> None:
    """Each is told where it is used."""
    with pytest.raises(ManifestError) as caught:
        load(folder, {})
    found = [(problem.line, problem.column, problem.code) for problem in caught.value.problems]
    assert found == [(5, 11, "env-unset"), (7, 12, "env-unset")]


def test_offline_only_warns_of_what_the_network_needs(folder: Path) -> None:
    """Building needs no bucket and no account."""
    examined = examine(folder, {}, offline=True)
    assert [problem.severity for problem in examined.problems] == ["warning", "warning"]
    assert examined.manifest is not None
    document = parse("model:\n  id: ${env:UNSET}\n  type: text-to-text\n")
    (problem,) = environment.resolve(document, {}, offline=True).problems
    assert problem.severity == "error"


def test_a_value_from_the_environment_is_checked_like_any_other(folder: Path) -> None:
    """A bad bucket name is told at the reference."""
    with pytest.raises(ManifestError) as caught:
        load(folder, {"BUCKET": "No_Bucket", "CLARIFAI_USER_ID": "a b"})
    found = [(problem.line, problem.code) for problem in caught.value.problems]
    assert found == [(5, "bucket-name"), (7, "bad-value")]


def test_contexts_fill_in_what_the_environment_leaves_open(folder: Path) -> None:
    """The environment wins, ENVVAR defers to it, and other variables are not looked up there."""
    home = {"HOME": str(folder)}
    found = contexts.setting("CLARIFAI_USER_ID", home)
    assert found is not None
    assert (found.value, "context 'work'" in found.origin) == ("work-user", True)
    assert contexts.setting("CLARIFAI_APP_ID", home) is None
    assert contexts.setting("BUCKET", home) is None
    mine = contexts.setting("CLARIFAI_USER_ID", {**home, "CLARIFAI_USER_ID": "me"})
    assert mine is not None
    assert mine.value == "me"
    chosen = contexts.merged({**home, "CLARIFAI_CONTEXT": "default"})
    assert chosen["CLARIFAI_USER_ID"] == "home-user"


def test_a_broken_context_file_sets_nothing(folder: Path) -> None:
    """It belongs to another tool."""
    (folder / ".config" / "clarifai" / "config").write_text("contexts: [")
    assert contexts.setting("CLARIFAI_USER_ID", {"HOME": str(folder)}) is None


def test_every_setting_says_where_it_came_from(folder: Path) -> None:
    """File, environment, context or default; secrets are masked."""
    environ = {"HOME": str(folder), "BUCKET": "my-models", "AWS_SECRET_ACCESS_KEY": "hush"}
    environ["CLARIFAI_API_BASE"] = "https://me:hush@api.example.com"
    shown = {one.path: one for one in settings(examine(folder, environ), environ)}
    name = str(folder / "clarifai.yaml")
    assert shown["model", "type"].origin == f"{name}:3"
    assert shown["model", "id"].origin == "default of ${env:NAME}"
    assert shown["storage", "bucket"].origin == "environment variable BUCKET"
    assert shown["clarifai", "user_id"].origin.startswith("context 'work' in ")
    assert shown["triton", "max_batch_size"] == (("triton", "max_batch_size"), 1, "default")
    assert shown["clarifai", "api_base"].value == "https://api.example.com"
    assert shown[("CLARIFAI_PAT",)].value == "***"
    assert shown[("AWS_SECRET_ACCESS_KEY",)].value == "***"
    assert "hush" not in repr(shown)
    assert "0123456789abcdef" not in repr(contexts.setting("CLARIFAI_PAT", environ))


def resolved(text: str, offline: bool = False, **environ: str) -> environment.Resolved:
    """Resolve the references of a manifest."""
    return environment.resolve(parse(text), environ, offline=offline)


def told(problems: tuple[Problem, ...]) -> list[tuple[str, int | None, int | None, str]]:
    """Return code, place and severity of each problem."""
    return [(p.code, p.line, p.column, p.severity) for p in problems]


def test_several_references_in_a_text_are_replaced() -> None:
    """Each by its own value, and the text around them stays."""
    found = resolved("storage: {prefix: 'a/${env:ONE}/${env:TWO:-two}/$x'}", ONE="1")
    assert found.document.get("storage", "prefix") == "a/1/two/$x"
    assert found.problems == ()
    assert found.origins == {("storage", "prefix"): "default of ${env:TWO}"}


def test_an_empty_variable_is_not_set() -> None:
    """And a default may be empty."""
    found = resolved("storage: {prefix: '${env:ONE:-}', bucket: '${env:TWO}'}", ONE="", TWO="")
    assert found.document.get("storage", "prefix") == ""
    assert told(found.problems) == [("env-unset", 1, 43, "error")]
    assert found.document.get("storage", "bucket") == "${env:TWO}"


def test_where_a_reference_may_not_stand_it_stays() -> None:
    """In a list, too: the place is the item's."""
    found = resolved("model: {labels: [a, '${env:ONE}']}\ncode: {path: '${x'}", ONE="1")
    assert told(found.problems) == [("env-not-allowed", 1, 21, "error")]
    assert found.document.get("model", "labels", 1) == "${env:ONE}"
    assert found.problems[0].hint == "write the value itself"


@pytest.mark.parametrize("text", ["${env:}", "${ONE}", "${env:ONE", "${env:A-B}", "${env:ONE}${x}"])
def test_a_reference_that_can_not_be_read_is_one_problem(text: str) -> None:
    """With what it should look like."""
    found = resolved(f"model: {{id: '{text}'}}", ONE="1")
    assert told(found.problems) == [("env-syntax", 1, 13, "error")]
    assert "${env:NAME:-default}" in (found.problems[0].hint or "")


def test_a_reference_in_a_list_of_addresses_knows_its_place() -> None:
    """The weight's number is part of it."""
    text = "weights: [{from: x}, {from: 's3://${env:ONE}/x'}]"
    found = resolved(text, ONE="bucket")
    assert found.document.get("weights", 1, "from") == "s3://bucket/x"
    assert found.origins == {("weights", 1, "from"): "environment variable ONE"}
    assert told(resolved(text).problems) == [("env-unset", 1, 29, "error")]


@pytest.mark.parametrize("section", ["storage: {bucket", "clarifai: {user_id"])
def test_offline_only_what_the_network_needs_may_be_unset(section: str) -> None:
    """What goes into an artifact may not."""
    text = f"{section}: '${{env:ONE}}'}}\nmodel: {{id: '${{env:ONE}}'}}"
    severities = [problem.severity for problem in resolved(text, offline=True).problems]
    assert severities == ["warning", "error"]
    assert [problem.severity for problem in resolved(text).problems] == ["error", "error"]
    hint = "set it, or give a default: ${env:ONE:-value}"
    assert {problem.hint for problem in resolved(text).problems} == {hint}


def test_what_the_network_needs_is_needed_unless_offline_is_asked_for() -> None:
    """Whoever does not say so gets an error, not a reference that stays as it is written."""
    found = environment.resolve(parse("storage: {bucket: '${env:ONE}'}"), {})
    assert [problem.severity for problem in found.problems] == ["error"]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home folder with contexts of the official tool."""
    file = tmp_path / ".config" / "clarifai" / "config"
    file.parent.mkdir(parents=True)
    file.write_text(
        "current_context: work\ncontexts:\n  work: {CLARIFAI_USER_ID: me, CLARIFAI_APP_ID: '',"
        " CLARIFAI_PAT: 1, CLARIFAI_UI: ENVVAR, OTHER: x}\n  empty: {}\n"
    )
    return tmp_path


def setting(name: str, **environ: str) -> str | None:
    """Return the value of a setting."""
    found = contexts.setting(name, environ)
    return found.value if found else None


def test_contexts_hold_texts_of_the_account_only(home: Path) -> None:
    """Empty ones, numbers and those that defer are not set; nor are other names."""
    names = [*contexts.NAMES, "OTHER"]
    found = {name: setting(name, HOME=str(home)) for name in names}
    assert {name: value for name, value in found.items() if value} == {"CLARIFAI_USER_ID": "me"}


def test_the_home_folder_may_be_windows_(home: Path) -> None:
    """HOME comes first; without either there are no contexts."""
    assert setting("CLARIFAI_USER_ID", USERPROFILE=str(home)) == "me"
    assert setting("CLARIFAI_USER_ID", HOME="/nowhere", USERPROFILE=str(home)) is None
    assert setting("CLARIFAI_USER_ID") is None


def test_another_context_may_be_chosen(home: Path) -> None:
    """One that is not there sets nothing."""
    for context, value in (("work", "me"), ("empty", None), ("nowhere", None), ("", "me")):
        assert setting("CLARIFAI_USER_ID", HOME=str(home), CLARIFAI_CONTEXT=context) == value


def test_the_environment_is_kept_beside_the_context(home: Path) -> None:
    """It wins, and nothing of it is lost."""
    environ = {"HOME": str(home), "PATH": "x"}
    assert contexts.merged(environ) == {**environ, "CLARIFAI_USER_ID": "me"}
    mine = {**environ, "CLARIFAI_USER_ID": "other"}
    assert contexts.merged(mine) == mine


def test_a_value_is_in_no_repr(home: Path) -> None:
    """It may be a token; where it comes from is."""
    found = contexts.setting("CLARIFAI_USER_ID", {"HOME": str(home)})
    assert found
    assert "'me'" not in repr(found)
    assert found.origin == f"context 'work' in {home / '.config/clarifai/config'}"
