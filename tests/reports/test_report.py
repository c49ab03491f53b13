"""Reports of real small models: what they say equals what the library computes, and the page is safe and whole."""

import html
import re
from datetime import UTC, datetime
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from matplotlib.figure import Figure
from sklearn.exceptions import NotFittedError

import gbrank
from gbrank.data import LetorFold
from gbrank.reports import Report, gather

VOID = {"meta", "br", "link", "input", "img", "hr"}
MEASURES = ("ndcg@1", "ndcg@10", "ap", "ndcg@10(preset=letor)")
HOSTILE = "<script>alert('x')</script>&\"$\\alpha$ #1b2430 url(#p)"
DATE = datetime(2024, 2, 29, 12, 30, tzinfo=UTC)


class Page(HTMLParser):
    """Checks that tags nest, and collects what the tests ask about."""

    def __init__(self, text):
        super().__init__()
        self.open, self.ids, self.references, self.tags, self.cells = [], [], [], [], []
        self.feed(text)
        self.close()
        assert self.open == [], "tags left open"

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        if tag not in VOID:
            self.open.append(tag)
        for name, value in attributes:
            if name == "id":
                self.ids.append(value)
            if name in ("href", "xlink:href", "src", "srcset", "action", "data", "poster"):
                self.references.append(value)
            assert not name.startswith("on"), f"a handler: {name}"
        if tag in ("td", "th"):
            self.cells.append("")

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, text):
        if self.open and self.open[-1] in ("td", "th"):
            self.cells[-1] += text


def check_page(text):
    """Assert that a page is well formed, accessible and refers to nothing outside itself."""
    page = Page(text)
    assert len(set(page.ids)) == len(page.ids)
    assert {reference[0] for reference in page.references} <= {"#"}
    assert {reference[1:] for reference in page.references} <= set(page.ids)
    assert {name for name in re.findall(r"url\(#([^)]*)\)", text) if name != "p"} <= set(page.ids)
    assert not re.search(r"https?:|//[a-z]|@import", text, re.IGNORECASE)
    names = [tag for tag, _ in page.tags]
    assert names.count("table") == names.count("caption") > 0
    assert names.count("svg") == names.count("figcaption")
    assert all(attributes.get("scope") in ("col", "row") for tag, attributes in page.tags if tag == "th")
    assert all(attributes.get("aria-label") for tag, attributes in page.tags if tag == "svg")
    assert not {"script", "iframe", "object", "embed", "link", "img"} & set(names)
    assert len(text) < 1_500_000
    return page


def make(seed, n_queries=40, *, form=np.asarray, ids=None, names=None, columns=5):
    generator = np.random.default_rng(seed)
    sizes = generator.integers(1, 15, n_queries)
    X = generator.normal(size=(sizes.sum(), columns))
    X[:, -1] = 0
    y = np.clip(np.round(X[:, 0] + generator.normal(size=len(X))), 0, 4)
    first = 1000 * seed
    qid = np.repeat([ids(q) if ids else first + q for q in range(n_queries)], sizes)
    doc_id = [f"D{seed}-{row}" for row in range(len(X))]
    return gbrank.RankingData(form(X), y, qid, doc_id=doc_id, feature_names=names)


@pytest.fixture(scope="module")
def sets():
    return {"train": make(1, 60), "vali": make(2), "test": make(3)}


@pytest.fixture(scope="module")
def ranker(sets):
    made = gbrank.LambdaMART(n_estimators=30, max_leaves=7, early_stopping_rounds=5, n_jobs=1)
    return made.fit(sets["train"], eval_set={"vali": sets["vali"]})


@pytest.fixture(scope="module")
def made(ranker, sets, tmp_path_factory):
    path = tmp_path_factory.mktemp("report") / "report.html"
    runs = {"first feature": sets["test"].X[:, 0], "constant": np.zeros(sets["test"].n_documents)}
    report = gbrank.report(path, ranker, sets, measures=MEASURES, runs=runs, title="A title", date=DATE)
    return report, path.read_text(encoding="utf-8")


