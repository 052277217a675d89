import hashlib
from collections.abc import AsyncIterator

import pytest

from kampungnet_sim.fleet import FleetOptions
from tests.sim.stage import Client, Stage, on_stage, row_of


@pytest.fixture
async def stage(request: pytest.FixtureRequest) -> AsyncIterator[Stage]:
    async with on_stage(FleetOptions(model="hex", version=request.param)) as one:
        yield one


def response(password: str, challenge: str) -> str:
    return "00" + hashlib.md5(b"\0" + password.encode() + bytes.fromhex(challenge)).hexdigest()


async def challenge_login(client: Client, stage: Stage, password: str) -> list[list[str]]:
    [[done, ret]] = await client.ask("/login")
    assert done == "!done"
    return await client.ask("/login", "=name=kampungnet", f"=response={response(password, ret[5:])}")


@pytest.mark.parametrize("stage", ["6.40.5", "6.44.2"], indirect=True)
async def test_up_to_645_the_challenge_is_answered_with_a_hash(stage: Stage) -> None:
    client = await stage.connect()
    assert await challenge_login(client, stage, stage.password) == [["!done"]]
    assert len(await client.rows("/system/identity/print")) == 1


@pytest.mark.parametrize("stage", ["6.44.2", "6.49.10", "7.20.4"], indirect=True)
async def test_from_643_one_sentence_logs_in(stage: Stage) -> None:
    client = await stage.client()
    assert (await client.rows("/system/resource/print"))[0]["version"] == stage.site.village.profile.version


@pytest.mark.parametrize("stage", ["6.40.5"], indirect=True)
async def test_an_old_router_ignores_the_password_of_the_new_login_and_sends_a_challenge(stage: Stage) -> None:
    client = await stage.connect()
    [[done, ret]] = await client.ask("/login", "=name=kampungnet", f"=password={stage.password}")
    assert (done, len(ret)) == ("!done", len("=ret=") + 32)


@pytest.mark.parametrize(
    ("stage", "text"),
    [("6.40.5", "cannot log in"), ("6.44.2", "invalid user name or password (6)")],
    indirect=["stage"],
)
async def test_a_wrong_hash_is_refused_in_the_words_of_the_version(stage: Stage, text: str) -> None:
    client = await stage.connect()
    assert await challenge_login(client, stage, "wrong") == [["!trap", f"=message={text}"], ["!done"]]


@pytest.mark.parametrize("stage", ["7.20.4"], indirect=True)
async def test_after_a_wrong_password_the_connection_stays_open(stage: Stage) -> None:
    client = await stage.connect()
    refused = await client.ask("/login", "=name=kampungnet", "=password=wrong")
    assert refused == [["!trap", "=message=invalid user name or password (6)"], ["!done"]]
    assert await client.ask("/login", "=name=kampungnet", f"=password={stage.password}") == [["!done"]]


@pytest.mark.parametrize("stage", ["7.20.4"], indirect=True)
async def test_a_stranger_gets_errors_and_then_the_door(stage: Stage) -> None:
    client = await stage.connect()
    for _ in range(2):
        assert (await client.ask("/system/resource/print"))[0][0] == "!trap"
    assert (await client.ask("/system/resource/print"))[0][0] == "!fatal"
    assert await client.ended()


@pytest.mark.parametrize("stage", ["7.20.4"], indirect=True)
async def test_logins_failures_and_logouts_fill_the_log(stage: Stage) -> None:
    client = await stage.connect()
    await client.ask("/login", "=name=kampungnet", "=password=wrong")
    await client.ask("/login", "=name=kampungnet", f"=password={stage.password}")
    rows = [row for row in await client.rows("/log/print") if " via api" in row["message"]]
    assert [(row["topics"], row["message"]) for row in rows] == [
        ("system,error,critical", "login failure for user kampungnet from 127.0.0.1 via api"),
        ("system,info,account", "user kampungnet logged in from 127.0.0.1 via api"),
    ]
    assert [row["name"] for row in await client.rows("/user/active/print")] == ["kampungnet"]


@pytest.mark.parametrize("stage", ["7.15.3", "7.16"], indirect=True)
async def test_session_twenty_one_is_refused_from_716(stage: Stage) -> None:
    for _ in range(20):
        await stage.client()
    last = await stage.connect()
    if stage.site.router.version.minor == 16:
        assert await last.read() == ["!fatal", "too many sessions"]
    else:
        last.send("/login", "=name=kampungnet", f"=password={stage.password}")
        assert await last.answer() == [["!done"]]


@pytest.mark.parametrize("stage", ["6.49.10"], indirect=True)
async def test_passwords_come_from_the_seed_and_differ_between_villages_and_people(stage: Stage) -> None:
    passwords = {user.password for user in stage.site.router.users.values()}
    async with on_stage(FleetOptions(seed=2)) as other:
        passwords |= {user.password for user in other.site.router.users.values()}
    assert len(passwords) == 2 * len(stage.site.router.users)
    assert row_of(["!re", "=a=b=c"]) == {"a": "b=c"}
