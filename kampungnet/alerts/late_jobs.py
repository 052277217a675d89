"""What is to be told of the server's own jobs: a backup that failed or never began, a broken log, a push that died."""

from collections.abc import Iterator

from sqlalchemy.orm import Session

from kampungnet.alerts.facts import OF_JOBS, Alarm, Fact, Group, Severity
from kampungnet.core import jobs


def facts(db: Session, now_ms: int, *, is_watched: bool) -> Iterator[Fact]:
    """Yield what is late, and what was once and is well again.

    While Prometheus watches, its own rule PushMissing tells of the push.
    """
    for job in jobs.known(db):
        topic, done_ms = f"{OF_JOBS}{job.name}", job.succeeded_ms
        about = Group((Alarm(topic, topic, "", f"kampungnet-{job.name}", "", "", ""),), 0)
        if job.late_ms <= now_ms:
            if is_watched and job.name == jobs.PUSH:
                continue
            start_ms, end_ms = job.late_ms, None
        elif done_ms is not None:
            start_ms, end_ms = done_ms, done_ms
        else:
            continue
        yield Fact(topic, Severity.WARNING, start_ms, end_ms, frozenset({topic}), topic, topic, about)
