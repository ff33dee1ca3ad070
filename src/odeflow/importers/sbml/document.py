"""SBML text as libsbml's validated tree; what libsbml finds wrong reaches the user."""

from typing import Any

import libsbml

from odeflow.files.errors import ConfigError
from odeflow.importers.refusal import ModelSource, UnsupportedError
from odeflow.importers.sbml.xml_text import checked_text

#: Categories of checks whose findings change no number.
_UNCHECKED = (
    libsbml.LIBSBML_CAT_UNITS_CONSISTENCY,
    libsbml.LIBSBML_CAT_MODELING_PRACTICE,
    libsbml.LIBSBML_CAT_SBO_CONSISTENCY,
)
#: Errors that change no number, since units are labels and annotations are not read.
_HARMLESS = frozenset(
    {
        *(21121, 21131),  # a species in a kinetic law that is not listed as a modifier
        *(10220, 10221, 10302, 10311, 10313, *range(10501, 10566)),  # units: in mathematics,
        *(*range(20217, 20222), *range(20401, 20422)),  # of the model, definitions,
        *(20502, *range(20507, 20510), *range(20511, 20514), 20518),  # of compartments,
        *(20608, 20616, 20701, 20702),  # of species and parameters,
        *(21125, 21126, 99127, 99128, 99130, 99206, 99303, *range(99502, 99510), 99906),  # others
        *(10307, 10308, 10309, *range(10701, 10720), 99701, 99702),  # metaids, SBO terms
        *(*range(10401, 10405), *range(10801, 10806), *range(99401, 99408)),  # annotations, notes
    }
)
#: Packages that may be required: more of MathML for Level 3 Version 1, and models made of models.
_KNOWN_PACKAGES = {"l3v2extendedmath", "comp"}
#: Packages that are refused whatever a file says: what they add changes the numbers.
_REFUSED_PACKAGES = {"arrays", "distrib", "dyn", "multi", "qual", "spatial"}


def read_document(source: ModelSource, text: str) -> Any:
    """The document as libsbml has it. It must be kept as long as its model is used.

    Raises ConfigError with libsbml's first error, its line and the number of others, or where
    there is no model; UnsupportedError where a package is required that changes what it means.
    Packages that only draw or group are left out before libsbml sees them.
    """
    document = libsbml.readSBMLFromString(checked_text(source, text))
    _refuse_packages(document, source)
    _raise_errors(document, source)
    _flatten(document, source)
    for category in _UNCHECKED:
        document.setConsistencyChecks(category, False)
    document.checkConsistency()
    _raise_errors(document, source)
    if document.getModel() is None:
        raise ConfigError(f"{source.place()}: there is no model in this SBML document")
    return document


#: What libsbml says in no words of its own.
_MEANING = {
    10601: "rules and reactions determine more than there is to determine: an algebraic rule needs "
    "a quantity that is not constant and that nothing else changes"
}


def _raise_errors(document: Any, source: ModelSource) -> None:
    found = [document.getError(i) for i in range(document.getNumErrors())]
    errors = [
        error
        for error in found
        if error.getSeverity() >= libsbml.LIBSBML_SEV_ERROR and error.getErrorId() not in _HARMLESS
    ]
    if errors:
        first = errors[0]
        # The first paragraph is the rule, the last one what broke it here.
        parts = [" ".join(x.split()) for x in first.getMessage().strip().split("\n") if x.strip()]
        message = parts[-1] if len(parts) > 1 else parts[0] if parts else "not valid"
        message = _MEANING.get(first.getErrorId(), message)
        others = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
        raise ConfigError(
            f"{source.place(first.getLine())}: {message} [SBML {first.getErrorId()}]{others}"
        )


def _refuse_packages(document: Any, source: ModelSource) -> None:
    if document.getLevel() < 3:
        return
    plugins = [document.getPlugin(i) for i in range(document.getNumPlugins())]
    declared = {plugin.getPrefix(): plugin.getPackageName() for plugin in plugins}
    unknown = range(document.getNumUnknownPackages())
    declared |= {document.getUnknownPackagePrefix(i): _package(document, i) for i in unknown}
    for prefix, package in declared.items():
        required = document.getPkgRequired(prefix) or document.getPackageRequired(prefix)
        if package in _REFUSED_PACKAGES or (required and package not in _KNOWN_PACKAGES):
            hint = ": it changes what the model means; export the model without it"
            what = f"the package {package!r}"
            raise UnsupportedError(source, what, hint, document.getLine() or 1, prefix)


def _package(document: Any, index: int) -> str:
    """The name of a package that libsbml does not know, from its namespace."""
    parts = document.getUnknownPackageURI(index).rstrip("/").split("/")
    return parts[-2] if len(parts) > 1 else document.getUnknownPackagePrefix(index)


def _flatten(document: Any, source: ModelSource) -> None:
    """Makes one model of a model of models (the package comp), by libsbml's own converter."""
    composition = document.getPlugin("comp")
    if composition is None:
        return
    for i in range(composition.getNumExternalModelDefinitions()):
        external = composition.getExternalModelDefinition(i)
        what = f"the external model {external.getIdAttribute()!r}"
        hint = "; put all models into one file"
        raise UnsupportedError(source, what, hint, external.getLine(), external.getIdAttribute())
    options = libsbml.ConversionProperties()
    options.addOption("flatten comp", True)
    options.addOption("performValidation", False)
    if document.convert(options) != libsbml.LIBSBML_OPERATION_SUCCESS:
        _raise_errors(document, source)
        raise ConfigError(f"{source.place()}: libsbml cannot flatten its submodels")
