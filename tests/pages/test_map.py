from kampungnet.villages.map import Place, draw

SQUARE = (
    Place("a", "North", -8.00, 114.00), Place("b", "North", -8.00, 114.05),
    Place("c", "South", -8.05, 114.00), Place("d", "South", -8.05, 114.05),
)  # fmt: skip


def test_north_is_up_and_east_is_right() -> None:
    drawn = draw(SQUARE)
    assert drawn.dots["a"][0] < drawn.dots["b"][0]
    assert drawn.dots["a"][1] < drawn.dots["c"][1]
    assert all(0 <= x <= drawn.width and 0 <= y <= drawn.height for x, y in drawn.dots.values())


def test_each_kecamatan_has_an_area_and_a_border_runs_between_them() -> None:
    drawn = draw(SQUARE)
    assert [name for name, _ in drawn.areas] == ["North", "South"]
    assert drawn.borders.count("M") == 2, "a with c, b with d; the others share a kecamatan or only a corner"


def test_names_that_would_cover_each_other_are_left_out() -> None:
    crowded = (*SQUARE, Place("e", "Between", -8.001, 114.026))
    assert [name for name, _ in draw(crowded).names] == ["North", "South"]


def test_an_empty_register_and_a_single_village_can_be_drawn() -> None:
    assert draw(()).dots == {}
    assert len(draw(SQUARE[:1]).areas) == 1


def test_two_villages_in_the_same_place_do_not_break_the_map() -> None:
    twins = (SQUARE[0], Place("twin", "North", -8.00, 114.00), SQUARE[3])
    assert draw(twins).dots["a"] == draw(twins).dots["twin"]