def table(report, section, caption):
    """Return a table of a report as a DataFrame of texts."""
    blocks = next(each for each in report.sections if each.title == section).blocks
    found = next(block for block in blocks if block.kind == "table" and block.caption.startswith(caption))
    return pd.DataFrame(found.rows, columns=found.columns)


def test_page_is_whole(made):
    check_page(made[1])


def test_numbers_are_those_of_evaluate(made, ranker, sets):
    report, page = made
    cells = check_page(page).cells
    shown = table(report, "Results", "Mean over queries").set_index(["measure", "data"])
    for name, data in sets.items():
        evaluation = gbrank.evaluate(data, ranker, MEASURES)
        for measure, row in evaluation.summary().iterrows():
            told = shown.loc[(measure, name)]
            assert float(told["mean"]) == pytest.approx(row["mean"], abs=5e-5)
            assert float(told["standard error"]) == pytest.approx(row["standard_error"], abs=5e-5)
            assert (int(told["queries"]), int(told["skipped"])) == (row["queries"], row["skipped"])
            assert f"{row['mean']:.4f}" in cells
    assert report.evaluations["test"].mean("ndcg@10") == ranker.score(sets["test"])


def test_every_measure_states_its_convention(made):
    conventions = table(made[0], "Results", "What the measures are").set_index("measure")["definition and convention"]
    assert list(conventions.index) == [str(gbrank.measure(m)) for m in MEASURES]
    for name, words in conventions.items():
        assert gbrank.measure(name).describe().endswith(words)
        assert html.escape(words) in made[1]


def test_runs_beside_the_ranker(made, ranker, sets):
    report, test = made[0], sets["test"]
    own = gbrank.evaluate(test, ranker, "ndcg@10").values("ndcg@10")
    other = gbrank.evaluate(test, test.X[:, 0], "ndcg@10").values("ndcg@10")
    against = table(report, "Results", "This ranker against").set_index("run").loc["first feature"]
    assert float(against["mean difference"]) == pytest.approx((own - other).mean(), abs=5e-5)
    assert int(against["queries better"]) == (own > other).sum()
    assert int(against["worse"]) == (own < other).sum()
    assert float(table(report, "Results", "Runs on test").set_index("run").loc["first feature", "ndcg@10"]) == (
        pytest.approx(other.mean(), abs=5e-5)
    )
    assert any("constant gives all the same score" in caution for caution in report.cautions)


def test_training_and_parameters(made, ranker):
    report = made[0]
    facts = table(report, "Training", "How it was trained").set_index("fact")["value"]
    assert facts["rounds used by predict"] == str(ranker.best_iteration_)
    assert facts["rounds trained"] == f"{len(ranker.history_['vali'])} of at most 30"
    assert facts["early stopping"] == "after 5 rounds without a new best ndcg@10 on vali"
    parameters = table(report, "Parameters", "Parameters of LambdaMART").set_index("parameter")
    changed = parameters.index[parameters["changed"] == "yes"]
    assert set(changed) == {"n_estimators", "max_leaves", "early_stopping_rounds", "n_jobs"}
    assert parameters.loc["max_leaves", ["value", "default"]].tolist() == ["7", "31"]
    assert set(parameters.index) == set(ranker.get_params(deep=False))
    software = table(report, "Versions", "Software").set_index("name")["version"]
    assert software["gbrank"] == gbrank.__version__
    assert {"LightGBM", "Python", "numpy"} <= set(software.index)


def test_features_and_data(made, ranker, sets):
    report = made[0]
    pd.testing.assert_frame_equal(report.importances, gbrank.importances(ranker))
    features = table(report, "Features", "Importance of").set_index("feature")
    splits = gbrank.importances(ranker)["split"]
    assert features["splits"].astype(int).to_dict() == splits[splits > 0].to_dict()
    facts = table(report, "Data", "What the data hold").set_index("fact")
    assert facts.loc["queries"].tolist() == [str(each.n_queries) for each in sets.values()]


def test_head(made):
    report, page = made
    assert "<title>A title</title>" in page
    assert "2024-02-29" in page
    assert report.headlines[0].label == "ndcg@10 on test"
    assert report.headlines[0].value == f"{report.evaluations['test'].mean('ndcg@10'):.4f}"
    assert repr(report).startswith("Report('A title', sections: Results, Meaning of scores, Training")


