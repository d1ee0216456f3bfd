"""An expression of the formula language as MathML, which browsers draw without any script."""

import ast
from html import escape
from typing import Final

_SIGNS: Final[dict[type[ast.AST], str]] = {
    ast.Add: "+",
    ast.Sub: "−",
    ast.Mult: "×",
    ast.Lt: "<",
    ast.LtE: "≤",
    ast.Gt: ">",
    ast.GtE: "≥",
    ast.Eq: "=",
    ast.NotEq: "≠",
    ast.And: "∧",
    ast.Or: "∨",
    ast.Not: "¬",
    ast.USub: "−",
}


def mathml(name: str, expression: str) -> str:
    """Draw ``name = expression``; the expression is one that has been checked.

    >>> mathml("r", "2 * km")
    '<math><mi>r</mi><mo>=</mo><mrow><mn>2</mn><mo>×</mo><mi>km</mi></mrow></math>'
    """
    tree = ast.parse(" ".join(expression.split()), mode="eval").body
    return f"<math><mi>{escape(name)}</mi><mo>=</mo>{_draw(tree)}</math>"


def _draw(node: ast.AST) -> str:  # noqa: PLR0911 -- one case a kind of node
    match node:
        case ast.BinOp(op=ast.Div()):
            return f"<mfrac>{_draw(node.left)}{_draw(node.right)}</mfrac>"
        case ast.BinOp():
            return _row(_operand(node, node.left), _sign(node.op), _operand(node, node.right))
        case ast.UnaryOp():
            return _row(_sign(node.op), _bracketed(node.operand))
        case ast.BoolOp():
            return _row(*_between(_sign(node.op), [_bracketed(each) for each in node.values]))
        case ast.Compare():
            rest = [
                part
                for op, to in zip(node.ops, node.comparators, strict=True)
                for part in (_sign(op), _draw(to))
            ]
            return _row(_draw(node.left), *rest)
        case ast.IfExp():
            test = f"<mtext> if </mtext>{_draw(node.test)}"
            return _row(_draw(node.body), test, "<mtext> else </mtext>", _draw(node.orelse))
        case ast.Call():
            inside = _between("<mo>,</mo>", [_draw(each) for each in node.args])
            return _row(_draw(node.func), "<mo>(</mo>", *inside, "<mo>)</mo>")
        case ast.Constant(value=str(text)):
            return f"<mtext>{escape(text)}</mtext>"
        case _:
            kind = "mn" if isinstance(node, ast.Constant) else "mi"
            return f"<{kind}>{escape(ast.unparse(node))}</{kind}>"


def _operand(parent: ast.BinOp, child: ast.expr) -> str:
    """Bracket a sum inside a product, and the right side of a difference."""
    is_sum = isinstance(child, ast.BinOp) and isinstance(child.op, ast.Add | ast.Sub)
    needs = isinstance(parent.op, ast.Mult) or (
        isinstance(parent.op, ast.Sub) and child is parent.right
    )
    return _row("<mo>(</mo>", _draw(child), "<mo>)</mo>") if is_sum and needs else _draw(child)


def _bracketed(child: ast.expr) -> str:
    simple = isinstance(child, ast.Name | ast.Constant)
    return _draw(child) if simple else _row("<mo>(</mo>", _draw(child), "<mo>)</mo>")


def _sign(operator: ast.AST) -> str:
    return f"<mo>{escape(_SIGNS[type(operator)])}</mo>"


def _between(separator: str, parts: list[str]) -> list[str]:
    return [piece for part in parts for piece in (separator, part)][1:]


def _row(*parts: str) -> str:
    return f"<mrow>{''.join(parts)}</mrow>"
