"""Results of `verify` as text and as JSON."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from clarifai_build.deploy.versions import label
from clarifai_build.inspection.verify import Verified
from clarifai_build.reports import diff
from clarifai_build.repository_layout import CONFIG, LABELS, MODEL, REQUIREMENTS, RUNTIME, SERVING
from clarifai_build.util.text import joined


def as_text(model: str, verified: Verified) -> str:
    """Return a line a check, and then the files that differ."""
    version = verified.version
    result = "verified" if verified.ok else "DIFFERS"
    lines = [f"{model}: {label(version)} ({version.id}) {result}"]
    for check in verified.checks:
        lines.append(f"  {'ok  ' if check.ok else 'FAIL'}  {check.name}: {check.message}")
        if check.hint and not check.ok:
            lines.append(f"          = {check.hint}")
    if verified.diffs:
        lines.append("  published → rebuilt:")
        text = diff.as_text(verified.diffs, _cause)
        lines += [f"    {line}" for line in text.split("\n")]
    return joined(lines)


def as_json(manifest: str, model: str, verified: Verified) -> dict[str, Any]:
    """Return plain values for `--json`."""
    return {
        "manifest": manifest,
        "model": model,
        "version": verified.version.id,
        "revision": verified.version.revision,
        "artifact_digest": verified.version.artifact_digest,
        "ok": verified.ok,
        "checks": [asdict(check) for check in verified.checks],
        "files": diff.as_json(verified.diffs),
    }


def _cause(path: str) -> str:
    """Say what a file of the artifact follows from."""
    if path.startswith(RUNTIME):
        return "runtime of clarifai-build"
    if path in (CONFIG, SERVING, MODEL):
        return "manifest or template"
    if path == REQUIREMENTS:
        return "requirements or lock"
    return "labels" if path == LABELS else "source"
