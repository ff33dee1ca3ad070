"""Small SED-ML documents and COMBINE archives for tests, their mathematics written as formulas."""

import zipfile
from collections.abc import Mapping
from pathlib import Path

from tests.support.sbml_text import compartment, mathml, parameter, reaction, sbml, species

#: A becomes B: A(t) = A(0) exp(-k t), B(t) = A(0) - A(t).
MODEL = sbml(
    compartment("c"), species("A", "c", concentration=2), species("B", "c", concentration=0),
    parameter("k", 0.5), parameter("n", 3), reaction("J", "A", "B", "c * k * A"),
)  # fmt: skip
_LISTS = ("Simulations", "Models", "Tasks", "DataGenerators", "Outputs")
_PATH = "/sbml:sbml/sbml:model/sbml:listOf"
PATHS = {
    **{x: f"{_PATH}Species/sbml:species[@id='{x}']" for x in "AB"},
    **{x: f"{_PATH}Parameters/sbml:parameter[@id='{x}']" for x in "kn"},
    "c": f"{_PATH}Compartments/sbml:compartment[@id='c']",
    "J": f"{_PATH}Reactions/sbml:reaction[@id='J']",
}
TIME = "urn:sedml:symbol:time"


def sedml(version: int = 3, **lists: str) -> str:
    """A document of the lists that are given, by name in small letters: `tasks="..."`."""
    body = "\n".join(
        f"<listOf{name}>\n{lists[name.lower()]}\n</listOf{name}>"
        for name in _LISTS
        if lists.get(name.lower())
    )
    namespace = "http://sed-ml.org/" + (f"sed-ml/level1/version{version}" if version > 1 else "")
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<sedML xmlns="{namespace}" level="1" '
        f'version="{version}" xmlns:sbml="http://www.sbml.org/sbml/level2/version4">\n'
        f"{body}\n</sedML>\n"
    )


def algorithm(kisao: str = "KISAO:0000019", **parameters: str) -> str:
    """An algorithm; parameters are named `p209` and so on."""
    inner = "".join(
        f'<algorithmParameter kisaoID="KISAO:{int(name[1:]):07d}" value="{value}"/>'
        for name, value in parameters.items()
    )
    inner = inner and f"<listOfAlgorithmParameters>{inner}</listOfAlgorithmParameters>"
    return f'<algorithm kisaoID="{kisao}">{inner}</algorithm>'


def course(
    initial: float = 0, start: float = 0, end: float = 4, points: int = 8, solved: str = "",
    identifier: str = "s", count: str = "numberOfPoints",
) -> str:  # fmt: skip
    return (
        f'<uniformTimeCourse id="{identifier}" initialTime="{initial}" outputStartTime="{start}" '
        f'outputEndTime="{end}" {count}="{points}">{solved or algorithm()}</uniformTimeCourse>'
    )


def model(changes: str = "", source: str = "model.xml", identifier: str = "m") -> str:
    inner = changes and f"<listOfChanges>{changes}</listOfChanges>"
    return (
        f'<model id="{identifier}" language="urn:sedml:language:sbml" source="{source}">'
        f"{inner}</model>"
    )


def attribute(name: str, value: str, attribute: str = "value") -> str:
    return f'<changeAttribute target="{PATHS.get(name, name)}/@{attribute}" newValue="{value}"/>'


def computed(kind: str, formula: str, attributes: str, **given: str) -> str:
    """An element with mathematics; `given` are variables (paths, or `time`), or numbers."""
    variables, parameters = "", ""
    for name, what in given.items():
        if what.replace(".", "").isdigit():
            parameters += f'<parameter id="{name}" value="{what}"/>'
        else:
            variables += f'<variable id="{name}" {what}/>'
    variables = variables and f"<listOfVariables>{variables}</listOfVariables>"
    parameters = parameters and f"<listOfParameters>{parameters}</listOfParameters>"
    return f"<{kind} {attributes}>{variables}{parameters}{mathml(formula)}</{kind}>"


def of(name: str, task: str = "t") -> str:
    """A variable of a data generator: a quantity of the model, or the time."""
    if name == "time":
        return f'taskReference="{task}" symbol="{TIME}"'
    return f'taskReference="{task}" target="{PATHS.get(name, name)}"'


