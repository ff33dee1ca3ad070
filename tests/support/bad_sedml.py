"""Wrong SED-ML and wrong archives, for the table of `bad_input`: what, what is named, files."""

from collections.abc import Callable
from pathlib import Path

from tests.support import sedml_text as s

EXPERIMENT = "config/experiment/decay.yaml"
#: As `bad_input.Content`.
_Content = str | bytes | Callable[[Path], None]
Files = dict[str, _Content]


def _study(archive: _Content, said: str = "model: {omex: study.omex}") -> Files:
    return {EXPERIMENT: f"# @package _global_\nname: decay\n{said}\n", "study.omex": archive}


def _files(said: str = "model: {omex: study.omex}", **files: str | None) -> Files:
    """An archive whose files differ from those of a right one; None: it is not there."""
    given: dict[str, str | None] = {
        "manifest.xml": s.manifest("run.sedml"), "run.sedml": s.sedml(**s.PLAIN),
        "model.xml": s.MODEL, **files,
    }  # fmt: skip
    texts = {name: text for name, text in given.items() if text is not None}
    return _study(lambda path: s.write_archive(path, texts) and None, said)


def _lists(said: str = "model: {omex: study.omex}", **lists: str) -> Files:
    """An archive whose SED-ML has other lists than those of `PLAIN`."""
    return _files(said, **{"run.sedml": s.sedml(**{**s.PLAIN, **lists})})


def _changed(changes: str) -> Files:
    return _lists(models=s.model(changes))


def _solved(algorithm: str) -> Files:
    return _lists(simulations=s.course(solved=algorithm))


def _repeated(ranges: str, changes: str, within: str = "t", reset: str = "true", said: str = ""):
    loop = s.repeated("loop", within, ranges, changes, reset)
    tasks = s.task() + s.task("u") + loop
    return _lists(f"model: {{omex: study.omex, task: loop}}\n{said}", tasks=tasks)


_RANGE, _SETTING = s.vector("x", 1, 2), s.set_value("k", "x")
_ADDED = f'<addXML target="{s.PATHS["k"]}"><newXML><a/></newXML></addXML>'
_NO_AXIS = f"{s.PATHS['k']}[1]"

