"""A checkout without the content that Git LFS keeps: pointers count for what they point to."""

from __future__ import annotations

import hashlib
import subprocess
from collections.abc import Callable

import pytest

from clarifai_build.errors import SourceError
from support.command_line import World, command, ended
from support.live_model import WEIGHT, Live
from support.trees import write_files

CODE = b"large = True\n" * 10_000
FILES = {"tables/large.py": CODE, "local/w.bin": WEIGHT}
WEIGHTS = (
    f"weights: [{{to: w.bin, from: local/w.bin, sha256: '{hashlib.sha256(WEIGHT).hexdigest()}'}}]\n"
)


def pointer_of(content: bytes, size: int | str | None = None) -> bytes:
    """Return the pointer that Git LFS writes in the place of a content."""
    oid = hashlib.sha256(content).hexdigest()
    said = len(content) if size is None else size
    return f"version https://git-lfs.github.com/spec/v1\noid sha256:{oid}\nsize {said}\n".encode()


@pytest.fixture
def live(world: World) -> Live:
    """A model of files that lie in LFS, live, in a checkout that has none of them."""
    live = Live(world, world.model())
    live.write(WEIGHTS)
    write_files(live.manifest.parent, FILES)
    subprocess.run(["git", "init", "-q", world.folder], check=True)
    command("apply", live.manifest)
    live.empty_cache()
    world.forget()
    write_files(live.manifest.parent, {path: pointer_of(body) for path, body in FILES.items()})
    return live


@pytest.mark.parametrize("asked", [("plan",), ("status",), ("apply",)])
def test_a_checkout_without_content_learns_that_nothing_is_to_be_done(
    live: Live, asked: tuple[str, ...]
) -> None:
    """Code and weights, below the folder and beside it."""
    ran = command(*asked, live.manifest)
    assert "nothing to do" in ran.out or "Synced" in ran.out
    assert live.world.wrote() == []


def test_pointers_suffice_without_any_record(live: Live) -> None:
    """They say digest and size, and no more is needed to know that nothing is to be done."""
    (key,) = live.records()
    live.world.bucket.objects.pop(key)
    assert "nothing to do" in command("apply", live.manifest).out
    live.world.edit("a comment")
    (model,) = command("plan", live.manifest, "--json").json["models"]
    # Without the CRC-32s, which the record would tell, these can't be held against the zip's.
    assert {one["path"] for one in model["files"]} == {
        "1/inference.py",
        "1/tables/large.py",
        "1/w.bin",
    }


def test_a_plan_of_a_checkout_without_content_names_what_changes(live: Live) -> None:
    """And no file of which the pointer is as it was."""
    live.world.edit("a comment")
    (model,) = command("plan", live.manifest, "--json").json["models"]
    assert [one["path"] for one in model["files"]] == ["1/inference.py"]


def test_what_needs_the_content_names_the_command_that_brings_it(live: Live) -> None:
    """Each file, by its path in the repository; nothing is changed before."""
    live.world.edit("a comment")
    zipped = live.world.folder / "x.zip"
    (key,) = live.world.zips()
    live.world.bucket.put(key, b"no zip that it could be taken from")
    for asked in (("apply",), ("build", "-o", zipped), ("verify",)):
        ran = ended(*map(str, asked), live.manifest)
        assert ran.code == 3
        assert ran.err.count("error[lfs-pointer]") == 2
        assert "`git lfs pull --include lines/tables/large.py`" in ran.err
        assert "`git lfs pull --include lines/local/w.bin`" in ran.err
    assert live.world.wrote() == []
    write_files(live.manifest.parent, FILES)
    command("apply", live.manifest)
    assert live.version.revision == 2


def test_what_the_store_has_is_published_without_being_here(live: Live) -> None:
    """A comment is added in a checkout without content: the new zip has that of the earlier one."""
    live.world.edit("a comment")
    command("apply", live.manifest)
    assert live.version.revision == 2
    (key,) = (key for key in live.world.zips() if live.version.artifact_digest in key)
    write_files(live.manifest.parent, FILES)
    command("build", live.manifest, "-o", live.world.folder / "x.zip")
    zipped = (live.world.folder / "x.zip").read_bytes()
    assert live.world.bucket.objects[key].body == zipped


def test_only_what_is_missing_is_named(live: Live) -> None:
    """What was pulled is content as any other."""
    (live.manifest.parent / "local/w.bin").write_bytes(WEIGHT)
    assert "nothing to do" in command("apply", live.manifest).out
    live.world.edit("a comment")
    with pytest.raises(SourceError) as raised:
        command("build", live.manifest)
    (problem,) = raised.value.problems
    assert problem.file == str(live.manifest.parent / "tables/large.py")


