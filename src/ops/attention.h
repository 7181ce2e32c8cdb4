// Attention and what goes with it.
#pragma once

#include "ir/op.h"

namespace remodel {

// (q, k, v, mask?, past_k?, past_v?, lengths?): softmax(q k^T) v. q is [batch, heads, queries, size], k and v
// are [batch, kv heads, keys, size]; each kv head serves as many heads of q as there are, neighbours
// together. The past comes before k and v; it gives none or both.
//
// The scores are q k^T * scale; then, softcap * tanh(scores / softcap) where softcap is not 0, and a mask
// that is added, or a boolean one (true: takes part), in the order that `cap_first` says. The mask broadcasts
// to [batch, heads, queries, keys]; keys beyond a shorter last axis are masked. `lengths` [batch]: keys from
// there on are masked. Where all keys of a query are masked by anything but an added mask, `unseen` says
// whether all count the same or the result is 0. `softmax`: a float that scores and probabilities are rounded
// to where it is narrower than theirs.
//
// Results: y [batch, heads, queries, size of v]; k and v with the past; the scores as `stage` says.
struct Attention {
  static constexpr const char* name = "attention";
  double scale = 1, softcap = 0;
  // from_start: query i sees the past and the keys up to i. from_end: the last query sees all keys, the one
  // before it all but one.
  enum class Causal : uint8_t { no, from_start, from_end } causal = Causal::no;
  int64_t window = 0;  // with causal: the last so many of the keys that a query sees; 0: all
  bool cap_first = false;
  enum class Unseen : uint8_t { even, zero } unseen = Unseen::even;
  DType softmax = DType::unknown;
  enum class Stage : uint8_t { product, masked, capped, probabilities } stage = Stage::product;
  void describe(Fields& v) {
    v("scale", scale);
    v("softcap", softcap);
    v.choice("causal", causal, {"no", "from_start", "from_end"});
    v("window", window);
    v("cap_first", cap_first);
    v.choice("unseen", unseen, {"even", "zero"});
    v("softmax", softmax);
    v.choice("stage", stage, {"product", "masked", "capped", "probabilities"});
  }
  void infer(Infer& in) const;
};

// (x, cos, sin): pairs of elements of the last axis turned by angles. x is [batch, heads, steps, size]; cos
// and sin are [steps, half] or [batch, steps, half]. Pairs are (i, i + half), or (2 i, 2 i + 1) with
// `interleaved`; elements from 2 half on stay.
struct Rotary {
  static constexpr const char* name = "rotary";
  bool interleaved = false;
  void describe(Fields& v) { v("interleaved", interleaved); }
  void infer(Infer& in) const;
};

}  // namespace remodel
