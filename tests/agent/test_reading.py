"""What a reading may tell outside the village."""

import msgspec

from kampungnet.shared import wire
from kampungnet_agent.reading import without_people


def test_what_leaves_the_village_names_no_device_no_code_and_nobody() -> None:
    body = wire.RouterBody(
        hotspot_sessions=2,
        guests=[wire.HotspotGuest("k7mp3xqwf", "D6:00:00:00:00:01", "hs", "http-pap", 60, 0, 1, 2)],
        users=[wire.HotspotUser("k7mp3xqwf", "harian", comment="Bu Tini", up_bytes=5)],
        log=[
            wire.LogLine("10:00:01", "hotspot,info", "k7mp3xqwf (10.5.50.2): logged in"),
            wire.LogLine("10:00:02", "hotspot,info", "T-D6:00:00:00:00:01 (10.5.50.3): trying to log in by trial"),
            wire.LogLine("10:00:03", "system,error,critical", "login failure for user admin from 10.5.50.3 via ssh"),
        ],
    )
    sent = msgspec.json.encode(without_people(body)).decode()
    for secret in ("k7mp3xqwf", "D6:00:00:00:00:01", "Bu Tini"):
        assert secret not in sent
    assert "*** (10.5.50.2): logged in" in sent
    assert "login failure for user admin from 10.5.50.3" in sent
    assert '"up_bytes":5' in sent
    assert without_people(None) is None
