// Spectra. Complex numbers stand in a last axis of 2: real and imaginary parts. A last axis of 1 holds real
// numbers.
#pragma once

#include "ir/op.h"

namespace remodel {

// (x, length?, axis?): the discrete Fourier transform along an axis (not the last), or its inverse, which
// divides by the length. x is cut or filled with zeros to `length`, which is absent (no element) where x has
// it. `onesided`: of real x the first length/2 + 1 frequencies; inverted, x holds those and the result is
// real, by default of an even length.
struct Dft {
  static constexpr const char* name = "dft";
  int64_t axis = -2;
  bool inverse = false, onesided = false;
  Dims length;
  void describe(Fields& v) {
    v.axis("axis", axis);
    v("inverse", inverse);
    v("onesided", onesided);
    v("length", length);
  }
  void infer(Infer& in) const;
};

// (real, imaginary), which broadcast: complex numbers, c64 of f32 and c128 of f64.
struct Complex : Elementwise {
  static constexpr const char* name = "complex";
  void infer(Infer& in) const;
};
// (x): the real or the imaginary part of complex numbers.
struct Real : Elementwise {
  static constexpr const char* name = "real";
  void infer(Infer& in) const;
};
struct Imaginary : Elementwise {
  static constexpr const char* name = "imaginary";
  void infer(Infer& in) const;
};

// (x, window?, step?, length?): the transform of each frame of x [batch, samples, 1 or 2], times the window:
// [batch, frames, frequencies, 2]. Frames start every `step` samples and lie inside of x whole.
struct Stft {
  static constexpr const char* name = "stft";
  Dim step = 1, length = 1;
  bool onesided = true;
  void describe(Fields& v) {
    v("step", step);
    v("length", length);
    v("onesided", onesided);
  }
  void infer(Infer& in) const;
};

// (size?): a window function over `size` samples: periodic, or symmetric. Integers are truncated.
struct Window {
  static constexpr const char* name = "window";
  enum class Kind : uint8_t { hann, hamming, blackman } kind = Kind::hann;
  bool periodic = true;
  DType dtype = DType::f32;
  Dim size;
  void describe(Fields& v) {
    v.choice("kind", kind, {"hann", "hamming", "blackman"});
    v("periodic", periodic);
    v("dtype", dtype);
    v("size", size);
  }
  void infer(Infer& in) const;
};

// (bands, length, rate, low, high), scalars: the weights that sum the length/2 + 1 frequencies of a transform
// into bands, triangles evenly spaced on the mel scale between two frequencies in hertz: [frequencies,
// bands].
struct MelWeights {
  static constexpr const char* name = "mel_weights";
  DType dtype = DType::f32;
  void describe(Fields& v) { v("dtype", dtype); }
  void infer(Infer& in) const;
};

}  // namespace remodel
