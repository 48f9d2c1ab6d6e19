"""Pairs from one source file: comments, symbols, messages and tests with the code they speak of."""
import random
import re
from .clean import LICENCE_WORDS, clean_text, split_words
from .source import C_STYLE, DASH, HASH, document_header

MAX_DOCUMENT = 1_500  # characters, as a chunk in the product
MAX_BODY_LINES = 45
DEFINITION = re.compile(
    r"^\s*(?:(?:export|default|public|private|protected|internal|static|final|abstract|async|override|virtual|sealed|open|inline|suspend|"
    r"unsafe|extern|const|pub(?:\([^)]*\))?|local|partial|readonly|data|case|implicit|lazy|mutating|required|convenience|operator)\s+)*"
    r"(?:def|defp|defmacro|defmodule|defprotocol|defimpl|func|fn|fun|function|class|struct|enum|trait|interface|impl|type|module|object|protocol|extension|"
    r"namespace|record|sub|union|macro_rules!)(?=[\s(<])\s*(?:\([^)]*\)\s*|<[^>]*>\s*)?(?:self\.)?([A-Za-z_][\w.:?!]*)")
CALLABLE = re.compile(r"^\s*(?:[\w<>\[\],.*&:?@]+\s+)*[*&]?([A-Za-z_]\w+)\s*(?:=\s*(?:async\s*)?(?:function\b|\([^()]*\)\s*=>)|\([^;]*\)?\s*(?:throws [\w., ]+|const|noexcept|:.*)?\{?\s*$)")
BINDING = re.compile(r"^(?:export\s+)?(?:const|let|var|val|pub const|static|local)\s+(?:mut\s+)?([A-Za-z_]\w{2,})")
NOT_A_NAME = {"if", "for", "while", "switch", "catch", "return", "else", "elif", "match", "with", "new", "throw", "assert", "do", "try", "when",
              "unless", "case", "in", "and", "or", "not", "end", "then", "foreach", "using", "lock", "sizeof", "await", "yield", "super", "for_", "self"}
CLOSING = re.compile(r"^\s*([)}\]>]|end\b|else\b|elif\b|rescue\b|ensure\b|except\b|finally\b|catch\b|done\b|fi\b|esac\b|\{|where\b|then\b|do\b)")
TEST_CALL = re.compile(r"^\s*(?:it|test|describe|specify|context|feature|scenario|should|property|@Test|TEST_CASE|SECTION)\b[^\"'`]{0,24}[\"'`](.{8,140}?)[\"'`]")
TEST_NAME = re.compile(r"(?:^|[^\w])(?:[Tt]est_?|should_?)([A-Za-z]\w{8,})|fun `([^`]{8,120})`")
TEST_PATH = re.compile(r"(^|[/_.-])(tests?|specs?|__tests__|testing|testsuite)([/_.-]|$)|Tests?\.\w+$|Spec\.\w+$|^test", re.I)
MESSAGE = re.compile(r"[\"'`]((?:[A-Za-z%{}$'/,.:()-]+ ){3,}[A-Za-z%{}$'/,.:()-]+)[\"'`]")
PYTHON_DOC = re.compile(r"^\s*[rRuUbB]{0,2}(\"\"\"|''')")
ELIXIR_DOC = re.compile(r"^\s*@(?:module|type)?doc\s+(?:~[sS])?(\"\"\"|\")")


def indent_of(line):
    return len(line) - len(line.lstrip())


def strip_comment(line):
    return re.sub(r"^\s*(///?|//!|/\*[*!]?|\*/|\*|#+!?|--+\|?|\{-\|?|%+)\s?|\s*\*/\s*$|\s*-\}\s*$", "", line)


def comment_blocks(lines, style):
    """[(first line, one past the last, text)] of the comment blocks that stand on lines of their own."""
    starts = {C_STYLE: ("//", "/*"), HASH: ("#",), DASH: ("--", "{-")}.get(style, ())
    out, at = [], 0
    while at < len(lines):
        text = lines[at].lstrip()
        end = None
        triple = style == HASH and (PYTHON_DOC.match(text) or ELIXIR_DOC.match(text))
        if triple:
            mark = triple.group(1)
            rest = text[triple.end():]
            end = at + 1
            if mark not in rest and mark != '"':
                while end < len(lines) and mark not in lines[end] and end - at < 120:
                    end += 1
                end += 1
            body = "\n".join([rest, *lines[at + 1:end]]).replace(mark, "")
        elif text.startswith(("/*", "{-")) and style in (C_STYLE, DASH):
            close = "*/" if style == C_STYLE else "-}"
            end = at
            while end < len(lines) and close not in lines[end] and end - at < 120:
                end += 1
            end += 1
            body = "\n".join(strip_comment(line) for line in lines[at:end])
        elif starts and text.startswith(starts) and not text.startswith(("#!", "#include", "#define", "#if", "#end", "#el", "#pragma", "#undef")):
            end = at
            while end < len(lines) and lines[end].lstrip().startswith(starts[0]):
                end += 1
            end = max(end, at + 1)
            body = "\n".join(strip_comment(line) for line in lines[at:end])
        if end is None:
            at += 1
            continue
        out.append((at, min(end, len(lines)), body))
        at = end
    return out


