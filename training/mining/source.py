"""Read files and history of a git clone (bare or not) without a work tree."""
import os
import re
import subprocess

C_STYLE, HASH, DASH, NONE = "c", "hash", "dash", "none"

LANGUAGES = {  # extension -> (language, comment style)
    **{e: ("python", HASH) for e in ("py", "pyi")},
    **{e: ("javascript", C_STYLE) for e in ("js", "mjs", "cjs", "jsx")},
    **{e: ("typescript", C_STYLE) for e in ("ts", "tsx", "mts", "cts")},
    **{e: ("cpp", C_STYLE) for e in ("cc", "cpp", "cxx", "hpp", "hh", "hxx", "ipp")},
    **{e: ("c", C_STYLE) for e in ("c", "h")},
    **{e: ("kotlin", C_STYLE) for e in ("kt", "kts")},
    **{e: ("bash", HASH) for e in ("sh", "bash", "zsh", "bats")},
    **{e: ("elixir", HASH) for e in ("ex", "exs")},
    **{e: ("scala", C_STYLE) for e in ("scala", "sc")},
    **{e: ("ruby", HASH) for e in ("rb", "rake")},
    "go": ("go", C_STYLE), "rs": ("rust", C_STYLE), "java": ("java", C_STYLE), "php": ("php", C_STYLE),
    "cs": ("csharp", C_STYLE), "swift": ("swift", C_STYLE), "lua": ("lua", DASH), "hs": ("haskell", DASH),
    "zig": ("zig", C_STYLE), "erl": ("erlang", HASH), "dart": ("dart", C_STYLE), "ml": ("ocaml", C_STYLE),
    **{e: ("prose", NONE) for e in ("md", "markdown", "mdx", "rst", "adoc")},
}
MAX_FILE_BYTES = 400_000
SKIPPED_FOLDER = re.compile(
    r"(^|/)(vendor|vendored|_vendor|third[_-]?party|3rdparty|external|extern|deps|node_modules|bower_components|dist|"
    r"bundled|generated|gen|autogen|snapshots|__snapshots__|\.yarn|Pods|Carthage|licenses|locales?|i18n|translations)(/|$)")
SKIPPED_FILE = re.compile(r"(\.min\.|\.pb\.|_pb2|\.g\.|\.generated\.|\.designer\.|bundle\.js$|lock\.|single_include/)", re.I)


def git(clone, *arguments, data=None, check=True):
    """Standard output of a git command on the clone, as bytes. Raises CalledProcessError when git fails, unless told not to check."""
    return subprocess.run(["git", "--git-dir", clone, *arguments], input=data, check=check,
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout


def find_clones(folder):
    """[(owner/name, git dir)] of a folder of clones named OWNER+NAME (bare, with .git, or with the bare one in repo/)."""
    found = []
    for entry in sorted(os.listdir(folder)):
        if "+" not in entry:
            continue
        for place in ("repo", ".git", ""):
            git_dir = os.path.join(folder, entry, place)
            if os.path.isfile(os.path.join(git_dir, "HEAD")):
                found.append((entry.replace("+", "/", 1), git_dir))
                break
    return found


def language_of(path):
    """(language, comment style) of a path, or None for a path that is not mined."""
    return LANGUAGES.get(path.rsplit(".", 1)[-1].lower()) if "." in path.rsplit("/", 1)[-1] else None


def is_mined(path):
    """True for code or prose that a person of this repository wrote."""
    return language_of(path) is not None and not SKIPPED_FOLDER.search(path) and not SKIPPED_FILE.search(path)


def list_tree(clone):
    """[(path, blob id, bytes)] of the newest commit."""
    out = []
    for line in git(clone, "ls-tree", "-r", "-l", "-z", "HEAD").split(b"\0"):
        head, _, path = line.partition(b"\t")
        fields = head.split()
        if len(fields) == 4 and fields[1] == b"blob" and fields[3].isdigit():
            out.append((path.decode("utf-8", "replace"), fields[2].decode(), int(fields[3])))
    return out


def read_blobs(clone, entries):
    """Yield (path, text) of the listed blobs, leaving out absent, huge and undecodable ones."""
    entries = [e for e in entries if e[2] <= MAX_FILE_BYTES]
    out = git(clone, "cat-file", "--batch", data="".join(e[1] + "\n" for e in entries).encode())
    at = 0
    for path, _, _ in entries:
        end = out.index(b"\n", at)
        fields = out[at:end].split()
        at = end + 1
        if fields[-1] == b"missing":
            continue
        size = int(fields[2])
        blob = out[at:at + size]
        at += size + 1
        if b"\0" in blob:
            continue
        try:
            yield path, blob.decode("utf-8").replace("\r\n", "\n")
        except UnicodeDecodeError:
            continue


def document_header(path, symbol=""):
    """The lines put before a chunk's text: last two folders and the file's stem, then the enclosing symbol's path."""
    *folders, name = path.split("/")
    stem = name.rsplit(".", 1)[0] or name
    first = "/".join(folders[-2:])
    return (f"{first} {stem}" if first else stem) + "\n" + (symbol + "\n" if symbol else "")
