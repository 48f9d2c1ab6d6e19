#!/usr/bin/env python3
"""list_repositories.py --data DIR [--markdown]: the repositories that gave pairs, with commit, licence and counts.

Prints JSON as repositories.json keeps it, or a Markdown list by licence for the model card.
"""
import argparse
import json
import os


def used(folder):
    """Facts of every mined repository that gave at least one pair."""
    found = []
    for name in sorted(os.listdir(folder), key=str.lower):
        if name.endswith(".json"):
            with open(os.path.join(folder, name)) as file:
                facts = json.load(file)
            if sum(facts.get("pairs", {}).values()):
                found.append(facts)
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True)
    parser.add_argument("--markdown", action="store_true")
    options = parser.parse_args()
    facts = used(os.path.join(options.data, "pairs"))
    if not options.markdown:
        print("[\n" + ",\n".join(json.dumps(each) for each in facts) + "\n]")
        return
    for licence in sorted({each["licence"] for each in facts}):
        names = [each["repository"] for each in facts if each["licence"] == licence]
        print(f"\n**{licence}** ({len(names)}): {', '.join(names)}")


if __name__ == "__main__":
    main()
