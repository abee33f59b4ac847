"""Shows how many cases of each law fail, and the smallest: ``PYTHONPATH=tests python -m laws.survey [COUNT [WORD …]]``.

COUNT is the number of seeds of each; words choose the lines that have them.
"""

import sys
from time import perf_counter

from laws.every import EVERY, outcome, passing_store


def main(arguments: list[str]) -> None:
    """Try all, or what is chosen."""
    count = int(arguments[0]) if arguments else 100
    chosen = {name: tried for name, tried in EVERY.items() if all(word in name for word in arguments[1:])}
    with passing_store() as store:
        for name, tried in chosen.items():
            begun = perf_counter()
            found = outcome(tried, store, count)
            kinds = ", ".join(f"{kind} {often}" for kind, often in found.kinds().most_common())
            print(f"{name}: {len(found.wrong)} of {count} in {perf_counter() - begun:.1f} s ({kinds})")
            for line in found.smallest(3):
                print(f"    {line[:400]}")


if __name__ == "__main__":
    main(sys.argv[1:])
