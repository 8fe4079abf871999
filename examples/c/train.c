// train.c: trains one weight through libhlx, and feeds it by hand.
//
//     hlxc examples/one_weight.hlxl -o one_weight.hbin
//     cc examples/c/train.c -o train $(pkg-config --cflags --libs hlx)
//     ./train one_weight.hbin [DEVICE]
#include <hlx.h>
#include <stdio.h>

enum { N = 256, EPOCHS = 18 };

static bool train(struct hlx_run *run, struct hlx_error *error)
{
    float x[N], y[N], loss, gradient, w;
    for (int i = 0; i < N; i++) {
        x[i] = (float)((i + 1) / 10.0);
        y[i] = (float)(2 * (i + 1) / 10.0);
    }
    if (!hlx_bind(run, "x", x, sizeof x, error) || !hlx_bind(run, "y", y, sizeof y, error))
        return false;
    for (int epoch = 1; epoch <= EPOCHS; epoch++) {
        if (!hlx_step(run, error) || !hlx_read(run, "loss", &loss, sizeof loss, error) ||
            !hlx_read(run, "gradient", &gradient, sizeof gradient, error) ||
            !hlx_read(run, "w", &w, sizeof w, error))
            return false;
        printf("epoch %2d: loss %.3f, gradient %.3f, w %.6f\n", epoch, loss, gradient, w);
    }
    return true;
}

int main(int argc, char **argv)
{
    struct hlx_error error = {0};
    struct hlx_options options = {.device = argc > 2 ? argv[2] : NULL};
    struct hlx *h = NULL;
    struct hlx_run *run = NULL;
    if (argc < 2) {
        fprintf(stderr, "usage: train one_weight.hbin [DEVICE]\n");
        return HLX_USAGE;
    }
    bool ok = (h = hlx_open(argv[1], &options, &error)) && (run = hlx_start(h, "train", &error));
    if (ok) {
        printf("helix %s on %s\n", hlx_version(), hlx_title(h));
        ok = train(run, &error);
    }
    hlx_stop(run);
    hlx_close(h);
    if (!ok)
        fprintf(stderr, "train: %s\n", error.text);
    return error.code;
}
