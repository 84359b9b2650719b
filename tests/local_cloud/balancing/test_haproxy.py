"""haproxy's configuration, whole."""

from pathlib import Path

from local_cloud.balancing.haproxy import (
    Haproxy,
    HealthCheck,
    Layout,
    Listener,
    Server,
    TargetGroup,
    check_words,
    render,
)

CHECK = HealthCheck("/health", "200,301-304", 500, 2000, healthy_threshold=3, unhealthy_threshold=2)
SERVER = Server("i-1:8000", "10.99.0.5", 8000)

WHOLE = """\
global
  stats socket unix@sock mode 600 level admin expose-fd listeners
  nbthread 1
  maxconn 4000
  hard-stop-after 120s

defaults
  timeout connect 500ms
  timeout client 60s
  timeout server 60s
  retries 3
  retry-on conn-failure
  option redispatch 1
  option idle-close-on-response

frontend listener:80
  mode http
  option http-server-close
  option forwardfor
  bind 10.99.1.1:80
  default_backend links

backend links
  mode http
  balance roundrobin
  timeout check 2000ms
  option http-server-close
  option httpchk
  http-check send meth GET uri /health ver HTTP/1.1 hdr Host links hdr User-Agent ELB-HealthChecker/2.0 hdr Connection \
close
  http-check expect status 200,301-304
  server i-1:8000 10.99.0.5:8000 check inter 500ms fall 2 rise 3

backend new:links
  mode http
  balance roundrobin
  timeout check 2000ms
  option http-server-close
  option httpchk
  http-check send meth GET uri /health ver HTTP/1.1 hdr Host links hdr User-Agent ELB-HealthChecker/2.0 hdr Connection \
close
  http-check expect status 200,301-304
"""


def test_the_configuration_of_one_listener_and_one_target_group() -> None:
    layout = Layout("10.99.1.1", (Listener(80, "http", (("links", 1),)),), (TargetGroup("links", "http", CHECK),))

    assert render(layout, {"links": [SERVER]}) == WHOLE


def test_weights_become_chances_of_what_is_left() -> None:
    groups = tuple(TargetGroup(name, "http", CHECK) for name in ("blue", "green", "grey"))
    listener = Listener(80, "http", (("blue", 50), ("green", 30), ("grey", 20)))

    config = render(Layout("10.99.1.1", (listener,), groups), {})

    assert "use_backend blue if { rand(100) lt 50 }\n  use_backend green if { rand(50) lt 30 }\n" in config
    assert "default_backend grey\n" in config


def test_a_tcp_check_asks_nothing() -> None:
    check = HealthCheck("", "", 1000, 2000, 3, 3, port=9000)
    layout = Layout("10.99.1.1", (Listener(5432, "tcp", (("db", 1),)),), (TargetGroup("db", "tcp", check),))

    config = render(layout, {"db": [SERVER]})

    assert "httpchk" not in config
    assert "server i-1:8000 10.99.0.5:8000 check port 9000 inter 1000ms fall 3 rise 3" in config


def test_a_new_target_is_checked_soon_and_fails_no_sooner_than_another() -> None:
    words = check_words(SERVER, CHECK, is_new=True)

    assert words == "10.99.0.5:8000 check inter 100ms fall 10 rise 1"


def test_what_the_api_is_given_cannot_become_a_line_of_the_configuration() -> None:
    check = HealthCheck("/a b\n  bind :1", "200\n  bind :2", 500, 2000, 2, 2)

    config = render(Layout("10.99.1.1", (), (TargetGroup("links", "http", check),)), {})

    assert "uri /a%20b%0A%20%20bind%20:1 ver" in config
    assert "expect status 2002\n" in config


def test_a_haproxy_is_reloaded_in_a_directory_whose_path_is_too_long_for_a_socket(tmp_path: Path) -> None:
    haproxy = Haproxy(tmp_path / ("long" * 30), lambda _: None)
    config = render(Layout("127.0.3.99", (), ()), {})
    try:
        haproxy.load(config)
        haproxy.load(config)

        assert haproxy.stats() == {}
    finally:
        haproxy.stop()
