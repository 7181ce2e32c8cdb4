// Axes cut as finely as any reshape cuts them.
//
// An atom is one occurrence of an axis in a tensor. Atoms that ops tie to each other are cut alike: a cut of
// one is a cut of all.
#pragma once

#include <optional>
#include <vector>

#include "ir/dim.h"

namespace remodel::layout {

using Atom = int32_t;
using Atoms = std::vector<Atom>;

class Cuts {
 public:
  // A new axis, tied to none.
  Atom add(const Dim& size);
  // Another occurrence of an axis, cut alike.
  Atom twin(Atom of);
  // What an atom has been cut into, outermost first.
  void leaves(Atom atom, Atoms& into);
  Atoms leaves(const Atoms& atoms);
  const Dim& size(Atom atom) { return classes_[find(atoms_[atom].cls)].size; }

  // Cuts the row-major sequence into axes of these sizes; axes of size 1 have no atoms. nullopt where the
  // sizes have no common cuts.
  std::optional<std::vector<Atoms>> cut(const Atoms& sequence, const Dims& sizes);
  // Makes two sequences cut alike as far as they can be.
  void tie(const Atoms& a, const Atoms& b);

 private:
  struct Class {
    Dim size;
    std::vector<int32_t> parts;  // none: not cut; one: the same as another
  };
  struct Occurrence {
    int32_t cls;
    Atoms parts;
  };
  int32_t find(int32_t cls);
  int32_t add_class(const Dim& size);
  void split(int32_t cls, const Dim& outer, const Dim& inner);
  // The first leaf; the rest of what `stack` (last first) held stays.
  Atom pop(Atoms& stack);
  void open(Atom atom);
  int32_t class_of(Atom atom) { return find(atoms_[atom].cls); }

  std::vector<Class> classes_;
  std::vector<Occurrence> atoms_;
};

}  // namespace remodel::layout
