"""Value models as JSON files."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, Self

from .._checks import DataError, ParameterError
from .._files import atomic_write


class JsonFile:
    """What has a JSON form, `to_dict` and `from_dict`: as text, and in a file."""

    def to_dict(self) -> dict[str, Any]:
        """Return plain content; `from_dict` reads it back."""
        raise NotImplementedError

    @classmethod
    def from_dict(cls, content: Any) -> Self:
        """Return what `to_dict` describes.

        Raises
        ------
        ParameterError
            Content of something else.
        """
        raise NotImplementedError

    def to_json(self) -> str:
        """Return the JSON form."""
        return json.dumps(self.to_dict(), indent=1, allow_nan=False, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Return what a JSON text describes; see `from_dict`."""
        try:
            return cls.from_dict(json.loads(text))
        except json.JSONDecodeError as error:
            raise DataError(f"value model: line {error.lineno} is no JSON ({error.msg}); correct it.") from None

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write a JSON file."""
        with atomic_write(path) as file:
            file.write(self.to_json() + "\n")

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Read a JSON file."""
        try:
            return cls.from_json(Path(path).read_text(encoding="utf-8"))
        except UnicodeDecodeError as error:
            raise DataError(f"{path}: is not UTF-8 (byte {error.start}); convert the file to UTF-8.") from None
        except OSError as error:
            raise DataError(f"{path}: cannot be read ({error.strerror}); give another path.") from None
        except (DataError, ParameterError) as error:
            raise type(error)(f"{path}: {error}") from None
