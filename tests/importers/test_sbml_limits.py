"""What a file may not be: too deep, too long, full of entities, or more than one file."""

from pathlib import Path

import pytest

pytest.importorskip("libsbml")
pytest.importorskip("antimony")

from odeflow.files.errors import ConfigError
from odeflow.importers.antimony.antimony_tokens import MOST_OPERATIONS, checked_antimony
from odeflow.importers.refusal import ModelSource
from odeflow.importers.sbml.config import imported_model
from odeflow.importers.sbml.xml_text import DEEPEST, checked_text
from tests.support.sbml_text import compartment, function, parameter, rule, sbml, species

MATHML = "http://www.w3.org/1998/Math/MathML"
LAYOUT = "http://www.sbml.org/sbml/level3/version1/layout/version1"


def read(text: str, folder: Path) -> dict:
    (folder / "m.xml").write_text(text)
    return imported_model({"sbml": "m.xml", "t1": 1.0}, folder)


def nested(levels: int, opening: str = "<apply><sin/>") -> str:
    closing = "</apply>"
    return f'<math xmlns="{MATHML}">{opening * levels}<ci>x</ci>{closing * levels}</math>'


def test_mathematics_is_as_deep_as_the_limit_says(tmp_path: Path):
    for opening in ("<apply><sin/>", "<apply><plus/><cn>1</cn>"):
        deep = sbml(parameter("x", 1, False), rule("rate", "x", nested(DEEPEST - 20, opening)))
        assert read(deep, tmp_path)["states"]["x"]["initial"] == 1


@pytest.mark.parametrize("levels", [DEEPEST, 20_000, 300_000])
def test_deeper_mathematics_is_refused_with_its_line(levels: int, tmp_path: Path):
    deep = sbml(parameter("x", 1, False), rule("rate", "x", nested(levels)))
    with pytest.raises(ConfigError, match=r"m\.xml, line 8: more than 1000 levels"):
        read(deep, tmp_path)


def test_a_formula_that_is_too_long_is_refused(tmp_path: Path):
    terms = "<ci>x</ci>" * 60_000
    long = f'<math xmlns="{MATHML}"><apply><plus/>{terms}</apply></math>'
    with pytest.raises(ConfigError, match=r"line 8: a formula of more than 20,000"):
        read(sbml(parameter("x", 1, False), rule("rate", "x", long)), tmp_path)


def test_functions_that_double_each_other_are_refused(tmp_path: Path):
    """Thirty definitions of two calls each stand for 2^30 operations."""
    doubled = [function("f0", "lambda(x, x + 1)")]
    doubled += [
        function(f"f{i}", f"lambda(x, f{i - 1}(x) + f{i - 1}(2 * x))") for i in range(1, 30)
    ]
    with pytest.raises(ConfigError, match=r"a formula of more than 20,000.* of 'x'"):
        read(sbml(*doubled, parameter("x", 1, False), rule("rate", "x", "f29(x)")), tmp_path)


@pytest.mark.parametrize("operators", ["+", "+-", "-*", "^"])
def test_text_formulas_are_as_long_as_the_limit_says(operators: str):
    def model(count: int) -> dict:
        signs = (operators[i % len(operators)] for i in range(count))
        return {"antimony": "x' = 1" + "".join(f"{sign}x" for sign in signs) + "\nx = 1", "t1": 1}

    assert imported_model(model(900), Path())["states"]["x"]["initial"] == 1
    with pytest.raises(ConfigError, match=r"line 1: a formula of more than 2,000 operations"):
        imported_model(model(100_000), Path())


def test_a_formula_of_the_config_that_is_too_long_is_refused():
    formulas = {"y": "-".join(["x"] * (MOST_OPERATIONS + 2))}
    model = {"antimony": "x' = 1; x = 1", "t1": 1, "observables": {"formulas": formulas}}
    with pytest.raises(ConfigError, match=r"observables.formulas.y: a formula of more than 2,000"):
        imported_model(model, Path())


