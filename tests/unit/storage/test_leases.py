"""Leases, on a bucket in memory that can do what S3 can."""

from __future__ import annotations

import threading
import time
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clarifai_build.errors import (
    ConditionalWritesUnsupportedError,
    LeaseHeldError,
    NotAuthorisedError,
    StorageError,
)
from clarifai_build.progress import Event
from clarifai_build.storage import leases
from clarifai_build.storage.keys import lease_key
from clarifai_build.storage.leases import Holder, for_model, held, holder_of, unlock
from support.fakes import MemoryStore

MODEL = ("models", "me/main", "lines")
KEY = lease_key(*MODEL)
ME, YOU = Holder.here("apply mine", {}), Holder.here("apply yours", {"GITHUB_RUN_ID": "7"})


def test_key_tells_apps_apart() -> None:
    """The same model id in another app is another lease, and a prefix is no must."""
    assert KEY == "models/.leases/me/main/lines.json"
    assert lease_key("", "me/staging", "lines") == ".leases/me/staging/lines.json"


def test_second_is_told_who_and_what() -> None:
    """Who is kept out reads who, where, since when and what, and how to get on."""
    store = MemoryStore()
    refused = pytest.raises(LeaseHeldError, match="job 7")
    with held(store, KEY, YOU), refused as raised, held(store, KEY, ME):
        pytest.fail("both hold it")
    (problem,) = raised.value.problems
    assert problem.code == "lease-held"
    assert YOU.host in problem.message
    assert YOU.since in problem.message
    assert "apply yours" in problem.message
    assert "unlock" in str(problem.hint)


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
def test_given_back_whatever_happens(error: type[BaseException]) -> None:
    """An error, or an interrupt, leaves no lease behind."""
    store = MemoryStore()
    with pytest.raises(error), held(store, KEY, ME):
        raise error
    assert store.objects == {}


def test_interrupted_while_the_store_does_not_answer() -> None:
    """Giving the lease back is tried for a moment, and then that is told."""
    store = MemoryStore()
    told: list[Event] = []
    asked, answer = threading.Event(), threading.Event()

    def stall(_name: str) -> None:
        asked.set()
        answer.wait(30)

    def interrupt() -> None:
        store.calls.before = stall
        assert asked.wait(10)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), held(store, KEY, ME, told.append, renewal=0.01):
        interrupt()
    assert [event.message for event in told] == [
        "not given back in time, the lease expires by itself"
    ]
    assert KEY in store.objects
    answer.set()


def test_expired_lease_is_taken_over() -> None:
    """The age is the store's: the clocks of the two machines play no part."""
    store = MemoryStore()
    store.put(KEY, replace(YOU, since="2099-01-01T00:00:00+00:00").body(), {})
    store.ages[KEY] = leases.EXPIRY + 1
    told: list[Event] = []
    with held(store, KEY, ME, told.append):
        assert holder_of(store, KEY) == ME
    assert "taken over from" in told[0].message


def test_unlock_takes_it_away_and_the_holder_notices() -> None:
    """Whose lease is gone stops at its next step, and does not remove the next one's."""
    store = MemoryStore()
    with held(store, KEY, ME) as lease:
        assert lease is not None
        assert unlock(store, *MODEL) == ME
        with held(store, KEY, YOU):
            lease.renew()
            with pytest.raises(LeaseHeldError, match="lost"):
                lease.check()
    assert unlock(store, *MODEL) is None


def test_renewed_while_it_is_held() -> None:
    """The heartbeat writes the lease anew."""
    store = MemoryStore()
    with held(store, KEY, ME, renewal=0.01):
        first = store.objects[KEY][1]
        deadline = time.monotonic() + 10
        while store.objects[KEY][1] == first and time.monotonic() < deadline:
            time.sleep(0.01)
        assert store.objects[KEY][1] != first
    assert KEY not in store.objects


def test_renewal_that_fails_once_is_no_loss() -> None:
    """A store that does not answer now may answer the next time."""
    store = MemoryStore()
    with held(store, KEY, ME) as lease:
        assert lease is not None

        def fail(_name: str) -> None:
            raise StorageError.of("store-failed", "down")

        store.calls.before = fail
        lease.renew()
        store.calls.before = lambda _name: None
        lease.check()
        lease.renew()
        lease.check()


