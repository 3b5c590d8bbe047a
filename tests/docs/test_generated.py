"""The documents that are made from the code say what the code does."""

from __future__ import annotations

import json
import re
from pathlib import Path

import jsonschema
import pytest

from docs import generate
from docs.pages import configuration, exchange, explain, reasons
from docs.stories import STORIES, told
from docs.story import tell, turns
from proxy.caching.exchange import TRANSITIONS, diagram
from proxy.caching.reasons import catalogue
from proxy.caching.states import State
from proxy.config import load

DOCUMENTS = dict(generate.documents())


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_each_document_is_up_to_date(path: Path) -> None:
    assert path.read_text(encoding="utf-8") == DOCUMENTS[path], "run: make docs"


@pytest.mark.parametrize("slug", sorted(catalogue()))
def test_each_reason_comes_up_in_its_story(slug: str) -> None:
    assert slug in {because.reason.slug for because in told(slug).reasons}


def test_each_story_is_of_a_reason() -> None:
    assert STORIES.keys() <= catalogue().keys()


def test_the_page_has_each_reason_once_with_its_sentence_and_a_link_to_its_section() -> None:
    page = reasons.page()
    assert sorted(re.findall(r'<a id="([^"]+)"></a>', page)) == sorted(catalogue())
    for reason in catalogue().values():
        (row,) = [line for line in page.splitlines() if f'<a id="{reason.slug}">' in line]
        assert reason.sentence in row
        number = reason.section.rpartition("§")[2]
        assert re.search(
            rf"\[{re.escape(reason.section)}\]\(https://[^)]+#section-{re.escape(number)}\)", row
        )
        assert row.count(" | ") == 2


def test_a_story_ends_as_the_rules_have_it() -> None:
    assert tell(("GET / > 200 | Cache-Control: max-age=60",)).cache_status == (
        "pellucid;fwd=uri-miss;fwd-status=200;ttl=60;stored;detail=nothing-stored"
    )
    again = tell(("GET / > 200 | Cache-Control: max-age=60", "10 s: GET /"))
    assert again.cache_status == "pellucid;hit;ttl=50;detail=fresh"
    down = tell(("GET / > unreachable",))
    assert (down.cache_status, down.response and down.response.status) == ("", 502)


def test_a_story_that_goes_another_way_is_not_told() -> None:
    with pytest.raises(ValueError, match="nobody asked"):
        tell(("GET / > 200 | Cache-Control: max-age=60", "10 s: GET / > 200"))
    with pytest.raises(ValueError, match="not a line"):
        list(turns(("",)))
    with pytest.raises(LookupError, match="no story"):
        told("no-such-reason")


def test_the_diagram_has_each_transition() -> None:
    assert exchange.drawing() == f"```mermaid\n{diagram()}```"
    assert diagram().count("-->") == len(TRANSITIONS) + 1
    assert exchange.drawing() in exchange.page()


@pytest.mark.parametrize("state", [state for state in State if state is not State.ANSWERED])
def test_each_state_is_explained_and_says_what_follows(state: State) -> None:
    name = state.name.title().replace("_", "")
    (row,) = [line for line in exchange.page().splitlines() if line.startswith(f"| **{name}** |")]
    assert all(str(event) in row for (here, event) in TRANSITIONS if here is state)
    assert "RFC" in row or state is State.LOOKING_WIDER


def test_the_diagram_is_put_between_its_markers() -> None:
    text = f"before\n{generate.BEGIN}\nold\n{generate.END}\nafter\n"
    filled = generate.with_diagram(text)
    assert filled == f"before\n{generate.BEGIN}\n{exchange.drawing()}\n{generate.END}\nafter\n"
    assert generate.with_diagram(filled) == filled
    assert generate.with_diagram("no markers\n") == "no markers\n"
    for broken in (f"{generate.BEGIN} only", f"{generate.END} {generate.BEGIN}"):
        with pytest.raises(ValueError, match="only one of"):
            generate.with_diagram(broken)


SETTING = re.compile(r"\| `([a-z_.]+)` \| ([^|]+) \| ([a-z ]+) \| ([^|]+) \|")


def settings() -> list[tuple[str, str, str, str]]:
    return SETTING.findall(configuration.page())


def test_each_setting_can_be_set_as_the_page_says() -> None:
    """The default, as it is shown, is what the setting has already."""
    shown = settings()
    assert len(shown) > 50
    for place, default, unit, words in shown:
        assert f"`{place.rpartition('.')[2]}`" in words
        if default != "none":
            plain = (
                default.replace("`", "").replace(",", "") if unit == "number" else default.replace("`", "")
            )
            assert load(None, [f"{place}={plain}"]) == load(None, []), place


def test_the_settings_in_the_example_are_good(tmp_path: Path) -> None:
    match = re.search(r"```toml\n(.*?)```", configuration.page(), re.DOTALL)
    assert match is not None
    (tmp_path / "example.toml").write_text(match[1])
    assert load(str(tmp_path / "example.toml"), []).server.idle == 120


def test_the_schema_of_explanations_is_one_and_the_sample_follows_it() -> None:
    written = json.loads(explain.schema_text())
    jsonschema.Draft202012Validator.check_schema(written)
    for shape in written["$defs"].values():
        assert shape["description"].endswith(".")


@pytest.mark.parametrize(
    "path", [path for path in DOCUMENTS if path.suffix == ".md"], ids=lambda path: path.name
)
def test_links_within_the_documents_lead_somewhere(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    anchors = {
        re.sub(r"[^a-z0-9 -]", "", title.lower()).replace(" ", "-")
        for title in re.findall(r"^#+ (.+)$", text, re.M)
    }
    anchors |= set(re.findall(r'<a id="([^"]+)">', text))
    for target in re.findall(r"\]\(([^)]+)\)", text):
        if target.startswith("#"):
            assert target[1:] in anchors, target
        elif "://" not in target and "docs" in str(path):
            assert (path.parent / target.partition("#")[0]).exists(), target


def test_the_command_says_what_is_not_up_to_date(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(generate, "ROOT", tmp_path)
    (tmp_path / "docs").mkdir()
    (tmp_path / "README.md").write_text(f"{generate.BEGIN}{generate.END}\n")
    assert generate.main(["--check"]) == 1
    assert "README.md is not up to date" in capsys.readouterr().err
    assert generate.main([]) == 0
    assert (tmp_path / "docs" / "reasons.md").read_text() == reasons.page()
    assert generate.main(["--check"]) == 0
