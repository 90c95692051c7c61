"""What a field of a model means: the docstring beneath it."""

from __future__ import annotations

import ast
import inspect
import textwrap
from functools import cache
from itertools import pairwise

from pydantic import BaseModel


def meaning_of(model: type[BaseModel], field: str) -> str:
    """The docstring beneath a field, of the class itself or the nearest one it inherits from; empty where there is none.

    Read from the source when first asked for: having every model carry its docstrings would slow down each import of it.
    """
    return next((found for kind in model.__mro__ if (found := _docstrings(kind).get(field))), "")


@cache
def _docstrings(kind: type) -> dict[str, str]:
    if not issubclass(kind, BaseModel) or kind is BaseModel:
        return {}
    source = ast.parse(textwrap.dedent(inspect.getsource(kind))).body[0]
    assert isinstance(source, ast.ClassDef)
    return {
        field.target.id: inspect.cleandoc(text.value.value)
        for field, text in pairwise(source.body)
        if isinstance(field, ast.AnnAssign)
        and isinstance(field.target, ast.Name)
        and isinstance(text, ast.Expr)
        and isinstance(text.value, ast.Constant)
        and isinstance(text.value.value, str)
    }
