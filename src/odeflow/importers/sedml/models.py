"""The SBML file of a task's model, and what SED-ML changes in it before it is simulated."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from odeflow.files.errors import ConfigError, shown
from odeflow.files.xml_tree import Element, XmlError, read_xml
from odeflow.importers.sbml.edits import Edit, edited
from odeflow.importers.sbml.targets import XPath, parse_target
from odeflow.importers.sedml.document import SedmlFile, given, identifier_of, listed, named
from odeflow.importers.sedml.formulas import number

#: The attribute that has the number of a quantity, by its element.
_NUMBERS = {"parameter": "value", "localParameter": "value", "compartment": "size"}
_SPECIES = ("species", "specie")
_INITIAL = {True: ("initialAmount",), False: ("initialConcentration", "initialAmount")}


@dataclass(frozen=True)
class SedmlModel:
    """A model: its SBML file, and its edits, with which `root` has been read."""

    file: str
    edits: tuple[Edit, ...]
    root: Element


def read_model(file: SedmlFile, document: Element, identifier: str, by: Element) -> SedmlModel:
    """The model of an id, which `by` names, with all changes made; raises ConfigError."""
    model = named(file, listed(document, "listOfModels"), identifier, "model", by)
    chain = _chain(file, document, model)
    return _changed(file, chain, _file_of(file, chain[0]))


def source_file(file: SedmlFile, document: Element, model: Element) -> str:
    """The SBML file that a model comes from, in study or archive; raises ConfigError."""
    return _file_of(file, _chain(file, document, model)[0])


def _chain(file: SedmlFile, document: Element, model: Element) -> list[Element]:
    """The models that a model is made of by changes, from the one that is a file to itself."""
    models = {identifier_of(x): x for x in listed(document, "listOfModels")}
    chain = [model]
    while True:
        source = given(file, chain[0], "source")
        if not source.startswith("#") and source not in models:  # version 1 writes no #
            return chain
        found = named(file, models.values(), source.removeprefix("#"), "model", chain[0])
        if found in chain:
            circle = " -> ".join(identifier_of(x) for x in (found, *chain))
            raise file.mistake(f"models that are made of each other: {circle}", found)
        chain.insert(0, found)


def _file_of(file: SedmlFile, model: Element) -> str:
    """The file of a model, in study or archive."""
    source, language = given(file, model, "source"), model.attributes.get("language", "")
    if language and not any(x in language.lower() for x in ("sbml", "language:xml")):
        what = f"the model {identifier_of(model)!r} is in {shown(language)}; SBML is read"
        raise file.mistake(what, model)
    if ":" in source:
        what = f"the source {shown(source)} is not a file; put it beside the SED-ML file"
        raise file.mistake(f"{what}, and name it", model)
    name = file.beside(source)
    if name is None:
        where = "archive" if file.archive else "study"
        raise file.mistake(f"the source {shown(source)} is not inside the {where}", model)
    return name


def _changed(file: SedmlFile, chain: list[Element], name: str) -> SedmlModel:
    """The file's model with the changes of each model of a chain, in order."""
    text = file.text(name)
    edits: list[Edit] = []
    root = _root(file, name, text)
    for model in chain:
        for change in listed(model, "listOfChanges"):
            kind = change.name
            if kind not in ("changeAttribute", "computeChange"):
                what = f"{kind} is not supported; change the SBML file itself, and leave it out"
                raise file.mistake(what, change)
            target, element = target_of(file, change, root)
            if kind == "changeAttribute" and target.attribute is None:
                what = f"{target.text} names no attribute; end it with /@value or the like"
                raise file.mistake(what, change)
            if kind == "changeAttribute":
                made: list[Edit] = [(target.text, change.attributes.get("newValue", ""))]
            else:
                value = number(file, change, {}, lambda x, root=root: variable_in(file, x, root))
                made = _setting(file, change, target, element, value)
            edits += made
            root = _root(file, name, edited(text, edits))
    return SedmlModel(name, tuple(edits), root)


