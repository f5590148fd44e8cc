"""The language of formulas: names, whole numbers, ``+ - *`` and brackets, in exact fractions.

``area * (rate * kind)`` is what a file says; ``written`` shows it with the numbers in place.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from fractions import Fraction
from typing import Annotated, Final, NamedTuple

from pydantic import AfterValidator, Field

from shared.text import bad_value, msg

_NAME: Final = re.compile(r"[a-z][a-z0-9_]*")
_UNSOUND: Final = msg("This is not a formula of names, whole numbers, +, -, * and brackets.")


class Value(NamedTuple):
    """A term's number, and how it is written in a calculation."""

    number: Fraction
    text: str


def _sound(text: str) -> str:
    """Return a formula as it is when it has nothing but what the language knows."""
    try:
        tree = ast.parse(text, mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
        raise bad_value(_UNSOUND) from error
    if not all(map(_known, ast.walk(tree))):
        raise bad_value(_UNSOUND)
    return text


def _known(node: ast.AST) -> bool:
    match node:
        case ast.Constant(value=value):
            return type(value) is int
        case ast.Name(id=name):
            return _NAME.fullmatch(name) is not None
        case _:
            return isinstance(node, ast.BinOp | ast.Add | ast.Sub | ast.Mult | ast.Load)


Formula = Annotated[str, Field(max_length=300), AfterValidator(_sound)]
"""A formula that was checked."""


def names(formula: Formula) -> set[str]:
    """Return the names that a formula uses."""
    return {node.id for node in ast.walk(ast.parse(formula)) if isinstance(node, ast.Name)}


def evaluate(formula: Formula, values: Mapping[str, Value]) -> Fraction:
    """Return what a formula comes to; every name has a value."""
    return _number(ast.parse(formula, mode="eval").body, values)


def _number(node: ast.expr, values: Mapping[str, Value]) -> Fraction:
    match node:
        case ast.Constant(value=int(number)):
            return Fraction(number)
        case ast.Name(id=name):
            return values[name].number
        case ast.BinOp(left=left, op=sign, right=right):
            one, other = _number(left, values), _number(right, values)
            if isinstance(sign, ast.Mult):
                return one * other
            return one + other if isinstance(sign, ast.Add) else one - other
        case _:
            raise AssertionError(f"no formula has {type(node).__name__}")


def written(formula: Formula, values: Mapping[str, Value]) -> str:
    """Return a formula with the numbers in the places of the names."""
    return _NAME.sub(lambda found: values[found[0]].text, formula).replace("*", "×")
