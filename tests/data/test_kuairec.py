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
