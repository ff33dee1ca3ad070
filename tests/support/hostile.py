"""Files that others wrote to have something run, read, written or filled: one row per case.

Each case makes its file in a folder and opens it as a user would. It is refused with one line, and
nothing was made outside of what the case itself puts there.
"""

import json
import os
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import xarray as xr

from odeflow.config.yaml_text import write_yaml
from odeflow.files.digests import text_digest
from odeflow.importers.study.compose import compose
from odeflow.trust.reproduce import reproduce
from odeflow.workflow.ownership import check_results
from odeflow.workflow.plan import plan
from tests.support.bad_input import MODEL
from tests.support.sbml_text import parameter, sbml
from tests.support.snakes import EXPERIMENT_YAML, MODELS, make_study, request


class Case(NamedTuple):
    """`attempt` does it in a folder; `line` is part of the answer."""

    where: str
    what: str
    attempt: Callable[[Path], object]
    line: str


class Runs:
    """Unpickled, it would make a file."""

    def __reduce__(self) -> Any:
        return os.mkdir, ("pwned",)


def planned(study: Path) -> object:
    experiments = plan(request({"experiment": "decay"}, study), study)
    check_results(experiments.values(), study)
    return experiments


def imported(model: dict[str, str]) -> Callable[[Path], object]:
    """A study whose model is a file: its name by the format, and its text."""

    def attempt(folder: Path) -> object:
        study = make_study(folder)
        ((kind, text),) = model.items()
        (study / "model.file").write_text(text)
        (study / MODEL).write_text(f"name: decay\n{kind}: model.file\nt1: 2.0\n")
        return planned(study)

    return attempt


def document(before: str = "", within: str = "", address: str = "") -> str:
    """SBML with something before its root element, or within it."""
    text = sbml(parameter("k", 1), parameter("x", 1, False))
    text = text.replace("<sbml", f"{before}\n<sbml{address}", 1)
    return text.replace("<model", f"{within}<model", 1)


COMP = "http://www.sbml.org/sbml/level3/version1/comp/version1"
COMP_ADDRESS = f' xmlns:comp="{COMP}" comp:required="true"'
BOMB = "".join(f'<!ENTITY a{i} "{f"&a{i - 1};" * 10}">' for i in range(1, 12))
ELSEWHERE = (
    "<comp:listOfExternalModelDefinitions><comp:externalModelDefinition comp:id='e' "
    "comp:source='file:///etc/passwd'/></comp:listOfExternalModelDefinitions>"
)
MATHML = "http://www.w3.org/1998/Math/MathML"
DEEP = f'<math xmlns="{MATHML}">' + "<apply><sin/>" * 100_000
ALIASES = "a0: &a0 [x, x]\n" + "".join(
    f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 12)
)


def config_text(file: str, text: str) -> Callable[[Path], object]:
    """A study with more text in one of its files."""

    def attempt(folder: Path) -> object:
        study = make_study(folder)
        (study / file).write_text(f"{(study / file).read_text()}\n{text}\n")
        return planned(study)

    return attempt


def named_elsewhere(folder: Path) -> object:
    return planned(make_study(folder, EXPERIMENT_YAML.replace("name: decay", "name: ../../far")))


def table(path: str) -> Callable[[Path], object]:
    def attempt(folder: Path) -> object:
        text = EXPERIMENT_YAML.replace("design: grid", "design: table")
        before, _, after = text.partition("  axes:\n    k: {linspace: [0.5, 2.0, 4]}\n")
        return planned(make_study(folder, f"{before}  path: {path}\n{after}"))

    return attempt


def linked(name: str, to_folder: bool = False) -> Callable[[Path], object]:
    """A study that comes with a link in its results."""

    def attempt(folder: Path) -> object:
        study = make_study(folder / "study")
        target = folder / "elsewhere"
        if to_folder:
            target.mkdir()
        else:
            target.write_text("of the user's")
        link = study / "results" / name
        link.parent.mkdir(parents=True)
        link.symlink_to(target)
        return planned(study)

    return attempt


