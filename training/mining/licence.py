"""Decide from a repository's own licence file whether its code may be trained on."""
import re

LICENCE_NAME = re.compile(r"^(licen[cs]e|copying|unlicense|mit-license)([.-].*)?$", re.I)

# A phrase of each permissive licence's own text. A file is accepted for the licences it contains ...
PERMISSIVE = {
    "MIT": "permission is hereby granted, free of charge, to any person obtaining a copy",
    "Apache-2.0": "apache license version 2.0",
    "BSD": "redistribution and use in source and binary forms",
    "ISC": "permission to use, copy, modify, and/or distribute this software for any purpose",
    "ISC ": "permission to use, copy, modify, and distribute this software for any purpose",
    "Unlicense": "this is free and unencumbered software released into the public domain",
    "0BSD": "permission to use, copy, modify, and or distribute",
}
# ... and refused when it also holds the text of one of these.
REFUSED = [
    "gnu general public license", "gnu lesser general public", "gnu library general public", "gnu affero",
    "mozilla public license", "eclipse public license", "server side public license", "business source license",
    "commons clause", "elastic license", "creative commons attribution-noncommercial", "european union public licence",
    "polyform", "sustainable use license", "functional source license",
]


def classify(texts):
    """SPDX-like names joined by " OR " of licence file texts (name -> text), or None when the code may not be used.

    With several licence files (LICENSE-MIT, LICENSE-APACHE) every one must be permissive.
    """
    found = set()
    for text in texts.values():
        flat = re.sub(r"[\s\"*#>]+", " ", text.lower()).replace("apache license, version", "apache license version")
        if any(phrase in flat for phrase in REFUSED):
            return None
        found |= {name.strip() for name, phrase in PERMISSIVE.items() if phrase in flat}
    return " OR ".join(sorted(found)) or None
