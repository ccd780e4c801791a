"""Reads the equations of src/model/README.md as a program.

In its blocks a space between two names is a product, `x'` a rate, `x(0)` a value at the start of treatment, a line that
begins with blanks goes on with the one above. `# p = a, b` behind an equation repeats it with a, then b for p.
"""
import math
import re

INPUTS = {"infusion(iv)": "infusion_central", "infusion(other routes)": "infusion_depot", "session(t)": "session",
          "dosing(t)": "dosing"}
FUNCTIONS = {"ln": math.log, "exp": math.exp, "sqrt": math.sqrt}
TOKEN = re.compile(r"\s*(?:(\d+\.?\d*(?:e[+-]?\d+)?)|([A-Za-z]\w*)|([-+/()]|\*\*))")


def statements(block):
    """(left, right, comment) of each equation of a block."""
    equations = []
    for line in block.splitlines():
        code, _, comment = line.partition("#")
        if line.startswith(" ") and equations:
            equations[-1][1] += " " + code.strip()
        elif " = " in code:
            left, _, right = code.partition(" = ")
            equations.append([left.strip(), right.strip(), comment.strip()])
    return equations


def plain(text):
    """Names that a program can have."""
    for words, name in INPUTS.items():
        text = text.replace(words, name)
    text = re.sub(r"\b(\w+)\(0\)", r"\1_at_0", text)
    return re.sub(r"\b(\w+)\*", r"\1_star", text).replace("'", "_prime").replace("^", "**")


def expression(text, functions):
    """An expression in Python, with the products written out."""
    words, was_operand, at = [], False, 0
    text = plain(text).strip()
    while at < len(text):
        token = TOKEN.match(text, at)
        if token is None:
            raise ValueError(f"cannot read {text[at:]!r} in {text!r}")
        at = token.end()
        number, name, sign = token.groups()
        if was_operand and (number or name or sign == "("):
            words.append("*")
        words.append(number or name or sign)
        was_operand = bool(number) or bool(name and name not in functions) or sign == ")"
    return " ".join(words)


class Equations:
    """Every equation of some blocks: left side -> expression."""

    def __init__(self, blocks):
        self.functions, self.right = dict(FUNCTIONS), {}
        for block in blocks:
            for left, right, comment in statements(block):
                repeated = re.match(r"(\w) = ([\w, ]+)$", comment)
                for name in repeated.group(2).split(", ") if repeated else [None]:
                    self.add(*(self.put(repeated.group(1), name, side) for side in (left, right)) if name else (left, right))

    @staticmethod
    def put(letter, name, text):
        return re.sub(rf"(?<![A-Za-z0-9]){letter}(?![A-Za-z0-9])", name, text)

    def add(self, left, right):
        function = re.fullmatch(r"(\w+)\(([a-z])\)", left)
        if function:
            code = compile(expression(right, self.functions), left, "eval")
            self.functions[function.group(1)] = lambda x: eval(code, {**self.functions, function.group(2): x})
            return
        left = plain(left)
        if left in self.right:
            raise ValueError(f"{left} has two equations")
        self.right[left] = compile(expression(right, self.functions), left, "eval")

    def names(self, left):
        """What an equation reads, without functions."""
        return {re.sub("_at_0$", "", name) for name in self.right[left].co_names} - set(self.functions)

    def value(self, left, known):
        """The value of a left side; `known` holds what is given, and keeps what is found."""
        if left not in known:
            space = {name: self.value(name, known) for name in self.right[left].co_names if name not in self.functions}
            known[left] = eval(self.right[left], {**self.functions, **space})
        return known[left]
