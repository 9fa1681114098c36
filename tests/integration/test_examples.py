"""Every example, applied into the sandbox and asked through the Clarifai API."""

from __future__ import annotations

import importlib.util
import io
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
import zxingcpp
from PIL import Image

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "examples"
PAGE = EXAMPLES / "samples" / "page.png"

Ask = Callable[..., Any]


@pytest.fixture(scope="module")
def client() -> Any:
    """The examples' own client, as a module."""
    spec = importlib.util.spec_from_file_location("examples_client", EXAMPLES / "client.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def live() -> dict[str, str]:
    """The model ids of the examples that were applied so far; the weights of all are there."""
    subprocess.run([sys.executable, EXAMPLES / "fetch.py"], check=True)
    return {}


@pytest.fixture
def ask(tool: Any, client: Any, live: dict[str, str]) -> Ask:
    """Apply an example, once, and send it a request."""

    def ask(example: str, **request: Any) -> Any:
        if example not in live:
            manifest = EXAMPLES / example / "clarifai.yaml"
            applied = tool("apply", manifest, "--sandbox")
            assert applied.returncode == 0, applied.stderr
            live[example] = yaml.safe_load(manifest.read_text(encoding="utf-8"))["model"]["id"]
        return client.predict(live[example], environ=tool.environ, **request)

    return ask


def own_tests() -> list[Any]:
    """Every example; one a set of requirements by default, the others in the slow run."""
    default = {"visual-detector", "text-classifier", "text-to-text", "text-to-image"}
    names = sorted(path.parent.name for path in EXAMPLES.glob("*/clarifai.yaml"))
    slow = pytest.mark.slow
    return [name if name in default else pytest.param(name, marks=slow) for name in names]


@pytest.mark.parametrize("example", own_tests())
def test_each_passes_its_own_tests_in_triton(tool: Any, live: dict[str, str], example: str) -> None:
    """The predefined tests and those beside the model, through a Triton server of their own."""
    tested = tool("test", EXAMPLES / example, "--triton")
    assert tested.returncode == 0, tested.stdout + tested.stderr


def vector(answer: Any) -> np.ndarray:
    return np.array(answer.embeddings[0].vector)


def likeliest(answer: Any) -> str:
    return str(max(answer.concepts, key=lambda concept: concept.value).name)


def test_detector_finds_every_line(ask: Ask) -> None:
    """Seven lines are on the page; each box lies within it, is wide and low, and is sure."""
    regions = ask("visual-detector", image=PAGE.read_bytes()).regions
    boxes = [region.region_info.bounding_box for region in regions]
    assert len(regions) == 7
    assert all(region.data.concepts[0].name == "text" for region in regions)
    assert all(region.data.concepts[0].value > 0.9 for region in regions)
    assert all(0 <= box.top_row < box.bottom_row <= 1 for box in boxes)
    assert all(box.right_col - box.left_col > 3 * (box.bottom_row - box.top_row) for box in boxes)


def test_detector_keeps_what_the_threshold_lets_through(ask: Ask) -> None:
    """A threshold that no line reaches gives no regions, which is an answer."""
    assert not ask("visual-detector", image=PAGE.read_bytes(), params={"threshold": 1}).regions


@pytest.mark.parametrize(
    ("sample", "label"), [("line.png", "upright"), ("line-upside-down.png", "upside-down")]
)
def test_classifier_tells_what_stands_on_its_head(ask: Ask, sample: str, label: str) -> None:
    """A line of text and the same line turned by 180 degrees are told apart."""
    image = (EXAMPLES / "samples" / sample).read_bytes()
    assert likeliest(ask("visual-classifier", image=image)) == label


def test_segmenter_marks_text(ask: Ask) -> None:
    """The mask of text has the size of the photo and covers a part of it."""
    regions = ask("visual-segmenter", image=PAGE.read_bytes()).regions
    masks = {
        region.data.concepts[0].name: Image.open(io.BytesIO(region.region_info.mask.image.base64))
        for region in regions
    }
    text = np.asarray(masks["text"].convert("L")) > 0
    assert text.shape == (191, 384)
    assert text[16:28, 20:280].mean() > 0.5, "the heading is text"
    assert not text[140:160, 300:].any(), "the margin is not"


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Where is the railway station?", "en"),
        ("Wo ist der Bahnhof?", "de"),
        ("Où est la gare, s'il vous plaît ?", "fr"),
        ("Gdzie jest dworzec?", "pl"),
        ("駅はどこですか", "ja"),
        ("Где находится вокзал?", "ru"),
    ],
)
def test_text_classifier_tells_the_language(ask: Ask, text: str, language: str) -> None:
    """The same question in six languages and three scripts."""
    assert likeliest(ask("text-classifier", text=text)) == language


