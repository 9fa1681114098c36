"""Manifests of up to a megabyte that are no manifests: each would be slow to judge by some way."""

from __future__ import annotations

from collections.abc import Iterable

SIZE = 1024 * 1024
_TEXT = "model: {id: a, type: text-to-text}\n"
_CLASSES = "model: {{id: a, type: visual-classifier, labels: {}}}\n"
_COUNT = 49_000  # of values: just what is allowed


def _text(part: str, size: int = SIZE - 200) -> str:
    return part * (size // len(part))


def _list(items: Iterable[str]) -> str:
    return "[" + ",".join(items) + "]"


def _numbered(form: str, count: int = _COUNT) -> Iterable[str]:
    return (form % number for number in range(count))


def _odd_text(text: str) -> str:
    return f"{_TEXT}x: '{text}'\n"


def odd_manifests() -> dict[str, str]:
    """Return the manifests by what is odd about them."""
    return {**_values(), **_structures(), **_lists(), **_fields(), **_rules()}


def _values() -> dict[str, str]:
    """One value of a megabyte, made to take the square of its length somewhere."""
    parts = ("://", "://@", "a:b@", "a:", "-----BEGIN A", "0123456789abcdef", " ", "ghp_", "\t")
    return {
        **{f"text of {part!r}": _odd_text(_text(part)) for part in parts},
        "number": f"{_TEXT}version: {_text('9')}\n",
        "almost a number": f"{_TEXT}version: {_text('1')}.x\n",
        "number in quotes": f"{_TEXT}triton: {{max_batch_size: '{_text('9')}'}}\n",
        "null characters": f'{_TEXT}x: "{_text(chr(92) + "0")}"\n',
        "folded": f"{_TEXT}x: >\n" + _text("  a\n"),
        "plain lines": f"{_TEXT}x: a\n" + _text("  a\n"),
        "open quotes": f'{_TEXT}x: "' + _text('\\"'),
    }


def _structures() -> dict[str, str]:
    """What a parser may go through many times."""
    return {
        "brackets": f"{_TEXT}x: {_text('[')}",
        "braces": f"{_TEXT}x: {_text('{a: ')}",
        "questions": _TEXT + _text("? "),
        "dashes": f"{_TEXT}x:\n{_text('- ')}",
        "documents": _text("---\n"),
        "directives": "".join(_numbered("%%TAG !a%d! x\n", 60_000)) + "---\n" + _TEXT,
        "comments": _TEXT + _text("# x\n"),
        "blank lines": _text("\n") + _TEXT,
        "anchors": f"{_TEXT}x: {_list(_numbered('&a%d b'))}\n",
        "tags": f"{_TEXT}x: {_list(['!a b'] * _COUNT)}\n",
        "aliases of aliases": "a0: &a0 [x,x,x,x,x,x,x,x,x]\n"
        + "".join(f"a{n}: &a{n} {_list([f'*a{n - 1}'] * 9)}\n" for n in range(1, 20)),
        "aliases of a long text": f"x: &a '{_text('y', 300_000)}'\n"
        + _CLASSES.format(_list(["*a"] * 40_000)),
        "long key": f"{_TEXT}? {_text('k')}\n: 1\n",
        "long key above many": f"{_TEXT}weights:\n- {{? '{_text('k', SIZE // 2)}' : 1}}\n"
        + "- {}\n" * 15_000,
        "too many values": _TEXT + "".join(_numbered("k%d: 1\n", 95_000)),
    }


def _lists() -> dict[str, str]:
    """As many problems, or values, as there can be."""
    unknown = ", ".join(_numbered("k%d: 1", 10_000))
    return {
        "unknown keys on one line": f"{{{_TEXT.strip()}, {unknown}}}\n",
        "unknown keys": _TEXT + "".join(_numbered("k%d: 1\n")),
        "duplicate keys": _TEXT + "a: 1\n" * (_COUNT // 2),
        "labels": _CLASSES.format(_list(_numbered("l%d"))),
        "duplicate labels": _CLASSES.format(_list(["l"] * _COUNT)),
        "tokens": f"{_TEXT}x: {_list(_numbered('%032x', 29_000))}\n",
        "weights": f"{_TEXT}weights:\n"
        + "".join(f"- {{to: a{n}, from: b{n}, sha256: {'a' * 64}}}\n" for n in range(10_200)),
        "short weights": f"{_TEXT}weights: {_list(_numbered('{to: a%d,from: b}', 16_000))}\n",
        "empty weights": f"{_TEXT}weights: {_list(['{}'] * _COUNT)}\n",
        "weights by reference": f"{_TEXT}weights:\n"
        + "".join(_numbered("- {to: a%d, from: '${env:CLARIFAI_A}'}\n", 15_000)),
        "parameters": f"{_TEXT}params: {_list(_numbered('{name: a%d, type: string}', 16_000))}\n",
        "wrong parameters": f"{_TEXT}params: {_list(['{name: a, type: b}'] * 16_000)}\n",
        "batch sizes": f"{_TEXT}triton: {{dynamic_batching: {{preferred_batch_size: "
        + _list(_numbered("%d"))
        + "}}\n",
    }


def _fields() -> dict[str, str]:
    """Fields with a form, and a megabyte that almost has it."""
    return {
        "address with a blank": f"{_TEXT}storage: {{endpoint_url: 'http://{_text('a')} '}}\n",
        "users in an address": f"{_TEXT}clarifai: {{api_base: '{_text('a@')}'}}\n",
        "bucket": f"{_TEXT}storage: {{bucket: '{_text('a.-')}'}}\n",
        "open references": f"{_TEXT}storage: {{bucket: '{_text('${env:A:-')}'}}\n",
        "open references to an id": f"{_TEXT}clarifai: {{user_id: '{_text('${env:')}'}}\n",
        "references": f"{_TEXT}storage: {{bucket: '{_text('${env:CLARIFAI_X}')}'}}\n",
        "deep target": f"{_TEXT}weights: [{{to: '{_text('a/')}b', from: b}}]\n",
        "deep targets": f"{_TEXT}weights:\n"
        + "".join(f"- {{to: {n}/{'a/' * 30}{'b' * 900}, from: b}}\n" for n in range(1000)),
        "deep source": f"{_TEXT}weights: [{{to: b, from: '{_text('a/')}b'}}]\n",
        "deep folder": f"{_TEXT}code: {{path: '{_text('a/')}b'}}\n",
        "deep labels": _CLASSES.format(f"'{_text('../')}b'"),
    }


def _rules() -> dict[str, str]:
    """Rules of code.exclude, which become one expression."""
    rules = {
        "rules": _list(_numbered("a%d")),
        "rules with wildcards": _list(_numbered("'**/a%d*'", 1_600)),
        "rule of stars": f"['{_text('a*')}']",
        "rules of stars": _list([f"'{'*a' * 2040}'"] * 250),
        "rule of spaces": f"['{_text(' ')}x']",
        "rules of brackets": _list([f"'{'[[:print:]]' * 300}'"] * 300),
        "rules in one item": '["' + _text("a\\n") + '"]',
    }
    return {what: f"{_TEXT}code: {{exclude: {text}}}\n" for what, text in rules.items()}
