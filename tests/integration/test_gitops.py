"""Many models, several jobs at once, hands and faults, on a real S3 server.

The platform is the sandbox's API without Triton, so that a hundred applies take seconds.
"""

from __future__ import annotations

import contextlib
import json
import os
import pty
import signal
import subprocess
import sys
import threading
import uuid
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import boto3
import pytest
from jsonschema import Draft7Validator

from clarifai_build.artifact.artifact import Artifact
from clarifai_build.connection import Connection, connect
from clarifai_build.errors import BuilderError, LeaseHeldError, StorageError
from clarifai_build.pipeline import Applied, ApplyOptions, apply
from clarifai_build.registry.clarifai import ClarifaiRegistry
from clarifai_build.sandbox.endpoints import Endpoints
from clarifai_build.storage import ObjectStore, leases
from clarifai_build.storage.keys import lease_key
from conftest import Tool
from support.faulty_store import Loss, faulty_store
from support.light_platform import INFERENCE, Platform, light_platform
from support.odd_store import Request, Say, error, odd_store

RACES = 100


class Place:
    """A bucket and a platform, and how to write models for them and run the tool on them."""

    def __init__(self, tool: Tool, sandbox: Endpoints, platform: Platform, folder: Path) -> None:
        self.platform, self.folder = platform, folder
        self._tool, self._sandbox = tool, sandbox
        self.prefix = f"gitops-{uuid.uuid4().hex[:8]}"
        self.environ = {**tool.environ, **platform.environ}
        self.environ.pop("AWS_ENDPOINT_URL_S3", None)

    def model(self, name: str, *, project: str = "", description: str = "") -> Path:
        """Write a model's folder."""
        folder = self.folder / name
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "clarifai.yaml").write_text(
            f"model: {{id: {name}, type: text-to-text, description: '{description}'}}\n"
            f"storage: {{bucket: {self._sandbox.bucket}, prefix: {self.prefix}, "
            f"endpoint_url: '{self._sandbox.s3_endpoint}', region: us-east-1}}\n"
            + (f"project: {project}\n" if project else "")
        )
        (folder / "inference.py").write_text(INFERENCE)
        return folder

    def run(self, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        """Run a command as a process."""
        return subprocess.run(self.command(*arguments), **self.options())

    def start(self, *arguments: str | Path) -> subprocess.Popen[str]:
        """Start a command as a process, and do not wait for it."""
        return subprocess.Popen(
            self.command(*arguments),
            env=self.environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def command(self, *arguments: str | Path) -> list[str]:
        return [sys.executable, "-m", "clarifai_build", *map(str, arguments)]

    def options(self) -> dict[str, Any]:
        return {
            "env": self.environ,
            "stdin": subprocess.DEVNULL,
            "capture_output": True,
            "text": True,
            "cwd": self.folder,
        }

    def target(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Connection:
        """Load a model in this process."""
        for name, value in self.environ.items():
            monkeypatch.setenv(name, value)
        monkeypatch.delenv("AWS_ENDPOINT_URL_S3", raising=False)
        return connect(folder)

    def bucket(self) -> Any:
        """Return the bucket, for hands."""
        return boto3.resource(
            "s3",
            endpoint_url=self._sandbox.s3_endpoint,
            aws_access_key_id=self._sandbox.access_key,
            aws_secret_access_key=self._sandbox.secret_key,
            region_name="us-east-1",
        ).Bucket(self._sandbox.bucket)

    def artifacts(self) -> list[Any]:
        """Return the zips in the bucket."""
        found = self.bucket().objects.filter(Prefix=self.prefix)
        return [item.Object() for item in found if item.key.endswith(".zip")]


@pytest.fixture
def place(tool: Tool, sandbox: Endpoints, tmp_path: Path) -> Iterator[Place]:
    """A place of one's own."""
    (tmp_path / "platform").mkdir()
    (tmp_path / "models").mkdir()
    with light_platform(tmp_path / "platform") as platform:
        yield Place(tool, sandbox, platform, tmp_path / "models")


def versions(target: Connection) -> list[str]:
    """Return the digests of the versions that are registered."""
    assert isinstance(target.registry, ClarifaiRegistry)
    found = target.registry.versions(target.manifest.model.id)
    return [str(version.registration_digest) for version in found]


def test_a_warning_is_in_the_json_of_apply(place: Place, sandbox: Endpoints) -> None:
    """With its code, and on stderr; an apply that has nothing to warn of has no such key."""

    def rule(request: Request) -> Say | None:
        unknown = "if-none-match" in request.headers and "/.leases/" in request.path
        return error(400, "InvalidArgument") if unknown else None

    manifest = place.model("lines") / "clarifai.yaml"
    with odd_store(sandbox.s3_endpoint, rule) as odd:
        manifest.write_text(manifest.read_text().replace(sandbox.s3_endpoint, odd.endpoint))
        first, second = (place.run("apply", manifest.parent, "--json") for _ in range(2))
    (warning,) = json.loads(first.stdout)["warnings"]
    assert (warning["code"], warning["severity"]) == ("lease-unsupported", "warning")
    assert warning["stage"] == "lease"
    assert f"warning[lease-unsupported] lease: {warning['message']}" in first.stderr
    assert set(json.loads(second.stdout)) == {"models", "pruned", "errors"}


def test_no_op_makes_three_calls_and_none_that_writes(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A model, its versions, and one anonymous look at the object: no S3 client is made."""
    target = place.target(place.model("lines"), monkeypatch)
    artifact = target.build()
    apply(target.manifest, artifact, target.store(), target.registry)
    place.platform.calls.clear()
    store = target.store()
    assert not apply(target.manifest, artifact, store, target.registry).plan.actions
    assert sorted(place.platform.calls) == ["GetModel", "ListModelVersions"]
    assert not getattr(store, "_opened")  # noqa: B009 - looks inside: it never opened S3
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "clarifai_build", "apply", "lines"],
        **place.options(),
    )
    assert "nothing to do" in done.stdout
    for heavy in ("boto3", "cookiecutter", "tritonclient", "jinja2", "numpy", "rich"):
        assert f" {heavy}\n" not in done.stderr


def test_two_shells_end_with_one_version(place: Place) -> None:
    """Two applies at once: one version, and whoever is kept out is told clearly, with exit 6."""
    place.model("lines")
    shells = [place.start("apply", place.folder / "lines") for _ in range(2)]
    said = [shell.communicate() for shell in shells]
    codes = sorted(shell.returncode for shell in shells)
    assert codes in ([0, 0], [0, 6]), said
    if codes == [0, 6]:
        assert any("another apply of this model is under way" in error for _, error in said)
    assert Counter(place.platform.calls)["PostModelVersions"] == 1
    assert "nothing to do" in place.run("apply", "lines").stdout


@pytest.mark.parametrize("lease", [True, False], ids=["lease", "no-lease"])
def test_races_end_with_one_version(
    place: Place, monkeypatch: pytest.MonkeyPatch, lease: bool
) -> None:
    """A hundred times two applies at once: exactly one version each time, with a lease or not."""
    target = place.target(place.model("lines"), monkeypatch)
    artifact = target.build()
    stores = [target.store(), target.store()]
    for number in range(RACES):
        apply_at_once(target, artifact, stores, lease)
        found = versions(target)
        assert len(found) == 1, f"race {number}: {len(found)} versions"
        target.registry.delete_model("lines")


def apply_at_once(
    target: Connection, artifact: Artifact, stores: list[ObjectStore], lease: bool
) -> None:
    """Apply from two threads at once; being kept out by the lease is fine."""
    start = threading.Barrier(2)
    results: list[Applied | BuilderError] = []

    def work(store: ObjectStore) -> None:
        start.wait()
        try:
            way = ApplyOptions(lease=lease)
            results.append(apply(target.manifest, artifact, store, target.registry, way))
        except LeaseHeldError as error:
            results.append(error)

    threads = [threading.Thread(target=work, args=(store,)) for store in stores]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 2, "an apply failed otherwise"
    assert any(isinstance(result, Applied) for result in results)


def test_twenty_manifests_with_one_broken(place: Place) -> None:
    """Nineteen are applied, the one is named, and the exit code tells."""
    for number in range(20):
        place.model(f"m{number}")
    (place.folder / "m7" / "clarifai.yaml").write_text("model: {id: m7, typ: text-to-text}\n")
    done = place.run("apply", ".", "--jobs", "4")
    assert done.returncode == 3, done.stderr
    assert done.stdout.count("applied") == 19
    assert "m7/clarifai.yaml" in done.stderr
    assert "did you mean 'type'" in done.stderr
    again = place.run("apply", "m[0-6]/clarifai.yaml", "m8", "--json")
    assert again.returncode == 0, again.stderr
    assert [model["actions"] for model in json.loads(again.stdout)["models"]] == [[]] * 8


def test_two_manifests_of_one_model(place: Place) -> None:
    """They would undo each other's work: the second is refused, and says whose model it is."""
    place.model("lines")
    other = place.model("other") / "clarifai.yaml"
    other.write_text(other.read_text().replace("id: other", "id: lines"))
    done = place.run("apply", ".")
    assert done.returncode == 3
    assert "also the model of lines/clarifai.yaml" in done.stderr


def test_plan_names_the_changed_file_and_nothing_else(place: Place) -> None:
    """What is published is listed by ranges of the zip, and exit code 2 says that there is work."""
    folder = place.model("lines")
    place.run("apply", "lines")
    assert place.run("plan", "lines", "--detailed-exitcode").returncode == 0
    with (folder / "inference.py").open("a") as file:
        file.write("# more\n")
    planned = place.run("plan", "lines", "--detailed-exitcode")
    assert planned.returncode == 2
    (line,) = [line for line in planned.stdout.splitlines() if "1/" in line]
    assert line.startswith("      ~ 1/inference.py")
    assert planned.stdout.endswith("Plan: 2 to add, 0 to change, 0 to destroy.\n")
    assert "PostModelVersions" not in place.platform.calls[-4:]


def test_saved_plan(place: Place) -> None:
    """It is applied as shown, refused a second time, and refused when something has moved."""
    folder = place.model("lines")
    place.run("plan", "lines", "--out", "one.json")
    place.run("plan", "lines", "--out", "two.json")
    assert "light" not in (place.folder / "one.json").read_text()
    first = place.run("apply", "one.json")
    assert first.returncode == 0, first.stderr
    again = place.run("apply", "one.json", "--json")
    assert again.returncode == 7
    assert json.loads(again.stdout)["error"]["code"] == "plan-applied"
    assert place.run("apply", "two.json").returncode == 7
    place.run("plan", "lines", "--out", "three.json")
    (folder / "inference.py").write_text(INFERENCE + "# more\n")
    stale = place.run("apply", "three.json")
    assert stale.returncode == 7
    assert "plan-stale" in stale.stderr


def test_prune_shows_asks_and_spares_what_is_not_ours(place: Place) -> None:
    """Without a terminal it needs --yes; other projects and models made by hand stay."""
    place.model("kept", project="vision")
    gone = place.model("gone", project="vision")
    place.model("speech", project="speech")
    assert place.run("apply", ".").returncode == 0
    (gone / "clarifai.yaml").unlink()
    planned = place.run("plan", "kept", "--prune")
    assert "- destroy model gone" in planned.stdout
    assert planned.stdout.endswith("0 to add, 0 to change, 1 to destroy.\n")
    refused = place.run("apply", "kept", "--prune")
    assert refused.returncode == 64
    assert "- destroy model gone" in refused.stderr
    done = place.run("apply", "kept", "--prune", "--yes")
    assert done.returncode == 0, done.stderr
    assert "gone: destroyed" in done.stdout
    status = json.loads(place.run("status", "kept", "speech", "-o", "json").stdout)
    assert [model["sync"] for model in status["models"]] == ["Synced", "Synced"]
    (place.folder / "kept" / "clarifai.yaml").write_text("model: [")
    unsure = place.run("apply", ".", "--prune", "--yes")
    assert unsure.returncode == 64
    assert "prune-unsure" in unsure.stderr


def test_prune_that_fails_hides_no_result(place: Place) -> None:
    """A doomed model under another's lease is an error among the results of what was applied."""
    place.model("kept", project="vision")
    gone = place.model("gone", project="vision")
    assert place.run("apply", ".").returncode == 0
    (gone / "clarifai.yaml").unlink()
    key = lease_key(place.prefix, "sandbox-user/sandbox-app", "gone")
    place.bucket().put_object(Key=key, Body=leases.Holder.here("apply gone").body())
    done = place.run("apply", "kept", "--prune", "--yes", "--json")
    assert done.returncode == 6
    said = json.loads(done.stdout)
    assert [model["model"] for model in said["models"]] == ["kept"]
    assert said["pruned"] == []
    assert [error["error"]["code"] for error in said["errors"]] == ["lease-held"]


@pytest.mark.parametrize(("answer", "code"), [("n", 64), ("y", 0)])
def test_prune_asks_on_a_terminal(place: Place, answer: str, code: int) -> None:
    """Where there is someone to ask, what would be destroyed is shown and asked for."""
    place.model("kept", project="vision")
    gone = place.model("gone", project="vision")
    place.run("apply", ".")
    (gone / "clarifai.yaml").unlink()
    terminal, end = pty.openpty()
    with subprocess.Popen(
        place.command("apply", "kept", "--prune"),
        cwd=place.folder,
        env=place.environ,
        stdin=end,
        stdout=subprocess.PIPE,
        stderr=end,
    ) as process:
        os.close(end)
        os.write(terminal, f"{answer}\n".encode())
        said = b""
        with contextlib.suppress(OSError):  # how a terminal says that nobody is left
            while chunk := os.read(terminal, 4096):
                said += chunk
    os.close(terminal)
    assert process.returncode == code, said
    assert b"- destroy model gone" in said
    assert b"Destroy it? [y/N]" in said


def test_errors_are_json_where_that_is_asked_for(place: Place) -> None:
    """A bad command line, a missing manifest and a broken one: one object on stdout each."""
    (place.folder / "broken.yaml").write_text("model: [")
    for command, code, exit_code in (
        (("apply", "--json", "--nope"), "usage", 64),
        (("plan", "--json", "--jobs", "0"), "usage", 64),
        (("apply", "none.yaml", "--json"), "unreadable-file", 3),
        (("plan", "broken.yaml", "--json"), "yaml-syntax", 3),
    ):
        done = place.run(*command)
        assert done.returncode == exit_code
        error = json.loads(done.stdout)["error"]
        assert error["code"] == code
        assert {"message", "file", "line", "column", "hint"} <= error.keys()


def test_schema_of_plans_is_printed(place: Place) -> None:
    """What `plan --json` prints is as its published schema says."""
    place.model("lines")
    schema = json.loads(place.run("schema", "plan").stdout)
    Draft7Validator.check_schema(schema)
    for _ in range(2):
        Draft7Validator(schema).validate(json.loads(place.run("plan", "lines", "--json").stdout))
        place.run("apply", "lines")


def test_going_back_needs_yes(place: Place) -> None:
    """An earlier artifact becomes the newest again, and the id that goes is shown first."""
    folder = place.model("lines")
    place.run("apply", "lines")
    (folder / "inference.py").write_text(INFERENCE + "# more\n")
    place.run("apply", "lines")
    (folder / "inference.py").write_text(INFERENCE)
    refused = place.run("apply", "lines")
    assert refused.returncode == 64
    assert "- destroy version" in refused.stderr
    done = place.run("apply", "lines", "--yes")
    assert done.returncode == 0, done.stderr
    assert "nothing to do" in place.run("apply", "lines").stdout


@pytest.mark.parametrize("harm", ["deleted", "replaced", "same size"])
def test_object_harmed_by_hand_comes_back(place: Place, harm: str) -> None:
    """Deleted or replaced in the bucket: status says so, and apply mends it without a version."""
    place.model("lines")
    place.run("apply", "lines")
    (item,) = place.artifacts()
    body = item.get()["Body"].read()
    if harm == "deleted":
        item.delete()
    else:
        item.put(Body=b"x" * (len(body) if harm == "same size" else 10))
    status = place.run("status", "lines")
    assert "OutOfSync" in status.stdout
    assert "ArtifactStored" in status.stdout
    mended = place.run("apply", "lines")
    assert mended.returncode == 0, mended.stderr
    (item,) = place.artifacts()
    assert item.get()["Body"].read() == body
    assert Counter(place.platform.calls)["PostModelVersions"] == 1
    assert "nothing to do" in place.run("apply", "lines").stdout


def test_terminated_apply_gives_its_lease_back(place: Place) -> None:
    """SIGTERM ends an apply as Ctrl-C does; killed for good, its lease is unlocked or expires."""
    place.model("lines")
    hook = "import time, clarifai_build.deploy.apply.executor as steps\n"
    hook += "def stuck(*a): print('stuck', flush=True); time.sleep(60)\n"
    hook += "steps._publish = stuck\nfrom clarifai_build.cli.main import main\n"
    hook += f"raise SystemExit(main(['apply', {str(place.folder / 'lines')!r}]))"
    for number, left in ((signal.SIGTERM, False), (signal.SIGKILL, True)):
        process = subprocess.Popen(
            [sys.executable, "-c", hook], env=place.environ, stdout=subprocess.PIPE, text=True
        )
        assert process.stdout
        assert process.stdout.readline() == "stuck\n"
        kept_out = place.run("apply", "lines")
        assert kept_out.returncode == 6
        assert f":{process.pid}" in kept_out.stderr
        process.send_signal(number)
        assert process.wait(20) == (130 if number == signal.SIGTERM else -9)
        process.stdout.close()
        key = lease_key(place.prefix, "sandbox-user/sandbox-app", "lines")
        assert any(item.key == key for item in place.bucket().objects.all()) == left
    assert f":{process.pid}" in place.run("unlock", "lines").stdout
    assert "not leased" in place.run("unlock", "lines").stdout
    assert place.run("apply", "lines").returncode == 0


@pytest.mark.parametrize("lost", ["request", "answer"])
@pytest.mark.parametrize(
    ("method", "part"),
    [
        ("PUT", ".leases"),
        ("DELETE", ".leases"),
        ("HEAD", ".zip"),
        ("PUT", ".zip"),
        ("GET", ".zip"),
    ],
)
def test_store_loses_a_call(
    place: Place,
    sandbox: Endpoints,
    monkeypatch: pytest.MonkeyPatch,
    method: str,
    part: str,
    lost: Loss,
) -> None:
    """Whatever the store does not hear or does not answer, the next apply converges."""
    target = place.target(place.model("lines"), monkeypatch)
    artifact = target.build()
    with faulty_store(sandbox.s3_endpoint) as proxy:
        assert target.manifest.storage
        storage = replace(target.manifest.storage, endpoint_url=proxy.endpoint)
        faulty = replace(target, manifest=replace(target.manifest, storage=storage))
        proxy.losses = [(method, part, lost)]
        with contextlib.suppress(StorageError):
            apply(faulty.manifest, artifact, faulty.store(), target.registry)
        assert not proxy.losses, "no such call was made"
    store = target.store()
    apply(target.manifest, artifact, store, target.registry)
    assert not apply(target.manifest, artifact, store, target.registry).plan.actions
    assert len(versions(target)) == 1
    key = lease_key(place.prefix, target.registry.scope, "lines")
    assert store.get(key) is None


def wait_for_line(process: subprocess.Popen[str], text: str) -> None:
    """Read what a process prints up to a line with a text; it must not end before."""
    assert process.stdout
    assert any(text in line for line in process.stdout)


def test_watch_ends_on_an_interrupt(place: Place) -> None:
    """status --watch shows a model again when it changes, until it is told to end."""
    place.model("lines")
    process = place.start("status", place.folder / "lines", "--watch", "--interval", "0.2")
    wait_for_line(process, "Missing")
    place.run("apply", "lines")
    wait_for_line(process, "Healthy")
    process.send_signal(signal.SIGINT)
    assert process.wait(120) == 130
    process.communicate()
