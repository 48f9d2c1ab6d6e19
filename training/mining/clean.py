"""Turn comments, commit subjects and headings into queries a person could have typed."""
import re

LICENCE_WORDS = re.compile(
    r"copyright|licen[cs]ed?\b|spdx|all rights reserved|permission is hereby|(auto\w*|is|code) generated|@generated|do not edit|warrant(y|ies)|redistribut|@author|\(c\) 20\d\d", re.I)
DROPPED = re.compile(r"^(todo|fixme|xxx|hack|nolint|eslint|prettier|istanbul|noinspection|pylint|noqa|type:|ts-ignore|@ts-|"
                     r"rubocop|clang-format|go:|region|endregion|swiftlint|credo|phpcs|codecov|pragma|vim:|-\*-|#!|sourceMapping)", re.I)
TAG_LINE = re.compile(r"^\s*([@\\](param|return|returns|throws|exception|see|since|author|type|template|internal|api|private|public|"
                      r"protected|deprecated|version|package|var|property|method|class|example|default|access|copyright|license|link|group|"
                      r"covers|dataProvider|test|psalm|phpstan|typeparam|tparam|brief|note)\b|:(param|type|returns?|rtype|raises)\b|"
                      r"(Args|Arguments|Returns?|Raises|Parameters|Examples?|Yields|Usage|Throws)\s*:?\s*$|>>>|-{3,}|={3,}|#+ (examples?|panics|errors|safety))", re.I)
MARKUP = [
    (re.compile(r"<see(?:also)?\s+\w+=\"(?:[A-Z]:)?([^\"]+)\"\s*/?>"), r"\1"), (re.compile(r"\{@\w+\s+([^}]*)\}"), r"\1"),
    (re.compile(r"</?[a-zA-Z][^<>]{0,80}>"), " "), (re.compile(r"!?\[([^\]]*)\](\([^)]*\)|\[[^\]]*\])?"), r"\1"),
    (re.compile(r":\w+:`~?([^`]*)`"), r"\1"), (re.compile(r"https?://\S+"), " "), (re.compile(r"[`*|]{1,3}"), " "),
    (re.compile(r"\\(p|c|a|brief|code|ref|param)\b"), " "), (re.compile(r"\s+"), " "),
]
WORD = re.compile(r"[A-Za-z][a-z]+")
CODE_MARKS = re.compile(r"[;{}=<>\[\]]|\(\)|->|::|\$\w")
MAX_QUERY_WORDS = 32


def clean_text(text, least_words=3):
    """A one-line query from a comment's or paragraph's text, or None when it is not a sentence about code."""
    lines = []
    for line in text.split("\n"):
        if TAG_LINE.match(line):
            if lines:
                break
            continue
        if not line.strip() and len(" ".join(lines)) > 30:
            break
        lines.append(line.strip())
    flat = " ".join(lines)
    if DROPPED.match(flat.strip()) or LICENCE_WORDS.search(flat):
        return None
    for pattern, replacement in MARKUP:
        flat = pattern.sub(replacement, flat)
    words = flat.strip(" -:#=/.!*<>").split(" ")
    if len(words) > MAX_QUERY_WORDS:
        sentence = re.split(r"(?<=[.:;])\s", " ".join(words))[0].split(" ")
        words = sentence if 6 <= len(sentence) <= MAX_QUERY_WORDS else words[:MAX_QUERY_WORDS]
    flat = " ".join(words)
    if len(WORD.findall(flat)) < least_words or len(CODE_MARKS.findall(flat)) > len(words) / 4:
        return None
    if sum(c.isascii() for c in flat) < 0.9 * len(flat):
        return None
    return flat


COMMIT_PREFIX = re.compile(r"^(\[[^\]]{1,30}\]|\([^)]{1,30}\)|[A-Z]{2,}-\d+:?|#\d+:?|(feat|fix|chore|docs|refactor|perf|test|style|build|ci)(\([^)]*\))?!?:)\s*")
COMMIT_SUFFIX = re.compile(r"\s*(\(?#\d+\)?|\(?(close[sd]?|fix(e[sd])?|refs?|see)\s+#\d+\)?)\.?\s*$", re.I)
COMMIT_DROPPED = re.compile(r"^(merge|revert|bump|release|prepare|version|v?\d+\.\d|update (changelog|readme|dependenc|version|copyright|license)|"
                            r"typo|lint|format|whitespace|rubocop|changelog|wip\b|\w+(\s+\w+)?$)|(typos?$|changelog)", re.I)


def clean_subject(subject):
    """A commit subject without ticket numbers and tags, or None when it says nothing about code."""
    before = None
    while before != subject:
        before = subject
        subject = COMMIT_SUFFIX.sub("", COMMIT_PREFIX.sub("", subject))
    return None if COMMIT_DROPPED.search(subject) else clean_text(subject)


def split_words(name):
    """'resolveHTTPPath' -> 'resolve HTTP Path'; the words of an identifier, a path or a test's name."""
    return " ".join(re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+", name))
