"""Text of other people's files in what an import writes: it is text there, whatever it holds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from clarifai_build.legacy.imported import Imported
from clarifai_build.legacy.importer import import_folder
from clarifai_build.legacy.sdk_files import params_file
from clarifai_build.manifest import yaml_writer
from clarifai_build.manifest.document import PureParser, parse
from clarifai_build.manifest.environment import resolve
from clarifai_build.validation.load import examine
from support.command_line import ended

BREAKS = ["\n", "\r", "\r\n", "\x0b", "\x0c", "\x1c", "\x85", "\u2028", "\u2029"]
# A key of the manifest that decides where a token goes.
FOREIGN = "clarifai: {api_base: 'http://elsewhere.example'}"


def in_files(value: Any) -> bool:
    """Return whether a file can hold it: half a character only JSON can escape."""
    return not (isinstance(value, str) and any("\ud800" <= one <= "\udfff" for one in value))


ANY_TEXT = st.text(st.characters(), max_size=60)
LIKE_YAML = st.lists(
    st.sampled_from(["\n", "\r", "\u2028", ": ", "- ", "# ", "'", '"', "{", "}", "[", "&a ", "*a",
                     "!!x ", "? ", "---\n", "...", "%", "|", ">", "model:", "${env:HOME}", "\t",
                     "\ufeff", "\x85", "\0", "\x1b", "\U0001f600", "\ud800"]),
    max_size=8,
).map("".join)  # fmt: skip
TEXT = ANY_TEXT | LIKE_YAML | st.just("k" * 2000)
IN_FILES = TEXT.filter(in_files)
PLAIN = TEXT | st.none() | st.booleans() | st.integers(-(10**20), 10**20) | st.floats()
DATA = st.dictionaries(
    TEXT,
    st.recursive(
        PLAIN,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
        max_leaves=6,
    ),
    min_size=1,
    max_size=4,
)


def generation_2(folder: Path, config: Any) -> Path:
    """Write a clarifai_config.yaml with the emitter that most programs use."""
    folder.mkdir(exist_ok=True)
    (folder / "inference.py").write_text("class InferenceModel:\n    def predict(self): ...\n")
    (folder / "clarifai_config.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
    return folder


def same(read: Any, meant: Any) -> bool:
    """Return whether values and their types are equal; nan is nan here."""
    return repr(read) == repr(meant)


@pytest.mark.parametrize("line_break", BREAKS)
@pytest.mark.parametrize("section", [(), ("clarifai_model",), ("serving_backend", "triton")])
def test_an_unknown_key_stays_in_its_comment(
    tmp_path: Path, section: tuple[str, ...], line_break: str
) -> None:
    """No line break of a key that is not carried over ends the comment that names it."""
    config: dict[str, Any] = {"clarifai_model": {"type": "text-to-text"}}
    place = config
    for name in section:
        place = place.setdefault(name, {})
    place[f"x{line_break}{FOREIGN}{line_break}# "] = 1
    ran = ended("import", generation_2(tmp_path / "m", config))
    assert ran.code == 0
    written = (tmp_path / "m" / "clarifai.yaml").read_text(encoding="utf-8")
    assert parse(written).data == import_folder(tmp_path / "m").manifest
    assert "clarifai" not in parse(written).data
    assert written.count("elsewhere") == 1


@given(st.lists(TEXT, max_size=4), DATA)
def test_what_is_written_is_what_was_meant(notes: list[str], data: dict[str, Any]) -> None:
    """Any notes and any values: the manifest reads back as exactly the keys and values meant."""
    imported = Imported.of(data, notes)
    text = imported.all_files()["clarifai.yaml"]
    text.encode()
    for parser in (None, PureParser):
        document = parse(text, parser=parser)
        assert same(document.data, imported.manifest)
        assert document.problems == ()


@given(TEXT)
def test_a_comment_is_one_line_of_any_reader(text: str) -> None:
    """Whatever the text, no reader's idea of a line ends it, and none refuses the file."""
    line = yaml_writer.comment(text)
    assert line.splitlines() == [line]
    line.encode()
    for parser in (None, PureParser):
        assert parse(f"{line}\nkey: 1\n", parser=parser).data == {"key": 1}