def in_model(name: str) -> str:
    """A variable of a change or range: a quantity of the model as it is in the file."""
    return f'modelReference="m" target="{PATHS.get(name, name)}"'


def generator(identifier: str, formula: str, task: str = "t", **variables: str) -> str:
    given = {
        name: x if x.replace(".", "").isdigit() else of(x, task) for name, x in variables.items()
    }
    return computed("dataGenerator", formula, f'id="{identifier}"', **given)


def report(identifier: str = "r", **labels: str) -> str:
    """A report with a data set for each generator, which is given its label."""
    inner = "".join(
        f'<dataSet id="{identifier}_{name}" label="{label}" dataReference="{name}"/>'
        for name, label in labels.items()
    )
    return f'<report id="{identifier}"><listOfDataSets>{inner}</listOfDataSets></report>'


def task(identifier: str = "t", model: str = "m", simulation: str = "s") -> str:
    return f'<task id="{identifier}" modelReference="{model}" simulationReference="{simulation}"/>'


def repeated(
    identifier: str, within: str, ranges: str, changes: str, reset: str = "true",
    main: str = "x",
) -> str:  # fmt: skip
    subtasks = "".join(
        f'<subTask task="{x}" order="{i}"/>' for i, x in enumerate(within.split(), 1)
    )
    return (
        f'<repeatedTask id="{identifier}" range="{main}" resetModel="{reset}">'
        f"<listOfRanges>{ranges}</listOfRanges><listOfChanges>{changes}</listOfChanges>"
        f"<listOfSubTasks>{subtasks}</listOfSubTasks></repeatedTask>"
    )


def vector(identifier: str, *values: float) -> str:
    inner = "".join(f"<value>{x}</value>" for x in values)
    return f'<vectorRange id="{identifier}">{inner}</vectorRange>'


def uniform(identifier: str, start: float, end: float, points: int, kind: str = "linear") -> str:
    return (
        f'<uniformRange id="{identifier}" start="{start}" end="{end}" '
        f'numberOfPoints="{points}" type="{kind}"/>'
    )


def functional(identifier: str, formula: str, main: str = "x", **given: str) -> str:
    return computed("functionalRange", formula, f'id="{identifier}" range="{main}"', **given)


def set_value(name: str, formula: str, main: str = "x", **given: str) -> str:
    target = PATHS.get(name, name)
    return computed(
        "setValue", formula, f'modelReference="m" range="{main}" target="{target}"', **given
    )


#: A task, and what is shown of it: the time, A by its own name, the sum by a name of its own.
PLAIN = {
    "simulations": course(),
    "models": model(),
    "tasks": task(),
    "datagenerators": generator("g_time", "x", x="time")
    + generator("g_a", "x", x="A")
    + generator("g_sum", "x + w * y", x="A", y="B", w="2"),
    "outputs": report(g_time="Time", g_a="Concentration of A", g_sum="total"),
}
MANIFEST = """\
<?xml version="1.0" encoding="UTF-8"?>
<omexManifest xmlns="http://identifiers.org/combine.specifications/omex-manifest">
  <content location="." format="http://identifiers.org/combine.specifications/omex"/>
  <content location="./model.xml" format="http://identifiers.org/combine.specifications/sbml"/>
{listed}
</omexManifest>
"""


def manifest(*simulations: str, master: str = "") -> str:
    """A manifest that lists SED-ML files."""
    form = "http://identifiers.org/combine.specifications/sed-ml.level-1.version-3"
    listed = (
        f'  <content location="./{x}" format="{form}"{" master=" if x == master else ""}'
        f"{chr(34) + 'true' + chr(34) if x == master else ''}/>"
        for x in simulations
    )
    return MANIFEST.format(listed="\n".join(listed))


def write_archive(path: Path, files: Mapping[str, str]) -> Path:
    """A zip file of texts by name."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return path


def make_archive(folder: Path, document: str, experiment: str = "", **more: str) -> Path:
    """A study whose experiment `mine` is a task of an archive."""
    (folder / "config/experiment").mkdir(parents=True, exist_ok=True)
    (folder / "config/experiment/mine.yaml").write_text(
        "# @package _global_\nname: mine\n" + (experiment or "model: {omex: study.omex}\n")
    )
    files = {"manifest.xml": manifest("run.sedml"), "run.sedml": document, "model.xml": MODEL}
    write_archive(folder / "study.omex", {**files, **more})
    return folder
