"""Saved rankers.

A file is a zip of `manifest.json` (format, versions, parameters, conventions, and the SHA-256 of every other member),
the booster in its library's own format, and the objective's state as ``.npy`` arrays.  Loading executes nothing, and no
library's parser sees a byte before the checksums agree: damaged boosters make some of them crash or answer wrongly.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import zipfile
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from .._checks import DataError, ParameterError
from .._files import atomic_write
from .._version import __version__
from ..backends import backend as find_backend
from ..metrics import Measure
from ..metrics import measure as find_measure
from ..objectives._plain import from_plain, to_plain
from ._lambdamart import LambdaMART
from ._ranker import GBRanker

FORMAT = 1
LARGEST = 8 << 30  # bytes that a file may unpack to
CLASSES = {"GBRanker": GBRanker, "LambdaMART": LambdaMART}
NOT_SAVED = ("callbacks", "objective", "measure", "random_state")


def save(ranker: GBRanker, path: str | os.PathLike[str]) -> None:
    """Write a fitted ranker to `path`; an existing file is replaced only when the new one is whole."""
    members = {ranker.model_.file_name: ranker.model_.to_bytes(), "init_score.npy": to_npy(ranker.init_score_)}
    members |= {f"state/{name}.npy": to_npy(value) for name, value in ranker.state_.items()}
    manifest = describe(ranker) | {
        "members": {name: hashlib.sha256(content).hexdigest() for name, content in members.items()}
    }
    with atomic_write(path, "wb") as file, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("manifest.json", json.dumps(manifest, indent=1))
        for name, content in members.items():
            archive.writestr(name, content)


def describe(ranker: GBRanker) -> dict[str, Any]:
    """Return all of a fitted ranker but its arrays, as plain values for JSON."""
    params = {name: value for name, value in ranker.get_params(deep=False).items() if name not in NOT_SAVED}
    seed = ranker.random_state
    if not reads_back(ranker.measure_):
        raise ParameterError(
            f"measure={ranker.measure_}: its gain is a function, which a file cannot hold; give the gains as a mapping "
            "{grade: gain}, or set_params(measure=...) and fit again before saving."
        )
    return {
        "format": FORMAT,
        "class": type(ranker).__name__,
        "versions": {"gbrank": __version__, ranker.backend: find_backend(ranker.backend).version()},
        "params": plain(params) | {"random_state": seed if isinstance(seed, int) else None},
        "objective": to_plain(ranker.objective_),
        "measure": str(ranker.measure_),
        "convention": ranker.measure_.describe(),
        "n_outputs": ranker.model_.n_outputs,
        "sparse": bool(getattr(ranker.model_, "sparse", False)),
        "feature_names": list(ranker.feature_names_),
        "best_iteration": ranker.best_iteration_,
        "best_score": None if np.isnan(ranker.best_score_) else ranker.best_score_,
        "history": ranker.history_,
    }


def reads_back(measure: Measure) -> bool:
    """Tell whether a measure is the one that its name spells."""
    try:
        return find_measure(str(measure)) == measure
    except ParameterError:
        return False


def load(path: str | os.PathLike[str]) -> GBRanker:
    """Return the ranker that `GBRanker.save` wrote.

    Raises
    ------
    DataError
        Not such a file, of a newer format, or damaged: a checksum does not agree.
    """
    manifest, members = read_members(path)
    try:
        return restore(manifest, members)
    except (KeyError, TypeError, AttributeError) as error:
        raise DataError(f"{path}: the manifest is not one of a ranker ({error!r}); save the ranker again.") from None


def restore(manifest: Mapping[str, Any], members: Mapping[str, bytes]) -> GBRanker:
    """Return the ranker of a checked manifest and its members."""
    objective = from_plain(manifest["objective"])
    measure = find_measure(manifest["measure"])
    params = manifest["params"] | {"measure": manifest["measure"]}
    if manifest["class"] == "GBRanker":
        params["objective"] = objective
    ranker: GBRanker = CLASSES[manifest["class"]](**params)
    ranker.objective_, ranker.measure_ = objective, measure
    ranker.feature_names_ = tuple(manifest["feature_names"])
    ranker.n_features_in_ = len(ranker.feature_names_)
    ranker.best_iteration_ = int(manifest["best_iteration"])
    ranker.best_score_ = float("nan") if manifest["best_score"] is None else float(manifest["best_score"])
    ranker.history_ = manifest["history"]
    ranker.init_score_ = from_npy(members["init_score.npy"])
    ranker.state_ = {
        name.removeprefix("state/").removesuffix(".npy"): from_npy(content)
        for name, content in members.items()
        if name.startswith("state/")
    }
    booster = next(content for name, content in members.items() if name.startswith("booster"))
    ranker.model_ = find_backend(ranker.backend).from_bytes(
        booster, n_outputs=manifest["n_outputs"], n_features=ranker.n_features_in_, sparse=manifest["sparse"]
    )
    return ranker


def read_members(path: str | os.PathLike[str]) -> tuple[dict[str, Any], dict[str, bytes]]:
    """Return manifest and other members of a saved ranker, after their checksums agreed."""
    try:
        with zipfile.ZipFile(path) as archive:
            if sum(info.file_size for info in archive.infolist()) > LARGEST:
                raise DataError(f"{path}: unpacks to more than {LARGEST >> 30} GiB; it is no ranker of gbrank.")
            manifest = json.loads(archive.read("manifest.json"))
            members = {name: archive.read(name) for name in manifest["members"]}
    except FileNotFoundError:
        raise DataError(f"{path}: there is no such file.") from None
    except DataError:
        raise
    except Exception as error:  # zipfile and zlib raise half a dozen kinds on damage
        raise DataError(f"{path}: damaged, or no ranker that gbrank saved ({error}).") from None
    if manifest.get("format") != FORMAT:
        raise DataError(f"{path}: has the format {manifest.get('format')}; this gbrank reads format {FORMAT}.")
    for name, content in members.items():
        if hashlib.sha256(content).hexdigest() != manifest["members"][name]:
            raise DataError(f"{path}: damaged: the checksum of {name} does not agree; restore it from a copy.")
    return manifest, members


def to_npy(values: npt.NDArray[Any]) -> bytes:
    """Return an array in NumPy's file format."""
    buffer = io.BytesIO()
    np.save(buffer, values, allow_pickle=False)
    return buffer.getvalue()


def from_npy(content: bytes) -> npt.NDArray[Any]:
    """Return the array of a file in NumPy's format, which may hold no objects."""
    array: npt.NDArray[Any] = np.load(io.BytesIO(content), allow_pickle=False)
    return array


def plain(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return parameters as JSON keeps them."""
    return {
        name: value.item() if isinstance(value, np.generic) else plain(value) if isinstance(value, Mapping) else value
        for name, value in values.items()
    }
