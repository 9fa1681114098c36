"""Draws a text as a QR code."""

import numpy as np
import qrcode
from qrcode.exceptions import DataOverflowError

from clarifai_runtime import ImageOutput, InvalidInputError, get_model_config

config = get_model_config("text-to-image")

CORRECTION = {
    "L": qrcode.ERROR_CORRECT_L,
    "M": qrcode.ERROR_CORRECT_M,
    "Q": qrcode.ERROR_CORRECT_Q,
    "H": qrcode.ERROR_CORRECT_H,
}
LARGEST_SIZE = 2048


class InferenceModel:
    @config.inference.wrap_func
    def get_predictions(self, input_data: list, correction="M", size=512) -> list:
        """Return one picture a text, `size` pixels wide and high."""
        if correction not in CORRECTION:
            raise InvalidInputError(f"correction is {correction!r}, and must be L, M, Q or H")
        if size > LARGEST_SIZE:
            raise InvalidInputError(f"size is {size:g}, and must be at most {LARGEST_SIZE}")
        codes = [encode(text, CORRECTION[correction]) for text in input_data]
        return [ImageOutput(image=draw(code, int(size))) for code in codes]


def encode(text: str, correction: int) -> np.ndarray:
    """Return the modules of the code, True where dark, with the white border that readers need."""
    code = qrcode.QRCode(error_correction=correction)
    code.add_data(text)
    try:
        return np.array(code.get_matrix())
    except (DataOverflowError, ValueError) as error:
        raise InvalidInputError(f"{len(text)} characters do not fit a QR code") from error


def draw(code: np.ndarray, size: int) -> np.ndarray:
    """Draw each module as a square of whole pixels, in the middle of a white picture."""
    scale = size // len(code)
    if scale == 0:
        raise InvalidInputError(f"size is {size}, and this text needs at least {len(code)}")
    drawn = np.where(code, 0, 255).astype(np.uint8).repeat(scale, 0).repeat(scale, 1)
    before = (size - len(drawn)) // 2
    after = size - len(drawn) - before
    picture = np.pad(drawn, (before, after), constant_values=255)
    return np.repeat(picture[:, :, None], 3, axis=2)