def attributes(study: Path, **changed: Any) -> dict[str, Any]:
    """What `ensemble.nc` says of how it was made, some of it changed; None leaves it out."""
    config = compose("experiment=decay", study=study).model_dump(mode="json")
    known: dict[str, Any] = {
        "odeflow_config": write_yaml(config),
        "odeflow_model_source": json.dumps({"models.py": MODELS}),
        "odeflow_version": "0.1.0",
        "odeflow_versions": "{}",
        "odeflow_source_digest": "0",
    } | changed
    source = known["odeflow_model_source"]
    known["odeflow_model_sha256"] = text_digest(source) if isinstance(source, str) else "0"
    if "odeflow_model_data" in known:
        known["odeflow_model_data_sha256"] = text_digest(known["odeflow_model_data"])
    return {key: value for key, value in known.items() if value is not None}


def ensemble(change: Callable[[dict[str, Any]], dict[str, Any]]) -> Callable[[Path], object]:
    """`reproduce --write` of a file whose attributes someone changed."""

    def attempt(folder: Path) -> object:
        known = attributes(make_study(folder / "study"))
        changed = attributes(folder / "study", **change(known))
        dataset = xr.Dataset({"status": ("k", np.zeros(4, np.int8))}, attrs=changed)
        dataset.to_netcdf(folder / "ensemble.nc")
        found = reproduce(folder / "ensemble.nc", folder / "study")
        assert found.report().isprintable() or "\n" in found.report()
        return found.write(folder / "written")

    return attempt


def stored(*names: str) -> Callable[[Path], object]:
    sources = dict.fromkeys(names, "print('pwned')")
    return ensemble(lambda _: {"odeflow_model_source": json.dumps(sources)})


def with_config(old: str, new: str) -> Callable[[Path], object]:
    def change(known: dict[str, Any]) -> dict[str, Any]:
        assert old in known["odeflow_config"]
        return {"odeflow_config": known["odeflow_config"].replace(old, new, 1)}

    return ensemble(change)


def pickled_store(folder: Path) -> object:
    """A store whose pieces Zarr is to unpickle."""
    place = folder / "ensemble.zarr"
    (place / "status").mkdir(parents=True)
    array = {
        "zarr_format": 2, "shape": [1], "chunks": [1], "dtype": "|O", "compressor": None,
        "fill_value": None, "order": "C", "filters": [{"id": "pickle", "protocol": 4}],
    }  # fmt: skip
    dims, group = {"_ARRAY_DIMENSIONS": ["status"]}, {"zarr_format": 2}
    known = {".zgroup": group, "status/.zarray": array, "status/.zattrs": dims}
    known[".zmetadata"] = {"zarr_consolidated_format": 1, "metadata": dict(known)}
    for name, record in known.items():
        (place / name).write_text(json.dumps(record))
    (place / "status" / "0").write_bytes(pickle.dumps(Runs()))
    return reproduce(place, folder)


