"""Writes every fixture in test/fixtures/reference/. Run from the repository root: /usr/bin/python3 scripts/reference/generate.py [PART ...]"""

import os
import sys
import warnings

import mpmath
import numpy
import scipy
import sympy
import torch

import threefry
from fixture_format import Cases, write

TARGET = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "test", "fixtures", "reference")
VERSIONS = {"torch": torch.__version__, "numpy": numpy.__version__, "scipy": scipy.__version__, "sympy": sympy.__version__, "mpmath": mpmath.__version__}


def save(name, about, items):
    size = write(os.path.join(TARGET, name + ".json"), {"made by": "scripts/reference/generate.py", **about}, items)
    print(f"{name}.json: {len(items)} cases, {size} bytes")


def op_file(part):
    module = __import__(part + "_cases")
    cases = Cases()
    module.add_all(cases)
    save("ops-" + part, {"versions": VERSIONS, "cases per op": cases.counts}, cases.items)


def threefry_file():
    save("threefry", {"source": threefry.__doc__.strip()}, threefry.vectors())


PARTS = {part: (lambda part=part: op_file(part)) for part in ("elementwise", "linear", "reduce", "contract", "composite", "linalg", "layers")}
PARTS["threefry"] = threefry_file


def expression_file():
    import expressions

    save("expressions", {"versions": VERSIONS, "about": "derivatives by SymPy, numbers by mpmath at 50 digits, rounded to doubles"}, expressions.cases(150))


PARTS["expressions"] = expression_file


def convention_file():
    import conventions

    save("conventions", {"versions": VERSIONS, "about": " ".join(conventions.__doc__.split())}, conventions.cases())


PARTS["conventions"] = convention_file


def program_file():
    import programs

    save("programs", {"versions": VERSIONS, "about": " ".join(programs.__doc__.split())}, programs.cases())


PARTS["programs"] = program_file

if __name__ == "__main__":
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    os.makedirs(TARGET, exist_ok=True)
    for part in sys.argv[1:] or PARTS:
        PARTS[part]()
