"""What a gateway tells those who run it: probes that say what they mean, and numbers that are
right."""
import re
import time

from cluster import Gateway, equal, expect, main, until
from promtool import promtool
from rest import Rest
from websocket_client import Client

SYMBOLS = {"BTC-USD": {"tick_size": "0.01", "lot_size": "0.0001"},
           "AAPL": {"tick_size": "0.01", "shard": 1}}
ORDERS = "/api/v1/orders"
STAGES = ("edge", "matcher", "answer")
PLACED = 200


def venue(test, **options):
    return test.cluster(SYMBOLS, shards=2, gateways=1, **options)


def page(gateway):
    return Rest(gateway.admin_port).get("/metrics").body.decode()


def every_metric_is_documented_and_well_formed(test):
    with venue(test) as cluster:
        rest = Rest(cluster.gateways[0].port)
        rest.place("AAPL", "buy", "1", "50")
        rest.get("/nowhere")
        text = page(cluster.gateways[0])
        documented = cluster.outcry("metrics").said
        families = dict(re.findall(r"^# TYPE (\S+) (\S+)$", text, re.M))
        for name in families:
            expect(f"`{name}`" in documented, f"{name} is not in `outcry metrics`")
        for name in ("outcry_build_info", "outcry_start_time_seconds", "outcry_ready",
                     "outcry_node_cycles_total", "outcry_node_messages_total",
                     "outcry_http_request_duration_seconds", "outcry_http_refused_total",
                     "outcry_order_stage_seconds", "outcry_gateway_asks_waiting",
                     "outcry_websocket_waiting_messages", "outcry_stream_frames_total"):
            expect(name in families, f"{name} is not told")
        expect("outcry_tls_expiry_seconds" not in families, "an expiry without a certificate")
        expect(f'route="POST {ORDERS}",status="201",le="+Inf"}} 1\n' in text, "the placement")
        equal(rest.metric("outcry_stream_frames_total", stream="private", shard=0), 0, "shard 0")
        expect(rest.metric("outcry_stream_frames_total", stream="private", shard=1) > 0, "shard 1")
        promtool(test, "check", "metrics", text=text)


def total(text, name, **labels):
    """The sum of all series of that name that have these labels."""
    lines = (line for line in text.splitlines() if re.match(rf"{name}[{{ ]", line))
    return sum(float(line.rsplit(" ", 1)[1]) for line in lines
               if all(f'{key}="{value}"' in line for key, value in labels.items()))


def an_orders_time_is_told_by_stage(test):
    with venue(test) as cluster:
        rest = Rest(cluster.gateways[0].port)
        count = test.count(PLACED)
        matcher_ms = 0
        for number in range(count):
            placed = rest.place("AAPL", "buy", "1", str(50 + number % 9))
            equal(placed.status, 201, f"{placed}")
            matcher_ms += float(re.search(r"matcher;dur=([0-9.]+)",
                                          placed.headers["server-timing"])[1])
        equal(rest.place("AAPL", "buy", "1", "0.001").status, 400, "refused before it is sent")
        text = page(cluster.gateways[0])
        stage_s = {stage: total(text, "outcry_order_stage_seconds_sum", stage=stage)
                   for stage in STAGES}
        for stage in STAGES:
            equal(total(text, "outcry_order_stage_seconds_count", stage=stage), count, stage)
            expect(stage_s[stage] > 0, f"{stage_s}")
        expect(abs(stage_s["matcher"] * 1000 - matcher_ms) < 0.01 * count,
               f"{stage_s} {matcher_ms}")
        whole_s = total(text, "outcry_http_request_duration_seconds_sum", route=f"POST {ORDERS}",
                        status="201")
        found_s = sum(stage_s.values())  # the one by the wall clock, the other by the monotonic
        expect(abs(found_s - whole_s) < 0.1 * whole_s + 0.0005 * count, f"{found_s} of {whole_s} s")


def a_gateway_nobody_speaks_to_is_alive(test):
    with test.cluster(SYMBOLS, shards=2) as cluster:
        cluster.stop_matcher(0)
        cluster.stop_matcher(1)
        cluster.market_data.stop()
        gateway = Gateway(cluster, "alone")
        gateway.begin()
        cluster.gateways.append(gateway)
        until(lambda: gateway.process.facts("started"), "it starts", watch=gateway.process.check)
        rest = Rest(gateway.admin_port)
        equal([rest.get(path).status for path in ("/livez", "/startupz", "/readyz")],
              [200, 503, 503], "its probes")
        equal(rest.metric("outcry_ready"), 0, "outcry_ready")
        equal([rest.metric("outcry_matcher_up", shard=shard) for shard in (0, 1)], [0, 0], "up")
        cluster.start_matcher(0)
        until(lambda: rest.metric("outcry_matcher_up", shard=0) == 1, "one is heard")
        equal([rest.get(path).status for path in ("/livez", "/startupz", "/readyz")],
              [200, 503, 503], "its probes, with half of the others")
        cluster.start_matcher(1)
        cluster.start_market_data()
        until(gateway.ready, "it is ready")
        equal(rest.metric("outcry_ready"), 1, "outcry_ready")
        cluster.stop_matcher(1)
        until(lambda: rest.get("/readyz").status == 503, "it is not ready any more")
        equal([rest.get(path).status for path in ("/livez", "/startupz")], [200, 200],
              "it goes on, and was ready once")


def where_it_is_looked_at_is_told(test):
    with venue(test) as cluster:
        gateway = cluster.gateways[0]
        told = cluster.run_dir / f"gateway-{gateway.name}.admin"
        equal(told.read_text(encoding="ascii"), f"127.0.0.1:{gateway.admin_port}\n", "the file")
        gateway.process.stop()
        expect(not told.exists(), "it is gone with the gateway")
        another = cluster.spawn("any-port", "outcry-gateway", "--gateway-name", "any-port",
                                "--gateway-address", f"127.0.0.1:{gateway.port}",
                                "--admin-address", "127.0.0.1:0")
        told = cluster.run_dir / "gateway-any-port.admin"
        until(told.exists, "another is told", watch=another.check)
        port = int(told.read_text(encoding="ascii").rsplit(":", 1)[1])
        equal(Rest(port).get("/livez").status, 200, "at the port it says")


def it_is_unready_as_soon_as_it_is_to_stop(test):
    """A WebSocket that does not answer the close frame keeps it for a second."""
    with venue(test) as cluster:
        gateway = cluster.gateways[0]
        with Client(gateway.port, "/ws/trades/AAPL") as socket:
            equal(socket.status, 101, "a WebSocket")
            equal(Rest(gateway.admin_port).get("/readyz").status, 200, "ready")
            gateway.process.asked_to_end = True
            gateway.process.send(15)
            seen, start = [], time.monotonic()
            while gateway.process.running and time.monotonic() - start < 20:
                try:
                    probe = Rest(gateway.admin_port)
                    seen.append(probe.get("/readyz").status)
                    equal(probe.get("/livez").status, 200, "it is alive to the end")
                    probe.close()
                except OSError:
                    break
        gateway.process.stop()
        told = seen.index(503)
        equal(set(seen[told:]), {503}, "never ready again")
        expect(told < len(seen) / 2 and len(seen) > told + 3,
               f"{told} of {len(seen)} probes said ready")


if __name__ == "__main__":
    main(__doc__, [every_metric_is_documented_and_well_formed, an_orders_time_is_told_by_stage,
                   a_gateway_nobody_speaks_to_is_alive, where_it_is_looked_at_is_told,
                   it_is_unready_as_soon_as_it_is_to_stop])