def test_renewal_survives_a_store_that_fails_half_way() -> None:
    """A renewal that is refused, and then not told why, leaves the heartbeat alive."""
    store = MemoryStore()
    with held(store, KEY, ME) as lease:
        assert lease is not None
        store.put(KEY, ME.body(), {})  # our own renewal, whose answer was lost

        def fail(name: str) -> None:
            if name == "get":
                raise StorageError.of("store-failed", "down")

        store.calls.before = fail
        lease.renew()
        store.calls.before = lambda _name: None
        lease.renew()
        lease.check()


def test_not_given_back_without_the_right_to_delete() -> None:
    """Credentials that may not delete leave a warning, and what was applied is no failure."""
    store = MemoryStore()
    told: list[Event] = []

    def refuse(name: str) -> None:
        if name == "delete":
            raise NotAuthorisedError.of("store-refused", "the store refuses DeleteObject")

    store.calls.before = refuse
    with held(store, KEY, ME, told.append):
        pass
    assert "expires by itself" in told[0].message
    assert "DeleteObject" in told[0].message


def test_another_ones_lease_is_not_given_back() -> None:
    """Even a store that ignores the conditions of a removal keeps the next one's lease."""
    store = MemoryStore()
    real = store.delete
    store.delete = lambda key, _etag=None: real(key)  # type: ignore[method-assign]  # a fault
    with held(store, KEY, ME):
        store.put(KEY, YOU.body(), {})
    assert holder_of(store, KEY) == YOU


def test_counts_from_before_the_request() -> None:
    """A renewal on its way for longer than a lease lasts does not prolong it."""
    store = MemoryStore()
    with held(store, KEY, ME) as lease:
        assert lease is not None
        store.put(KEY, ME.body(), {})
        store.ages[KEY] = leases.EXPIRY + 1
        real = store.put_if
        store.put_if = lambda *_: None  # type: ignore[method-assign]  # a fault
        lease.renew()
        store.put_if = real  # type: ignore[method-assign]
        with pytest.raises(LeaseHeldError, match="in time"):
            lease.check()


@pytest.mark.parametrize("kind", [ConditionalWritesUnsupportedError, StorageError])
def test_store_that_does_not_take_it_back(kind: type[StorageError]) -> None:
    """What was applied stays applied: a lease that can't be given back expires by itself."""
    store = MemoryStore()
    real = store.delete

    def delete(key: str, etag: str | None = None) -> bool:
        if etag is not None or kind is not ConditionalWritesUnsupportedError:
            raise kind.of("refused", "no")
        return real(key)

    store.delete = delete  # type: ignore[method-assign]  # a fault
    with held(store, KEY, ME):
        pass
    assert (KEY in store.objects) == (kind is not ConditionalWritesUnsupportedError)


def test_answer_lost_and_request_repeated() -> None:
    """S3 clients repeat a request without an answer: the lease that is then there is ours."""
    store = MemoryStore()
    store.put(KEY, ME.body(), {})
    with held(store, KEY, ME) as lease:
        assert lease is not None
        lease.check()


class Unconditional(MemoryStore):
    """A store that ignores conditions, or refuses them."""

    refuses = False

    def put_if(self, key: str, body: bytes, replaces: str | None) -> str | None:
        if self.refuses:
            raise ConditionalWritesUnsupportedError.of("no-conditional-writes", "…")
        return self.put(key, body, {})


@pytest.mark.parametrize("refuses", [False, True])
def test_store_without_conditions_warns(refuses: bool) -> None:
    """Such a store can't keep a lease: a clear warning, and nothing is left behind."""
    store = Unconditional()
    store.refuses = refuses
    told: list[Event] = []
    with held(store, KEY, ME, told.append) as lease:
        assert lease is None
    assert "--no-lease" in told[0].message
    assert store.objects == {}


