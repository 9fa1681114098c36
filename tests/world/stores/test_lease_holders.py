"""Leases whose holder has died, or lives, on this machine or on another."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
from botocore.credentials import Credentials

import clarifai_build
from clarifai_build.errors import (
    ConditionalWritesUnsupportedError,
    LeaseHeldError,
    StorageError,
)
from clarifai_build.manifest.types import Storage
from clarifai_build.net.s3_access import S3Access
from clarifai_build.progress import Event
from clarifai_build.storage import leases, process_identity
from clarifai_build.storage.leases import Holder, held, holder_of
from clarifai_build.storage.process_identity import UNKNOWN, ProcessIdentity
from clarifai_build.storage.s3_store import S3Store
from support.fakes import MemoryStore
from support.memory_s3 import BUCKET, Bucket, client_of

KEY = "models/.leases/me/main/lines.json"
ME = Holder.here("apply mine", {})
ROOT = Path(clarifai_build.__file__).parents[1]
HOLD = (
    "import sys, time\n"
    "from clarifai_build.storage.lease_holder import Holder\n"
    "print(Holder.here('apply', {}).body().decode(), flush=True)\n"
    "time.sleep(60)\n"
)


@contextmanager
def holder_process(*before: str) -> Iterator[tuple[subprocess.Popen[str], bytes]]:
    """Run a process that holds a lease, and give what it writes into it."""
    with subprocess.Popen(
        [*before, sys.executable, "-c", HOLD],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    ) as process:
        assert process.stdout is not None
        try:
            yield process, process.stdout.readline().encode()
        finally:
            process.kill()


def test_a_holder_that_was_killed_is_taken_over_at_once() -> None:
    """Its process ran on this machine, and does not any more: that is looked at."""
    store, told = MemoryStore(), list[Event]()
    with holder_process() as (process, body):
        store.put(KEY, body, {})
        with pytest.raises(LeaseHeldError), held(store, KEY, ME):
            pytest.fail("its holder lives")
        process.kill()
        process.wait()
    with held(store, KEY, ME, told.append):
        assert holder_of(store, KEY) == ME
    assert "its process, on this machine, has ended" in told[0].message


def test_a_holder_that_nobody_has_buried_yet_is_dead() -> None:
    """The parent of what was killed may not look after it, as in many containers."""
    store = MemoryStore()
    with holder_process() as (process, body):
        store.put(KEY, body, {})
        os.kill(process.pid, signal.SIGKILL)
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        with held(store, KEY, ME):
            assert holder_of(store, KEY) == ME


def test_a_holder_that_is_stopped_lives() -> None:
    """It may go on."""
    store = MemoryStore()
    with holder_process() as (process, body):
        store.put(KEY, body, {})
        os.kill(process.pid, signal.SIGSTOP)
        with pytest.raises(LeaseHeldError), held(store, KEY, ME):
            pytest.fail("its holder lives")


def test_another_process_with_the_number_of_the_holder_is_not_the_holder() -> None:
    """Numbers are given out again: when it began tells them apart."""
    store = MemoryStore()
    own = ProcessIdentity.own()
    store.put(
        KEY, replace(ME, id="other", process=replace(own, started=own.started - 1)).body(), {}
    )
    with held(store, KEY, ME):
        assert holder_of(store, KEY) == ME


@pytest.mark.parametrize(
    "process",
    [
        UNKNOWN,
        ProcessIdentity("another machine", 1 << 30, 1),
        replace(ProcessIdentity.own(), machine=""),
    ],
)
def test_a_holder_on_another_machine_is_waited_for(process: ProcessIdentity) -> None:
    """Its number says nothing here."""
    store = MemoryStore()
    store.put(KEY, replace(ME, id="other", process=replace(process, pid=1 << 30)).body(), {})
    with pytest.raises(LeaseHeldError), held(store, KEY, ME):
        pytest.fail("nobody knows whether its holder lives")


def test_a_container_of_the_same_name_is_another_machine() -> None:
    """Process ids of another namespace are not those of this one, whatever the host is called."""
    if subprocess.run(["unshare", "-rpf", "true"], check=False, capture_output=True).returncode:
        inside = b""  # not allowed here: what it would write has another namespace, as below
    else:
        with holder_process("unshare", "-rpf", "--mount-proc") as (_, body):
            inside = body
    own = ProcessIdentity.own()
    found = Holder.of(inside or replace(ME, process=replace(own, machine="x")).body())
    assert found.host.partition(":")[0] == ME.host.partition(":")[0]
    assert found.process.machine != own.machine
    assert not found.process.is_dead()


@pytest.mark.parametrize("missing", ["sys/kernel/random/boot_id", "self/ns/pid", "self/stat"])
def test_where_it_can_not_be_told_nobody_is_dead(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    """Without /proc, or with that of another namespace, a lease expires as ever."""
    for file in ("sys/kernel/random/boot_id", "self/ns/pid", "self/stat"):
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).write_text(f"{os.getpid()} (a) b) S " + "1 " * 30)
    monkeypatch.setattr(process_identity, "_PROC", tmp_path)
    known = ProcessIdentity.own()
    assert (known.pid, known.started) == (os.getpid(), 1)
    gone = replace(known, pid=1 << 30)
    assert gone.is_dead()
    (tmp_path / missing).unlink()
    assert ProcessIdentity.own() == UNKNOWN
    assert not gone.is_dead()


def test_proc_of_another_namespace_is_not_believed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There, this process has another number."""
    for file in ("sys/kernel/random/boot_id", "self/ns/pid", "self/stat"):
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).write_text(f"{os.getpid() + 1} (a) S " + "1 " * 30)
    monkeypatch.setattr(process_identity, "_PROC", tmp_path)
    assert ProcessIdentity.own() == UNKNOWN


