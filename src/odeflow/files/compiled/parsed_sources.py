"""What was parsed of source, kept for the next process by a digest of the text. Without JAX.

Parsing this package is a third of a second, and it rarely differs from the last time. One entry of
the user's store has all of it. Where there is none, or it is damaged, source is parsed.
"""

import hashlib
import json
import sys
from functools import cache
from pathlib import Path
from typing import Any

from odeflow.files.compiled.folder import unfit, users_folder
from odeflow.files.compiled.store import Store
from odeflow.files.digests import file_digest

#: An import: levels up, the module, the names that are taken from it.
Import = tuple[int, str, tuple[str, ...]]
#: Code without what says nothing, and the imports in it.
Parsed = tuple[bytes, tuple[Import, ...]]
#: Texts that an entry may have; where there are more, those that were not used go.
_MOST = 3000


class ParsedSources:
    """Parsed texts by digest: those in a folder, and those that were added since.

    `folder` is that of the user's cache, which need not be there. `parser` is the file of the code
    that parses: what another has made is not used.
    """

    def __init__(self, folder: Path | None, parser: Path) -> None:
        self._folder, self._key = folder, f"sources {file_digest(parser)} {sys.version}"
        fits = folder is not None and folder.is_dir() and unfit(folder) is None
        content = Store(folder).get(self._key) if fits else None
        self._kept: dict[str, Any] = {} if content is None else json.loads(content)
        self._used: dict[str, Any] = {}
        self._has_new = False

    def get(self, text: bytes) -> Parsed | None:
        """What was parsed of a text; None where it is not there."""
        name = hashlib.sha256(text).hexdigest()
        found = self._kept.get(name)
        if found is None:
            return None
        self._used[name] = found
        code, imports = found
        taken = tuple((levels, module, tuple(names)) for levels, module, names in imports)
        return code.encode("latin-1"), taken

    def add(self, text: bytes, parsed: Parsed) -> None:
        """Takes what was parsed of a text, which `keep` writes."""
        code, imports = parsed
        self._used[hashlib.sha256(text).hexdigest()] = [code.decode("latin-1"), imports]
        self._has_new = True

    def keep(self) -> None:
        """Writes what was added, where the user's cache can be written."""
        if not self._has_new or self._folder is None or unfit(self._folder) is not None:
            return
        self._has_new = False
        everything = self._kept | self._used
        kept = everything if len(everything) <= _MOST else self._used
        Store(self._folder).put(self._key, json.dumps(kept, separators=(",", ":")).encode())


@cache
def parsed_sources(parser: Path) -> ParsedSources:
    """Those in the user's cache, as this process found them."""
    return ParsedSources(users_folder(), parser)
