// A hand-written SIMD Tsit5 over W lanes: what a compiler can reach on one problem.
// Components and stages are arrays of constant length, so that the compiler unrolls every loop.
#include <cmath>
#ifndef W
#define W 8
#endif
typedef double v __attribute__((vector_size(W * 8)));
typedef long vi __attribute__((vector_size(W * 8)));

static const double A[7][6] = {
    {},
    {0.161},
    {-0.008480655492356989, 0.335480655492357},
    {2.8971530571054935, -6.359448489975075, 4.3622954328695815},
    {5.325864828439257, -11.748883564062828, 7.4955393428898365, -0.09249506636175525},
    {5.86145544294642, -12.92096931784711, 8.159367898576159, -0.071584973281401,
     -0.028269050394068383},
    {0.09646076681806523, 0.01, 0.4798896504144996, 1.379008574103742, -3.290069515436081,
     2.324710524099774}};
static const double E[7] = {0.00178001105222577714, 0.0008164344596567469, -0.007880878010261995,
                            0.1447110071732629,     -0.5823571654525552,   0.45808210592918697,
                            -1. / 66};

static inline v larger(v a, v b) { return a > b ? a : b; }
static inline v smaller(v a, v b) { return a < b ? a : b; }
static inline v absolute(v a) { return a < 0 ? -a : a; }

static inline __attribute__((always_inline)) void field(v *d, const v *y, const v *p) {
#if defined(SEED)
  d[0] = -y[1] * p[0] * y[0] / (p[1] + y[0]);
  d[1] = -0.09 * d[0];
#elif defined(LORENZ)
  d[0] = p[0] * (y[1] - y[0]);
  d[1] = y[0] * (p[1] - y[2]) - y[1];
  d[2] = y[0] * y[1] - p[2] * y[2];
#elif defined(RING)
#pragma GCC unroll 64
  for (int i = 0; i < STATES; i++) {
    v right = y[(i + 1) % STATES], left = y[(i + STATES - 1) % STATES];
    d[i] = p[0] / (1. + right * right) - y[i] + p[1] * (left - y[i]) / (1. + y[i] * y[i]);
  }
#endif
}

// y0, out: (STATES, lanes); args: (PARAMETERS, lanes).
extern "C" void solve(long lanes, const double *y0, const double *args, double *out, double t1,
                      double dt0, double rtol, double atol) {
  for (long b = 0; b < lanes; b += W) {
    v y[STATES], p[PARAMETERS], k[7][STATES], u[STATES];
    for (int l = 0; l < W; l++) {
      long q = b + l < lanes ? b + l : lanes - 1;
      for (int i = 0; i < STATES; i++) y[i][l] = y0[i * lanes + q];
      for (int i = 0; i < PARAMETERS; i++) p[i][l] = args[i * lanes + q];
    }
    v zero = y[0] * 0, one = zero + 1., t = zero, h = zero + dt0, end = zero + t1;
    field(k[0], y, p);
    while (1) {
      vi active = t < end;
      int any = 0;
      for (int l = 0; l < W; l++) any |= active[l] != 0;
      if (!any) break;
      h = smaller(h, end - t);
#pragma GCC unroll 8
      for (int s = 1; s < 7; s++) {
#pragma GCC unroll 64
        for (int i = 0; i < STATES; i++) {
          v sum = A[s][0] * k[0][i];
#pragma GCC unroll 8
          for (int j = 1; j < s; j++) sum += A[s][j] * k[j][i];
          u[i] = y[i] + h * sum;
        }
        field(k[s], u, p);
      }
      v e2 = zero;
#pragma GCC unroll 64
      for (int i = 0; i < STATES; i++) {
        v e = E[0] * k[0][i];
#pragma GCC unroll 8
        for (int j = 1; j < 7; j++) e += E[j] * k[j][i];
        e *= h / (atol + rtol * larger(absolute(y[i]), absolute(u[i])));
        e2 += e * e;
      }
      e2 = e2 / STATES + 1e-30;
      v factor;
      for (int l = 0; l < W; l++) factor[l] = 0.9 * std::exp(-0.1 * std::log(e2[l]));
      vi accept = e2 <= 1.;
      factor = smaller(larger(factor, zero + 0.2), zero + 10.);
      factor = accept ? factor : smaller(factor, one);
      vi step = active & accept;
      v reached = h >= end - t ? end : t + h;
      t = step ? reached : t;
#pragma GCC unroll 64
      for (int i = 0; i < STATES; i++) {
        y[i] = step ? u[i] : y[i];
        k[0][i] = step ? k[6][i] : k[0][i];
      }
      h = active ? h * factor : h;
    }
    for (int l = 0; l < W && b + l < lanes; l++)
      for (int i = 0; i < STATES; i++) out[i * lanes + b + l] = y[i][l];
  }
}
