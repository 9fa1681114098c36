"""`init`: a new model's files, from options, or from answers where somebody sits there."""

from __future__ import annotations

from pathlib import Path

import pytest

from clarifai_build.errors import UsageError
from clarifai_build.model_types import MODEL_TYPES
from support.command_line import command

ANSWERS = "text-to-text\nmy-id\nmy-bucket\n"


def written(folder: str) -> str:
    """Return the manifest that was written."""
    return Path(folder, "clarifai.yaml").read_text()


@pytest.mark.usefixtures("home")
class TestInit:
    """In an empty folder."""

    def test_files_are_written_and_named(self) -> None:
        """What to do next is said, with the folder's name as a shell takes it."""
        ran = command("init", "a model", "--type", "text-to-text")
        assert ran.code == 0
        assert str(Path("a model", "clarifai.yaml")) in ran.out.splitlines()
        assert "then `clarifai-build test 'a model'`" in ran.err
        assert "kept as it is" not in ran.err
        assert "id: a-model" in written("a model")
        assert "my-models" in written("a model")

    def test_in_this_folder_the_test_needs_no_name(self) -> None:
        """The id is the folder's."""
        ran = command("init", "--type", "text-to-text")
        assert "then `clarifai-build test`" in ran.err
        assert "id: work" in written(".")

    def test_what_is_there_stays(self) -> None:
        """It is named, and the rest is written."""
        Path("inference.py").write_text("# mine\n")
        ran = command("init", "--type", "text-to-text")
        assert "kept as it is: inference.py" in ran.err
        assert Path("inference.py").read_text() == "# mine\n"
        assert "inference.py" not in ran.out.splitlines()

    @pytest.mark.parametrize("model_type", MODEL_TYPES)
    def test_a_runner_validates_as_it_is(self, model_type: str) -> None:
        """Of every type; and with the word taken out, but for what only a runner has."""
        assert command("init", "m", "--type", model_type, "--target", "runner").code == 0
        assert "target: runner" in written("m")
        ran = command("validate", "m")
        assert (ran.code, ran.err) == (0, "1 manifest: no problems\n")

    def test_options_are_written(self) -> None:
        """All of them, and nobody is asked for what they say."""
        ran = command(
            *("init", "m", "--type", "visual-classifier", "--id", "other", "--bucket", "b-1"),
            *("--image-shape", "32,48", "--endpoint-url", "http://s3:1", "--user-id", "me"),
            *("--app-id", "main"),
            answers="",
        )
        assert ran.code == 0
        text = written("m")
        for part in ("id: other", "bucket: b-1", "[32, 48]", "http://s3:1", "me", "main"):
            assert part in text
        again = command("init", "m", "--type", "visual-classifier")
        assert (again.code, again.out) == (0, "")
        assert f"kept as it is: {Path('m', 'clarifai.yaml')}" in again.err

    def test_answers_are_written(self) -> None:
        """What is empty is the default, and what can't be is asked for again."""
        ran = command("init", "m", answers="nonsense\ntext-to-text\nBAD ID\n\nBad_Bucket\nfine\n")
        assert ran.code == 0
        assert ran.err.count("invalid value; try again") == 3
        assert "Model id [m]:" in ran.err
        assert "Image height" not in ran.err
        assert "id: m\n" in written("m")
        assert "bucket: fine" in written("m")

    def test_an_image_has_a_shape(self) -> None:
        """Asked for where images come in; any shape is the default."""
        ran = command("init", "m", answers="visual-classifier\n\n0,x\n64,64\n\n")
        assert "Image height,width" in ran.err
        assert "[64, 64]" in written("m")
        command("init", "n", "--type", "visual-classifier")
        assert "[64, 64]" not in written("n")

    def test_answers_that_end_early_write_nothing(self) -> None:
        """Half an answer is none."""
        with pytest.raises(UsageError, match="ended early"):
            command("init", "m", answers="text-to-text\n")
        assert not Path("m").exists()

    def test_without_a_terminal_a_type_is_needed(self) -> None:
        """The way out lists them."""
        with pytest.raises(UsageError) as raised:
            command("init", "m")
        (problem,) = raised.value.problems
        assert problem.code == "type-missing"
        assert "text-to-text" in (problem.hint or "")

    @pytest.mark.parametrize(
        ("option", "value", "code"),
        [
            ("--id", "bad id", "bad-value"),
            ("--bucket", "Bad_Bucket", "bucket-name"),
            ("--endpoint-url", "s3:1", "bad-value"),
            ("--user-id", "a b", "bad-value"),
            ("--app-id", "a b", "bad-value"),
        ],
    )
    def test_an_option_that_can_not_be_writes_nothing(
        self, option: str, value: str, code: str
    ) -> None:
        """It is told before anything is written."""
        with pytest.raises(UsageError) as raised:
            command("init", "m", "--type", "text-to-text", option, value)
        assert raised.value.problems[0].code == code
        assert value in str(raised.value)
        assert not Path("m").exists()

    def test_a_bucket_may_come_from_the_environment(self) -> None:
        """Its name can't be judged then."""
        command("init", "m", "--type", "text-to-text", "--bucket", "${env:B}")
        assert "${env:B}" in written("m")

    def test_a_manifest_that_is_there_says_the_type(self) -> None:
        """Another can't be asked for; the same may be said again."""
        Path("clarifai.yaml").write_text("model: {type: text-embedder}\n")
        assert command("init").code == 0
        assert "text-embedder" in Path("inference.py").read_text()
        assert command("init", "--type", "text-embedder").code == 0
        with pytest.raises(UsageError) as raised:
            command("init", "--type", "text-to-text")
        assert raised.value.problems[0].code == "type-mismatch"
        Path("clarifai.yaml").write_text("model: {type: nonsense}\n")
        with pytest.raises(UsageError, match="nonsense"):
            command("init")
