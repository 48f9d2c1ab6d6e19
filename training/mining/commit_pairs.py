"""Pairs from history: a commit's subject and the code as it was before the commit."""
import re
from .clean import clean_subject, clean_text
from .source import document_header, git, is_mined, language_of

MAX_COMMITS = 4_000
MAX_FILES = 6  # a commit that changes more says too little about each
MAX_HUNKS = 2  # per file
MAX_DOCUMENT = 1_500
FILE_HEADER = re.compile(r"^--- a/(.*)$")
NAME = re.compile(r"([A-Za-z_][\w.:]*)\s*[({:=]|(?:class|module|struct|impl|trait|interface|object|enum|def)\s+([A-Za-z_][\w.:]*)")


def hunk_symbol(heading):
    """Name of the definition git shows after the second @@ of a hunk, or ''."""
    match = NAME.search(heading)
    return (match.group(1) or match.group(2)) if match else ""


def pre_images(diff):
    """[(path, symbol, text)] of the hunks' old sides that touch code."""
    out, path, symbol, old, changed = [], None, "", [], False

    def flush():
        if path and old and changed and is_mined(path) and language_of(path)[0] != "prose":
            out.append((path, symbol, "\n".join(old)[:MAX_DOCUMENT]))

    for line in diff.split("\n"):
        if line.startswith(("diff --git", "--- ", "@@ ")):
            flush()
            old, changed = [], False
        if line.startswith("diff --git"):
            path = None
        elif line.startswith("--- "):
            match = FILE_HEADER.match(line)
            path = match.group(1) if match else None
        elif line.startswith("@@ "):
            symbol = hunk_symbol(line.split("@@", 2)[-1])
        elif line.startswith((" ", "-")) and path:
            old.append(line[1:])
            changed = changed or line[0] == "-"
        elif line.startswith("+") and not line.startswith("+++"):
            changed = True
    flush()
    return out


def mine_history(clone):
    """[(kind, query, document)] of the newest commits that are neither merges nor sweeping."""
    # A clone may lack some huge blobs; git then stops with an error, and what it wrote until then is used.
    raw = git(clone, "log", "--no-merges", f"-{MAX_COMMITS}", "-p", "-U10", "--no-renames", "--no-ext-diff", "--no-textconv", "-l0",
              "--format=%x01%s%x02%b%x03", "--", *[f"*.{e}" for e in EXTENSIONS], check=False)
    pairs = []
    for commit in raw.split(b"\x01")[1:]:
        if len(commit) > 200_000:
            continue
        message, _, diff = commit.decode("utf-8", "replace").partition("\x03")
        subject, _, body = message.partition("\x02")
        query = clean_subject(subject)
        hunks = pre_images(diff)
        paths = {path for path, _, _ in hunks}
        if not query or not hunks or len(paths) > MAX_FILES:
            continue
        detail = clean_text(body, 5) if body.strip() and not body.lstrip().startswith(("Signed-off", "Co-auth", "git-svn", "Change-Id")) else None
        taken = {}
        for path, symbol, text in hunks:
            taken[path] = taken.get(path, 0) + 1
            if len(text) < 60 or taken[path] > MAX_HUNKS:
                continue
            document = document_header(path, symbol) + text
            pairs.append(("commit", query, document))
            if detail and taken[path] == 1:
                pairs.append(("commit", detail, document))
    return pairs


EXTENSIONS = ("py js mjs ts tsx jsx go rs java kt scala rb php cs swift cpp cc hpp cxx h c lua hs zig ex exs sh bash erl").split()