DEEP_JSON = "[" * 100_000 + "]" * 100_000
CASES = [
    Case(
        "SBML",
        "an entity bomb",
        imported({"sbml": document(f"<!DOCTYPE sbml [<!ENTITY a0 'ha'>{BOMB}]>")}),
        "entity declarations are refused",
    ),
    Case(
        "SBML",
        "an external entity",
        imported({"sbml": document('<!DOCTYPE sbml [<!ENTITY a SYSTEM "file:///etc/passwd">]>')}),
        "entity declarations are refused",
    ),
    Case(
        "SBML",
        "a parameter entity",
        imported(
            {"sbml": document('<!DOCTYPE sbml [<!ENTITY % a SYSTEM "file:///etc/passwd"> %a;]>')}
        ),
        "entity declarations are refused",
    ),
    Case(
        "SBML",
        "a document type elsewhere",
        imported({"sbml": document('<!DOCTYPE sbml SYSTEM "http://127.0.0.1:1/a.dtd">')}),
        "a document type that is kept elsewhere is refused",
    ),
    Case(
        "SBML",
        "elements 100,000 deep",
        imported({"sbml": document(within="<a>" * 100_000)}),
        "more than 1000 levels",
    ),
    Case(
        "SBML",
        "MathML 100,000 deep",
        imported({"sbml": document(within=DEEP)}),
        "more than 1000 levels",
    ),
    Case(
        "SBML",
        "a model in another file",
        imported({"sbml": document(within=ELSEWHERE, address=COMP_ADDRESS)}),
        "the external model 'e' is not supported",
    ),
    Case(
        "Antimony",
        "an import at the start",
        imported({"antimony": 'import "/etc/passwd"'}),
        "'import' is refused",
    ),
    Case(
        "Antimony",
        "an import after a semicolon",
        imported({"antimony": 'x = 1; import "../far.ant"'}),
        "'import' is refused",
    ),
    Case("YAML", "an alias bomb", config_text(MODEL, ALIASES), "alias"),
    Case(
        "YAML",
        "a Python object",
        config_text(MODEL, "title: !!python/object/apply:os.system ['touch pwned']"),
        "tag",
    ),
    Case("YAML", "an environment variable", config_text(MODEL, "title: ${oc.env:HOME}"), "refused"),
    Case(
        "YAML",
        "a Hydra object",
        config_text(MODEL, "title: {_target_: os.system}"),
        "_target_",
    ),
    Case(
        "YAML",
        "a control character",
        config_text(MODEL, 'title: "\\e]0;pwned\\a"'),
        "control character",
    ),
    Case("YAML", "a name that leads out", named_elsewhere, "name"),
    Case("table", "a file that is none", table("../../../../etc/passwd"), "not a kind of table"),
    Case("table", "a device", table("/dev/zero"), "not a kind of table"),
    Case("`results`", "a log that is a link", linked("decay/logs/plot.log"), "outside of results/"),
    Case(
        "`results`", "a result that is a link", linked("decay/ensemble.nc"), "outside of results/"
    ),
    Case(
        "`results`",
        "a folder that is a link",
        linked("decay", to_folder=True),
        "outside of results/",
    ),
    Case(
        "`results`",
        "the chunks' folder is a link",
        linked("chunks", to_folder=True),
        "outside of results/",
    ),
    Case(
        "`ensemble.nc`", "a file above the study", stored("../models.py"), "is not inside a study"
    ),
    Case("`ensemble.nc`", "an absolute file", stored("/tmp/models.py"), "is not inside a study"),
    Case(
        "`ensemble.nc`",
        "a hidden file",
        stored("models.py", ".git/hooks/pre-commit"),
        "it is a setting, not a model's file",
    ),
    Case(
        "`ensemble.nc`",
        "a Snakefile",
        stored("models.py", "Snakefile"),
        "it is a setting, not a model's file",
    ),
    Case(
        "`ensemble.nc`",
        "the study's settings",
        stored("models.py", "config/workflow.yaml"),
        "it is a setting, not a model's file",
    ),
    Case("`ensemble.nc`", "a name that no file has", stored("a\0b.py"), "is not inside a study"),
    Case(
        "`ensemble.nc`",
        "a name with control characters",
        stored("a\x1b[2J.py"),
        "is not inside a study",
    ),
    Case(
        "`ensemble.nc`",
        "a name that is too long",
        stored("a" * 5000 + ".py"),
        "that no file can have",
    ),
    Case(
        "`ensemble.nc`",
        "a file below a file",
        stored("models.py", "models.py/a.py"),
        "is below a file",
    ),
    Case(
        "`ensemble.nc`",
        "no text",
        ensemble(lambda _: {"odeflow_model_source": 7}),
        "has no attribute odeflow_model_source",
    ),
    Case(
        "`ensemble.nc`",
        "sources that are none",
        ensemble(lambda _: {"odeflow_model_source": "[1, 2]"}),
        "is not what odeflow writes there",
    ),
    Case(
        "`ensemble.nc`",
        "sources that are no text",
        ensemble(lambda _: {"odeflow_model_source": '{"a.py": {"b": 1}}'}),
        "is not what odeflow writes there",
    ),
    Case(
        "`ensemble.nc`",
        "JSON 100,000 deep",
        ensemble(lambda _: {"odeflow_versions": DEEP_JSON}),
        "is not what odeflow writes there",
    ),
    Case(
        "`ensemble.nc`",
        "versions that are missing",
        ensemble(lambda _: {"odeflow_version": None}),
        "has no attribute odeflow_version",
    ),
    Case(
        "`ensemble.nc`", "an alias bomb", ensemble(lambda _: {"odeflow_config": ALIASES}), "alias"
    ),
    Case(
        "`ensemble.nc`",
        "a Hydra object",
        with_config("title: ", "title: {_target_: os.system}\n  x: "),
        "_target_",
    ),
    Case(
        "`ensemble.nc`",
        "a config that is a list",
        ensemble(lambda _: {"odeflow_config": "[1, 2]"}),
        "odeflow_config",
    ),
    Case(
        "`ensemble.nc`",
        "a name that leads out",
        with_config("name: decay\n", "name: ../decay\n"),
        "name",
    ),
    Case("`ensemble.zarr`", "pieces to unpickle", pickled_store, "cannot be read"),
]
