"""The process that imports and traces a model once, watched, and tells what it reads."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any


def main() -> None:
    """Reads what is asked from the standard input; writes what is seen to the file named there."""
    asked = json.loads(sys.stdin.read())
    study = Path.cwd()
    # as the jobs have it: this process was started with one entry more
    paths = sys.argv[1]
    if paths:
        os.environ["PYTHONPATH"] = paths
    else:
        os.environ.pop("PYTHONPATH", None)
    sys.argv[1:] = []
    seen = look(asked["model"], study)
    Path(asked["told"]).write_text(json.dumps(seen), encoding="utf-8")


def look(data: dict[str, Any], study: Path) -> dict[str, Any]:
    """What the model of a validated config reads, as plain data."""
    import jax

    jax.config.update("jax_enable_x64", True)
    jax.config.update("jax_platforms", "cpu")  # devices are for those who solve
    import jax.numpy as jnp

    from odeflow.config.model import ModelConfig
    from odeflow.files.errors import ConfigError
    from odeflow.provenance.observed.clocks import watch_clocks
    from odeflow.provenance.observed.notify import Opened, folders_below
    from odeflow.provenance.observed.places import Places
    from odeflow.provenance.observed.program import fingerprint
    from odeflow.provenance.observed.seen import Seen
    from odeflow.provenance.observed.watch import ReadWatch

    model = ModelConfig.model_validate(data)
    jnp.sin(1.0)  # what JAX reads when it is first used is not the model's
    before = set(sys.modules)
    watch = ReadWatch(Places())
    folders = [(study / f.rsplit(":", 1)[0]).parent for f in model.functions if ".py:" in f]
    watch.near = tuple(dict.fromkeys([study, *(folder.resolve() for folder in folders)]))
    watch_clocks(watch)
    watch.install()
    opened = Opened(folders_below(watch.near))
    seen = Seen(watch, study, before)
    programs: list[str] = []
    for _ in range(2):
        try:
            with watch.on():
                programs.append(fingerprint(model, study))
        except Exception as error:  # the user's own; the job that solves says it, too
            if not programs:
                text = str(error) if isinstance(error, ConfigError) else repr(error)
                seen.notes.append(
                    f"the model could not be traced when the run was planned ({text})"
                )
        seen.take_modules()
        if not programs:
            break
        seen.forget_modules()
    seen.take_opened(opened)
    if len({*programs}) == 2:
        seen.refuse(model.origin)
    return seen.as_data() | {"program": programs[0] if programs else ""}


if __name__ == "__main__":
    main()