def test_executable_bits_are_those_of_the_pointers(live: Live) -> None:
    """As Git checks them out."""
    (live.manifest.parent / "tables/large.py").chmod(0o755)
    assert command("plan", live.manifest, "--detailed-exitcode").code == 2


def test_a_pointer_to_another_weight_is_a_mismatch(live: Live) -> None:
    """The manifest pins what the pointer has to lead to."""
    (live.manifest.parent / "local/w.bin").write_bytes(pointer_of(b"other"))
    with pytest.raises(SourceError) as raised:
        command("plan", live.manifest)
    (problem,) = raised.value.problems
    assert problem.code == "weight-mismatch"
    assert hashlib.sha256(b"other").hexdigest() in problem.message


Edit = Callable[[bytes], bytes]


@pytest.mark.parametrize(
    ("edit", "why"),
    [
        (lambda p: p.replace(b"size ", b"size x"), "its size is not a number of bytes"),
        (lambda p: p.replace(b"size ", b"size -"), "its size is not a number of bytes"),
        (lambda p: p.replace(b"oid sha256:", b"oid sha256:0"), "its oid is not"),
        (lambda p: p + b"\n" * 2000, "larger than 1024 bytes"),
        (lambda p: p.replace(b"spec/v1", b"spec/v9"), "the first is"),
        (lambda _: pointer_of(CODE, len(CODE) + 1), f"that SHA-256 has {len(CODE)}"),
    ],
)
def test_a_broken_pointer_is_named(live: Live, edit: Edit, why: str) -> None:
    """With what is wrong with it: its form, or a size that is not that of its content."""
    file = live.manifest.parent / "tables/large.py"
    file.write_bytes(edit(file.read_bytes()))
    ran = ended("plan", live.manifest)
    assert ran.code == 3
    assert "error[lfs-pointer-broken]" in ran.err
    assert why in ran.err.replace("\n", " ")
    assert live.world.wrote() == []


def test_a_size_that_is_a_lie_never_makes_an_artifact(live: Live) -> None:
    """Where nobody knows better, the zip would be another, and can't be made of a pointer."""
    live.world.bucket.objects.pop(live.records()[0])
    (live.manifest.parent / "tables/large.py").write_bytes(pointer_of(CODE, len(CODE) + 1))
    assert command("plan", live.manifest, "--detailed-exitcode").code == 2
    ran = ended("apply", live.manifest)
    assert (ran.code, live.world.wrote()) == (3, [])
    assert "error[lfs-pointer]" in ran.err


def test_what_an_extension_makes_is_not_what_the_pointer_names(live: Live) -> None:
    """A file that LFS keeps encrypted, say, is known only once it is checked out."""
    file = live.manifest.parent / "tables/large.py"
    first, rest = file.read_bytes().split(b"\n", 1)
    file.write_bytes(first + b"\next-0-crypt sha256:" + b"cd" * 32 + b"\n" + rest)
    with pytest.raises(SourceError) as raised:
        command("plan", live.manifest)
    (problem,) = raised.value.problems
    assert (problem.code, problem.file) == ("lfs-pointer", str(file))


def test_a_pointer_that_changes_while_it_is_read_is_noticed(
    live: Live, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was found and what is read are one content."""
    from clarifai_build.artifact import absent_files

    real = absent_files.read_small

    def changed(file: str, limit: int) -> bytes:
        return real(file, limit).replace(b"size 1", b"size 2")

    monkeypatch.setattr(absent_files, "read_small", changed)
    with pytest.raises(SourceError) as raised:
        command("plan", live.manifest)
    assert {problem.code for problem in raised.value.problems} == {"changed"}


def test_an_ignored_pointer_makes_a_checkout_dirty(live: Live) -> None:
    """As its content would: the commit alone lacks it."""
    folder = live.world.folder
    (folder / ".gitignore").write_text("*.py\n")
    asked = [["add", "-f", ".gitignore", "lines/clarifai.yaml", "lines/inference.py"]]
    asked.append(["-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "x"])
    for arguments in asked:
        subprocess.run(["git", "-C", folder, *arguments], check=True)

    def change(message: object) -> None:
        message.status.code = 21106  # type: ignore[attr-defined]  # of the platform's messages

    live.world.platform.builds.change(live.version.id, change)
    command("apply", live.manifest)
    assert live.version.recorded.dirty is True
