"""Draws a text as a QR code."""

import numpy as np
import qrcode
from qrcode.exceptions import DataOverflowError

from clarifai_runtime import ImageOutput, get_model_config

config = get_model_config("text-to-image")

CORRECTION = {
    "L": qrcode.ERROR_CORRECT_L,
    "M": qrcode.ERROR_CORRECT_M,
    "Q": qrcode.ERROR_CORRECT_Q,
    "H": qrcode.ERROR_CORRECT_H,
}


class InferenceModel:
    @config.inference.wrap_func
    def get_predictions(self, input_data: list, correction="M", scale=8) -> list:
        """Return one picture a text; every module of the code is `scale` pixels wide."""
        if correction not in CORRECTION:
            raise ValueError(f"correction is {correction!r}, and must be L, M, Q or H")
        if not 1 <= scale <= 32:
            raise ValueError(f"scale is {scale:g}, and must be from 1 to 32")
        level = CORRECTION[correction]
        return [ImageOutput(image=draw(text, level, int(scale))) for text in input_data]


def draw(text: str, correction: int, scale: int) -> np.ndarray:
    code = qrcode.QRCode(error_correction=correction)
    code.add_data(text)
    try:
        dark = np.array(code.get_matrix())
    except (DataOverflowError, ValueError) as error:
        raise ValueError(f"a text of {len(text)} characters does not fit a QR code") from error
    modules = np.where(dark, 0, 255).astype(np.uint8)
    return np.repeat(modules.repeat(scale, 0).repeat(scale, 1)[:, :, None], 3, axis=2)
