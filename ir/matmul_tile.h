// matmul_tile.h: the innermost loop of matmul: one tile of results in registers. eval_matmul.c
// includes it once per instruction set, with TILE_NAME(x), TILE_TARGET, TILE_ROWS, TILE_VECTORS (of
// TILE_LANES floats each). Products are rounded before they are added: never fused.

typedef float TILE_NAME(vec) __attribute__((vector_size(TILE_LANES * 4), aligned(4), may_alias));

// tile[i][j] = sum over k in ascending order of a[k][i] * b[k][j], from +0.
TILE_TARGET static void TILE_NAME(tile)(const float *restrict a, const float *restrict b, int64_t n,
                                        float *restrict tile)
{
    TILE_NAME(vec) sum[TILE_ROWS][TILE_VECTORS];
    memset(sum, 0, sizeof sum);
    for (int64_t k = 0; k < n; k++, a += TILE_ROWS, b += TILE_VECTORS * TILE_LANES) {
        const TILE_NAME(vec) *row = (const TILE_NAME(vec) *)b;
        for (int i = 0; i < TILE_ROWS; i++)
            for (int j = 0; j < TILE_VECTORS; j++) {
#if HLX_HARD_FLUSH
                sum[i][j] += a[i] * row[j];
#else
                for (int l = 0; l < TILE_LANES; l++)
                    sum[i][j][l] = f32_add(sum[i][j][l], f32_mul(a[i], row[j][l]));
#endif
            }
    }
    memcpy(tile, sum, sizeof sum);
}
