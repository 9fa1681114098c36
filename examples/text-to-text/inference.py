"""Corrects the spelling of English sentences with SymSpell and its dictionary."""

from importlib.resources import files

from symspellpy import SymSpell

from clarifai_runtime import InvalidInputError, TextOutput, get_model_config

config = get_model_config("text-to-text")

LARGEST_DISTANCE = 2  # edits a word; the index is built for so many


class InferenceModel:
    def __init__(self) -> None:
        self.speller = SymSpell(max_dictionary_edit_distance=LARGEST_DISTANCE)
        words = files("symspellpy") / "frequency_dictionary_en_82_765.txt"
        self.speller.load_dictionary(words, term_index=0, count_index=1)
        pairs = files("symspellpy") / "frequency_bigramdictionary_en_243_342.txt"
        self.speller.load_bigram_dictionary(pairs, term_index=0, count_index=2)

    @config.inference.wrap_func
    def get_predictions(self, input_data: list, distance=LARGEST_DISTANCE) -> list:
        """Return each text corrected; `distance` is how many edits a word may be away."""
        if not 0 <= distance <= LARGEST_DISTANCE:
            raise InvalidInputError(f"distance is {distance:g}, not from 0 to {LARGEST_DISTANCE}")
        return [TextOutput(predicted_text=self.correct(text, int(distance))) for text in input_data]

    def correct(self, text: str, distance: int) -> str:
        """SymSpell drops case and punctuation; a capital at the start is kept."""
        if not text.strip():
            return text
        corrected = self.speller.lookup_compound(text, distance)[0].term
        return corrected[:1].upper() + corrected[1:] if text[0].isupper() else corrected
