"""Runs the Python that a page shows: snippets.py PAGE PROJECT_ADDRESS SUITE_ADDRESS. All blocks run one after the other, as one program would; the
page's only address stands for a project's model, or, in a block that names it, for that of the model `suite`. An expression whose comment begins with
a value has to be that value.
"""

import ast
import re
import sys

ADDRESS = "tcp://127.0.0.1:5200"
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def wanted(line: str) -> list:
    """The value that a comment tells, if it does."""
    _, mark, comment = line.partition("  # ")
    try:
        return [ast.literal_eval(comment.split(";")[0])] if mark else []
    except (SyntaxError, ValueError):
        return []


def play(block: str, names: dict, place: str) -> int:
    """Runs a block; how many values it told."""
    told = 0
    for statement in ast.parse(block, place).body:
        if isinstance(statement, ast.Expr):
            value = eval(compile(ast.Expression(statement.value), place, "eval"), names)
            for one in wanted(block.splitlines()[statement.end_lineno - 1]):
                assert value == one, f"{place}: {ast.unparse(statement)} is {value!r}, not {one!r}"
                told += 1
        else:
            exec(compile(ast.Module([statement], []), place, "exec"), names)
    return told


def main() -> None:
    page, project, suite = sys.argv[1:]
    with open(page, encoding="utf-8") as file:
        text = file.read()
    names: dict = {}
    told = 0
    blocks = BLOCK.findall(text)
    for number, block in enumerate(blocks):
        address = suite if 'model="suite"' in block else project
        told += play(block.replace(ADDRESS, address), names, f"block {number} of {page}")
    print(f"{len(blocks)} blocks, {told} values")


main()