def test_text_classifier_chooses_among_the_languages_asked_for(ask: Ask) -> None:
    """A parameter narrows the choice; the probabilities still add up to one."""
    answer = ask("text-classifier", text="Wo ist der Bahnhof?", params={"languages": "nl, en"})
    scores = {concept.name: concept.value for concept in answer.concepts}
    assert scores["nl"] + scores["en"] == pytest.approx(1, abs=1e-4)


def test_text_classifier_names_a_bad_parameter(ask: Ask, client: Any) -> None:
    """What the model raises reaches the caller, with the reason."""
    with pytest.raises(client.PredictionError, match="no such language: klingon"):
        ask("text-classifier", text="qapla", params={"languages": "klingon"})


def test_text_embedder_puts_similar_meanings_together(ask: Ask) -> None:
    """Sentences that share a meaning and no word are closer than those that share neither."""
    password, login, bread = (
        vector(ask("text-embedder", text=text))
        for text in (
            "How do I reset my password?",
            "I forgot my login credentials",
            "The bakery sells fresh bread.",
        )
    )
    assert password.shape == (384,)
    assert np.linalg.norm(password) == pytest.approx(1, abs=1e-4)
    assert password @ login > 0.5 > 0.2 > password @ bread


def test_text_to_text_corrects_spelling(ask: Ask) -> None:
    """Misspelt and wrongly parted words come out right, and only as far away as allowed."""
    wrong = "Whereis th elove hehad dated"
    assert ask("text-to-text", text=wrong).text.raw == "Where is the love he had dated"
    assert ask("text-to-text", text="Teh", params={"distance": 0}).text.raw == "Teh"


def test_text_to_image_draws_a_readable_code(ask: Ask) -> None:
    """The picture is a QR code that a decoder reads, in the size asked for."""
    text = "https://example.com/récépissé?id=7"
    small, large = (
        Image.open(io.BytesIO(ask("text-to-image", text=text, params=params).image.base64))
        for params in ({"size": 200}, {"correction": "H"})
    )
    assert (small.size, large.size) == ((200, 200), (512, 512))
    for picture in (small, large):
        assert zxingcpp.read_barcodes(np.asarray(picture))[0].text == text


def test_visual_embedder_and_text_embedder_agree(ask: Ask) -> None:
    """A photo of a line lies where the text of that line lies."""
    photo = vector(ask("visual-embedder", image=(EXAMPLES / "samples/line.png").read_bytes()))
    text = vector(ask("text-embedder", text="Region-based segmentation"))
    assert photo @ text > 0.9


def test_multimodal_embedder_searches_photos_with_words(ask: Ask) -> None:
    """The page is closer to what it is about than to anything else; both together work too."""
    page = PAGE.read_bytes()
    photo = vector(ask("multimodal-embedder", image=page))
    about = vector(ask("multimodal-embedder", text="image segmentation with markers"))
    other = vector(ask("multimodal-embedder", text="a recipe for chocolate cake"))
    both = vector(ask("multimodal-embedder", image=page, text="a recipe for chocolate cake"))
    assert photo @ about > 0.4 > 0.2 > photo @ other
    assert photo @ other < both @ other
