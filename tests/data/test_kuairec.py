"""The reader of KuaiRec, on files of the same shape."""

import numpy as np
import pandas as pd
import pytest

from gbrank import DataError, ParameterError, read_kuairec

MATRIX = """user_id,video_id,play_duration,video_duration,time,date,timestamp,watch_ratio
14,148,4381,6067,2020-07-05 05:27:48.378,20200705.0,1593898068.378,0.722103
14,183,7000,6999,2020-07-05 05:28:00.057,20200705.0,1593898080.057,1.000143
19,148,7001,90000,,,,0.077789
19,3649,7000,90000,2020-07-05 05:30:00.0,20200705.0,1593898200.0,0.077778
19,183,7000,7000,2020-07-05 05:31:00.0,20200705.0,1593898260.0,1.0
"""
USERS = """user_id,user_active_degree,is_live_streamer,follow_user_num,follow_user_num_range,onehot_feat0,onehot_feat4
14,full_active,0,5,"(0,10]",1,
19,high_active,1,386,"(250,500]",0,3.0
"""
DAILY = """video_id,date,author_id,video_type,upload_dt,video_duration,video_tag_name,show_cnt,play_cnt
148,20200706,3,NORMAL,2020-03-30,6067,x,50,30
148,20200705,3,NORMAL,2020-03-30,6067,x,10,20
183,20200705,7,AD,2020-03-31,6999,y,8,4
3649,20200706,9,NORMAL,2020-04-01,90000,z,2,1
"""
CATEGORIES = 'video_id,feat\n148,[8]\n183,"[2, 8]"\n3649,[0]\n'


@pytest.fixture
def folder(tmp_path):
    for name, text in (
        ("small_matrix.csv", MATRIX),
        ("big_matrix.csv", MATRIX.replace("\n14,", "\n44,")),
        ("user_features.csv", USERS),
        ("item_daily_features.csv", DAILY),
        ("item_categories.csv", CATEGORIES),
    ):
        (tmp_path / name).write_text(text)
    return tmp_path


def test_labels_follow_the_papers_rule(folder):
    kuairec = read_kuairec(folder, features=False)
    assert kuairec.interactions["label"].tolist() == [0, 1, 1, 0, 1]
    assert np.isnan(kuairec.interactions["timestamp"][2])
    assert repr(kuairec) == "KuaiRec(small matrix, 2 users, 3 videos, 5 interactions, 60.0% positive)"


def test_features(folder):
    kuairec = read_kuairec(folder)
    assert kuairec.users.loc[19, "follow_user_num"] == 386
    items = kuairec.items
    assert items["show_cnt"].to_dict() == {148: 30, 183: 8, 3649: 2}
    assert items["author_id"].to_dict() == {148: 3, 183: 7, 3649: 9}
    assert items["video_type"].tolist() == ["NORMAL", "AD", "NORMAL"]
    assert not {"date", "upload_dt", "video_tag_name"} & set(items.columns)
    flags = items.filter(like="category_")
    assert flags.columns.tolist() == [f"category_{k}" for k in range(9)]
    assert flags.loc[183].to_numpy().nonzero()[0].tolist() == [2, 8]


def test_until_leaves_the_future_out(folder):
    items = read_kuairec(folder, until=20200706).items
    assert items.loc[148, "show_cnt"] == 10
    assert np.isnan(items.loc[3649, "show_cnt"])
    assert items.loc[3649, "category_0"] == 1
    with pytest.raises(DataError, match="until=20200705: the daily table has no earlier day"):
        read_kuairec(folder, until=20200705)


def test_data(folder):
    data = read_kuairec(folder).to_data(item_columns=["play_cnt", "category_8"], user_columns=["follow_user_num"])
    assert data.query_ids.tolist() == [14, 19]
    assert data.doc_id.tolist() == ["148", "183", "148", "3649", "183"]
    assert data.y.tolist() == [0, 1, 1, 0, 1]
    assert data.feature_names == ("follow_user_num", "play_cnt", "category_8")
    assert data.X.tolist() == [[5, 25, 1], [5, 4, 1], [386, 25, 1], [386, 1, 0], [386, 4, 1]]
    whole = read_kuairec(folder).to_data(users=[19])
    assert whole.n_documents == 3
    kinds = whole.X[:, whole.feature_names.index("video_type")]
    assert whole.categories["video_type"][kinds.astype(int)].tolist() == ["NORMAL", "NORMAL", "AD"]


def test_the_big_matrix(folder):
    kuairec = read_kuairec(folder, "big", features=False)
    assert kuairec.matrix == "big"
    assert kuairec.interactions["user_id"].tolist() == [44, 44, 19, 19, 19]
    with pytest.raises(DataError, match="features=True"):
        kuairec.to_data()


def test_bad_files_are_refused(folder):
    with pytest.raises(ParameterError, match="matrix='all': choose one of 'small', 'big'"):
        read_kuairec(folder, "all")
    with pytest.raises(ParameterError, match="until"):
        read_kuairec(folder, features=False, until=20200706)
    with pytest.raises(DataError, match=r"big_matrix\.csv: there is no such file"):
        read_kuairec(folder / "data", "big")
    kuairec = read_kuairec(folder)
    with pytest.raises(DataError, match="users: none of them"):
        kuairec.to_data([1])
    with pytest.raises(DataError, match="item_columns: no column 'height'"):
        kuairec.to_data(item_columns=["height"])
    for name, old, new, message in (
        ("small_matrix.csv", "14,148,4381", "14,148,-4381", r"small_matrix\.csv:2: a duration is negative"),
        ("small_matrix.csv", "14,148,4381", "14,148,long", r"small_matrix\.csv: cannot be read"),
        ("small_matrix.csv", "play_duration", "played", r"small_matrix\.csv: has no column 'play_duration'"),
        ("user_features.csv", "\n19,", "\n14,", r"user_features\.csv: a user_id is there twice"),
        ("item_categories.csv", "[8]", "8", r"item_categories\.csv:2: '8' is no list"),
        ("item_categories.csv", "[8]", "[-8]", r"item_categories\.csv:2"),
    ):
        path = folder / name
        text = path.read_text()
        path.write_text(text.replace(old, new, 1))
        with pytest.raises(DataError, match=message):
            read_kuairec(folder)
        path.write_text(text)
    assert isinstance(read_kuairec(folder).items, pd.DataFrame)


