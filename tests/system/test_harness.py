"""The harness itself: what must fail a claim does."""
import signal

from cluster import Failed, Process, equal, expect, main, until

SYMBOLS = {"A": {}}


def failure(action, *arguments):
    """The words an action fails with."""
    try:
        action(*arguments)
    except Failed as fault:
        return str(fault)
    raise Failed("it did not fail")


def a_process_that_ends_when_nobody_asked_fails_the_claim(test):
    for number, words in [(signal.SIGABRT, "ended with status -6"),
                          (signal.SIGTERM, "ended by itself")]:
        cluster = test.cluster(SYMBOLS)
        cluster.start()
        cluster.matchers[0].send(number)
        until(lambda: not cluster.matchers[0].running, "the matcher has ended")
        expect(words in failure(cluster.check), "check() did not say so")
        expect(words in failure(cluster.until, lambda: False, "x", 5), "until() did not say so")
        if number == signal.SIGABRT:
            expect(words in failure(cluster.end, False), "end() did not say so")
        else:
            cluster.end(False)


def an_exit_status_not_expected_fails_the_claim(test):
    with test.cluster(SYMBOLS) as cluster:
        expect("ended with status 2" in failure(cluster.outcry, "tape", "l2.B"), "status 2 for 0")
        cluster.processes.pop()
        expect("ended with status 0" in failure(lambda: cluster.outcry("settings", status=1)),
               "status 0 for 1")
        cluster.processes.pop()
        late = cluster.spawn("tape", "outcry", "tape", "l2.A")
        expect("still running" in failure(late.wait, 0.5), "no end")
        cluster.processes.pop()


def words_of_a_sanitizer_fail_the_claim_whatever_the_status(test):
    with test.directory() as directory:
        for words in ("==1==ERROR: AddressSanitizer: heap-use-after-free",
                      "==1==ERROR: LeakSanitizer: detected memory leaks",
                      "WARNING: ThreadSanitizer: data race (pid=1)",
                      "x.c:1:2: runtime error: signed integer overflow",
                      "x.c:12: CHECK failed: a == b",
                      '{"time":"t","level":"error","module":"m","event":"e"}',
                      "2026-11-21T02:10:00.123456Z error m e"):
            process = Process("words", ["/bin/sh", "-c", f"echo fine; echo '{words}' >&2"],
                              directory)
            equal(process.wait(), 0, "status")
            expect(words in failure(process.check), f"not noticed: {words}")


def a_service_has_one_log_and_a_command_keeps_its_data_apart(test):
    script = "#!/bin/sh\necho '{\"event\":\"a\"}'; echo '{\"event\":\"b\"}' >&2\n"
    with test.directory() as directory:
        for name, log, output in [("outcry-x", ["a", "b"], ["a", "b"]), ("outcry", ["b"], ["a"])]:
            program = directory / name
            program.write_text(script, encoding="ascii")
            program.chmod(0o700)
            process = Process(name, [program], directory)
            equal(process.wait(), 0, "status")
            for text, events in [(process.words, log), (process.said, output)]:
                equal(text, "".join(f'{{"event":"{event}"}}\n' for event in events), name)
            equal([len(process.facts(event)) for event in "ab"],
                  [int(event in log) for event in "ab"], f"facts of {name}")


def nothing_is_left_when_a_claim_fails(test):
    cluster = test.cluster(SYMBOLS)
    try:
        with cluster:
            raise KeyError
    except KeyError:
        pass
    expect(not any(process.running for process in cluster.processes), "a process is left")
    expect(not cluster.run_dir.exists(), "the run directory is left")


if __name__ == "__main__":
    main(__doc__, [a_process_that_ends_when_nobody_asked_fails_the_claim,
                   an_exit_status_not_expected_fails_the_claim,
                   words_of_a_sanitizer_fail_the_claim_whatever_the_status,
                   a_service_has_one_log_and_a_command_keeps_its_data_apart,
                   nothing_is_left_when_a_claim_fails])
