"""Files below one folder, ``settings.MCP_FILES_ROOT``, and no others."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path, PurePosixPath

from django.conf import settings

SETTING = "MCP_FILES_ROOT"
# How a system says that there is something else, such as a link or a socket.
_NO_FILE = (errno.ELOOP, errno.ENAMETOOLONG, errno.ENOTDIR, errno.ENXIO)


class TooLarge(Exception):
    """The file has more bytes than were asked for."""


def files_root() -> Path:
    """Return the folder whose files may be served.

    Raises ValueError, naming the setting, where there is none.
    """
    given = getattr(settings, SETTING, None)
    if not given:
        raise ValueError(
            f"no files are served: {SETTING} in the settings names no folder"
        )
    root = Path(given)
    if not root.is_absolute() or not root.is_dir():
        raise ValueError(f"{SETTING} in the settings must be the path of a folder")
    return root.resolve()


def check_path(path: str) -> PurePosixPath:
    """Return a path below the root, as it is written with ``/``.

    Raises ValueError for one that could leave the root, and for hidden files:
    what is named so is not meant to be seen.
    """
    parts = path.split("/")
    if "\0" in path or "\\" in path:
        raise ValueError("write the path with / between its parts")
    if any(part in ("", ".", "..") for part in parts):
        raise ValueError(
            'write a path below the folder, such as handbook/hours.md: no "..", '
            "no / at either end"
        )
    _check_shown(parts)
    return PurePosixPath(*parts)


def read_file(root: Path, path: PurePosixPath, max_bytes: int) -> bytes:
    """Return what is in the file at ``path`` below ``root``.

    A symbolic link may lead from one place below the root to another.
    Raises FileNotFoundError where there is no plain file, or one elsewhere, and
    TooLarge.
    """
    try:
        real = (root / path).resolve(strict=True)
        inner = real.relative_to(root)
        _check_shown(inner.parts)
        descriptor = _descriptor(root, inner)
    except (RuntimeError, ValueError) as error:
        raise FileNotFoundError(str(path)) from error
    except OSError as error:
        if error.errno in _NO_FILE:
            raise FileNotFoundError(str(path)) from error
        raise
    # Before it is a file of Python's, which would leave a folder open.
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise FileNotFoundError(str(path))
    with open(descriptor, "rb") as file:
        data = file.read(max_bytes + 1)
    if len(data) > max_bytes:
        raise TooLarge(str(path))
    return data


def _descriptor(root: Path, inner: Path) -> int:
    """Open step by step and follow no link: a link that was put in the way since
    the path was resolved leads nowhere.
    """
    folder = os.open(root, os.O_RDONLY | os.O_DIRECTORY)
    try:
        for name in inner.parts[:-1]:
            flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW
            deeper = os.open(name, flags, dir_fd=folder)
            os.close(folder)
            folder = deeper
        # Not to wait for a writer, should it be a pipe.
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK
        return os.open(inner.name, flags, dir_fd=folder)
    finally:
        os.close(folder)


def _check_shown(parts: tuple[str, ...] | list[str]) -> None:
    if any(part.startswith(".") for part in parts):
        raise ValueError("files and folders whose names begin with a dot stay hidden")
