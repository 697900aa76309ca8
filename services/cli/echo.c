#include "cli/echo.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zmq.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/memory.h"

enum {
    RESULT_SIZE = 22, /* of one `result` in its group, on an ordinary day */
    HEAD_SIZE = 48,   /* of an `ack.` frame */
    START_MS = 5000,
    ANSWER_MS = 5000,
};

struct echo {
    pid_t pid;
    void *context;
    void *push;
    void *sub;
};

/* Each message says in front how many commands it holds; so does its answer. */
static void answer_all(void *pull, void *pub)
{
    static uint8_t answer[HEAD_SIZE + (1 << 16) * RESULT_SIZE];
    zmq_msg_t message;
    zmq_msg_init(&message);
    while (zmq_msg_recv(&message, pull, 0) >= 0) {
        uint32_t commands;
        memcpy(&commands, zmq_msg_data(&message), sizeof commands);
        memcpy(answer, &commands, sizeof commands);
        zmq_send(pub, answer, HEAD_SIZE + commands * RESULT_SIZE, ZMQ_DONTWAIT);
    }
}

_Noreturn static void be_the_other(const char *commands, const char *answers)
{
    char error[ENDPOINT_ERROR_SIZE];
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    void *context = zmq_ctx_new();
    void *pull = endpoint_open(context, ENDPOINT_PULL, commands, error);
    void *pub = endpoint_open(context, ENDPOINT_XPUB, answers, error);
    if (pull != NULL && pub != NULL)
        answer_all(pull, pub);
    _exit(1);
}

/* The first answer shows that everything is connected. */
static bool first_answer(echo_t *e)
{
    uint64_t give_up_ns = clock_monotonic_ns() + START_MS * NS_PER_MS;
    uint32_t none = 0;
    while (clock_monotonic_ns() < give_up_ns) {
        zmq_pollitem_t item = {.socket = e->sub, .events = ZMQ_POLLIN};
        zmq_send(e->push, &none, sizeof none, ZMQ_DONTWAIT);
        if (zmq_poll(&item, 1, 20) == 1)
            return true;
    }
    return false;
}

echo_t *echo_open(const char *directory, char error[ENDPOINT_ERROR_SIZE])
{
    char commands[128], answers[128];
    echo_t *e = memory_new(1, sizeof *e, "the echo");
    snprintf(commands, sizeof commands, "ipc://%.90s/echo.commands", directory);
    snprintf(answers, sizeof answers, "ipc://%.90s/echo.answers", directory);
    e->pid = fork();
    if (e->pid == 0)
        be_the_other(commands, answers);
    e->context = zmq_ctx_new();
    e->push = endpoint_open(e->context, ENDPOINT_PUSH, commands, error);
    e->sub = endpoint_open(e->context, ENDPOINT_SUB, answers, error);
    if (e->push == NULL || e->sub == NULL) {
        echo_close(&e);
        return NULL;
    }
    endpoint_subscribe_prefix(e->sub, "");
    if (!first_answer(e)) {
        snprintf(error, ENDPOINT_ERROR_SIZE, "the echo does not answer");
        echo_close(&e);
    }
    return e;
}

void echo_close(echo_t **echo)
{
    echo_t *e = *echo;
    if (e == NULL)
        return;
    endpoint_close(&e->push);
    endpoint_close(&e->sub);
    zmq_ctx_term(e->context);
    if (e->pid > 0) {
        kill(e->pid, SIGKILL);
        waitpid(e->pid, NULL, 0);
    }
    memory_free(e, 1, sizeof *e);
    *echo = NULL;
}

/* Take answers in; waits for one if the window is full. False: none came. */
static bool take_answers(echo_t *e, uint64_t *unanswered, bool wait)
{
    zmq_msg_t message;
    zmq_msg_init(&message);
    zmq_pollitem_t item = {.socket = e->sub, .events = ZMQ_POLLIN};
    if (wait && zmq_poll(&item, 1, ANSWER_MS) != 1)
        return false;
    while (zmq_msg_recv(&message, e->sub, ZMQ_DONTWAIT) >= 0) {
        uint32_t commands;
        memcpy(&commands, zmq_msg_data(&message), sizeof commands);
        *unanswered -= commands;
    }
    zmq_msg_close(&message);
    return true;
}

double echo_run(echo_t *e, const uint8_t *bytes, const size_t *sizes,
                const uint32_t *command_counts, size_t count, uint64_t window)
{
    uint64_t unanswered = 0, start_ns = clock_monotonic_ns();
    for (size_t i = 0; i < count; i++) {
        while (unanswered + command_counts[i] > window) {
            if (!take_answers(e, &unanswered, true))
                return -1;
        }
        while (zmq_send(e->push, bytes, sizes[i], ZMQ_DONTWAIT) < 0) {
            if (!take_answers(e, &unanswered, true))
                return -1;
        }
        unanswered += command_counts[i];
        bytes += sizes[i];
    }
    while (unanswered > 0) {
        if (!take_answers(e, &unanswered, true))
            return -1;
    }
    return (double)(clock_monotonic_ns() - start_ns) / (double)NS_PER_SECOND;
}