RANGES = ("follow_user_num", "fans_user_num", "friend_user_num", "register_days")
USER_COLUMNS = (
    "user_active_degree", "is_lowactive_period", "is_live_streamer", "is_video_author",
    *(name + ending for name in RANGES for ending in ("", "_range")), *(f"onehot_feat{k}" for k in range(18)),
)  # fmt: skip
VIDEO_COLUMNS = (
    "author_id", "video_type", "upload_dt", "upload_type", "visible_status", "video_duration", "video_width",
    "video_height", "music_id", "video_tag_id", "video_tag_name",
)  # fmt: skip
WITH_USERS = (
    "show", "play", "complete_play", "valid_play", "long_time_play", "short_time_play", "like", "cancel_like",
    "comment", "delete_comment", "comment_like", "follow", "cancel_follow", "share", "download", "report",
    "reduce_similar", "collect", "cancel_collect",
)  # fmt: skip
COUNTS = (
    *(f"{name}_{unit}" for name in WITH_USERS for unit in ("cnt", "user_num")), "play_duration", "play_progress",
    "comment_stay_duration", "click_like_cnt", "double_click_cnt", "direct_comment_cnt", "reply_comment_cnt",
)  # fmt: skip
TEXTS = {"user_active_degree", "video_type", "upload_type", "visible_status"}


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    """A folder with all columns that are published: 50 users, 80 videos, 5 days, next to no pair missing."""
    folder, rng = tmp_path_factory.mktemp("kuairec"), np.random.default_rng(0)
    user, video = np.nonzero(rng.random((50, 80)) < 0.996)
    length, n = rng.integers(3000, 60_000, 80), len(user)
    play = (length[video] * rng.gamma(2, 0.5, n)).astype(int)
    matrix = {"user_id": user, "video_id": video, "play_duration": play, "video_duration": length[video]}
    matrix |= {"time": "2020-07-05 05:27:48.378", "date": 20200705.0, "timestamp": 1593898068.378}
    pd.DataFrame(matrix | {"watch_ratio": play / length[video]}).to_csv(folder / "small_matrix.csv", index=False)
    users = {"user_id": np.arange(50)}
    for name in USER_COLUMNS:
        users[name] = rng.integers(0, 9, 50) if name != "user_active_degree" and "range" not in name else "UNKNOWN"
    pd.DataFrame(users).to_csv(folder / "user_features.csv", index=False)
    daily = {"video_id": np.repeat(np.arange(80), 5), "date": np.tile(np.arange(20200705, 20200710), 80)}
    for name in VIDEO_COLUMNS:
        text = name in TEXTS or name.endswith(("_dt", "_name"))
        daily[name] = "text" if text else np.repeat(rng.integers(0, 99, 80), 5)
    for name in COUNTS:
        daily[name] = rng.integers(0, 5000, 400).astype(float)
    pd.DataFrame(daily).to_csv(folder / "item_daily_features.csv", index=False)
    lists = [str(rng.choice(31, 2, replace=False).tolist()) for _ in range(79)] + ["[30]"]
    pd.DataFrame({"video_id": np.arange(80), "feat": lists}).to_csv(folder / "item_categories.csv", index=False)
    return folder, matrix, users, daily


def test_all_columns_that_are_published(published):
    folder, matrix, users, daily = published
    assert (len(users), len(daily)) == (31, 58)  # columns, with the ids
    kuairec = read_kuairec(folder)
    data = kuairec.to_data()
    assert data.n_queries == 50
    assert data.n_documents == len(matrix["user_id"])
    assert data.n_features == 30 + (58 - 2 - 2) + 31  # without ids and days, and the two texts that are no features
    assert {"user_follow_user_num", "video_follow_user_num"} <= set(data.feature_names)
    row = 1234
    values = dict(zip(data.feature_names, data.X[row], strict=True))
    user, video = matrix["user_id"][row], matrix["video_id"][row]
    assert values["user_follow_user_num"] == users["follow_user_num"][user]
    of_video = daily["video_id"] == video
    assert values["video_follow_user_num"] == pytest.approx(daily["follow_user_num"][of_video].mean())
    assert values["collect_cnt"] == pytest.approx(daily["collect_cnt"][of_video].mean())
    assert values["onehot_feat17"] == users["onehot_feat17"][user]
    assert set(data.categories) >= TEXTS
    play, length = matrix["play_duration"][row], matrix["video_duration"][row]
    assert data.y[row] == (play >= length if length <= 7000 else play > 7000)


def test_names_of_both_tables_do_not_depend_on_the_choice(published):
    kuairec = read_kuairec(published[0])
    data = kuairec.to_data([3], user_columns=["follow_user_num"], item_columns=["like_cnt"])
    assert data.feature_names == ("user_follow_user_num", "like_cnt")