@pytest.mark.parametrize(
    "said",
    [None, 1, [], {}, {"machine": 1}, {"machine": "m", "pid": "1", "started": 1}]
    + [{"machine": "{own}", "pid": pid, "started": 1} for pid in (0, -1, 1 << 40, True, 1.5)],
)
def test_what_a_lease_says_of_a_process_may_be_anything(said: Any) -> None:
    """No signal goes to a group of processes, and what makes no sense is nobody known."""
    own = ProcessIdentity.own().machine
    if isinstance(said, dict) and said.get("machine") == "{own}":
        said["machine"] = own
    body = {**asdict(ME), "process": said, "of a later release": 1}
    found = Holder.of(json.dumps(body).encode())
    assert (found.id, found.process) == (ME.id, UNKNOWN)
    assert not found.process.is_dead()


def test_a_lease_of_an_earlier_release_is_read() -> None:
    """It says nothing of a process."""
    body = {
        name: value for name, value in asdict(ME).items() if name not in ("process", "renewals")
    }
    found = Holder.of(json.dumps(body).encode())
    assert (found.id, found.what, found.process) == (ME.id, "apply mine", UNKNOWN)


def store_of(bucket: Bucket) -> S3Store:
    """Return the bucket, whose ETags are the MD5 of what lies there."""
    access = S3Access(client_of(bucket.endpoint), Credentials("key", "secret"))
    return S3Store(access, Storage(BUCKET, "models", endpoint_url=bucket.endpoint))


def test_a_renewal_shows_where_etags_are_sums_of_the_content(bucket: Bucket) -> None:
    """Who has seen the lease expired does not take one over that was renewed since."""
    store = store_of(bucket)
    with held(store, KEY, ME) as lease:
        assert lease is not None
        seen = store.get(KEY)
        assert seen is not None
        lease.renew()
        assert store.put_if(KEY, b"taken over", seen.etag) is None
        lease.check()
        assert holder_of(store, KEY) == ME


class OnlyMakes(MemoryStore):
    """A store that knows a condition where something is made, and none where it is replaced."""

    def put_if(self, key: str, body: bytes, replaces: str | None) -> str | None:
        if replaces is not None:
            raise ConditionalWritesUnsupportedError.of("no-conditional-writes", "…")
        return super().put_if(key, body, replaces)


def test_a_store_that_replaces_without_conditions_still_renews_and_takes_over() -> None:
    """A long apply keeps its lease there, and a dead one's does not stay for ever."""
    store = OnlyMakes()
    with held(store, KEY, ME) as lease:
        assert lease is not None
        before = store.objects[KEY][0]
        lease.renew()
        lease.check()
        assert store.objects[KEY][0] != before
        with pytest.raises(LeaseHeldError), held(store, KEY, replace(ME, id="other")):
            pytest.fail("it is held")
        store.ages[KEY] = leases.EXPIRY + 1
        with held(store, KEY, replace(ME, id="other")):
            lease.renew()
            with pytest.raises(LeaseHeldError, match="lost"):
                lease.check()
    assert store.objects == {}


@pytest.mark.parametrize("call", ["put_if", "get", "delete"])
@pytest.mark.parametrize("when", ["before", "after"])
def test_an_interrupt_on_the_way_to_or_from_a_lease_leaves_none(call: str, when: str) -> None:
    """At whatever request it comes: also between what the store did and what is known of it."""
    store = MemoryStore()
    main = threading.main_thread().ident or 0
    left = [call]

    def interrupt(name: str) -> None:
        if left and name == left[0]:
            left.clear()
            signal.pthread_kill(main, signal.SIGINT)
            time.sleep(0.05)

    setattr(store.calls, when, interrupt)
    with pytest.raises(KeyboardInterrupt), held(store, KEY, ME):
        pass
    assert left == []
    deadline = time.monotonic() + 10
    while store.objects and time.monotonic() < deadline:
        time.sleep(0.01)
    assert store.objects == {}


def test_a_store_that_fails_while_a_lease_is_taken_is_told_once() -> None:
    """With nothing to give back, nothing is said of that."""
    store, told = MemoryStore(), list[Event]()

    def fail(_name: str) -> None:
        raise StorageError.of("store-failed", "down")

    store.calls.before = fail
    with pytest.raises(StorageError, match="down"), held(store, KEY, ME, told.append):
        pytest.fail("it is held")
    assert told == []
