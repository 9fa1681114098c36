"""Which model types a user's code names for the SDK of clarifai 9.x. It is read, never run."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from clarifai_build.model_types import MODEL_TYPES
from clarifai_build.util.python_code import nodes_of

_MAKER = "get_model_config"
_KEYWORD = "model_type"
_MEMBERS = "ModelTypes"


class Declared(NamedTuple):
    """A type that the code names, and the expression that does."""

    type: str
    node: ast.expr


def declared_types(module: ast.Module) -> Iterator[Declared]:
    """Yield what calls of get_model_config name, in each form that the SDK's users write.

    `get_model_config("text-to-text")`, `get_model_config(ModelTypes.text_to_text)`, either by
    keyword or through a name that is assigned once.
    """
    nodes = nodes_of(module)
    assigned, makers = _assigned(nodes), _names_of(_MAKER, nodes)
    members = _names_of(_MEMBERS, nodes)
    for node in nodes:
        if not isinstance(node, ast.Call) or _name(node.func) not in makers:
            continue
        given = [*node.args[:1], *(word.value for word in node.keywords if word.arg == _KEYWORD)]
        for argument in given:
            known = assigned.get(argument.id) if isinstance(argument, ast.Name) else argument
            if known is not None and (name := _type_named(known, members)):
                yield Declared(name, argument)


def decorating_types(module: ast.Module) -> Iterator[str]:
    """Yield types whose decorators are used, or else imported: `@visual_detector` in clarifai 9.7.

    The SDK keeps them in a module `model_types`.
    """
    functions = (node for node in ast.walk(module) if isinstance(node, ast.FunctionDef))
    names = [_name(decorator) for function in functions for decorator in function.decorator_list]
    used = [name for name in map(_hyphened, names) if name in MODEL_TYPES]
    yield from used or _imported_decorators(module)


def _imported_decorators(module: ast.Module) -> Iterator[str]:
    for node in ast.walk(module):
        if isinstance(node, ast.ImportFrom) and (node.module or "").endswith("model_types"):
            names = (_hyphened(alias.name) for alias in node.names)
            yield from (name for name in names if name in MODEL_TYPES)


def _type_named(node: ast.expr, members: frozenset[str]) -> str | None:
    """Return the type that a literal or a member of ModelTypes names."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else None
    # ModelTypes.x and ModelTypes["x"]; in ModelTypes("x") it is the argument.
    if isinstance(node, ast.Attribute) and _name(node.value) in members:
        return _hyphened(node.attr)
    if isinstance(node, ast.Subscript) and _name(node.value) in members:
        return _hyphened(_type_named(node.slice, members) or "")
    if isinstance(node, ast.Call) and _name(node.func) in members and node.args:
        return _type_named(node.args[0], members)
    return None


def _assigned(nodes: Iterable[ast.AST]) -> Mapping[str, ast.expr | None]:
    """Return what each name of the module stands for; None where that depends."""
    found: dict[str, ast.expr | None] = {}
    for node in nodes:
        value = node.value if isinstance(node, (ast.Assign, ast.AnnAssign)) else None
        targets = node.targets if isinstance(node, ast.Assign) else []
        targets = [node.target] if isinstance(node, ast.AnnAssign) else targets
        for target in targets:
            if isinstance(target, ast.Name):
                found[target.id] = None if target.id in found else value
    return found


def _names_of(name: str, nodes: Iterable[ast.AST]) -> frozenset[str]:
    """Return what a name of the SDK is called here: itself, and what imports rename it to."""
    imports = (node for node in nodes if isinstance(node, ast.ImportFrom))
    aliases = (alias for node in imports for alias in node.names if alias.name == name)
    return frozenset({name, *(alias.asname for alias in aliases if alias.asname)})


def _name(node: ast.expr) -> str:
    """Return the last part of a dotted name; of a call, of what is called."""
    if isinstance(node, ast.Call):
        node = node.func
    return getattr(node, "attr", getattr(node, "id", ""))


def _hyphened(name: str) -> str:
    return name.replace("_", "-")
