"""``gbrank run`` and ``gbrank demo``."""

import json
import tomllib

JOB = """
output = "out"
measures = ["ndcg@5"]
[data]
folder = "{folder}"
[ranker]
n_estimators = 4
n_jobs = 1
min_docs_in_leaf = 5
"""


def test_run(gbrank, files, tmp_path):
    path = tmp_path / "job.toml"
    path.write_text(JOB.format(folder=files))
    ended = gbrank("run", path)
    assert ended.out.startswith("ndcg@5 = 0.")
    assert ended.err == f"written to {tmp_path / 'out'}\n"
    again = gbrank("run", tmp_path / "out" / "job.toml", "--output", tmp_path / "again", "--json")
    assert json.loads(again.out) == json.loads((tmp_path / "out" / "metrics.json").read_text())


def test_check_runs_nothing(gbrank, files, tmp_path):
    path = tmp_path / "job.toml"
    path.write_text(JOB.format(folder=files))
    assert tomllib.loads(gbrank("run", path, "--check").out)["ranker"]["learning_rate"] == 0.1
    assert not (tmp_path / "out").exists()


def test_all_problems_of_a_job(gbrank, files, tmp_path):
    path = tmp_path / "job.toml"
    path.write_text(JOB.format(folder=files).replace("min_docs", "min_dogs").replace("ndcg@5", "ndgc@5"))
    ended = gbrank("run", path, code=1)
    assert ended.err.splitlines() == [
        "gbrank: error: job.toml: [ranker] min_dogs_in_leaf: unknown key; did you mean 'min_docs_in_leaf'?",
        "gbrank: error: job.toml: measures, item 1: unknown measure 'ndgc'. Did you mean 'ndcg'?",
    ]


def test_a_folder_that_no_job_wrote(gbrank, files, tmp_path):
    path = tmp_path / "job.toml"
    path.write_text(JOB.format(folder=files))
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "mine.txt").write_text("kept")
    assert "no earlier job wrote" in gbrank("run", path, "--output", tmp_path / "other", code=1).err
    assert "lie in it" in gbrank("run", path, "--output", files, code=1).err


def test_demo_refuses_a_file_before_any_work(gbrank, tmp_path):
    (tmp_path / "file").write_text("kept")
    ended = gbrank("demo", "--output", tmp_path / "file", code=1)
    assert ended.err.splitlines() == [
        f"gbrank: error: --output {tmp_path / 'file'}: is a file; give a folder, or a name that is free."
    ]


def test_demo(gbrank, tmp_path):
    ended = gbrank("demo", "--queries", 80, "--output", tmp_path / "demo")
    assert sorted(path.name for path in (tmp_path / "demo").iterdir()) == [
        "metrics.json",
        "model.gbrank",
        "report.html",
    ]
    head, *rows = ended.out.splitlines()[:4]
    assert head.split() == ["NDCG@1", "NDCG@5", "NDCG@10"]
    assert [row.split()[0] for row in rows] == ["LambdaMART", "pointwise", "best"]
    told = json.loads((tmp_path / "demo" / "metrics.json").read_text())
    means = {(row["run"], row["measure"]): row["mean"] for row in told["results"]}
    assert rows[0].split()[1:] == [f"{means['LambdaMART', f'ndcg@{k}']:.4f}" for k in (1, 5, 10)]
    assert "gain exp, discount log2, ties expected" in ended.out
    assert "gbrank train" in ended.err