def test_same_twice(made, ranker, sets):
    runs = {"first feature": sets["test"].X[:, 0], "constant": np.zeros(sets["test"].n_documents)}
    again = gather(ranker, sets, measures=MEASURES, runs=runs, title="A title", date=DATE)
    assert again.to_html() == made[1]
    assert str(again) == str(made[0])


def test_text_holds_all_tables(made):
    text = str(made[0])
    for section in made[0].sections:
        assert section.title in text
        for block in section.blocks:
            if block.kind == "table":
                assert all(row[0] in text for row in block.rows)


@pytest.mark.parametrize("backend", ["lightgbm", "xgboost"])
@pytest.mark.parametrize(
    ("objective", "form", "ids"),
    [("mcrank", np.asarray, "q{}".format), ("ordinal", sp.csr_array, None), ("quantile", np.float32, None)],
)
def test_any_ranker(backend, objective, form, ids):
    train, test = make(1, form=form, ids=ids), make(2, form=form, ids=ids)
    ranker = gbrank.GBRanker(objective, backend=backend, n_estimators=4, n_jobs=1).fit(train)
    report = gather(ranker, test, measures="rr", date=DATE)
    page = report.to_html()
    check_page(page)
    assert "no learning curve" in page
    assert [str(m) for m in report.evaluations["data"].measures] == ["rr", "ndcg@10"]
    assert table(report, "Results", "Mean over")["data"].unique().tolist() == ["data"]


def test_after_loading(ranker, sets, tmp_path):
    ranker.save(tmp_path / "model.gbrank")
    loaded = gather(gbrank.load(tmp_path / "model.gbrank"), sets, date=DATE)
    before = gather(ranker, sets, date=DATE)
    assert loaded.headlines == before.headlines
    assert table(loaded, "Training", "How").equals(table(before, "Training", "How"))


def test_hostile_names_stay_text(tmp_path):
    names = [HOSTILE, "x" * 300, "\x00\x1b[31m\ud800", "汉字", "</svg></style>"]
    data = make(4, ids=lambda q: f"{HOSTILE}{q}", names=names)
    documents = [f"{HOSTILE}{row}" for row in range(data.n_documents)]
    data = gbrank.RankingData(data.X, data.y, data.qid, doc_id=documents, feature_names=names)
    ranker = gbrank.LambdaMART(n_estimators=5, n_jobs=1, backend="xgboost").fit(data, eval_set={HOSTILE: data})
    runs = {f"run {HOSTILE}": data.y}
    extra = {
        HOSTILE: HOSTILE,
        "list": [HOSTILE],
        "map": {HOSTILE: HOSTILE},
        "frame": pd.DataFrame({HOSTILE: [HOSTILE]}),
    }
    path = tmp_path / "report.html"
    report = gbrank.report(path, ranker, {HOSTILE: data}, runs=runs, title=HOSTILE, extra=extra, date=DATE)
    page = path.read_bytes().decode("utf-8")
    assert "<script" not in page
    check_page(page)
    assert page.count(html.escape(HOSTILE, quote=False).split("$")[0].split("'")[0]) > 10
    assert "\x00" not in page
    assert "\x1b" not in page + str(report)


def test_many_features_and_one_query():
    data = make(5, 30, columns=200)
    ranker = gbrank.LambdaMART(n_estimators=10, n_jobs=1).fit(data)
    report = gather(ranker, {"data": data, "one": data.take([int(np.argmax(data.query_sizes))])}, date=DATE)
    assert len(table(report, "Features", "Importance of the first 30")) == 30
    assert any("rests on 1 query" in caution for caution in report.cautions)
    check_page(report.to_html())


@pytest.mark.filterwarnings("ignore::gbrank.GbrankWarning")
def test_nothing_to_show():
    data = make(6)
    ranker = gbrank.LambdaMART(n_estimators=3, min_docs_in_leaf=10_000, n_jobs=1).fit(data)
    empty = data.with_labels(np.zeros(data.n_documents))
    report = gather(ranker, {"data": data, "irrelevant": empty}, date=DATE)
    check_page(report.to_html())
    assert report.headlines[0].value == "–"
    assert any("no split" in caution for caution in report.cautions)
    assert "No query of irrelevant" in str(report)


