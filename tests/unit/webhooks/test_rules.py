"""Where messages may go and when again (投递规则): nowhere that is not everybody's."""

from datetime import datetime, timedelta

import pytest

from app.webhooks.rules import WAITS, Reach, may_reach, next_try, read_url

AT = datetime(2026, 6, 1)  # noqa: DTZ001 -- differences alone matter
OPEN = Reach(plain=True)
HERE = Reach(plain=True, loopback=True)

NOT_EVERYBODYS = [
    "0.0.0.0",
    "10.0.0.1",
    "100.64.0.1",
    "100.100.100.200",
    "127.0.0.1",
    "127.8.8.8",
    "168.63.129.16",
    "169.254.169.254",
    "172.16.0.1",
    "192.0.0.1",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.1.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.255",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::7f00:1",
    "::ffff:127.0.0.1",
    "::ffff:8.8.8.8",
    "64:ff9b::a00:1",
    "64:ff9b::808:808",
    "64:ff9b:1::1",
    "100::1",
    "2001:0:4136:e378:8000:63bf:3fff:fdd2",
    "2001:db8::1",
    "2002:7f00:1::",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "ff02::1",
    "localhost",
    "1",
    "127.1",
]


@pytest.mark.parametrize("address", NOT_EVERYBODYS)
def test_an_address_that_is_not_everybodys_is_refused(address: str) -> None:
    assert not may_reach(address, OPEN)


@pytest.mark.parametrize("address", ["1.1.1.1", "119.29.29.29", "2606:4700:4700::1111", "2400::1"])
def test_an_address_that_is_everybodys_is_reached(address: str) -> None:
    assert may_reach(address, Reach())


def test_this_machine_is_reached_where_the_setting_says_so_and_nothing_private_is() -> None:
    assert may_reach("127.0.0.1", HERE)
    assert may_reach("::1", HERE)
    assert not any(may_reach(each, HERE) for each in ("10.0.0.1", "::ffff:127.0.0.1", "fe80::1"))


@pytest.mark.parametrize(
    "url",
    [
        "ftp://shop.example/", "http://shop.example/", "https://shop.example:22/",
        "https://shop.example:80/", "https://user@shop.example/", "https://a:b@shop.example/",
        "https://shop.example/#a", "https://shop.example/ a", "https://shop.example/\r\nx: y",
        "https://10.0.0.1/", "https://[::1]/", "https://2130706433/", "https://0x7f.1/",
        "https://0177.0.0.1/", "https://127.1/", "https://127.0.0.1./", "https:///hook",
        "https://shop.example:99999/", "https://shop_example/", "https://[::ffff:8.8.8.8]/",
        "https://店.example/", "https://shop.example\\@10.0.0.1/", "HTTPS//shop.example",
        "https://shop.example/" + "a" * 500,
    ],
)  # fmt: skip
def test_a_url_that_production_refuses(url: str) -> None:
    assert read_url(url, Reach()) is None


def test_urls_that_are_taken() -> None:
    plain = read_url("https://shop.example", Reach())
    assert plain is not None
    assert (plain.port, plain.path) == (443, "/")
    other = read_url("https://shop.example:8443/a?b=c", Reach())
    assert other is not None
    assert (other.port, other.path) == (8443, "/a?b=c")
    assert read_url("https://1.1.1.1/hook", Reach()) is not None
    assert read_url("http://shop.example:8080/", OPEN) is not None
    assert read_url("http://shop.example:8443/", OPEN) is None
    assert read_url("http://127.0.0.1:4711/", OPEN) is None
    assert read_url("http://127.0.0.1:4711/", HERE) is not None


def test_the_schedule_is_the_standards_and_jitter_only_delays() -> None:
    hours = [wait / timedelta(hours=1) for wait in WAITS]
    assert hours == pytest.approx([5 / 3600, 5 / 60, 0.5, 2, 5, 10, 14, 20, 24])
    for step, wait in enumerate(WAITS):
        assert next_try(step, 0, at=AT) == AT + wait
        assert next_try(step, 200, at=AT) == AT + wait * 1.2
    assert next_try(len(WAITS), 0, at=AT) is None
