/* libFuzzer target for all that is read from the network: frames, commands, requests, and the
 * printer. What must hold is in tests/unit/proto/exercise.h.
 *
 *     clang -std=c11 -D_GNU_SOURCE -O1 -g -fsanitize=fuzzer,address,undefined -I. -Icommon \
 *         tests/fuzz/frame_fuzzer.c tests/unit/proto/exercise.c common/base/check.c \
 *         proto/{catalog,command,frame,names,printer,wire}.c -o frame_fuzzer
 *     tests/fuzz/make_corpus.py CORPUS
 *     frame_fuzzer -max_total_time=60 -max_len=4096 CORPUS
 *
 * A crash is kept by libFuzzer as a file, which given as the argument repeats it. */
#include "tests/unit/proto/exercise.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static FILE *out;
    if (out == NULL)
        out = fopen("/dev/null", "w");
    if (out == NULL)
        return -1;
    exercise(bytes, size, out);
    return 0;
}
