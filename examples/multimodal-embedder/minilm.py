"""all-MiniLM-L6-v2 in numpy: the meaning of a text as 384 numbers of length 1.

Reads the safetensors file and the vocabulary as they are published; the arithmetic is BERT's.
"""

import json
import math
import unicodedata
from pathlib import Path

import numpy as np

HEADS = 12
LONGEST_INPUT = 256  # tokens; the model was trained on no longer ones
LONGEST_WORD = 100  # characters; longer ones are unknown
EPSILON = 1e-12


class MiniLM:
    """The encoder, its weights in memory."""

    def __init__(self, weights: Path, vocabulary: Path) -> None:
        self.weights = read_safetensors(weights)
        self.tokenizer = Tokenizer(vocabulary)

    def embed(self, text: str) -> np.ndarray:
        """Return the mean of the tokens' vectors, scaled to length 1."""
        tokens = self.tokenizer.encode(text)
        w = self.weights
        state = w["embeddings.word_embeddings.weight"][tokens]
        state = state + w["embeddings.position_embeddings.weight"][: len(tokens)]
        state = self.normalize(
            state + w["embeddings.token_type_embeddings.weight"][0], "embeddings"
        )
        layers = sum(name.endswith("attention.self.query.weight") for name in w)
        for number in range(layers):
            state = self.layer(state, f"encoder.layer.{number}")
        mean = state.mean(axis=0)
        return mean / np.linalg.norm(mean)

    def layer(self, state: np.ndarray, name: str) -> np.ndarray:
        """Attention, then a feed-forward network, each added to its input."""
        attended = self.linear(
            self.attend(state, f"{name}.attention.self"), f"{name}.attention.output.dense"
        )
        state = self.normalize(state + attended, f"{name}.attention.output")
        inner = gelu(self.linear(state, f"{name}.intermediate.dense"))
        return self.normalize(state + self.linear(inner, f"{name}.output.dense"), f"{name}.output")

    def attend(self, state: np.ndarray, name: str) -> np.ndarray:
        """Every token looks at every token, once a head."""
        query, key, value = (
            self.linear(state, f"{name}.{part}").reshape(len(state), HEADS, -1).swapaxes(0, 1)
            for part in ("query", "key", "value")
        )
        scores = query @ key.swapaxes(1, 2) / math.sqrt(query.shape[-1])
        weights = np.exp(scores - scores.max(axis=-1, keepdims=True))
        heads = weights / weights.sum(axis=-1, keepdims=True) @ value
        return heads.swapaxes(0, 1).reshape(len(state), -1)

    def linear(self, state: np.ndarray, name: str) -> np.ndarray:
        return state @ self.weights[f"{name}.weight"].T + self.weights[f"{name}.bias"]

    def normalize(self, state: np.ndarray, name: str) -> np.ndarray:
        centred = state - state.mean(axis=-1, keepdims=True)
        spread = np.sqrt((centred**2).mean(axis=-1, keepdims=True) + EPSILON)
        weights = self.weights
        return (
            centred / spread * weights[f"{name}.LayerNorm.weight"]
            + weights[f"{name}.LayerNorm.bias"]
        )


class Tokenizer:
    """BERT's uncased WordPiece."""

    def __init__(self, vocabulary: Path) -> None:
        pieces = vocabulary.read_text(encoding="utf-8").splitlines()
        self.ids = {piece: number for number, piece in enumerate(pieces)}

    def encode(self, text: str) -> list:
        """Return the ids of the pieces, between [CLS] and [SEP]."""
        pieces = [piece for word in split(text) for piece in self.pieces(word)]
        inner = pieces[: LONGEST_INPUT - 2]
        return [self.ids[piece] for piece in ("[CLS]", *inner, "[SEP]")]

    def pieces(self, word: str) -> list:
        """Cut a word into the longest known pieces from the left; [UNK] when that fails."""
        found, start = [], 0
        while start < len(word) <= LONGEST_WORD:
            for end in range(len(word), start, -1):
                piece = ("##" if start else "") + word[start:end]
                if piece in self.ids:
                    break
            else:
                return ["[UNK]"]
            found.append(piece)
            start = end
        return found or ["[UNK]"]


def split(text: str) -> list:
    """Lower the case, drop accents, and part words, punctuation marks and ideographs."""
    spaced = []
    for character in unicodedata.normalize("NFD", text.lower()):
        category = unicodedata.category(character)
        if category == "Mn":
            continue
        if category[0] == "C" and character not in "\t\n\r":
            continue
        alone = is_punctuation(character, category) or is_ideograph(character)
        spaced.append(f" {character} " if alone else character)
    return "".join(spaced).split()


def is_punctuation(character: str, category: str) -> bool:
    # All of ASCII's marks count, also those that Unicode files under symbols.
    return category[0] == "P" or (character.isascii() and category[0] == "S")


def is_ideograph(character: str) -> bool:
    code = ord(character)
    return 0x4E00 <= code <= 0x9FFF or 0x3400 <= code <= 0x4DBF or 0x20000 <= code <= 0x2FA1F


def gelu(x: np.ndarray) -> np.ndarray:
    """x times the normal distribution at x, which is what BERT was trained with."""
    return 0.5 * x * (1 + erf(x / math.sqrt(2)))


def erf(x: np.ndarray) -> np.ndarray:
    """Abramowitz and Stegun 7.1.26; off by 1.5e-7 at most."""
    t = 1 / (1 + 0.3275911 * np.abs(x))
    series = np.polyval([1.061405429, -1.453152027, 1.421413741, -0.284496736, 0.254829592, 0], t)
    return np.sign(x) * (1 - series * np.exp(-(x**2)))


def read_safetensors(path: Path) -> dict:
    """Read a safetensors file of float32: a header of JSON, then the raw numbers."""
    with path.open("rb") as file:
        header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
        start = file.tell()
    data = np.memmap(path, np.uint8, "r", start)
    return {
        name: data[slice(*entry["data_offsets"])].view(np.float32).reshape(entry["shape"])
        for name, entry in header.items()
        if entry.get("dtype") == "F32"
    }
