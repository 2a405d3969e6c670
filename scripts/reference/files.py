"""Writes test/fixtures/files: .npy and .npz files as NumPy itself makes them. Needs NumPy (written with 2.4); run from the project's root."""

import io
import json
import zipfile
from pathlib import Path

import numpy as np

out = Path("test/fixtures/files")
out.mkdir(parents=True, exist_ok=True)
codes = ["f8", "f4", "f2", "i8", "i4", "i2", "i1", "u8", "u4", "u2", "u1", "b1"]
expected = {}


def values(code):
    if code == "b1":
        return np.array([[True, False, True], [False, False, True]])
    if code[0] == "f":
        return np.array([[1.5, -2.25, 0.0], [np.inf, -0.0, 0.1]]).astype(code)
    if code[0] == "i":
        return np.array([[0, 1, -1], [100, -128, 127]]).astype(code)
    return np.array([[0, 1, 2], [100, 200, 255]]).astype(code)


def note(name, array):
    # As text with enough digits for f64; JSON has no infinities.
    expected[name] = {"shape": list(array.shape), "data": [repr(float(x)) for x in array.ravel()]}


def save(name, array, version=None):
    with open(out / name, "wb") as f:
        np.lib.format.write_array(f, array, version=version)
    note(name, array)


for code in codes:
    save(f"{code}.npy", values(code))
    if code[1] != "1":
        save(f"{code}-big.npy", values(code).astype(">" + code))
for version in (1, 2, 3):
    save(f"version{version}.npy", np.arange(6, dtype="f4").reshape(2, 3), (version, 0))
save("fortran.npy", np.asfortranarray(np.arange(24, dtype="i4").reshape(2, 3, 4)))
save("scalar.npy", np.array(2.5))
save("empty.npy", np.zeros((3, 0, 2), "f4"))
save("large-integer.npy", np.array([2**53, -(2**53), 0], "i8"))

np.save(out / "bad-large-integer.npy", np.array([1, 2**53 + 1], "i8"))
np.save(out / "bad-object.npy", np.array([1, "a"], object), allow_pickle=True)
np.save(out / "bad-complex.npy", np.array([1 + 2j]))
np.save(out / "bad-structured.npy", np.zeros(2, [("a", "f4"), ("b", "i4")]))
np.save(out / "bad-text.npy", np.array(["a", "bc"]))
np.save(out / "bad-date.npy", np.array(["2020-01-01"], "datetime64[D]"))

arrays = {"w": np.arange(6, dtype="f4").reshape(2, 3), "b": np.array([1, 2, 3], "i8"), "deep/name": np.array(True)}
np.savez(out / "stored.npz", **arrays)
np.savez_compressed(out / "deflated.npz", zeros=np.zeros((100, 100)), **arrays)
for name, array in arrays.items():
    note(f"npz:{name}", array)

# Small files with zip64 records, as large files have them.
zipfile.ZIP64_LIMIT = 1
with zipfile.ZipFile(out / "zip64.npz", "w") as z:
    for name, array in arrays.items():
        buffer = io.BytesIO()
        np.save(buffer, array)
        z.writestr(zipfile.ZipInfo(f"{name}.npy"), buffer.getvalue())

# f16 as NumPy rounds it: doubles and the bits they become.
rng = np.random.default_rng(1)
doubles = np.concatenate([rng.normal(size=100), rng.normal(size=100) * 1e-5, rng.normal(size=100) * 3e-8, rng.normal(size=100) * 4e4])
with np.errstate(over="ignore"):
    expected["half"] = {"doubles": [float(x) for x in doubles], "bits": [int(b) for b in doubles.astype("f2").view("u2")]}
(out / "expected.json").write_text(json.dumps(expected) + "\n")
