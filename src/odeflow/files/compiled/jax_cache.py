"""JAX's persistent compilation cache in a store, where its own files have no digests."""

from pathlib import Path
from typing import Any

from odeflow.files.compiled.machine import machine
from odeflow.files.compiled.store import Store, note

#: By folder, what JAX takes for the cache there.
_PROGRAMS: dict[str, Any] = {}


def keep_programs(store: Store) -> None:
    """Makes JAX keep its compiled programs in a store; to be called before it compiles any.

    Where JAX keeps programs already, as a notebook may have set up, that stays so.
    """
    import jax

    there = jax.config.jax_compilation_cache_dir  # type: ignore[attr-defined]
    if store.folder is None or (there and there not in _PROGRAMS):
        return
    if not _PROGRAMS and not _take_over():
        note(f"JAX {jax.__version__} has another one than is known here: its programs are not kept")
        return
    folder = str(store.folder)
    if folder not in _PROGRAMS:
        _PROGRAMS[folder] = _programs(store)
    jax.config.update("jax_compilation_cache_dir", folder)
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.2)
    # a GPU's tuning would go into XLA's own files in that folder
    jax.config.update("jax_persistent_cache_enable_xla_caches", "none")


def _take_over() -> bool:
    """Whether JAX asks this module for the cache of one of its folders from now on."""
    try:
        from jax._src import compilation_cache
        from jax._src.compilation_cache_interface import CacheInterface  # noqa: F401

        original = compilation_cache.get_file_cache
    except (ImportError, AttributeError):
        return False

    def get_file_cache(path: str) -> Any:
        return (_PROGRAMS[path], path) if path in _PROGRAMS else original(path)

    compilation_cache.get_file_cache = get_file_cache
    return True


def _programs(store: Store) -> Any:
    import jax
    from jax._src.compilation_cache_interface import CacheInterface

    def full(key: str) -> str:
        # JAX's key says the program and its own version, not the processor's features
        return f"jax {jax.__version__} {key}\n{machine()}"

    class Programs(CacheInterface):
        """A store with the interface that JAX expects."""

        _path = Path(str(store.folder))

        def get(self, key: str) -> bytes | None:
            return store.get(full(key))

        def put(self, key: str, value: bytes) -> None:
            store.put(full(key), value)

    return Programs()