def _root(file: SedmlFile, name: str, text: str) -> Element:
    try:
        return read_xml(text.encode())
    except XmlError as error:
        raise ConfigError(f"{file.key}: {name}, {error}") from None


def target_of(file: SedmlFile, by: Element, root: Element) -> tuple[XPath, Element]:
    """The target of a change or variable, and the element that it leads to."""
    try:
        target = parse_target(given(file, by, "target"))
        return target, target.found(root)
    except ValueError as error:
        raise file.mistake(f"{by.name}: {error}", by) from None


def variable_in(file: SedmlFile, variable: Element, root: Element) -> float:
    """The number that the file has for a variable's target, at the start."""
    target, element = target_of(file, variable, root)
    has, attribute = element.attributes, target.attribute
    if attribute is None:
        attribute = _attribute(element)
    try:
        value = float(has[attribute or ""])
    except (KeyError, ValueError):
        what = f"the model has no number at {target.text}; compute with one that it has"
        raise file.mistake(what, variable) from None
    if target.attribute is None and attribute == "initialAmount" and not _is_amount(element):
        return value / _size(file, variable, element, root)
    return value


def _attribute(element: Element) -> str | None:
    """The attribute that has the number of a quantity."""
    if element.name in _SPECIES:
        candidates = _INITIAL[_is_amount(element)]
        return next((x for x in candidates if x in element.attributes), candidates[0])
    return _NUMBERS.get(element.name)


def _is_amount(species: Element) -> bool:
    """Whether the id of a species stands for its amount."""
    return species.attributes.get("hasOnlySubstanceUnits") in ("true", "1")


def _size(file: SedmlFile, by: Element, species: Element, root: Element) -> float:
    """The size of the compartment of a species."""
    wanted = species.attributes.get("compartment")
    for element in root.descendants():
        if element.name == "compartment" and identifier_of(element) == wanted:
            try:
                return float(element.attributes.get("size", "1"))
            except ValueError:
                break
    raise file.mistake(f"the compartment {wanted!r} has no size", by)


def _setting(
    file: SedmlFile, change: Element, target: XPath, element: Element, value: float
) -> list[Edit]:
    """The edits that give a quantity a value."""
    if target.attribute is not None:
        return [(target.text, repr(value))]
    if element.name in _SPECIES:
        is_amount = _is_amount(element)
        keep, drop = ("initialAmount", "initialConcentration")[:: 1 if is_amount else -1]
        return [(f"{target.text}/@{keep}", repr(value)), (f"{target.text}/@{drop}", None)]
    attribute = _attribute(element)
    if attribute is None:
        raise file.mistake(f"{target.text} is no quantity that has a value", change)
    return [(f"{target.text}/@{attribute}", repr(value))]


def quantity_of(
    file: SedmlFile, by: Element, root: Element, ids: Mapping[str, str], names: Collection[str]
) -> str:
    """The name in odeflow of the quantity that a target leads to.

    Its value is meant: a species' concentration, or its amount where it `hasOnlySubstanceUnits`.
    """
    target, element = target_of(file, by, root)
    if target.attribute is not None:
        if target.attribute != _attribute(element):
            what = f"{target.text} is not what the model computes with; leave out the attribute"
            raise file.mistake(what, by)
        is_species = element.name in _SPECIES
        if is_species and target.attribute == "initialAmount" and not _is_amount(element):
            what = (
                f"{target.text} is an amount, the species a concentration in the model; give that"
            )
            raise file.mistake(what, by)
    identifier = identifier_of(element)
    name = ids.get(identifier)
    law = _ancestor(element, "kineticLaw")
    if law is not None and law.parent is not None:
        name = f"{ids.get(identifier_of(law.parent))}_{identifier}"
    if name is None or name not in names:
        raise file.mistake(f"{target.text} is no quantity of the model", by)
    return name


def _ancestor(element: Element, name: str) -> Element | None:
    above: Element | None = element.parent
    while above is not None and above.name != name:
        above = above.parent
    return above