def block_end(lines, start):
    """One past the last line of the block that starts here: its deeper lines, its closing line, or a run of statements."""
    base, deeper = indent_of(lines[start]), False
    at = start + 1
    while at < min(len(lines), start + MAX_BODY_LINES):
        line = lines[at]
        if line.strip():
            depth = indent_of(line)
            if depth > base:
                deeper = True
            elif depth < base or not CLOSING.match(line) and (deeper or not lines[at - 1].strip()):
                break
        at += 1
    while at > start + 1 and not lines[at - 1].strip():
        at -= 1
    return at


def definitions(lines):
    """[(line, indentation, name)] of what looks like a definition."""
    out = []
    for at, line in enumerate(lines):
        if len(line) > 300 or not line.strip():
            continue
        match = DEFINITION.match(line) or CALLABLE.match(line) or BINDING.match(line)
        if match and match.group(1) not in NOT_A_NAME and len(match.group(1)) > 2:
            out.append((at, indent_of(line), match.group(1)))
    return out


def enclosing_path(defs, line, depth):
    """'Router.match': names of the (at most two) innermost definitions around a line of that indentation."""
    names = []
    for at, indent, name in reversed(defs):
        if at < line and indent < depth:
            names.append(name)
            depth = indent
        if depth == 0 or len(names) == 2:
            break
    return ".".join(reversed(names))


def window(lines, start, end, hidden, rng):
    """Text of the block, half of the time with the lines around it up to a chunk's size, without the hidden lines."""
    if rng.random() < 0.5:
        size = sum(len(line) + 1 for line in lines[start:end])
        before = rng.randint(0, max(0, MAX_DOCUMENT - size))
        while start > 0 and before > 0:
            start -= 1
            before -= len(lines[start]) + 1
        while end < len(lines) and size < MAX_DOCUMENT:
            size += len(lines[end]) + 1
            end += 1
    return "\n".join(line for at, line in enumerate(lines[start:end], start) if at not in hidden)[:MAX_DOCUMENT]


def mine_file(path, text, style, rng):
    """[(kind, query, document)] of a source file."""
    lines = text.split("\n")
    if not lines or max(map(len, lines)) > 2_000:
        return []
    defs = definitions(lines)
    names = {at: name for at, _, name in defs}
    is_test = bool(TEST_PATH.search(path))
    pairs = []

    def add(kind, query, start, end, hidden=(), header=True):
        symbol = enclosing_path(defs, start, indent_of(lines[start]))
        body = window(lines, start, end, set(hidden), rng)
        if query and len(body) > 60:
            pairs.append((kind, query, (document_header(path, symbol) if header else "") + body))

    for start, end, comment in comment_blocks(lines, style):
        if start < 3 and LICENCE_WORDS.search(comment):
            continue
        query = clean_text(comment)
        if not query:
            continue
        inside = PYTHON_DOC.match(lines[start].lstrip()) and start > 0
        target = start - 1 if inside else end
        if inside:
            while target > 0 and target not in names and start - target < 12:
                target -= 1
        while target < len(lines) and not lines[target].strip():
            target += 1
        if target >= len(lines):
            continue
        if start < 4 and not inside:  # the file's own comment: any part of the file is meant
            at = rng.randrange(end, len(lines)) if end < len(lines) else 0
            add("file", query, at, min(len(lines), at + 30), range(start, end))
        kind = "doc" if any(at in names for at in range(target, target + 3)) else "comment"
        add(kind, query, target, max(block_end(lines, target), end if inside else 0), range(start, end))
    for at, indent, name in defs:
        end = block_end(lines, at)
        if end - at < 3:
            continue
        choice = rng.random()
        if not is_test and choice < 0.25:
            add("symbol", name if rng.random() < 0.4 else split_words(name), at, end)
        elif not is_test and choice < 0.35:  # the name hidden: learn what its body is about
            add("symbol", split_words(name), at, end, [at], header=False)
        elif choice < 0.38:
            stem = path.rsplit(".", 1)[0].split("/")
            add("path", split_words(" ".join(stem[-2:])), at, end, header=False)
    for at, line in enumerate(lines):
        test = TEST_CALL.match(line)
        name = TEST_NAME.search(line) if is_test and at in names else None
        if test or name:
            query = clean_text(test.group(1) if test else split_words(name.group(1) or name.group(2)))
            add("test", query, min(at + 1, len(lines) - 1), block_end(lines, at), [at])
        elif not is_test:
            message = MESSAGE.search(line)
            query = message and clean_text(message.group(1), 4)
            if query:
                owner = next((d for d, indent, _ in reversed(defs) if d <= at and indent < indent_of(line)), max(0, at - 8))
                add("message", query, owner, min(at + 8, len(lines)), [at])
    return pairs
