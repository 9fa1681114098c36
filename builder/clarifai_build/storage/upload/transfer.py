"""The parts of an upload on their way: some sent, some copied at the store, side by side."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from clarifai_build.artifact.artifact import Artifact
from clarifai_build.cancellation import CancelToken
from clarifai_build.progress import Event, ProgressCallback
from clarifai_build.storage.upload.part_connection import Wire
from clarifai_build.storage.upload.part_copier import Copier
from clarifai_build.storage.upload.part_sender import send_part
from clarifai_build.storage.upload.parts import Part
from clarifai_build.util import threads
from clarifai_build.util.text import binary_size_text
from clarifai_build.util.threads import cancel_all, wait_all

# Memory does not grow with them: the kernel sends the parts. Each is a thread and a socket.
_LEAST_AT_ONCE, _MOST_AT_ONCE = 4, 16
_GRACE = 0.3
"""Seconds that parts which were broken off get to end; one that still connects takes longer."""


def transfer(
    wire: Wire,
    artifact: Artifact,
    parts: Sequence[Part],
    progress: ProgressCallback,
    cancel: CancelToken,
) -> dict[int, str]:
    """Send or copy parts, and return their ETags by number; raises what the first to fail does."""
    copied = [part for part in parts if part.source]
    sent = [part for part in parts if not part.source]
    if copied:
        progress(Event("upload", "running", _told(copied, sent)))
    copier = Copier(wire, progress)
    # Apart, so that neither waits for the other: copies take nothing of this machine's uplink.
    moving = [
        *threads.start([partial(send_part, wire, artifact, part) for part in sent], _at_once(sent)),
        *threads.start(
            [partial(copier.copy_or_send, artifact, part) for part in copied], _at_once(copied)
        ),
    ]
    try:
        wait_all(moving, cancel.check)
    except BaseException:
        wire.close()
        cancel_all(moving, _GRACE)
        raise
    return {p.number: f.result() for p, f in zip([*sent, *copied], moving, strict=True)}


def _told(copied: Sequence[Part], sent: Sequence[Part]) -> str:
    there, missing = (binary_size_text(sum(p.length for p in some)) for some in (copied, sent))
    return f"{there} are in the store, {missing} to send"


def _at_once(parts: Sequence[Part]) -> int:
    """Return how many parts travel side by side: a store gives each connection only so much."""
    # A connection more for every eight parts, half a GiB: what it costs to open should pay.
    return max(_LEAST_AT_ONCE, min(len(parts) // 8, _MOST_AT_ONCE))
