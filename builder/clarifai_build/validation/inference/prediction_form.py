"""Whether `get_predictions` returns one output or a list, as its code shows without running."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from clarifai_build.util.python_code import children_of

Form = Literal["item", "list"]

METHOD = "get_predictions"
_SEQUENCES = (ast.List, ast.ListComp, ast.GeneratorExp, ast.Tuple)
_MAKE_LISTS = frozenset(("list", "map", "tuple"))
_OUTPUTS = frozenset(
    (
        *("ClassifierOutput", "EmbeddingOutput", "ImageOutput"),
        *("MasksOutput", "TextOutput", "VisualDetectorOutput"),
        "return_type",  # config.inference.return_type, which is one of them.
    )
)
_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)


@dataclass(frozen=True, slots=True)
class Returned:
    """The form that `get_predictions` returns, and where it stands."""

    form: Form
    line: int
    column: int


def returned_form(module: ast.Module) -> Returned | None:
    """Return the form that all of the model's return statements agree on; None where it is open."""
    methods = _methods(module)
    if METHOD not in methods:
        return None
    found = list(_returned(METHOD, methods, frozenset()))
    form = _agreed(form for form, _ in found)
    if form is None:
        return None
    place = found[0][1]
    return Returned(form, place.lineno, place.col_offset + 1)


def annotated_form(module: ast.Module) -> Form | None:
    """Return "list" where the method's annotations say so, as clarifai 9.11 wrote them."""
    method = _methods(module).get(METHOD)
    if method is None:
        return None
    annotations = [method.returns, *(argument.annotation for argument in method.args.args)]
    return "list" if any(_is_list(each) for each in annotations if each) else None


def _is_list(annotation: ast.expr) -> bool:
    return ast.unparse(annotation).rpartition(".")[2].lower().startswith("list")


def _methods(module: ast.Module) -> dict[str, ast.FunctionDef]:
    return {
        method.name: method
        for node in module.body
        if isinstance(node, ast.ClassDef) and node.name == "InferenceModel"
        for method in node.body
        if isinstance(method, ast.FunctionDef)
    }


def _returned(
    name: str, methods: dict[str, ast.FunctionDef], callers: frozenset[str]
) -> Iterator[tuple[Form | None, ast.stmt | ast.expr]]:
    """Yield what each return of a method gives, through the methods of its own that it calls."""
    body = list(_own_nodes(methods[name]))
    for node in body:
        if isinstance(node, (ast.Yield, ast.YieldFrom)):
            yield "list", node
        elif isinstance(node, ast.Return) and node.value is not None:
            called = _own_method(node.value)
            if called in methods and called not in callers | {name}:
                inner = _returned(called, methods, callers | {name})
                yield _agreed(form for form, _ in inner), node
            else:
                yield _form(node.value, body), node


def _form(value: ast.expr, body: list[ast.AST]) -> Form | None:
    """Say what an expression is; a name is what is assigned to it in the same function."""
    if isinstance(value, _SEQUENCES):
        return "list"
    if isinstance(value, ast.Call):
        name = getattr(value.func, "attr", getattr(value.func, "id", ""))
        return "list" if name in _MAKE_LISTS else "item" if name in _OUTPUTS else None
    if isinstance(value, ast.IfExp):
        return _agreed(_form(each, body) for each in (value.body, value.orelse))
    if isinstance(value, ast.Name):
        return _agreed(_form(each, []) for each in _assigned(value.id, body))
    return None


def _agreed(forms: Iterable[Form | None]) -> Form | None:
    found = set(forms)
    return found.pop() if len(found) == 1 else None


def _assigned(name: str, body: list[ast.AST]) -> Iterator[ast.expr]:
    for node in body:
        if isinstance(node, ast.Assign):
            targets = node.targets
        elif isinstance(node, ast.AnnAssign):
            targets = [node.target]
        else:
            continue
        if node.value and any(isinstance(each, ast.Name) and each.id == name for each in targets):
            yield node.value


def _own_method(value: ast.expr) -> str:
    """Return the name in `self.name(…)`."""
    if isinstance(value, ast.Call) and isinstance(value.func, ast.Attribute):
        owner = value.func.value
        if isinstance(owner, ast.Name) and owner.id == "self":
            return value.func.attr
    return ""


def _own_nodes(function: ast.AST) -> Iterator[ast.AST]:
    """Yield the nodes of a function without those of functions and classes inside it."""
    for child in children_of(function):
        if not isinstance(child, _SCOPES):
            yield child
            yield from _own_nodes(child)
