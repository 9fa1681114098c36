"""What the commands of clarifai 9.7 to 10.0 did, by the means of this library."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import unquote, urlsplit

from clarifai_build._version import __version__
from clarifai_build.building import generated_files
from clarifai_build.deploy.wait import TIMEOUT_SECONDS, wait_until_ready
from clarifai_build.errors import ManifestError, UsageError
from clarifai_build.legacy import sdk_files
from clarifai_build.legacy.importer import Imported, import_folder
from clarifai_build.manifest import yaml_writer
from clarifai_build.manifest.document import parse
from clarifai_build.manifest.schema import matches, way_out
from clarifai_build.manifest.types import FILE_NAME, Code, Manifest, Model, Param, Shapes, Triton
from clarifai_build.model_types import MODEL_TYPES
from clarifai_build.progress import Event, ProgressCallback
from clarifai_build.registry import ModelRegistry, NewModel, NewVersion, RemoteVersion
from clarifai_build.registry.version_metadata import VersionMetadata
from clarifai_build.repository_layout import INFERENCE, LABELS, VERSION, in_folder
from clarifai_build.resources import starters_dir
from clarifai_build.util.processes.scratch_folder import ScratchFolder
from clarifai_build.validation.load import examine_document, load


def repository_files(
    name: str, type_name: str, image: tuple[int, int], max_batch_size: int
) -> dict[str, bytes]:
    """Return a whole Triton repository to start from: path to content."""
    model_type = MODEL_TYPES[type_name]
    starter = starters_dir() / type_name
    labels = starter / LABELS if model_type.has_labels else None
    manifest = Manifest(
        path=Path(FILE_NAME),
        model=Model(_checked_id(name), type_name, labels=labels),
        code=Code(Path(VERSION)),
        triton=Triton(max_batch_size, ragged=model_type.has_image_input and -1 in image),
        shapes=Shapes(image=image),
    )
    files = generated_files(manifest)
    files[INFERENCE] = (starter / in_folder(INFERENCE)).read_bytes()
    return files


@contextmanager
def manifest_of(folder: Path, environ: Mapping[str, str]) -> Iterator[tuple[Manifest, Imported]]:
    """Give the manifest of a repository: its clarifai.yaml, else what its files say now."""
    if (folder / FILE_NAME).is_file():
        yield load(folder / FILE_NAME, environ, offline=True), Imported({})
        return
    imported = import_folder(folder)
    with ScratchFolder() as scratch:
        named = imported.manifest["code"].pop("requirements", None)
        requirements = folder / named if named else None
        if named in imported.files:
            requirements = Path(scratch, named)
            requirements.write_text(imported.files[named], encoding="utf-8")
        # Nothing is written into the user's folder: the labels stand in the manifest instead.
        model = imported.manifest["model"]
        if (labels := model.get("labels")) in imported.files:
            model["labels"] = imported.files[labels].splitlines()
        text = "\n".join(yaml_writer.block(imported.manifest))
        document = parse(text, f"{folder / FILE_NAME} (as imported)")
        examined = examine_document(document, folder / FILE_NAME, environ, offline=True)
        if examined.manifest is None:
            raise ManifestError(*examined.errors)
        code = replace(examined.manifest.code, requirements=requirements)
        yield replace(examined.manifest, code=code), imported


def names_in(url: str) -> tuple[str, str]:
    """Read model id and type from a name like `<model_id>_<model-type>.zip`; empty if not there."""
    name = unquote(urlsplit(url).path).rsplit("/", 1)[-1].removesuffix(".zip")
    # From the end: ids may hold underscores, types only hyphens.
    for type_name in MODEL_TYPES:
        if name.endswith(f"_{type_name}"):
            return name.removesuffix(f"_{type_name}"), type_name
    return "", ""


@dataclass(frozen=True, slots=True)
class Upload:
    """What is registered, and whether it may become a further version of a model."""

    url: str
    model: NewModel
    params: tuple[Param, ...] = ()
    update: bool = False

    @classmethod
    def of(cls, url: str, model_id: str, type_name: str, description: str) -> Upload:
        """Fill what is empty from the URL's file name."""
        id_there, type_there = names_in(url)
        model_id, type_name = model_id or id_there, type_name or type_there
        if not model_id or not type_name:
            raise UsageError.of(
                "names-missing",
                f"model id and type don't show in '{urlsplit(url).path}'",
                hint="give --model_id and --model_type, or name it MODEL-ID_MODEL-TYPE.zip",
            )
        return cls(url, NewModel(_checked_id(model_id), type_name, description, "private"))


def params_from(file: Path) -> tuple[Param, ...]:
    """Read the SDK's JSON file of inference parameters; what can't be read is an error."""
    notes: list[str] = []
    found = sdk_files.params_file(file, notes)
    if notes:
        raise ManifestError.of("params-file", "; ".join(notes), file=str(file))
    return tuple(Param(**param) for param in found)


def register(upload: Upload, registry: ModelRegistry, progress: ProgressCallback) -> RemoteVersion:
    """Register the archive at a URL, and wait until the platform has built it."""
    wanted = upload.model
    there = registry.model(wanted.id)
    if there is None:
        registry.create_model(wanted)
        progress(Event("register", "running", f"made model '{wanted.id}'"))
    elif there.type != wanted.type:
        raise UsageError.of(
            "type-mismatch", f"'{wanted.id}' is a {there.type}, which can't become a {wanted.type}"
        )
    elif registry.versions(wanted.id) and not upload.update:
        raise UsageError.of(
            "model-exists", f"'{wanted.id}' has a version", hint="add --update_version"
        )
    known = MODEL_TYPES[wanted.type]
    version = registry.create_version(
        wanted.id,
        NewVersion(
            zip_url=upload.url,
            input_fields_map=known.input_fields_map,
            output_fields_map=known.output_fields_map,
            params=upload.params,
            description=wanted.description,
            visibility=wanted.visibility,
            metadata=VersionMetadata(tool=__version__),
        ),
    )
    progress(Event("register", "running", f"posted version {version.id}"))
    # The old command had no option for how long.
    return wait_until_ready(registry, wanted.id, version, TIMEOUT_SECONDS, progress)


def _checked_id(name: str) -> str:
    if not matches("id", name):
        message = f"'{name}' is not a valid Clarifai model id"
        raise UsageError.of("bad-value", message, hint=way_out("id"))
    return name
