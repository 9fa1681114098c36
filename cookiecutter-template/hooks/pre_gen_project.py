"""Checks the answers and fetches the vendored runtime, before anything else is written.

clarifai-build itself runs no hooks: it lays the same files over the rendered tree on its own.
"""

import importlib.metadata
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

# `_repo_dir` and `_output_dir` are not there in every version of cookiecutter.
ANSWERS = json.loads(r'''{
{%- for key in [
  "model_name", "target", "max_batch_size", "image_height", "image_width", "instance_count",
  "max_queue_delay_microseconds", "_template", "_repo_dir", "_output_dir"
] %}
  "{{ key }}": {{ cookiecutter[key] | default("") | string | tojson }}{{ "" if loop.last else "," }}
{%- endfor %}
}''')
# What a number may be: the least and the most.
NUMBERS = {
    "max_batch_size": (0, 2**31 - 1),
    "image_height": (-1, 1024),
    "image_width": (-1, 1024),
    "instance_count": (1, 2**31 - 1),
    "max_queue_delay_microseconds": (0, 2**63 - 1),
}
# The first one whose `jsonify` takes an indent.
OLDEST = (2, 7)
MISSING = """\
Nothing was written: the template needs the clarifai_runtime package, which was not found beside it.
Do one of these:
  - name the template in a whole checkout, local or remote:
      cookiecutter PATH-OR-URL-OF-THE-REPOSITORY --directory cookiecutter-template
  - install clarifai-build where cookiecutter runs: pip install clarifai-build
    (or: pipx inject cookiecutter clarifai-build)"""


def problems():
    """Yield what is wrong: cookiecutter or Triton would stumble over it later."""
    version = cookiecutter_version()
    if version and tuple(map(int, re.findall(r"[0-9]+", version)[:2])) < OLDEST:
        yield f"cookiecutter {version} is too old: pip install 'cookiecutter>=2.7'"
    name = ANSWERS["model_name"]
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}", name):
        yield f"model_name: '{name}' has to be letters, digits, '.', '_' and '-'"
    elif ANSWERS["target"] == "runner" and "." in name:
        yield f"model_name: '{name}' has a '.', which a runner's name can't have"
    for key, (least, most) in NUMBERS.items():
        text = ANSWERS[key]
        if not re.fullmatch(r"-?[0-9]{1,19}", text) or not least <= int(text) <= most:
            yield f"{key}: '{text}' has to be a whole number from {least} to {most}"
        elif key.startswith("image_") and int(text) == 0:
            yield f"{key}: it has to be -1 (any) or at least 1"


def cookiecutter_version():
    """Return the version of the cookiecutter that runs this, if it can be told."""
    try:
        return importlib.metadata.version("cookiecutter")
    except importlib.metadata.PackageNotFoundError:
        return ""


def template_folders():
    """Yield where the template may be. It is known by the path that was typed, relative perhaps to
    a folder that cookiecutter has left; meanwhile cookiecutter works in the template itself."""
    yield Path(f"/proc/{os.getppid()}/cwd")
    output = Path(ANSWERS["_output_dir"] or os.curdir).resolve()
    bases = [Path(os.environ.get("PWD") or os.curdir), output, *output.parents]
    for key in ("_repo_dir", "_template"):
        named = Path(ANSWERS[key] or os.curdir).expanduser()
        yield from (base / named for base in bases)


def runtimes():
    """Yield where the runtime may be: in a checkout, beside an installed template, installed."""
    for folder in template_folders():
        if (folder / "hooks" / "pre_gen_project.py").is_file():
            template = folder.resolve()
            yield template.parent / "builder" / "clarifai_runtime"
            yield from (above / "clarifai_runtime" for above in list(template.parents)[2:3])
    spec = importlib.util.find_spec("clarifai_runtime")
    if spec and spec.origin:
        yield Path(spec.origin).parent
    yield from runtime_of_command()


def runtime_of_command():
    """Yield the runtime of a clarifai-build that has an environment of its own, as pipx gives."""
    command = shutil.which("clarifai-build")
    if command is None:
        return
    begin = Path(command).read_bytes()[:1000].decode("utf-8", "replace")
    # `#!/path/python`, or for long paths a line of `sh` that has it.
    python = re.search(r"(/[^\s'\"]*/python[0-9.]*)", begin)
    if begin.startswith("#!") and python:
        ask = "import clarifai_runtime; print(clarifai_runtime.__file__)"
        done = subprocess.run([python[1], "-I", "-c", ask], capture_output=True, text=True)
        if done.returncode == 0:
            yield Path(done.stdout.strip()).parent


wrong = list(problems())
if wrong:
    sys.exit("\n".join(["Nothing was written:", *wrong]))
source = next((place for place in runtimes() if (place / "triton_model.py").is_file()), None)
if source is None:
    sys.exit(MISSING)
# post_gen_project lays it beside the code: the folder `1` is cookiecutter's to make.
target = Path(".clarifai_runtime")
shutil.rmtree(target, ignore_errors=True)
for file in source.rglob("*"):
    if file.name.endswith((".py", "py.typed")):
        place = target / file.relative_to(source)
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, place)
