#include "run/gemm_tile.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace remodel {
namespace {

// The same bits on every CPU: this file must be compiled without contracting a * b + c (-ffp-contract=off).
#define TILE_NAME tile_baseline
#define TILE_TARGET
#define TILE_ROWS 4
#define TILE_VECTORS 3
#define TILE_BYTES 16
#define TILE_MADD(sum, a, b) ((sum) + (a) * (b))
#include "run/gemm_tile.inc"

#if defined(__x86_64__)

// The fused forms are spelled out, so that the result does not hang on how the compiler contracts.
#define MADD(name, isa, type, vector, expression)                                             \
  [[gnu::target(isa), gnu::always_inline]] inline vector name(vector sum, type a, vector b) { \
    return expression;                                                                        \
  }

using Ints32 [[gnu::vector_size(32)]] = uint32_t;
MADD(madd_avx2, "avx2,fma", float, __m256, _mm256_fmadd_ps(_mm256_set1_ps(a), b, sum))
MADD(madd_avx2, "avx2,fma", double, __m256d, _mm256_fmadd_pd(_mm256_set1_pd(a), b, sum))
MADD(madd_avx2, "avx2,fma", uint32_t, Ints32, sum + a * b)
#define TILE_NAME tile_avx2
#define TILE_TARGET [[gnu::target("avx2,fma")]]
#define TILE_ROWS 4
#define TILE_VECTORS 3
#define TILE_BYTES 32
#define TILE_MADD madd_avx2
#include "run/gemm_tile.inc"

using Ints64 [[gnu::vector_size(64)]] = uint32_t;
MADD(madd_avx512, "avx512f", float, __m512, _mm512_fmadd_ps(_mm512_set1_ps(a), b, sum))
MADD(madd_avx512, "avx512f", double, __m512d, _mm512_fmadd_pd(_mm512_set1_pd(a), b, sum))
MADD(madd_avx512, "avx512f", uint32_t, Ints64, sum + a * b)
#define TILE_NAME tile_avx512
#define TILE_TARGET [[gnu::target("avx512f")]]
#define TILE_ROWS 8
#define TILE_VECTORS 2
#define TILE_BYTES 64
#define TILE_MADD madd_avx512
#include "run/gemm_tile.inc"

#endif

}  // namespace

const std::vector<GemmTarget>& gemm_targets() {
  static const std::vector<GemmTarget> targets = [] {
    std::vector<GemmTarget> found;
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx512f")) found.push_back(GemmTarget::avx512);
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) found.push_back(GemmTarget::avx2);
#endif
    found.push_back(GemmTarget::baseline);
    return found;
  }();
  return targets;
}

template <class T>
GemmTile<T> gemm_tile(GemmTarget target) {
#if defined(__x86_64__)
  if (target == GemmTarget::avx512) return {8, 128 / sizeof(T), tile_avx512<T>};
  if (target == GemmTarget::avx2) return {4, 96 / sizeof(T), tile_avx2<T>};
#endif
  static_cast<void>(target);
  return {4, 48 / sizeof(T), tile_baseline<T>};
}

template GemmTile<float> gemm_tile(GemmTarget);
template GemmTile<double> gemm_tile(GemmTarget);
template GemmTile<uint32_t> gemm_tile(GemmTarget);

}  // namespace remodel
