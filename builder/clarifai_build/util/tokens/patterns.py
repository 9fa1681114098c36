"""What tokens, keys and passwords look like: one table for files, manifests and all that is shown.

Each entry has samples in `tests/support/token_samples.py`, and tests that seek them in all three.
"""

from __future__ import annotations

from clarifai_build.util.tokens.issued_tokens import ISSUED
from clarifai_build.util.tokens.named_secrets import NAMED
from clarifai_build.util.tokens.secrets_in_addresses import IN_ADDRESSES

TOKEN_PATTERNS = (*ISSUED, *NAMED, *IN_ADDRESSES)
