"""The platform's status codes, by what they mean to this tool.

Source: clarifai.api.status.StatusCode in the public protos.
"""

from __future__ import annotations

from typing import Literal

Health = Literal["ready", "progressing", "failed", "unknown"]

SUCCESS = 10000
MIXED_STATUS = 10010
FAILURE = 10020
MODEL_DOES_NOT_EXIST = 21200
MODEL_PREDICTION_FAILED = 21313
# Also the answer to another user's token.
CONNECTION_DOES_NOT_EXIST = 11101
MODEL_BUILDING = 21107
UPLOAD_IN_PROGRESS = 68000
UPLOAD_DONE = 68001
NODEPOOL_DOES_NOT_EXIST = 25700
COMPUTE_CLUSTER_DOES_NOT_EXIST = 25800
DEPLOYMENT_DOES_NOT_EXIST = 25900
# Not in RETRY: waiting for an hour is the user's decision.
HOURLY_LIMIT = 11003

READY = frozenset({21100})
PROGRESSING = frozenset({21101, 21103, 21104, 21107})
# Neither failed nor ready: a version may pass through it, or stay.
UNTRAINED = 21102
# 21110 to 21119 are reasons why training failed.
FAILED = frozenset({21105, 21106, 21108, 21109, *range(21110, 21120)})
NOT_DEPLOYED_YET = range(21351, 21356)
"""Answers after a successful registration: the build did not fail."""
NOT_DEPLOYED = 21353
"""The one of them that does not pass by itself."""

# TRY_AGAIN and CONN_THROTTLED.
RETRY = frozenset({10030, 11005})
# UPLOAD_UNEXPECTED_ERROR and UPLOAD_EXPIRED: another stream may do.
STREAM_RETRY = RETRY | {68003, 68004}
# CONN_EXCEED_MONTHLY_LIMIT, CONN_EXCEEDS_LIMITS, BILLING_MISSING_TOKENS.
QUOTA = frozenset({11004, 11006, 69001})
NOT_AUTHORISED = frozenset({11000, 11001, 11002, 11007, 11008, 11009, 21201})


def health(code: int) -> Health:
    """Say what a version's status code means. 21102 is 'unknown': it may pass, or stay."""
    if code in READY or code in NOT_DEPLOYED_YET:
        return "ready"
    if code in PROGRESSING:
        return "progressing"
    if code in FAILED:
        return "failed"
    return "unknown"