#: Rows of the page, which whole runs of Snakemake check too.
IN_ARCHIVE: list[tuple[str, tuple[str, ...], Files]] = [
    ("a file that is no zip", ("model.omex: study.omex: no COMBINE archive",), _study("a text")),
    (
        "a zip without a manifest",
        ("model.omex: study.omex: no manifest.xml in it",),
        _files(**{"manifest.xml": None}),
    ),
    (
        "a file that would be written outside",
        ("model.omex: study.omex", "'../model.xml' leads out of the archive"),
        _files(**{"../model.xml": s.MODEL}),
    ),
    (
        "several SED-ML files",
        ("several SED-ML files: run.sedml, two.sedml", "model.sedml"),
        _files(**{"manifest.xml": s.manifest("run.sedml", "two.sedml"), "two.sedml": "<a/>"}),
    ),
    (
        "a model that is not in the archive",
        ("model.omex: study.omex: no file 'model.xml' in it", "files: manifest.xml, run.sedml"),
        _files(**{"model.xml": None}),
    ),
    (
        "models that are each other's source",
        ("models that are made of each other: m -> n -> m",),
        _lists(models=s.model(source="#n") + s.model(source="#m", identifier="n")),
    ),
    (
        "a task that is not there",
        ("model.task: no task 'tt'", "did you mean t?"),
        _lists("model: {omex: study.omex, task: tt}"),
    ),
    (
        "XPath to nothing",
        ("changeAttribute: ", "leads to no elements of the model"),
        _changed(s.attribute(s.PATHS["k"].replace("'k'", "'q'"), "1")),
    ),
    (
        "an algorithm that is none for differential equations",
        ("algorithm: KISAO:0000029 is not known", "solver=rodas5p"),
        _solved(s.algorithm("KISAO:0000029")),
    ),
    (
        "a repeated task that goes on from the last",
        ("the repeated task 'loop' has resetModel false",),
        _repeated(_RANGE, _SETTING, reset="false"),
    ),
    (
        "axes beside a repeated task",
        ("design.axes: the task loop is repeated", "model.task"),
        _repeated(_RANGE, _SETTING, said="design: {axes: {n: {values: [1, 2]}}}"),
    ),
]
#: Others.
OTHERS: list[tuple[str, tuple[str, ...], Files]] = [
    (
        "an archive that is not there",
        ("model.omex", "no file 'other.omex'"),
        _files("model: {omex: other.omex}"),
    ),
    (
        "a manifest that lists what is not there",
        ("manifest.xml, line 5", "no file './other.sedml' in the archive"),
        _files(**{"manifest.xml": s.manifest("other.sedml")}),
    ),
    (
        "an archive without SED-ML",
        ("model.omex: study.omex: no SED-ML file in its manifest",),
        _files(**{"manifest.xml": s.manifest()}),
    ),
    (
        "a vector field beside it",
        ("model.omex", "not beside vector_field"),
        _files("model: {name: x, omex: study.omex, vector_field: 'models.py:f'}"),
    ),
    (
        "a document type",
        ("model.omex: study.omex: run.sedml: line 1", "remove the DOCTYPE"),
        _files(**{"run.sedml": '<!DOCTYPE a [<!ENTITY b "c">]><sedML/>'}),
    ),
    (
        "a model outside of the archive",
        ("run.sedml, line", "'../model.xml' is not inside the archive"),
        _lists(models=s.model(source="../model.xml")),
    ),
    (
        "a model on the web",
        ("run.sedml, line", "'https://example.org/model.xml' is not a file"),
        _lists(models=s.model(source="https://example.org/model.xml")),
    ),
    (
        "a model in another language",
        ("the model 'm' is in 'urn:sedml:language:cellml'", "SBML is read"),
        _lists(models=s.model().replace("language:sbml", "language:cellml")),
    ),
    (
        "several tasks",
        ("several tasks: t, u", "model.task"),
        _lists(tasks=s.task() + s.task("u"), datagenerators="", outputs=""),
    ),
    (
        "a simulation that is not there",
        ("run.sedml, line", "no simulation 'q'", "known: s"),
        _lists(tasks=s.task(simulation="q")),
    ),
    (
        "one step",
        ("oneStep is not supported", "uniformTimeCourse"),
        _lists(simulations=f'<oneStep id="s" step="1">{s.algorithm()}</oneStep>'),
    ),
    (
        "times that do not follow one another",
        ("initialTime 5, outputStartTime 0 and outputEndTime 4",),
        _lists(simulations=s.course(initial=5)),
    ),
    (
        "an end that is no number",
        ("uniformTimeCourse: outputEndTime is 'late', not a finite number",),
        _lists(simulations=s.course().replace('Time="4"', 'Time="late"')),
    ),
    (
        "XPath that is not understood",
        ("changeAttribute: ", "is not understood", "sbml:parameter[@id='k']"),
        _changed(s.attribute(_NO_AXIS, "1")),
    ),
    ("XML that is added", ("addXML is not supported", "change the SBML file"), _changed(_ADDED)),
    (
        "a computed value that reads nothing",
        ("computeChange: ", "'q', which nothing gives a value"),
        _changed(s.computed("computeChange", "q", f'target="{s.PATHS["k"]}"')),
    ),
    (
        "an algorithm without an id of KiSAO",
        ("'CVODE' is no KiSAO id, such as KISAO:0000019",),
        _solved(s.algorithm("CVODE")),
    ),
    (
        "a tolerance that is no number",
        ("algorithmParameter: value is 'tight', not a finite number",),
        _solved(s.algorithm(p209="tight")),
    ),
    (
        "a repeated task of two tasks",
        ("the repeated task 'loop' has 2 subtasks",),
        _repeated(_RANGE, _SETTING, "t u"),
    ),
    (
        "a repeated task within itself",
        ("tasks that are within each other: loop -> loop",),
        _repeated(_RANGE, _SETTING, "loop"),
    ),
    (
        "a range that is too short",
        ("the range 'y' has 1 values, 'x' has 2",),
        _repeated(_RANGE + s.vector("y", 1), _SETTING),
    ),
    (
        "a logarithmic range from 0",
        ("the range 'x' is of type log; both ends have to be above 0",),
        _repeated(s.uniform("x", 0, 1, 3, "log"), _SETTING),
    ),
    (
        "a value for what the model computes",
        ("setValue: J: the model computes it",),
        _repeated(_RANGE, s.set_value("J", "x")),
    ),
    (
        "a report of what is not there",
        ("no dataGenerator 'g_b'", "known: g_time, g_a, g_sum"),
        _lists(outputs=s.report(g_b="B")),
    ),
]
