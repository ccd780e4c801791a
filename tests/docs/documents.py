"""The documents of the tree: their fenced blocks, headings, links and code spans.

A line `<!-- not run: reason -->` before a block keeps tests from running it; `<!-- run with: OPTION... -->` gives options to
its `ketsweep run`, `cohort` and `trial`, so that what takes a reader minutes takes a test seconds.
"""
import dataclasses
import pathlib
import re

TOP = pathlib.Path(__file__).resolve().parent.parent.parent
FOREIGN = {"build", "vendor", "node_modules"}  # folders of what is not ours
RUNNABLE = ("sh", "python", "r")
HEAVY = re.compile(r"\bketsweep (run|cohort|trial) ")


@dataclasses.dataclass
class Block:
    """A fenced block: language as written, "" for output; the line of its opening fence."""

    language: str
    text: str
    line: int
    not_run: str = ""
    run_with: str = ""

    def commands(self):
        """(line, command) of each line of a shell's block, without its comment."""
        lines = [re.split(r"(?:^| )#", line)[0].strip() for line in self.text.splitlines()]
        return [(self.line + i, line) for i, line in enumerate(lines, 1) if line]

    def script(self):
        """What a test runs: the text, with `run_with` behind each command that it is for."""
        if not self.run_with:
            return self.text
        lines = []
        for line in self.text.splitlines():
            command, mark, comment = line.partition("  #")
            if HEAVY.search(command):
                command = f"{command.rstrip()} {self.run_with}"
            lines.append(command + mark + comment)
        return "\n".join(lines) + "\n"


class Document:
    """One Markdown file."""

    def __init__(self, name, text=None):
        self.name = name
        self.folder = (TOP / name).parent
        self.text = (TOP / name).read_text() if text is None else text
        self.blocks, self.prose = split(self.text)

    def anchors(self):
        """The anchors that GitHub makes of the headings; of equal ones the first."""
        headings = re.findall(r"^#+ +(.*?)\s*$", self.prose, re.MULTILINE)
        return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}

    def links(self):
        """(line, target) of every link and picture."""
        return [(self.prose.count("\n", 0, found.start()) + 1, found.group(1))
                for found in re.finditer(r"\]\(([^()\s]+)\)", self.prose)]

    def spans(self):
        """(line, text) of every code span, and of every command in a block, without its comment."""
        found = [(self.prose.count("\n", 0, span.start()) + 1, " ".join(span.group(1).split()))
                 for span in re.finditer(r"`([^`]+)`", self.prose)]
        for block in self.blocks:
            if block.language == "sh":
                found += block.commands()
        return found


def split(text):
    """Blocks, and the text with blocks and comments emptied so that lines keep their numbers."""
    blocks, prose, marks, block, fence = [], [], {}, None, ""
    for number, line in enumerate(text.splitlines(), 1):
        opening = re.fullmatch(r"\s*(```+)(\w*)\s*", line)
        comment = re.fullmatch(r"<!-- (not run|run with): (.+?) -->\s*", line)
        if block is not None:
            if line.strip() == fence:
                blocks.append(block)
                block = None
            else:
                block.text += line + "\n"
        elif opening:
            fence = opening.group(1)
            block = Block(opening.group(2), "", number, **marks)
            marks = {}
        elif comment:
            marks[comment.group(1).replace(" ", "_")] = comment.group(2)
        elif line.strip():
            marks = {}
        prose.append("" if block is not None or opening or comment or line.strip() == fence else line)
    if block is not None:
        raise ValueError(f"the block that begins in line {block.line} never ends")
    return blocks, "\n".join(prose) + "\n"


def all_documents():
    """Every document of the tree, by name."""
    names = sorted(str(path.relative_to(TOP)) for path in TOP.glob("**/*.md"))
    return [Document(name) for name in names if not FOREIGN & set(pathlib.Path(name).parts)]
