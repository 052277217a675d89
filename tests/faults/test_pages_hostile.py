"""Every page and every form, asked as nobody should: never a defect of ours, and no memory kept."""

from collections import Counter
from itertools import islice
from random import Random

from kampungnet.app import Server
from tests.faults import hostile, surface
from tests.faults.office import Office
from tests.faults.told import chance, times, told

REQUESTS = times(1_000, 2_000)
MOST_GROWTH_BYTES = 40_000_000
"""What caches may still take after the first half of the requests; the pages alone take thirty times that much."""


def test_no_page_and_no_form_breaks_whatever_is_sent_and_memory_stays_flat(filled_office: Office) -> None:
    number, answers = chance(), Counter[int]()
    doors = [one for one in surface.doors(Server(filled_office.database, upkeep=False)) if one.path != surface.ENDLESS]
    surface.explore(filled_office, doors)
    assert sum(bool(one.forms) for one in doors) > 20, "the forms were found"
    all_of_them = hostile.requests(doors, hostile.known_values(doors), Random(number))
    broken, resident = [], []
    for half in (islice(all_of_them, REQUESTS // 2), islice(all_of_them, REQUESTS // 2)):
        for one in half:
            status, _, _ = filled_office.ask(one.person, one.method, one.address, one.form)
            answers[status] += 1
            if status >= 500:
                broken.append(one)
        resident.append(filled_office.resident_bytes())
    line = told("hostile requests to pages and forms", answers.total(), 0, 0, f"seed {number}, {dict(answers)}")
    assert broken == [], line
    assert filled_office.defects() == [], line
    assert answers[200] > REQUESTS // 10, f"they came past the door: {line}"
    assert resident[1] - resident[0] < MOST_GROWTH_BYTES, resident
