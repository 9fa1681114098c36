"""The nine starter projects, built twice as differently as one machine allows, and proven the same.

    scripts/rebuild_check.py

Two Python versions, two folders, umasks, locales, time zones and hash seeds; then diffoscope on
every pair of zips. What the first build publishes in a sandbox, the second verifies; after one byte
of a published zip is changed at the store, verify has to fail and name the file.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
ENVIRONMENTS = ROOT / "build" / "rebuild-check"
HINT = "check the network and pip's configuration"
MINORS = ("3.13", "3.12", "3.10", "3.14", "3.11")

sys.path.insert(0, str(ROOT / "builder"))
from clarifai_build.manifest.types import Storage  # noqa: E402
from clarifai_build.model_types import MODEL_TYPES  # noqa: E402
from clarifai_build.progress import no_progress  # noqa: E402
from clarifai_build.sandbox import lifecycle  # noqa: E402 - the checkout comes first
from clarifai_build.sandbox.endpoints import Endpoints  # noqa: E402
from clarifai_build.sandbox.engines.interpreters import find_python  # noqa: E402
from clarifai_build.sandbox.engines.venvs import Recipe, provision  # noqa: E402
from clarifai_build.storage.s3_store import open_store  # noqa: E402


@dataclass(frozen=True)
class Builder:
    """One way to build: an interpreter and its surroundings."""

    python: Path
    folder: Path
    umask: int
    environ: Mapping[str, str]

    def run(self, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        """Run a command of the tool."""
        return subprocess.run(
            [self.python, "-m", "clarifai_build", *arguments],
            env={**os.environ, **self.environ},
            umask=self.umask,
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
        )

    def json(self, *arguments: str | Path) -> Any:
        """Run a command that has to succeed, and return its JSON."""
        done = self.run(*arguments, "--json")
        if done.returncode:
            sys.exit(f"{self.python} {' '.join(map(str, arguments))}:\n{done.stdout}{done.stderr}")
        return json.loads(done.stdout)


def main() -> None:
    """Build, compare, publish, verify, damage, and verify again."""
    with tempfile.TemporaryDirectory(prefix="rebuild-check-") as made:
        first, second = builders(Path(made))
        print(f"{version_of(first.python)} and {version_of(second.python)}", flush=True)
        for name in MODEL_TYPES:
            build_both(name, first, second)
        state = Path(made, "sandbox")
        endpoints = lifecycle.up(state, attached=True)
        try:
            environ = {**endpoints.environ(), lifecycle.STATE_VARIABLE: str(state)}
            first, second = (
                Builder(one.python, one.folder, one.umask, {**one.environ, **environ})
                for one in (first, second)
            )
            publish_and_verify(first, second)
            damage_and_verify(first, second, endpoints)
        finally:
            lifecycle.down(state)
    print("the same bytes, published and proven")


def builders(folder: Path) -> tuple[Builder, Builder]:
    """Return two builders that differ in all that a build must not depend on."""
    second = folder / "elsewhere" / "deeper"
    for made in (folder / "here", second):
        made.mkdir(parents=True)
    return (
        Builder(
            Path(sys.executable),
            folder / "here",
            0o022,
            {"LC_ALL": "C.UTF-8", "TZ": "UTC", "PYTHONHASHSEED": "0"},
        ),
        Builder(
            second_python(),
            second,
            0o077,
            {"LC_ALL": "C", "TZ": "Pacific/Kiritimati", "PYTHONHASHSEED": "4242"},
        ),
    )


def second_python() -> Path:
    """Return an interpreter of another version, with this checkout installed."""
    here = ".".join(map(str, sys.version_info[:2]))
    for minor in MINORS:
        if minor != here and (found := find_python(minor)):
            target = ENVIRONMENTS / f"python{minor}"
            print(f"preparing Python {minor} (a minute on first use)", flush=True)
            pins = ENVIRONMENTS / "constraints.txt"
            pins.parent.mkdir(parents=True, exist_ok=True)
            pins.write_text(constraints())
            arguments = ("-e", str(ROOT), "-c", str(pins))
            provision(target, Recipe("second Python", found, arguments, HINT), no_progress)
            return target / "bin" / "python"
    sys.exit(f"no second Python here: install one of {', '.join(MINORS)} beside {here}")


def constraints() -> str:
    """Return the development pins without hashes, which pip does not take with an editable."""
    lines = (ROOT / "requirements" / "dev.txt").read_text().splitlines()
    return "\n".join(line.split(" \\")[0] for line in lines if line and not line[0].isspace())


def version_of(python: Path) -> str:
    """Return what an interpreter calls itself."""
    done = subprocess.run([python, "--version"], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def build_both(name: str, first: Builder, second: Builder) -> None:
    """Start and build one model in both ways, and compare the zips."""
    zips = []
    digests = []
    for builder in (first, second):
        started = builder.run("init", name, "--type", name, "--id", name)
        if started.returncode:
            sys.exit(started.stderr)
        zips.append(builder.folder / f"{name}.zip")
        built = builder.json("build", name, "--output", zips[-1], "--no-cache")
        digests.append((built["artifact_digest"], built["sha256"]))
    print(f"{name:20} tree {digests[0][0]}  sha256 {digests[0][1]}", flush=True)
    if digests[0] != digests[1]:
        sys.exit(f"{'':20} tree {digests[1][0]}  sha256 {digests[1][1]}\nthe two differ")
    compared = subprocess.run([diffoscope(), *zips], capture_output=True, text=True, check=False)
    if compared.returncode:
        sys.exit(f"diffoscope finds differences:\n{compared.stdout}{compared.stderr}")


def diffoscope() -> Path:
    """Return diffoscope, in an environment of its own."""
    target = ENVIRONMENTS / "diffoscope"
    recipe = Recipe("diffoscope", Path(sys.executable), ("diffoscope==332",), HINT)
    provision(target, recipe, no_progress)
    magic = [target / "bin" / "python", "-c", "import magic"]
    if subprocess.run(magic, capture_output=True, check=False).returncode:
        sys.exit("diffoscope needs libmagic; Debian, Ubuntu: apt-get install libmagic1")
    return target / "bin" / "diffoscope"


def publish_and_verify(first: Builder, second: Builder) -> None:
    """Publish what the first builds; the second rebuilds it, and proves that it is the same."""
    names = list(MODEL_TYPES)
    applied = first.json("apply", *names, "--sandbox", "--no-wait")
    if applied["errors"]:
        sys.exit(f"not everything was published: {applied['errors']}")
    verified = second.json("verify", *names, "--sandbox")
    print(f"verify: {len(verified['models'])} models rebuilt and found to be what is published")


def damage_and_verify(first: Builder, second: Builder, endpoints: Endpoints) -> None:
    """Change one byte of every published zip: verify has to fail and name the file."""
    storage = Storage(endpoints.bucket, endpoint_url=endpoints.s3_endpoint, region=endpoints.region)
    store = open_store(storage, endpoints.environ())
    for name in MODEL_TYPES:
        (key,) = (
            found.key for found in store.find("") if found.key.endswith(f"/{name}_{name}.zip")
        )
        body = store.read(key, 0, 1 << 30)
        at = body.index((first.folder / name / "inference.py").read_bytes())
        store.write(key, body[:at] + bytes([body[at] ^ 1]) + body[at + 1 :])
    done = second.run("verify", *MODEL_TYPES, "--sandbox", "--json")
    models = json.loads(done.stdout)["models"]
    named = [[file["path"] for file in model["files"]] for model in models]
    if done.returncode != 1 or named != [["1/inference.py"]] * len(MODEL_TYPES):
        sys.exit(f"verify does not name what was changed: {named}\n{done.stderr}")
    print("verify: one byte changed at the store fails each, and names 1/inference.py")


if __name__ == "__main__":
    main()