def test_extra_sections(ranker, sets):
    figure = Figure()
    figure.add_subplot().plot([1, 2], label="line")
    frame = pd.DataFrame({"a": np.arange(500), "b": np.linspace(0, 1, 500)})
    extra = {"Words": "Some words.", "Points": ["one", "two"], "Facts": {"a": 1}, "Frame": frame, "Drawing": figure}
    report = gather(ranker, sets, extra=extra, tuning={"trials": 7}, date=DATE)
    assert [section.title for section in report.sections][7:] == ["Tuning", *extra, "Versions"]
    page = report.to_html()
    check_page(page)
    assert "The first 200 of 500 rows." in page
    assert "Some words." in page


def test_tuning_result(ranker, sets):
    result = gbrank.tune(
        gbrank.LambdaMART(n_estimators=5, n_jobs=1), sets["train"], valid=sets["vali"], n_trials=3, random_state=0
    )
    report = gather(ranker, sets, tuning=result, date=DATE)
    page = report.to_html()
    check_page(page)
    best = table(report, "Tuning", "Best parameters").set_index("parameter")
    assert set(best.index) == set(result.best_params)
    assert table(report, "Tuning", "Outcome").iloc[0, 1] == f"{result.best_value:.4f}"
    own = " ".join(gather(result.ranker, sets, tuning=result).cautions)
    assert "vali: these queries chose the number of rounds and the parameters" in own
    assert "more may help" not in own
    facts = table(gather(result.ranker, sets, tuning=result), "Training", "How").set_index("fact")["value"]
    assert facts["rounds trained"] == f"{result.best_rounds}, the number that was best in tuning"
    assert facts["early stopping"] == "in the trials of tuning, not in this training"


def test_letor_fold_and_folder_errors(ranker, sets, tmp_path):
    report = gather(ranker, LetorFold(*sets.values()), date=DATE)
    assert list(report.evaluations) == ["train", "vali", "test"]
    with pytest.raises(gbrank.DataError, match="does not exist"):
        gbrank.report(tmp_path / "no" / "report.html", ranker, sets["test"])


def test_old_file_survives_an_error(ranker, sets, tmp_path, monkeypatch):
    path = tmp_path / "report.html"
    path.write_text("old")
    monkeypatch.setattr(Report, "to_html", lambda report: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        gbrank.report(path, ranker, sets["test"])
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("arguments", "error", "says"),
    [
        ({"data": {}}, gbrank.DataError, "the mapping is empty"),
        ({"data": {"a": [1]}}, gbrank.DataError, "data\\['a'\\]: give a RankingData, not list"),
        ({"measures": "ndgc@10"}, gbrank.ParameterError, "Did you mean"),
        ({"runs": {"this ranker": [0.0]}}, gbrank.ParameterError, "choose another"),
        ({"runs": {"short": [0.0]}}, gbrank.DataError, "scores of run 'short': 1 values"),
        ({"extra": {"x": object()}}, gbrank.ParameterError, "x: a object cannot be shown"),
        ({"tuning": 3}, gbrank.ParameterError, "Tuning: a int cannot be shown"),
    ],
)
def test_refusals(ranker, sets, arguments, error, says):
    with pytest.raises(error, match=says):
        gather(ranker, **{"data": sets["test"], **arguments})


def test_not_fitted(sets):
    with pytest.raises(NotFittedError):
        gather(gbrank.LambdaMART(), sets)


def test_real_data(real_data, tmp_path):
    fold = gbrank.read_letor_fold(real_data / "mq2008" / "Fold1")
    ranker = gbrank.LambdaMART(n_estimators=20, n_jobs=1).fit(fold.train, eval_set=fold.vali)
    path = tmp_path / "report.html"
    gbrank.report(path, ranker, fold)
    check_page(path.read_text(encoding="utf-8"))
    assert path.stat().st_size < 300_000
