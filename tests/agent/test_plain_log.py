"""Of several offices in one process, each knows its own lines of the log."""

import asyncio
import logging
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from kampungnet_agent.main import main
from kampungnet_agent.plain_log import Recent, lines_of, recent_lines
from kampungnet_agent.worker import Worker

log = logging.getLogger("kampungnet_agent.test")


@pytest.fixture(autouse=True)
def kept() -> Iterator[None]:
    """The log as the running agent keeps it."""
    handler, root = Recent(), logging.getLogger()
    root.addHandler(handler)
    yield
    root.removeHandler(handler)


async def _work(name: str, worker: Worker) -> None:
    log.warning("%s at work", name)
    await worker.do(log.warning, "%s in a thread", name)
    await worker.do_quickly(log.warning, "%s quickly", name)
    await asyncio.wrap_future(worker.submit(log.warning, "%s from anywhere", name))
    try:
        raise ValueError(f"{name} broke")
    except ValueError:
        log.exception("a defect")


async def test_lines_of_tasks_threads_and_tracebacks_are_those_of_the_office_that_began_them() -> None:
    worker = Worker("shared")
    tasks = []
    for name in ("rejosari", "sarongan"):
        with lines_of(name):
            tasks.append(asyncio.create_task(_work(name, worker)))
    await asyncio.gather(*tasks)
    worker.stop()
    for name, other in (("rejosari", "sarongan"), ("sarongan", "rejosari")):
        said = "\n".join(recent_lines(name))
        assert other not in said
        for words in ("at work", "in a thread", "quickly", "from anywhere"):
            assert f"{name} {words}" in said
        assert f"ValueError: {name} broke" in said
        assert "Traceback" in said


def test_lines_of_the_process_are_everybodys_and_those_of_nobody_only_where_there_is_one_office() -> None:
    with lines_of(""):
        log.warning("the process")
    thread = threading.Thread(target=log.warning, args=("a library",))
    thread.start()
    thread.join()
    assert [line.split("WARNING ")[1] for line in recent_lines("rejosari")] == ["the process"]
    assert [line.split("WARNING ")[1] for line in recent_lines()] == ["the process", "a library"]


class _Talking(str):
    """Lets something be logged while it is looked at, as another thread would."""

    __slots__ = ()

    def __hash__(self) -> int:
        log.warning("more")
        return super().__hash__()


def test_lines_can_be_read_while_another_thread_logs() -> None:
    for number in range(2):
        with lines_of(_Talking("rejosari")):
            log.warning("line %d", number)
    assert [line.split("WARNING ")[1] for line in recent_lines("rejosari")] == ["line 0", "line 1"]


def test_a_command_leaves_logging_as_it_was(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = logging.getLogger()
    before = list(root.handlers), root.level
    assert main(["--verbose", "check", "--config", str(tmp_path / "no.toml")]) == 2
    assert "no.toml" in capsys.readouterr().err
    assert (list(root.handlers), root.level) == before
