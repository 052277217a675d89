"""Reading a table: whatever rows were known before and wherever a device cuts its answers, it is read whole."""

from bisect import bisect_right

from hypothesis import given
from hypothesis import strategies as st

from kampungnet_agent.drivers.snmp_ber import Binding, Oid, Question, Value
from kampungnet_agent.drivers.snmp_table import TableReading

COLUMNS: tuple[Oid, ...] = ((1, 3, 1), (1, 3, 2), (1, 3, 4))
UPTIME: Oid = (1, 1, 3, 0)
ROWS = st.sets(st.integers(0, 30), max_size=12)


def device(rows: set[int], sparse: set[int]) -> dict[Oid, Value]:
    """Three columns; the second lacks the rows of ``sparse``. Behind them stands another table."""
    cells: dict[Oid, Value] = {(*column, row): row for column in COLUMNS for row in rows}
    for row in sparse:
        cells.pop((*COLUMNS[1], row), None)
    return cells | {UPTIME: 8_640_000, (1, 4, 1): 7}


def answer(held: dict[Oid, Value], question: Question) -> list[Binding]:
    """Return what RFC 3416 wants for a GETBULK."""
    names = sorted(held)

    def after(oid: Oid) -> Binding:
        place = bisect_right(names, oid)
        return (names[place], held[names[place]]) if place < len(names) else (oid, None)

    found = [after(oid) for oid in question.oids[: question.non_repeaters]]
    columns = list(question.oids[question.non_repeaters :])
    for _ in range(question.repetitions):
        row = [after(oid) for oid in columns]
        columns = [oid for oid, _ in row]
        found += row
    return found


@given(ROWS, ROWS, ROWS, st.integers(5, 62), st.integers(1, 62))
def test_a_table_is_read_whole_whatever_was_known_of_it(
    there: set[int], sparse: set[int], known: set[int], most_values: int, cut: int
) -> None:
    held = device(there, sparse)
    reading = TableReading((UPTIME,), COLUMNS, [(row,) for row in known])
    for _ in range(500):
        if reading.finished:
            break
        reading.take(answer(held, reading.question(most_values))[:cut])
    assert reading.finished
    assert reading.found == {UPTIME: 8_640_000}
    assert {(*column, *row) for column, rows in reading.table.items() for row in rows} == {
        oid for oid in held if oid[:-1] in COLUMNS
    }


def test_a_table_that_did_not_change_costs_its_cells_and_one_look_behind_them() -> None:
    rows = set(range(1, 21))
    reading = TableReading((UPTIME,), COLUMNS, [(row,) for row in rows])
    answered = answer(device(rows, set()), reading.question(62))
    reading.take(answered)
    assert reading.finished
    assert len(answered) == 62


def test_a_device_that_repeats_the_row_behind_the_last_one_does_not_keep_us() -> None:
    reading = TableReading((), COLUMNS[:1], [(1,)])
    first, stuck = ((*COLUMNS[0], 1), 1), ((*COLUMNS[0], 2), 2)
    reading.take([stuck, first])
    reading.take([stuck])
    reading.take([stuck])
    assert reading.finished
    assert reading.table == {COLUMNS[0]: {(1,): 1, (2,): 2}}