@given(st.dictionaries(IN_FILES, PLAIN.filter(in_files), max_size=3), IN_FILES, IN_FILES)
def test_an_imported_file_decides_only_what_it_is_asked(
    tmp_path_factory: pytest.TempPathFactory, more: dict[str, Any], name: str, description: str
) -> None:
    """Whatever a clarifai_config.yaml holds, the manifest has an import's keys alone."""
    known = {"type": "text-to-text", "clarifai_model_id": name, "description": description}
    folder = tmp_path_factory.mktemp("m")
    imported = import_folder(generation_2(folder, {"clarifai_model": {**more, **known}, **more}))
    data = parse(imported.all_files()["clarifai.yaml"]).data
    assert same(data, imported.manifest)
    assert set(data) <= {"version", "model", "code", "params"}
    assert set(data["model"]) <= {"id", "type", "description"}


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("description", "see ${env:AWS_SECRET_ACCESS_KEY}"),
        ("description", "${env:AWS_SECRET_ACCESS_KEY:-none}"),
        ("clarifai_user_app_id", "${env:AWS_SECRET_ACCESS_KEY}/app"),
        ("clarifai_user_app_id", "me/${env:AWS_SECRET_ACCESS_KEY}"),
        ("clarifai_model_id", "m-${env:AWS_SECRET_ACCESS_KEY}"),
    ],
)
def test_an_imported_file_reads_no_variable(tmp_path: Path, key: str, value: str) -> None:
    """A reference to the environment in the text of others takes nothing out of it."""
    config = {"clarifai_model": {"type": "text-to-text", key: value}}
    folder = generation_2(tmp_path / "m", config)
    imported = import_folder(folder)
    document = parse(imported.all_files()["clarifai.yaml"])
    resolved = resolve(document, {"AWS_SECRET_ACCESS_KEY": "made-up"})
    assert resolved.problems == ()
    assert "made-up" not in repr(resolved.document.data)
    assert any(key.rpartition("_")[2] in note or "no id" in note for note in imported.notes)


def test_text_with_a_brace_is_no_broken_reference(tmp_path: Path) -> None:
    """A description of money loads, in words that are the same but for a space."""
    config = {"clarifai_model": {"type": "text-to-text", "description": "from ${price} up"}}
    folder = generation_2(tmp_path / "m", config)
    assert ended("import", folder).code == 0
    manifest = examine(folder / "clarifai.yaml", {}).manifest
    assert manifest is not None
    assert manifest.model.description == "from $ {price} up"


@pytest.mark.parametrize(
    ("entry", "told"),
    [
        ({"field_type": 21, "default_value": "hush-hush"}, "parameter 1"),
        ({"path": "n", "field_type": 3, "default_value": float("inf")}, "inf"),
        ({"path": "n", "field_type": 3, "default_value": 10**400}, "default of 'n'"),
        ({"path": "n", "field_type": 2, "default_value": "x", "choices": ["x"]}, "choices of"),
    ],
)
def test_parameters_are_told_without_their_secrets(
    tmp_path: Path, entry: dict[str, Any], told: str
) -> None:
    """What of a parameter can't be carried over is named; a default that may be secret is not."""
    file = tmp_path / "inference_parameters.json"
    file.write_text(json.dumps([entry]))
    notes: list[str] = []
    params = params_file(file, notes)
    assert len(notes) == 1
    assert told in notes[0]
    assert "hush-hush" not in notes[0]
    text = "\n".join(yaml_writer.block({"params": params} if params else {"params": []}))
    assert same(parse(text).data["params"], params)


@pytest.mark.parametrize("line_break", ["\x0c", "\x1c", "\x85", "\u2028"])
def test_requirements_keep_their_line_ends(tmp_path: Path, line_break: str) -> None:
    """A comment that one tool reads as one line does not become two lines for the others."""
    folder = generation_2(tmp_path / "m", {"clarifai_model": {"type": "text-to-text"}})
    text = f"clarifai>9\n# numbers{line_break}--index-url https://elsewhere.example\nnumpy\r\n"
    (folder / "requirements.txt").write_text(text, encoding="utf-8", newline="")
    files = import_folder(folder).files
    assert files["requirements.serving.txt"] == text.partition("\n")[2]


def test_many_notes_leave_a_manifest_to_read(tmp_path: Path) -> None:
    """The command tells every note; at the top of the manifest stand some, and how many more."""
    model = {"type": "text-to-text", **{f"key{number}": number for number in range(3000)}}
    folder = generation_2(tmp_path / "m", {"clarifai_model": model})
    ran = ended("import", folder)
    assert ran.code == 0
    assert ran.err.count("not carried over") == 3000
    written = (folder / "clarifai.yaml").read_text()
    assert len(written.splitlines()) < 80
    assert "# not carried over: 2950 more" in written


def test_an_import_again_does_not_keep_an_older_file(tmp_path: Path) -> None:
    """What an earlier import wrote is not taken for what the folder says now."""
    folder = generation_2(tmp_path / "m", {"clarifai_model": {"type": "text-to-text"}})
    (folder / "requirements.txt").write_text("clarifai\nnumpy<2\n")
    assert ended("import", folder).code == 0
    (folder / "clarifai.yaml").unlink()
    assert ended("import", folder).code == 0
    (folder / "clarifai.yaml").unlink()
    (folder / "requirements.txt").write_text("clarifai\nnumpy\n")
    ran = ended("import", folder)
    assert ran.code == 64
    assert "requirements.serving.txt exists" in ran.err
    assert not (folder / "clarifai.yaml").exists()
    (folder / "requirements.serving.txt").unlink()
    assert ended("import", folder).code == 0
    assert (folder / "requirements.serving.txt").read_text() == "numpy\n"
