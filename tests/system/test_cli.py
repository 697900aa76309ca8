"""The command line: help, mistakes, settings, status, resume, tape, simulate, bench."""
import json
import os
import subprocess

from cluster import ROOT, clean_environment, equal, expect, main, make_parser, until, updates

COMMANDS = ["up", "status", "top", "probe", "tape", "simulate", "backtest", "replay", "match",
            "verify", "journal", "resume", "bench", "settings", "metrics"]
SYMBOLS = {"BTC-USD": {"tick_size": "0.01"}, "ETH-USD": {"shard": 1}, "GAS": {"any_price": 1}}
TOPICS = [f"l3.{name}" for name in SYMBOLS]


def run(test, *arguments, seconds=60):
    """Run the command line by itself."""
    with test.directory() as directory:
        done = subprocess.run([test.bin / "outcry", *arguments], cwd=directory, text=True,
                              env=clean_environment(), stdin=subprocess.DEVNULL,
                              capture_output=True, timeout=seconds, check=False)
    expect("Sanitizer" not in done.stderr and "runtime error" not in done.stderr, done.stderr)
    return done


def help_goes_to_stdout_and_names_every_command(test):
    done = run(test, "--help")
    equal((done.returncode, done.stderr), (0, ""), "status and stderr of --help")
    for name in [*COMMANDS, "test"]:
        expect(f"  {name} " in done.stdout, f"--help does not name {name}: {done.stdout}")
    for name in COMMANDS:
        done = run(test, name, "--help")
        equal((done.returncode, done.stderr), (0, ""), f"status and stderr of {name} --help")
        expect(done.stdout.startswith("usage: outcry " + name), f"{name} --help: {done.stdout}")


def what_is_not_a_command_is_refused_with_usage_on_stderr(test):
    for arguments, words in [(["fly"], 'found "fly", expected a command'), ([], "usage: outcry"),
                             (["tape"], "expected a topic"),
                             (["bench", "speed"], "usage: outcry bench"),
                             (["replay"], "expected a file"),
                             (["simulate", "--rate", "0"], '--rate: found "0", expected'),
                             (["resume", "--shard", "1"], '--shard: found "1", expected'),
                             (["simulate", "extra"], 'found "extra"')]:
        done = run(test, *arguments)
        equal((done.returncode, done.stdout), (2, ""), f"status and stdout of {arguments}")
        expect(words in done.stderr, f"of {arguments} it said: {done.stderr}")


def settings_are_what_env_example_says(test):
    done = run(test, "settings")
    equal(done.returncode, 0, "status")
    example = ROOT / ".env.example"
    expect(example.exists(), "there is no .env.example")
    equal(done.stdout, example.read_text(encoding="utf-8"), "settings")
    done = run(test, "settings", "--markdown")
    equal(done.returncode, 0, "status")
    reference = ROOT / "k8s" / "CONFIGURATION.md"
    equal(done.stdout, reference.read_text(encoding="utf-8"), "settings --markdown")


def metrics_are_what_the_reference_says(test):
    done = run(test, "metrics")
    equal(done.returncode, 0, "status")
    reference = ROOT / "k8s" / "METRICS.md"
    expect(reference.exists(), "there is no k8s/METRICS.md")
    equal(done.stdout, reference.read_text(encoding="utf-8"), "metrics")


def without_a_cluster_it_says_so(test):
    with test.directory() as directory:
        config = directory / "one.cfg"
        config.write_text("symbols\n    A\n", encoding="ascii")
        settings = ["--config", str(config), "--run-dir", str(directory / "run"),
                    "--market-data-address", f"ipc://{directory}/market-data"]
        for arguments, words in [(["simulate"], "no cluster answers"),
                                 (["tape", "l2.A"], "nothing is published at ipc://")]:
            done = run(test, *arguments, *settings)
            equal(done.returncode, 1, f"status of {arguments}")
            expect(words in done.stderr and "./outcry up" in done.stderr, done.stderr)


def status_says_what_an_acknowledgement_is_worth(test):
    promises = {"sync": "journal sync: acks are on disk;",
                "async": "journal async: acks are not on disk until up to 100 ms later;",
                "none": "journal none: acks are not on disk: nothing is kept"}
    for mode, words in promises.items():
        with test.cluster(SYMBOLS, shards=2, gateways=1,
                          settings={"journal_mode": mode}) as cluster:
            said = cluster.outcry("status").said
            equal(said.count(words), 2, f"times it says {words!r} in {said}")
            for shard in (0, 1):
                line = next(line for line in said.splitlines()
                            if line.startswith(f"shard {shard} "))
                expect("matcher takes orders, epoch" in line
                       and f"epoch {cluster.epoch(shard)}, sequence " in line, f"it said: {line}")


def status_says_which_matcher_is_away_and_what_it_said_last(test):
    with test.cluster(SYMBOLS, shards=2, gateways=1, settings={
            "heartbeat_ms": 100, "service_admin_address": "none"}) as cluster:
        cluster.stop_matcher(0)
        cluster.matchers[1].kill()
        asked = ["--run-dir", cluster.run_dir / "elsewhere"]  # all it knows is the gateway's

        def silent():
            said = cluster.outcry("status", *asked, status=1).said
            return said if said.count("matcher silent") == 2 else None
        said = cluster.until(silent, "both are missed")
        lines = [line for line in said.splitlines() if line.startswith("shard ")]
        expect("matcher silent (stopped: it has stopped), epoch" in lines[0], f"it said: {said}")
        expect("matcher silent, epoch" in lines[1], f"it said: {said}")


