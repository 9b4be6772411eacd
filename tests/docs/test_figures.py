"""Pictures and figures of the docs: of the network that ships, and as their tables have them."""

from __future__ import annotations

import json
import os
import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "docs"))
import figure_plan  # noqa: E402
import figure_texts  # noqa: E402
import figures  # noqa: E402
from figure_parts import PARTS, RECORDS, Part  # noqa: E402

sys.path.remove(str(ROOT / "docs"))


def test_what_can_be_remade_is_of_the_network_that_ships():
    """Run `python docs/figures.py --stale` where this fails."""
    stale = {name: why for name, why in figures.faults().items() if why}
    assert {name: why for name, why in stale.items() if figures.must_be_fresh(name)} == {}


def test_what_costs_more_says_its_network():
    """Each stamp of a part that may be older is printed somewhere, unless nothing shows it."""
    texts = "".join(path.read_text("utf-8") for path in figure_texts.texts())
    for name, part in PARTS.items():
        if not figures.must_be_fresh(name):
            assert f"<!-- = stamp.{name} -->" in texts, name
        for path in part.files:
            assert figures.digest(path) == figures.read_stamps()[name]["files"][path], path


def test_texts_have_the_figures_of_their_tables():
    """Run `python docs/figures.py --write` where this fails."""
    for path, old, new in figure_texts.filled():
        assert old == new, path


def test_no_line_begins_with_a_mark():
    """In CommonMark (PyPI, GitHub) such a line is HTML, and ends the paragraph before it."""
    for path in figure_texts.texts():
        lines = path.read_text("utf-8").splitlines()
        assert [line for line in lines if re.match(r" {0,3}<!-- = [\w.-]+ -->\S", line)] == [], path


def test_every_picture_has_a_command_or_a_reason():
    made = {Path(file).name for part in PARTS.values() for file in part.files}
    there = {path.name for path in (ROOT / "docs" / "images").iterdir()}
    assert there == {name for name in made if name.endswith(("jpg", "png"))} | set(RECORDS)
    assert not made & set(RECORDS)


def test_every_picture_is_shown():
    texts = "".join(path.read_text("utf-8") for path in figure_texts.texts())
    for path in (ROOT / "docs" / "images").iterdir():
        assert f"images/{path.name}" in texts, path.name


def test_no_unknown_network_is_named():
    """Ids are written by stamps; by hand only those of older networks, all in one table.

    A network that begins to ship needs a row in the record of docs/training.md.
    """
    record = ROOT / "docs" / "training.md"
    network = re.compile(r"`(cin-[0-9a-f]{12})`")
    known = set(re.findall(r"^\| `(cin-[0-9a-f]{12})` \|", record.read_text("utf-8"), re.M))
    ships = figures.shipped()["network"]
    assert ships in known
    for path in figure_texts.texts():
        bare = figure_texts.PLACE.sub("", path.read_text("utf-8"))
        named = set(network.findall(bare))
        assert named <= (known if path == record else known - {ships}), path


NOW = {
    "network": "cin-1",
    "layout": "narrow",
    "styles": "s of cin-1",
    "predictor": "b of cin-1",
    "nothing": "",
}


@pytest.mark.parametrize(
    ("depends_on", "stamp", "why"),
    [
        ("styles", {"network": "cin-1", "styles": "s of cin-1"}, ""),
        ("styles", {"network": "cin-0", "styles": "s of cin-0"}, "made with s of cin-0"),
        ("styles", {"network": "cin-1", "styles": "r of cin-1"}, "made with r of cin-1"),
        ("styles", {"network": "cin-1", "layout": "narrow"}, "made with others than now"),
        ("layout", {"network": "cin-0", "layout": "narrow"}, ""),
        ("layout", {"network": "cin-0", "layout": "wide"}, "made with cin-0"),
        ("predictor", {"network": "cin-1", "predictor": "b of cin-1"}, ""),
        ("predictor", {"network": "cin-1", "predictor": "a of cin-1"}, "made with a of cin-1"),
        ("predictor", {"network": "cin-1", "layout": "narrow"}, "made with others than now"),
        ("nothing", {}, ""),
    ],
)
def test_what_is_stale(depends_on, stamp, why):
    part = Part(1, ("docs/data/speed.csv",), (), depends_on=depends_on)
    files = {path: figures.digest(path) for path in part.files}
    assert figures.fault(part, {**stamp, "files": files}, NOW) == why
    changed = dict.fromkeys(part.files, "0")
    assert "not as they were made" in figures.fault(part, {**stamp, "files": changed}, NOW)
    assert figures.fault(part, None, NOW) == "never made by this command"


