"""Following a version, in memory and without a clock."""

from __future__ import annotations

from dataclasses import replace

import pytest

from clarifai_build.cancellation import CancelToken
from clarifai_build.deploy.wait import wait_until_ready
from clarifai_build.errors import BuildFailedError, RegistryError
from clarifai_build.registry import ModelRegistry, RemoteVersion
from support.fakes import ShortPauses

POSTED = RemoteVersion("v1", 21104, "Model is uploading")


class Platform(CancelToken):
    """A registry of one version that answers status codes in turn, and its clock."""

    def __init__(self, *codes: int | None) -> None:
        super().__init__()
        self.codes = list(codes)
        self.now = 0.0
        self.pauses: list[float] = []

    def version(self, model_id: str, version_id: str) -> RemoteVersion | None:
        code = self.codes.pop(0) if len(self.codes) > 1 else self.codes[0]
        return None if code is None else replace(POSTED, status_code=code, details="disk full")

    def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds


def follow(platform: Platform, timeout: float = 600.0) -> RemoteVersion:
    """Wait on this platform."""
    registry: ModelRegistry = platform  # type: ignore[assignment]  # only `version` is called
    return wait_until_ready(
        registry, "m", POSTED, timeout, clock=lambda: platform.now, cancel=platform
    )


def test_ready_after_building() -> None:
    """It is polled through its states until it is trained."""
    assert follow(Platform(21104, 21107, 21107, 21100)).status_code == 21100


@pytest.mark.parametrize("code", [21105, 21106, 21108, 21109, 21110, 21119])
def test_failure_prints_the_platforms_words(code: int) -> None:
    """Each failing code ends the wait and shows the details."""
    with pytest.raises(BuildFailedError, match="disk full"):
        follow(Platform(code))


def test_deployment_codes_are_no_build_failure() -> None:
    """2135x speaks of deploying: the version itself is built."""
    assert follow(Platform(21353)).health == "ready"


def test_untrained_passes_or_fails_after_its_grace() -> None:
    """21102 may be a passing state, but not for ever."""
    assert follow(Platform(21102, 21102, 21100)).health == "ready"
    with pytest.raises(BuildFailedError):
        follow(Platform(21102))


def test_unknown_state_is_polled_to_the_deadline() -> None:
    """A code that nobody documents is waited out, and the error says so."""
    platform = Platform(0)
    with pytest.raises(BuildFailedError, match="not ready after 100 s"):
        follow(platform, timeout=100.0)
    assert platform.now > 100.0


def test_long_wait_shows_signs_of_life() -> None:
    """A build without news is told about every ten seconds, with the time so far."""
    platform, told = Platform(*[21107] * 40, 21100), list[str]()
    registry: ModelRegistry = platform  # type: ignore[assignment]  # only `version` is called
    wait_until_ready(
        *(registry, "m", POSTED, 600.0, lambda event: told.append(event.message)),
        clock=lambda: platform.now,
        cancel=platform,
    )
    assert told[0].endswith("Model is uploading")
    assert platform.now / 12 < len(told) < platform.now / 8
    assert "s so far" in told[-1]


def test_version_removed_meanwhile() -> None:
    """Someone deleted it by hand."""
    with pytest.raises(RegistryError, match="removed"):
        follow(Platform(21107, None))


def test_what_is_ready_is_not_asked_for() -> None:
    """Nor slept for."""
    platform = Platform(0)
    registry: ModelRegistry = platform  # type: ignore[assignment]  # only `version` is called
    ready = replace(POSTED, status_code=21100)
    assert wait_until_ready(registry, "m", ready, 0.0, cancel=platform) is ready
    assert platform.now == 0.0


def test_pauses_grow_to_some_seconds() -> None:
    """Quick at first, gentle later, and never in step with others."""
    platform = Platform(*[21107] * 40, 21100)
    follow(platform)
    pauses = platform.pauses
    assert 0.1875 <= pauses[0] <= 0.3125
    assert 0.28 <= pauses[1] <= 0.47
    assert all(3.75 <= pause <= 6.25 for pause in pauses[10:])
    assert len(set(pauses)) == len(pauses) == 41


@pytest.mark.parametrize(("waited", "late"), [(100.0, False), (100.5, True)])
def test_the_deadline_is_kept_to_the_second(waited: float, late: bool) -> None:
    """A version that is ready just then is not too late."""
    platform = Platform(21107, 21100)
    registry: ModelRegistry = platform  # type: ignore[assignment]  # only `version` is called
    times = iter([0.0, waited, waited])

    def wait() -> RemoteVersion:
        return wait_until_ready(
            *(registry, "m", POSTED, 100.0), clock=lambda: next(times), cancel=ShortPauses()
        )

    if late:
        with pytest.raises(BuildFailedError, match="last seen: Model is uploading") as raised:
            wait()
        assert raised.value.problems[0].code == "build-timeout"
    else:
        assert wait().health == "ready"


@pytest.mark.parametrize(("waited", "stuck"), [(60.0, False), (60.5, True)])
def test_an_untrained_version_has_a_minute(waited: float, stuck: bool) -> None:
    """Then it has failed, in the platform's words or without any."""
    untrained = RemoteVersion("v1", 21102, "")
    platform = Platform(21100)
    registry: ModelRegistry = platform  # type: ignore[assignment]  # only `version` is called
    times = iter([0.0, waited])

    def wait() -> RemoteVersion:
        return wait_until_ready(
            *(registry, "m", untrained, 600.0), clock=lambda: next(times), cancel=ShortPauses()
        )

    if stuck:
        with pytest.raises(BuildFailedError, match=r"no reason given \(code 21102, request unk"):
            wait()
    else:
        assert wait().health == "ready"


def test_news_are_told_once_and_what_failed_with_its_request() -> None:
    """A state that goes on is no news for ten seconds."""
    platform, told = Platform(21104, 21104, 21108), list[str]()
    registry: ModelRegistry = platform  # type: ignore[assignment]  # only `version` is called
    posted = replace(POSTED, request_id="r-7")
    real = platform.version
    platform.version = lambda *ids: replace(real(*ids) or posted, request_id="r-7")  # type: ignore[method-assign]
    with pytest.raises(BuildFailedError, match=r"uploading: disk full \(code 21108, request r-7\)"):
        wait_until_ready(
            *(registry, "m", posted, 600.0, lambda event: told.append(event.message)),
            clock=lambda: platform.now,
            cancel=platform,
        )
    assert told == ["version v1: Model is uploading"]