def test_one_of_many_gets_it() -> None:
    """However many try at once, one holds it at a time."""
    store = MemoryStore()
    inside, most, got = 0, 0, 0
    lock = threading.Lock()
    start = threading.Barrier(16)

    def work() -> None:
        nonlocal inside, most, got
        start.wait()
        try:
            with held(store, KEY, Holder.here("race", {})):
                with lock:
                    inside, got = inside + 1, got + 1
                    most = max(most, inside)
                time.sleep(0.01)
                with lock:
                    inside -= 1
        except LeaseHeldError:
            pass

    threads = [threading.Thread(target=work) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 1
    assert got >= 1


def test_a_models_lease_lies_at_its_key_while_it_is_held() -> None:
    """Whoever finds it reads what it is held for; afterwards it is gone."""
    store = MemoryStore()
    with for_model(store, *MODEL, "apply lines") as lease:
        assert list(store.objects) == [KEY]
        assert str(holder_of(store, KEY)).endswith("(apply lines)")
        assert lease.exclusive
        lease.check()
    assert store.objects == {}


def test_leases_of_other_models_and_apps_do_not_matter() -> None:
    """One model's lease keeps nobody away from another, nor from the same id in another app."""
    store = MemoryStore()
    with (
        for_model(store, *MODEL, "one"),
        for_model(store, "models", "me/main", "words", "another model"),
        for_model(store, "models", "me/staging", "lines", "another app"),
    ):
        assert len(store.objects) == 3
        with pytest.raises(LeaseHeldError, match="one"), for_model(store, *MODEL, "two"):
            pytest.fail("both hold it")


def test_a_models_lease_that_is_lost_is_told() -> None:
    """What is given to work with notices that the lease was taken away."""
    store = MemoryStore()
    with for_model(store, *MODEL, "apply lines") as lease:
        assert str(unlock(store, *MODEL)).endswith("(apply lines)")
        assert isinstance(lease, leases.Lease)
        lease.renew()
        with pytest.raises(LeaseHeldError, match="nobody holds it now"):
            lease.check()


@pytest.mark.parametrize("refuses", [False, True])
def test_store_that_keeps_no_leases_excludes_nobody(refuses: bool) -> None:
    """Work can go on, and whoever must be alone can tell that it is not."""
    store = Unconditional()
    store.refuses = refuses
    told: list[Event] = []
    with for_model(store, *MODEL, "apply lines", told.append) as lease:
        assert not lease.exclusive
        lease.check()
    assert "--no-lease" in told[0].message
    assert store.objects == {}


def test_lease_that_is_not_wanted_asks_the_store_nothing() -> None:
    """Without one there is no call, no warning, and nothing that could be lost."""
    store = MemoryStore()
    told: list[Event] = []
    with for_model(store, *MODEL, "apply lines", told.append, wanted=False) as lease:
        assert not lease.exclusive
        lease.check()
    assert (store.calls.names, told) == ([], [])


@given(st.binary())
def test_any_object_can_be_read_as_a_holder(body: bytes) -> None:
    """What someone else put at the key does not break the message."""
    assert str(Holder.of(body))


class Raced(MemoryStore):
    """A store at which another is quicker to take over a lease that has expired."""

    def __init__(self, winner: Holder | None) -> None:
        super().__init__()
        self.winner = winner
        self.put(KEY, replace(YOU, id="dead").body(), {})
        self.ages[KEY] = leases.EXPIRY + 1

    def put_if(self, key: str, body: bytes, replaces: str | None) -> str | None:
        if replaces is not None:
            self.objects.pop(key)
            if self.winner:
                self.put(key, self.winner.body(), {})
        return super().put_if(key, body, replaces)


@pytest.mark.parametrize(("winner", "named"), [(YOU, "job 7"), (None, "someone unknown")])
def test_the_loser_of_a_race_for_an_expired_lease_goes_without(
    winner: Holder | None, named: str
) -> None:
    """Who is too late is told who was quicker, and does not go on; the winner keeps its lease."""
    store = Raced(winner)
    with (
        pytest.raises(LeaseHeldError, match=f"{named}.* last renewed 0 s ago"),
        held(store, KEY, ME),
    ):
        pytest.fail("both hold it")
    assert holder_of(store, KEY) == winner


def test_a_lease_that_is_renewed_in_time_is_kept() -> None:
    """To the second: one that expires now has not expired yet."""
    store = MemoryStore()
    store.put(KEY, YOU.body(), {})
    store.ages[KEY] = leases.EXPIRY
    with pytest.raises(LeaseHeldError, match="60 s ago"), held(store, KEY, ME):
        pytest.fail("both hold it")
    assert holder_of(store, KEY) == YOU


def test_a_lease_that_is_given_back_meanwhile_is_free() -> None:
    """Who found it held, and then gone, takes it; nothing was taken over."""
    store = MemoryStore()
    store.put(KEY, YOU.body(), {})
    told: list[Event] = []

    def give_back(name: str) -> None:
        if name == "get":
            store.objects.clear()
            store.calls.before = lambda _name: None

    store.calls.before = give_back
    with held(store, KEY, ME, told.append):
        assert holder_of(store, KEY) == ME
    assert told == []


def test_who_has_taken_a_lease_is_named_to_its_holder() -> None:
    """Another, or nobody where it was taken away."""
    for next_one, named in ((YOU, "job 7"), (None, "nobody holds it now")):
        store = MemoryStore()
        with held(store, KEY, ME) as lease:
            assert lease is not None
            store.objects.clear()
            if next_one:
                store.put(KEY, next_one.body(), {})
            lease.renew()
            with pytest.raises(LeaseHeldError, match=named):
                lease.check()
        assert holder_of(store, KEY) == next_one


@pytest.mark.parametrize("name", ["put_if", "get", "delete"])
def test_a_store_that_fails_is_an_error_where_a_lease_is_taken(name: str) -> None:
    """It is not taken for one that knows no conditions, without which anything may happen."""
    store = MemoryStore()

    def fail(call: str) -> None:
        if call == name:
            raise StorageError.of("store-failed", "down")

    store.put(KEY, YOU.body(), {})
    store.ages[KEY] = leases.EXPIRY + 1
    store.calls.before = fail
    if name == "delete":
        store.objects.clear()
        with held(store, KEY, ME) as lease:
            assert lease is not None
        assert holder_of(store, KEY) == ME
    else:
        with pytest.raises(StorageError, match="down"), held(store, KEY, ME):
            pytest.fail("it is held")


def test_what_giving_back_tells_is_told_after_an_error() -> None:
    """That a lease stays behind is worth knowing then, too."""
    store = MemoryStore()
    told: list[Event] = []

    def refuse(name: str) -> None:
        if name == "delete":
            raise NotAuthorisedError.of("store-refused", "the store refuses DeleteObject")

    store.calls.before = refuse
    with pytest.raises(ValueError, match="mine"), held(store, KEY, ME, told.append):
        raise ValueError("mine")
    (event,) = told
    assert "DeleteObject" in event.message


def test_a_renewal_on_its_way_is_waited_for() -> None:
    """One that lands while the lease is given back would keep it for another minute."""
    store = MemoryStore()
    begun, landed, deleting = threading.Event(), threading.Event(), threading.Event()

    def stall(name: str) -> None:
        if name == "put_if":
            begun.set()
            deleting.wait(0.5)
        elif name == "delete":
            deleting.set()
            landed.wait(10)

    with held(store, KEY, ME, renewal=0.01):
        store.calls.before = stall
        store.calls.after = lambda name: landed.set() if name == "put_if" else None
        assert begun.wait(10)
    assert store.objects == {}


def test_a_lease_expires_while_the_machine_sleeps(monkeypatch: pytest.MonkeyPatch) -> None:
    """The clock that counts is one that goes on then, where there is one."""
    now = 1000.0
    monkeypatch.setattr(time, "CLOCK_BOOTTIME", 7, raising=False)
    monkeypatch.setattr(time, "clock_gettime", lambda clock: {7: now}[clock], raising=False)
    with held(MemoryStore(), KEY, ME) as lease:
        assert lease is not None
        lease.check()
        now += leases.EXPIRY + 1
        with pytest.raises(LeaseHeldError, match="in time"):
            lease.check()


def test_a_lease_needs_no_clock_that_counts_sleep(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not every system has one."""
    monkeypatch.delattr(time, "CLOCK_BOOTTIME", raising=False)
    with held(MemoryStore(), KEY, ME) as lease:
        assert lease is not None
        lease.renew()
        lease.check()