def test_a_text_is_filled_and_filled_again(tmp_path, monkeypatch):
    page = tmp_path / "page.md"
    page.write_text("loss <!-- = a.b -->0.2<!-- /= --> and\n<!-- = t -->x<!-- /= -->\n", "utf-8")
    monkeypatch.setattr(figure_texts, "ROOT", tmp_path)
    monkeypatch.setattr(figure_texts, "texts", lambda: [page])
    monkeypatch.setattr(figure_texts, "values", lambda: {"a.b": "0.127", "t": "| 1 |\n| 2 |"})
    figure_texts.write()
    wanted = "loss <!-- = a.b -->0.127<!-- /= --> and\n<!-- = t -->\n| 1 |\n| 2 |\n<!-- /= -->\n"
    assert page.read_text("utf-8") == wanted
    figure_texts.write()
    assert page.read_text("utf-8") == wanted
    page.write_text("<!-- = nobody -->1<!-- /= -->", "utf-8")
    with pytest.raises(KeyError, match="no figure 'nobody'"):
        figure_texts.write()


def test_the_plan_follows_from_the_stages(tmp_path, monkeypatch):
    """10 million at 0.36 s of a core each are 1,000 core-hours, 1,250 with the reserve."""
    lines = ["photo,size,stage,wall_ms,cpu_ms"]
    for size in (512, 1024, ""):
        lines += [f"4000x3000,{size},{stage},,120" for stage in ("read", "paint", "write")]
    (tmp_path / "batch-stages.csv").write_text("\n".join(lines), "utf-8")
    ways = (ROOT / "docs" / "data" / "batch-ways.csv").read_text("utf-8")
    (tmp_path / "batch-ways.csv").write_text(ways, "utf-8")
    monkeypatch.setattr(figure_texts, "DATA", tmp_path)
    found = figure_plan.values()
    assert found["plan.hours"] == "1,250 core-hours"
    assert found["plan.dollars"] == "104 $"  # 50 $ for cores, 54 $ for objects


@pytest.mark.slow  # it imports every program
def test_commands_are_such_that_they_run(tmp_path, monkeypatch):
    """Every command names programs, files and options that exist; none is run."""
    from docs_sandbox import run

    monkeypatch.chdir(ROOT)
    places = {key: str(tmp_path) for key in ("PHOTOS", "PAINTINGS", "MORE", "MANY", "CLIPS")}
    for part in PARTS.values():
        for line in part.commands:
            words = line.format_map({**places, "LARGE": "large.jpg"}).split()
            run(words, {}, "options", tmp_path)


def test_check_prints_one_line_for_all(capsys):
    figures.check()
    *parts, last = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in parts] == list(PARTS)
    assert last.startswith(f"ships {figures.shipped()['network']}; stale: ")


def test_making_a_part_stamps_it(tmp_path, monkeypatch):
    """With a command that writes a file, and a network that is said to ship."""
    monkeypatch.setattr(figures, "ROOT", tmp_path)
    monkeypatch.setattr(figures, "STAMPS", tmp_path / "figures.json")
    monkeypatch.setattr(figures, "shipped", lambda: NOW)
    script = tmp_path / "script.py"
    script.write_text("import sys; open(sys.argv[1], 'w').write('1')", "utf-8")
    part = Part(1, ("table.csv",), ("python {SCRIPT} table.csv",), ("SCRIPT",))
    monkeypatch.setattr(figures, "PARTS", {"table": part})
    monkeypatch.setenv("SCRIPT", str(script))
    assert figures.faults() == {"table": "never made by this command"}
    figures.make("table")
    assert figures.faults() == {"table": ""}
    stamp = json.loads((tmp_path / "figures.json").read_text("utf-8"))["table"]
    assert (stamp["network"], stamp["command"]) == ("cin-1", ["python {SCRIPT} table.csv"])
    assert "predictor" not in stamp
    (tmp_path / "table.csv").write_text("2", "utf-8")
    assert "not as they were made" in figures.faults()["table"]
    script.write_text("", "utf-8")  # ends well and writes nothing, as a skipped test does
    os.utime(tmp_path / "table.csv", (0, 0))
    with pytest.raises(SystemExit, match=r"of table did not write table\.csv"):
        figures.make("table")
    monkeypatch.delenv("SCRIPT")
    with pytest.raises(SystemExit, match="table needs SCRIPT in the environment"):
        figures.make("table")
