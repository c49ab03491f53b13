"""Saved rankers.

A file is a zip of `manifest.json` (format, versions, parameters, conventions, and the SHA-256 of every other member),
the booster in its library's own format, and the objective's state as ``.npy`` arrays.  A ranker made of others has a
folder for each, with the same members, and a manifest that holds theirs.  Loading executes nothing, and no
library's parser sees a byte before the checksums agree: damaged boosters make some of them crash or answer wrongly.
"""

from __future__ import annotations

import hashlib
import importlib
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
from ..backends._constraints import monotone_signs
from ..data._categories import as_categories
from ..metrics import Measure
from ..metrics import measure as find_measure
from ..objectives._plain import from_plain, to_plain
from ._calibrated import CalibratedRanker
from ._composite import RankerOfRankers
from ._lambdamart import LambdaMART
from ._ranker import GBRanker
from ._stacked import StackedRanker

FORMAT = 1
LARGEST = 8 << 30  # bytes that a file may unpack to
BOOSTED: dict[str, type[GBRanker]] = {"GBRanker": GBRanker, "LambdaMART": LambdaMART}
COMPOSITES: dict[str, Any] = {"CalibratedRanker": CalibratedRanker, "StackedRanker": StackedRanker}
ABOVE = dict.fromkeys(("FullStageRanker", "RankFlowRanker", "StageProductRanker"), "stages")
"""Classes of rooms above this one, which they add to `COMPOSITES` when they are imported."""
Ranker = GBRanker | CalibratedRanker | StackedRanker | RankerOfRankers
NOT_SAVED = ("callbacks", "objective", "measure", "random_state", "init_model")


def save(ranker: Any, path: str | os.PathLike[str]) -> None:
    """Write a fitted ranker to `path`; an existing file is replaced only when the new one is whole."""
    manifest, members = packed(ranker)
    manifest |= {"members": {name: hashlib.sha256(content).hexdigest() for name, content in members.items()}}
    with atomic_write(path, "wb") as file, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("manifest.json", json.dumps(manifest, indent=1))
        for name, content in members.items():
            archive.writestr(name, content)


def packed(ranker: Any) -> tuple[dict[str, Any], dict[str, bytes]]:
    """Return the manifest of a fitted ranker, without checksums, and the other members of its file.

    Raises
    ------
    ParameterError
        It is not of a class that files hold, or has a parameter that they cannot hold.
    """
    classes = BOOSTED | COMPOSITES
    if type(ranker) is not classes.get(type(ranker).__name__):
        known = ", ".join(dict.fromkeys([*classes, *ABOVE]))
        raise ParameterError(
            f"{type(ranker).__name__} cannot be saved, only {known}, also within each other; pickle it."
        )
    if isinstance(ranker, GBRanker):
        members = {ranker.model_.file_name: ranker.model_.to_bytes(), "init_score.npy": to_npy(ranker.init_score_)}
        members |= {f"state/{name}.npy": to_npy(value) for name, value in ranker.state_.items()}
        return describe(ranker), members
    manifest = ranker._told() | {
        "format": FORMAT,
        "class": type(ranker).__name__,
        "versions": {"gbrank": __version__},
        "feature_names": list(ranker.feature_names_),
        "parts": {},
    }
    members = {f"{name}.npy": to_npy(value) for name, value in ranker._arrays().items()}
    for folder, part in ranker._parts().items():
        manifest["parts"][folder], inner = packed(part)
        members |= {f"{folder}/{name}": content for name, content in inner.items()}
    return manifest, members


def describe(ranker: GBRanker) -> dict[str, Any]:
    """Return all of a fitted ranker but its arrays, as plain values for JSON."""
    params = {name: value for name, value in ranker.get_params(deep=False).items() if name not in NOT_SAVED}
    if isinstance(ranker.monotone_constraints, Mapping):  # whose keys may be numbers, which are none in JSON
        params["monotone_constraints"] = monotone_signs(ranker._tree_params(), ranker.feature_names_)
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
        "categories": {name: values.tolist() for name, values in ranker.categories_.items()},
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


def load(path: str | os.PathLike[str]) -> Ranker:
    """Return the ranker that the ``save`` of one wrote: a `GBRanker`, or one made of others.

    Raises
    ------
    DataError
        Not such a file, of a newer format, or damaged: a checksum does not agree.
    """
    manifest, members = read_members(path)
    try:
        return restore(manifest, members)
    except (KeyError, TypeError, AttributeError, RecursionError) as error:
        raise DataError(f"{path}: the manifest is not one of a ranker ({error!r}); save the ranker again.") from None


def restore(manifest: Mapping[str, Any], members: Mapping[str, bytes]) -> Ranker:
    """Return the ranker of a checked manifest and its members."""
    return restore_composite(manifest, members) if "parts" in manifest else restore_boosted(manifest, members)


def restore_composite(manifest: Mapping[str, Any], members: Mapping[str, bytes]) -> Ranker:
    """Return a ranker made of others."""
    parts = {
        folder: restore(inner, {name.removeprefix(f"{folder}/"): content for name, content in members.items()
                                if name.startswith(f"{folder}/")})
        for folder, inner in manifest["parts"].items()
    }  # fmt: skip
    arrays = {name.removesuffix(".npy"): from_npy(content) for name, content in members.items()
              if name.endswith(".npy") and not name.startswith(tuple(f"{folder}/" for folder in parts))}  # fmt: skip
    if manifest["class"] in ABOVE:
        importlib.import_module(f"..{ABOVE[manifest['class']]}", __package__)
    ranker: Ranker = COMPOSITES[manifest["class"]]._retold(manifest, arrays, parts)
    ranker.feature_names_ = tuple(manifest["feature_names"])
    ranker.n_features_in_ = len(ranker.feature_names_)
    return ranker


def restore_boosted(manifest: Mapping[str, Any], members: Mapping[str, bytes]) -> GBRanker:
    """Return a ranker of one booster."""
    objective = from_plain(manifest["objective"])
    measure = find_measure(manifest["measure"])
    params = manifest["params"] | {"measure": manifest["measure"]}
    if manifest["class"] == "GBRanker":
        params["objective"] = objective
    ranker: GBRanker = BOOSTED[manifest["class"]](**params)
    ranker.objective_, ranker.measure_ = objective, measure
    ranker.feature_names_ = tuple(manifest["feature_names"])
    ranker.n_features_in_ = len(ranker.feature_names_)
    ranker.categories_ = {name: as_categories(values) for name, values in manifest.get("categories", {}).items()}
    if not ranker.categories_.keys() <= set(ranker.feature_names_):
        raise KeyError(f"categories of {sorted(ranker.categories_)}")
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


def plain(value: Any) -> Any:
    """Return a parameter, or a mapping of them, as JSON keeps it."""
    if isinstance(value, Mapping):
        return {name: plain(each) for name, each in value.items()}
    if isinstance(value, list | tuple | range | np.ndarray):
        return [plain(each) for each in value]
    return value.item() if isinstance(value, np.generic) else value