def resume_says_of_each_matcher_what_came_of_it(test):
    with test.cluster(SYMBOLS, shards=2) as cluster:
        fine = "shard {}: there was nothing to confirm; its matcher takes orders\n"
        equal(cluster.outcry("resume").said, fine.format(0) + fine.format(1), "of both")
        equal(cluster.outcry("resume", "--shard", "1").said, fine.format(1), "of one")
        cluster.stop_matcher(0)
        audit = cluster.run_dir / "audit.log"
        until(lambda: audit.read_text(encoding="ascii").count('"clock_confirmed"') >= 2,
              "both matchers have put it on record")
        lines = [json.loads(line) for line in audit.read_text(encoding="ascii").splitlines()]
        equal([(line["shard"], line["outcome"]) for line in lines if line["event"] == "resume"],
              [(0, "open"), (1, "open"), (1, "open")], "what the tool put on record")
        expect(all(f"(uid {os.getuid()})" in line["actor"] for line in lines), f"{lines}")
        away = cluster.outcry("resume", status=1)
        equal(away.words, "shard 0: nothing is heard of its matcher; is it running?\n", "stderr")
        equal(away.said, fine.format(1), "and goes on to the next")


def tape_prints_what_happens_and_ends_after_count_groups(test):
    with test.cluster(SYMBOLS, shards=2) as cluster:
        flow = cluster.spawn("flow", "outcry", "simulate", "--rate", 500, "--seed", test.seed)
        tape = cluster.outcry("tape", "l3.BTC-USD", "bbo.ETH-USD", "trade.GAS", "--count", 50)
        lines = tape.said.splitlines()
        for topic in ("l3.BTC-USD", "bbo.ETH-USD", "trade.GAS"):
            expect(f"{topic} snapshot" in lines, f"no snapshot of {topic}: {lines}")
            expect(any(line.startswith(f"{topic} complete at ") for line in lines),
                   f"{topic} is not complete")
        groups = {tuple(line.split()[:2]) for line in lines
                  if line.split()[1].isdigit() and line.split()[1] != "0"}
        equal(len(groups), 50, "groups printed")
        flow.stop()
        for topics in (["l2.NO-SUCH"], ["l4.GAS"], ["l2.GAS", "l2.GAS"], ["l2.GAS", "--fast"]):
            tape = cluster.outcry("tape", *topics, status=2)
            expect(f'found "{topics[-1]}", expected' in tape.words, f"it said: {tape.words}")


def history(test, seed):
    """All that l3 says of a flow of orders in a fresh cluster: [(topic, seq, events)]."""
    with test.cluster(SYMBOLS, shards=2) as cluster:
        reader = cluster.follow(*TOPICS)
        flow = cluster.outcry("simulate", "--count", test.count(3000), "--rate", 20000,
                              "--seed", seed)
        expect(f"{test.count(3000)} commands" in flow.words, f"it said: {flow.words}")
        seen = []
        late = cluster.follow(*TOPICS)

        def level():
            seen.extend((update.topic, update.seq, tuple(update.events))
                        for update in updates(reader) if update.kind == "events")
            return reader.live and all(reader.readers[topic].book.hash
                                       == late.readers[topic].book.hash for topic in TOPICS)
        cluster.until(level, "all that happened has been read")
        late.close()
        reader.close()
        return sorted(seen)


def the_same_seed_sends_the_same_commands(test):
    first, again, other = history(test, 7), history(test, 7), history(test, 8)
    expect(len(first) > test.count(1500), f"only {len(first)} groups")
    expect(first == again, "the same seed gave another history")
    expect(first != other, "another seed gave the same history")


def the_bench_writes_json_of_the_documented_form(test):
    done = run(test, "bench", "engine", "--quick", "--json", "/dev/stdout", seconds=120)
    equal(done.returncode, 0, "status")
    rows = json.loads(done.stdout)
    keys = {"bench", "case", "ours", "floor", "ratio", "unit", "p50", "p99", "p999", "rate",
            "runs"}
    expect(rows and all(set(row) == keys for row in rows), f"keys: {[set(row) for row in rows]}")
    for row in rows:
        expect(row["ours"] > 0 and len(row["runs"]) > 0, f"nothing was measured: {row}")
        expect(row["floor"] is None or row["ratio"] > 0, f"no ratio: {row}")
        print(f"    {row['bench']} {row['case']}: {row['ours']} {row['unit']}, "
              f"{row['ratio']} of the floor")


if __name__ == "__main__":
    parser = make_parser(__doc__)
    parser.add_argument("--bench", action="store_true", help="run the bench, too: release only")
    claims = [help_goes_to_stdout_and_names_every_command,
              what_is_not_a_command_is_refused_with_usage_on_stderr,
              settings_are_what_env_example_says, metrics_are_what_the_reference_says,
              without_a_cluster_it_says_so,
              status_says_what_an_acknowledgement_is_worth,
              status_says_which_matcher_is_away_and_what_it_said_last,
              resume_says_of_each_matcher_what_came_of_it,
              tape_prints_what_happens_and_ends_after_count_groups,
              the_same_seed_sends_the_same_commands]
    if parser.parse_args().bench:
        claims.append(the_bench_writes_json_of_the_documented_form)
    main(__doc__, claims, parser)
