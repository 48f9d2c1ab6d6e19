"""Pairs from Markdown and reStructuredText: headings and paragraphs with the text or code under them."""
import re
from .clean import clean_text
from .source import document_header

HEADING = re.compile(r"^(#{1,5})\s+(.+?)\s*#*$|^(\S.{2,80})\n[=~^-]{4,}$", re.M)
FENCE = re.compile(r"```[\w-]*[^\n]*\n(.*?)```", re.S)
MAX_DOCUMENT = 1_500


def mine_prose(path, text):
    """[(kind, query, document)]: heading path -> section, and the paragraph before a code block -> the code."""
    if re.search(r"(change|history|news|releas|licen|contribut|conduct|authors)", path, re.I):
        return []
    pairs, trail = [], []
    marks = list(HEADING.finditer(text))
    for at, mark in enumerate(marks):
        level, title = len(mark.group(1) or "#"), mark.group(2) or mark.group(3)
        trail = [(depth, name) for depth, name in trail if depth < level] + [(level, title)]
        section = text[mark.end():marks[at + 1].start() if at + 1 < len(marks) else len(text)].strip()
        if len(section) < 120:
            continue
        query = clean_text(" ".join(name for _, name in trail[-2:]), 2)
        if query:
            pairs.append(("heading", query, document_header(path) + section[:MAX_DOCUMENT]))
        for block in FENCE.finditer(section):
            paragraph = clean_text(section[:block.start()].rstrip().rsplit("\n\n", 1)[-1])
            if paragraph and len(block.group(1)) > 80:
                pairs.append(("example", paragraph, document_header(path) + block.group(1)[:MAX_DOCUMENT]))
    return pairs
