"""COMBINE archives (OMEX): files in a zip file, and what its manifest says. Nothing is unpacked.

Reference: Bergmann et al. (2014), COMBINE archive and OMEX format, BMC Bioinformatics 15.
"""

import zipfile
import zlib
from pathlib import Path, PurePosixPath

from odeflow.files.errors import ConfigError, shown
from odeflow.files.xml_tree import XmlError, read_xml

_MANIFEST = "manifest.xml"
#: What the format of a file is called in manifests, an address or a type, contains this.
_FORMAT = "sed-ml"
#: Bytes of one file that are read.
_LARGEST = 2**26


def files_in(archive: Path, key: str) -> dict[str, zipfile.ZipInfo]:
    """What an archive holds, by its path in it.

    Raises ConfigError, which begins with `key`: it cannot be read, is no zip file, has a name that
    leads out of it, or the same name twice.
    """
    try:
        with zipfile.ZipFile(archive) as opened:
            infos = [info for info in opened.infolist() if not info.is_dir()]
    except (OSError, zipfile.BadZipFile, NotImplementedError, ValueError) as error:
        raise ConfigError(f"{key}: {archive.name}: no COMBINE archive: {error}") from None
    found: dict[str, zipfile.ZipInfo] = {}
    for info in infos:
        name = inside(info.filename)
        if name is None:
            raise ConfigError(
                f"{key}: {archive.name}: the file {shown(info.filename)} leads out of the archive"
            )
        if name in found:
            raise ConfigError(f"{key}: {archive.name}: the file {shown(name)} is there twice")
        found[name] = info
    return found


def inside(name: str, folder: str = "") -> str | None:
    """The path that a name has within an archive or study, seen from a folder of it.

    None where it leads out.
    """
    path = PurePosixPath(name.replace("\\", "/"))
    if path.is_absolute() or ":" in name:
        return None
    parts: list[str] = []
    for part in (PurePosixPath(folder) / path).parts:
        if part != "..":
            parts.append(part)
        elif parts:
            parts.pop()
        else:
            return None
    return "/".join(parts) or None


def read_file(archive: Path, name: str, key: str) -> bytes:
    """The content of a file of an archive; raises ConfigError, which begins with `key`."""
    files = files_in(archive, key)
    if name not in files:
        known = ", ".join(sorted(files)) or "none"
        raise ConfigError(f"{key}: {archive.name}: no file {shown(name)} in it; files: {known}")
    if files[name].file_size > _LARGEST:
        raise ConfigError(f"{key}: {archive.name}: {name} is larger than {_LARGEST >> 20} MiB")
    try:
        with zipfile.ZipFile(archive) as opened, opened.open(files[name]) as file:
            content = file.read(_LARGEST + 1)
    except (OSError, zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError) as error:
        raise ConfigError(f"{key}: {archive.name}: {name} cannot be read: {error}") from None
    return content


def simulations_in(archive: Path, key: str) -> list[str]:
    """The SED-ML files that the manifest lists; those that are its masters, where there are such.

    Raises ConfigError, which begins with `key`.
    """
    files = files_in(archive, key)
    if _MANIFEST not in files:
        raise ConfigError(f"{key}: {archive.name}: no {_MANIFEST} in it, so no COMBINE archive")
    try:
        root = read_xml(read_file(archive, _MANIFEST, key))
    except XmlError as error:
        raise ConfigError(f"{key}: {archive.name}: {_MANIFEST}, {error}") from None
    found: dict[str, bool] = {}
    for element in root.descendants():
        given = element.attributes
        if element.name == "content" and _FORMAT in given.get("format", "").lower():
            location = given.get("location", "")
            name = inside(location)
            if name not in files:
                raise ConfigError(
                    f"{key}: {archive.name}: {_MANIFEST}, line {element.line}: no file "
                    f"{shown(location)} in the archive"
                )
            found[name] = given.get("master") == "true"
    return [name for name, master in found.items() if master] or list(found)
