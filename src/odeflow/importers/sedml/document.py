"""A SED-ML file as a tree, wherever it lies; what is wrong in it is one line.

Read without libsedml: in one process with libsbml each takes the other's objects for its own.

Reference: Smith et al. (2021), The simulation experiment description markup language (SED-ML):
language specification for Level 1 Version 4, J. Integr. Bioinform. 18.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from odeflow.config.validate import nearest
from odeflow.files.combine_archive import inside, simulations_in
from odeflow.files.errors import ConfigError, shown
from odeflow.files.xml_tree import Element, XmlError, read_xml
from odeflow.importers.sbml.source import find_file, model_text


@dataclass(frozen=True)
class SedmlFile:
    """Where a SED-ML file is: its name in the study, or in an archive of it."""

    name: str
    archive: str | None
    study: Path

    @property
    def key(self) -> str:
        """The key of the config that names it."""
        return "model.sedml" if self.archive is None else "model.omex"

    def mistake(self, text: str, element: Element | None = None) -> ConfigError:
        """The error that says what is wrong, where in the file."""
        line = element.line if element is not None else 0
        place = f"{self.archive}: {self.name}" if self.archive else self.name
        return ConfigError(f"{self.key}: {place}{f', line {line}' if line else ''}: {text}")

    def beside(self, source: str) -> str | None:
        """The name, in study or archive, of a file that this one calls `source`."""
        return inside(source, str(PurePosixPath(self.name).parent))

    def text(self, name: str) -> str:
        """The text of a file of the same study or archive; raises ConfigError."""
        return model_text(name, self.archive, self.study, self.key)


def sedml_file(model: Mapping[str, Any], study: Path) -> SedmlFile:
    """The SED-ML file that a `model` group names; raises ConfigError for an archive of several."""
    found = sedml_files(model, study)
    if len(found) > 1:
        names = ", ".join(file.name for file in found)
        what = f"several SED-ML files: {names}; choose one by model.sedml"
        raise ConfigError(f"model.omex: {model['omex']}: {what}")
    return found[0]


def sedml_files(model: Mapping[str, Any], study: Path) -> list[SedmlFile]:
    """The SED-ML files that a `model` group names: that of `sedml`, or all of an archive."""
    archive, name = model.get("omex"), model.get("sedml")
    if archive is None:
        return [SedmlFile(str(name), None, study)]
    found = simulations_in(find_file(archive, study, "model.omex"), "model.omex")
    if name is not None:
        return [SedmlFile(inside(name) or name, archive, study)]
    if not found:
        what = "no SED-ML file in its manifest, so nothing says what to do"
        raise ConfigError(f"model.omex: {archive}: {what}")
    return [SedmlFile(one, archive, study) for one in found]


def read_document(file: SedmlFile) -> Element:
    """The root of the file; raises ConfigError where it is not SED-ML of Level 1."""
    try:
        root = read_xml(file.text(file.name).encode())
    except XmlError as error:
        raise file.mistake(str(error)) from None
    if root.name != "sedML" or root.attributes.get("level", "1") != "1":
        raise file.mistake(f"no SED-ML of Level 1, but <{root.name}>", root)
    return root


def listed(element: Element, name: str) -> list[Element]:
    """What is in one of the lists of an element, `listOf...`; nothing where it has none."""
    found = (x for one in element.children if one.name == name for x in one.children)
    return [x for x in found if x.name not in ("notes", "annotation")]


def given(file: SedmlFile, element: Element, attribute: str) -> str:
    """An attribute that has to be there."""
    if not element.attributes.get(attribute):
        raise file.mistake(f"{element.name}: {attribute} is needed", element)
    return element.attributes[attribute]


def number_given(file: SedmlFile, element: Element, *attributes: str) -> float:
    """The first of some attributes that is there, as a finite number."""
    name = next((x for x in attributes if x in element.attributes), attributes[-1])
    text = given(file, element, name)
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if value - value != 0:
        raise file.mistake(f"{element.name}: {name} is {shown(text)}, not a finite number", element)
    return value


def identifier_of(element: Element) -> str:
    """The id of an element, of SBML's Level 1 too, which calls it the name."""
    return element.attributes.get("id", element.attributes.get("name", ""))


def named(
    file: SedmlFile,
    elements: Iterable[Element],
    identifier: str,
    what: str,
    by: Element | None = None,
) -> Element:
    """The element of an id; raises ConfigError that lists those there are."""
    known = {identifier_of(x): x for x in elements}
    if identifier not in known:
        raise file.mistake(f"no {what} {shown(identifier)}{nearest(identifier, known)}", by)
    return known[identifier]