@pytest.mark.parametrize(
    "declared",
    [
        '<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;&a;">',
        '<!ENTITY file SYSTEM "file:///etc/hostname">',
        '<!ENTITY % far SYSTEM "http://localhost/x.dtd">',
    ],
)
def test_entities_are_refused(declared: str, tmp_path: Path):
    text = sbml(parameter("x", 1)).replace("<sbml", f"<!DOCTYPE sbml [{declared}]>\n<sbml", 1)
    with pytest.raises(ConfigError, match="line 2: entity declarations are refused"):
        read(text, tmp_path)


IMPORTS = [
    'import "far.ant"',
    'x = 1; import "far.ant"',
    '/* a\n comment */ import "far.ant"',
    'x = 1 IMPORT "far.ant"',
    'x is "a name"; Import "far.ant"',
    '// a comment with "\nimport "far.ant"',
    '# /*\nimport "far.ant"\n# */',
    'x = 2import "far.ant"',
    'notes ```\n"```import "far.ant"',
]


@pytest.mark.parametrize("text", IMPORTS)
def test_antimony_reads_no_other_file(text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "far.ant").write_text("model far\n y' = 1; y = 1\nend\n")
    monkeypatch.chdir(tmp_path)
    try:
        model = imported_model({"antimony": f"{text}\nz' = 1; z = 1", "t1": 1.0}, tmp_path)
    except ConfigError as error:
        assert "\n" not in str(error)
    else:  # what we take for a comment is none of Antimony's code either
        assert list(model["states"]) == ["z"]


def test_the_word_import_may_stand_where_nothing_is_read():
    text = 'x is "nuclear import"; // import "far.ant"\nimported = 2; x = 1; x\' = 1'
    model = imported_model({"antimony": text, "t1": 1.0}, Path())
    assert model["states"]["x"]["long_name"] == "nuclear import"
    with pytest.raises(ConfigError, match="the text, line 3: 'import' is refused"):
        checked_antimony(
            ModelSource("model.antimony", "the text", 'x = 1 /*\n*/\nimport "a"', False)
        )


DRAWING = (
    f'<layout:listOfLayouts xmlns:layout="{LAYOUT}">\n<layout:layout layout:id="a > b">\n'
    '<layout:dimensions layout:width="1"/>\n<layout:unknown/></layout:layout>\n'
    "</layout:listOfLayouts>"
)


@pytest.mark.parametrize("level", [2, 3])
@pytest.mark.parametrize("package", ["layout", "render", "groups", "fbc"])
def test_packages_that_only_draw_change_nothing(level: int, package: str, tmp_path: Path):
    plain = sbml(
        compartment("c", 2), species("S", amount=3), level=level, version=5 if level == 2 else 1
    )
    address = LAYOUT.replace("/layout/", f"/{package}/")
    text = plain.replace("<sbml", f'<sbml xmlns:p="{address}" p:required="true"', 1)
    text = text.replace("<species", '<species p:charge="2"').replace(
        "</model>", DRAWING.replace("layout:", "p:").replace(LAYOUT, address) + "</model>"
    )
    text = text.replace("xmlns:layout", "xmlns:p")
    expected, found = (read(x, tmp_path) for x in (plain, text))
    assert found == expected


def test_what_is_left_out_keeps_the_lines():
    source = ModelSource("model.sbml", "m.xml", "")
    text = f"<?xml version='1.0'?>\n<a>{DRAWING}<b>µ &amp; < /b></a>".replace("< /b", "</b")
    cut = checked_text(source, text)
    assert cut.count("\n") == text.count("\n")
    assert cut.replace("\n", "") == "<?xml version='1.0'?><a><b>µ &amp; </b></a>"


@pytest.mark.parametrize("package", ["qual", "spatial", "multi", "arrays", "distrib", "dyn"])
@pytest.mark.parametrize("required", ["true", "false"])
def test_packages_that_change_numbers_are_refused(package: str, required: str, tmp_path: Path):
    address = f"http://www.sbml.org/sbml/level3/version1/{package}/version1"
    text = sbml(parameter("x", 1)).replace(
        'version="2">', f'version="2" xmlns:p="{address}" p:required="{required}">', 1
    )
    with pytest.raises(ConfigError, match=rf"m\.xml, line \d+: the package '{package}' is not sup"):
        read(text, tmp_path)
