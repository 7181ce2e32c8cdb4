// Control flow made by decompositions.
#pragma once

#include "passes/decompose/term.h"

namespace remodel {

// What a body computes from the values that it was given, each as it is seen inside of it.
using BodyFn = std::function<std::vector<Term>(Emitter& inside, const std::vector<Term>& given)>;

// The results of one of two bodies, which are both given `captured`.
std::vector<Term> if_else(Term condition, const std::vector<Term>& captured, const BodyFn& then,
                          const BodyFn& otherwise);

// What `make` gives for the index that is only known when the model runs, out of 0 .. count - 1.
Term choose(Term index, int64_t count, const std::vector<Term>& captured,
            const std::function<Term(Emitter& inside, const std::vector<Term>& given, int64_t index)>& make);

// A loop of `count` (i64[]) steps. Its body is given (step, carried..., captured...) and gives (carried...,
// stacked...); the results are the last carried values, and the stacked ones along a new first axis.
std::vector<Term> repeat(Term count, const std::vector<Term>& carried, const std::vector<Term>& captured,
                         const BodyFn& body);

}  // namespace remodel
