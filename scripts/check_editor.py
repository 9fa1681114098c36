"""Asks a real YAML language server what an editor would show for a manifest with the schema.

`npm install yaml-language-server` in any folder, then name the server:

    python scripts/check_editor.py node_modules/.bin/yaml-language-server

It types a broken manifest into the server, and prints the diagnostics, the completions of a key
and of a value, and a hover text. It exits with 1 where the server misses one of them.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

SCHEMA = Path(__file__).resolve().parents[1] / "schema" / "clarifai.schema.json"
MANIFEST = """\
# yaml-language-server: $schema={schema}
version: 1
model:
  id: my model
  type: visual-dectector
  labels: labels.txt
triton:
  max_batchsize: 4
  dyn
"""
NEW_KEY, NEW_VALUE, A_KEY = (8, 5), (4, 8), (2, 2)


class Server:
    """One language server, spoken to over its standard streams."""

    def __init__(self, command: list[str]) -> None:
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.count = 0
        self.diagnostics: list[dict[str, Any]] = []

    def notify(self, method: str, params: Any) -> None:
        """Send a message that has no answer."""
        self._send({"method": method, "params": params})

    def request(self, method: str, params: Any) -> Any:
        """Send a message, and read until its answer is there."""
        self.count += 1
        self._send({"id": self.count, "method": method, "params": params})
        return self.read_until(lambda message: message.get("id") == self.count)["result"]

    def read_until(self, wanted: Any) -> dict[str, Any]:
        """Read messages, answering the server's own requests, until one is wanted."""
        while True:
            message = self._read()
            if message.get("method") == "textDocument/publishDiagnostics":
                self.diagnostics = message["params"]["diagnostics"]
            elif "method" in message and "id" in message:
                self._send({"id": message["id"], "result": self._settings(message)})
                continue
            if wanted(message):
                return message

    def _settings(self, message: dict[str, Any]) -> Any:
        items = message["params"].get("items", []) if isinstance(message["params"], dict) else []
        on = {"validate": True, "completion": True, "hover": True, "schemaStore": {"enable": False}}
        return [on if item.get("section") == "yaml" else {} for item in items]

    def _send(self, message: dict[str, Any]) -> None:
        assert self.process.stdin is not None
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        self.process.stdin.flush()

    def _read(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        length = 0
        while line := self.process.stdout.readline().strip():
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        message: dict[str, Any] = json.loads(self.process.stdout.read(length))
        return message


def main(command: list[str]) -> int:
    """Open the manifest, ask, print, and judge."""
    with tempfile.TemporaryDirectory() as folder:
        uri = Path(folder, "clarifai.yaml").as_uri()
        server = Server([*command, "--stdio"])
        try:
            return check(server, uri)
        finally:
            server.process.kill()
            server.process.wait()


def check(server: Server, uri: str) -> int:
    """Return 0 where the server completes, explains and flags as it should."""
    capabilities = {"workspace": {"configuration": True}, "textDocument": {"hover": {}}}
    server.request("initialize", {"processId": None, "rootUri": None, "capabilities": capabilities})
    server.notify("initialized", {})
    text = MANIFEST.format(schema=SCHEMA.as_uri())
    document = {"uri": uri, "languageId": "yaml", "version": 1, "text": text}
    server.notify("textDocument/didOpen", {"textDocument": document})
    server.read_until(lambda _message: bool(server.diagnostics))

    def at(place: tuple[int, int]) -> dict[str, Any]:
        position = {"line": place[0], "character": place[1]}
        return {"textDocument": {"uri": uri}, "position": position}

    shown = sorted(
        f"{one['range']['start']['line'] + 1}:{one['range']['start']['character'] + 1} "
        + one["message"].splitlines()[0]
        for one in server.diagnostics
    )
    keys = labels(server.request("textDocument/completion", at(NEW_KEY)))
    values = labels(server.request("textDocument/completion", at(NEW_VALUE)))
    hover = server.request("textDocument/hover", at(A_KEY))["contents"]["value"]
    print("diagnostics:", *shown, sep="\n  ")
    print("keys after 'dyn':", *keys, sep="\n  ")
    print("values of 'type':", *values, sep="\n  ")
    print("hover over 'model':", *hover.strip().splitlines(), sep="\n  ")
    flagged = "\n".join(shown)
    good = (
        "max_batchsize" in flagged
        and "4:7 " in flagged
        and "5:9 " in flagged
        and "dynamic_batching" in keys
        and "visual-detector" in values
        and "Which Clarifai model this is" in hover
    )
    print("good" if good else "NOT as it should be")
    return 0 if good else 1


def labels(completions: dict[str, Any]) -> list[str]:
    """Return what a completion offers."""
    return sorted({item["label"] for item in completions["items"]})


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
