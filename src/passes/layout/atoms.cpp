#include "passes/layout/atoms.h"

#include <algorithm>

namespace remodel::layout {

int32_t Cuts::add_class(const Dim& size) {
  classes_.push_back({size, {}});
  return static_cast<int32_t>(classes_.size()) - 1;
}

int32_t Cuts::find(int32_t cls) {
  int32_t root = cls;
  while (classes_[root].parts.size() == 1) root = classes_[root].parts[0];
  while (cls != root) {
    int32_t next = classes_[cls].parts[0];
    classes_[cls].parts[0] = root;
    cls = next;
  }
  return root;
}

Atom Cuts::add(const Dim& size) {
  atoms_.push_back({add_class(size), {}});
  return static_cast<Atom>(atoms_.size()) - 1;
}

Atom Cuts::twin(Atom of) {
  atoms_.push_back({class_of(of), {}});
  return static_cast<Atom>(atoms_.size()) - 1;
}

void Cuts::open(Atom atom) {
  if (!atoms_[atom].parts.empty()) return;
  const std::vector<int32_t> parts = classes_[class_of(atom)].parts;
  for (int32_t part : parts) {
    atoms_.push_back({part, {}});
    atoms_[atom].parts.push_back(static_cast<Atom>(atoms_.size()) - 1);
  }
}

void Cuts::leaves(Atom atom, Atoms& into) {
  if (classes_[class_of(atom)].parts.empty()) {
    into.push_back(atom);
    return;
  }
  open(atom);
  const Atoms parts = atoms_[atom].parts;
  for (Atom part : parts) leaves(part, into);
}

Atoms Cuts::leaves(const Atoms& atoms) {
  Atoms result;
  for (Atom atom : atoms) leaves(atom, result);
  return result;
}

void Cuts::split(int32_t cls, const Dim& outer, const Dim& inner) {
  int32_t first = add_class(outer), second = add_class(inner);
  classes_[cls].parts = {first, second};
}

Atom Cuts::pop(Atoms& stack) {
  Atom top = stack.back();
  stack.pop_back();
  while (!classes_[class_of(top)].parts.empty()) {
    open(top);
    const Atoms& parts = atoms_[top].parts;
    for (size_t i = parts.size() - 1; i > 0; --i) stack.push_back(parts[i]);
    top = parts[0];
  }
  return top;
}

std::optional<std::vector<Atoms>> Cuts::cut(const Atoms& sequence, const Dims& sizes) {
  for (const Dim& size : sizes)
    if (size.is_number(0)) return std::nullopt;
  // Without effect first: a cut that leads nowhere would be in the way of others.
  {
    std::vector<Dim> left;
    for (Atom atom : leaves(sequence)) left.push_back(size(atom));
    std::reverse(left.begin(), left.end());
    for (const Dim& wanted : sizes)
      for (Dim need = wanted; !need.is_number(1);) {
        if (left.empty() || left.back().is_number(0)) return std::nullopt;
        Dim next = left.back();
        left.pop_back();
        if (auto rest = exact_div(need, next)) {
          need = *rest;
        } else if (auto inner = exact_div(next, need)) {
          left.push_back(*inner);
          need = 1;
        } else {
          return std::nullopt;
        }
      }
    if (!left.empty()) return std::nullopt;
  }
  Atoms stack(sequence.rbegin(), sequence.rend());
  std::vector<Atoms> axes;
  for (const Dim& wanted : sizes) {
    Atoms& axis = axes.emplace_back();
    for (Dim need = wanted; !need.is_number(1);) {
      if (stack.empty()) return std::nullopt;
      Atom next = pop(stack);
      const Dim has = size(next);
      if (auto rest = exact_div(need, has)) {
        axis.push_back(next);
        need = *rest;
      } else if (auto inner = exact_div(has, need)) {
        split(class_of(next), need, *inner);
        stack.push_back(next);
      } else {
        return std::nullopt;
      }
    }
  }
  if (!stack.empty()) return std::nullopt;
  return axes;
}

void Cuts::tie(const Atoms& a, const Atoms& b) {
  Atoms left(a.rbegin(), a.rend()), right(b.rbegin(), b.rend());
  while (!left.empty() && !right.empty()) {
    Atom x = pop(left), y = pop(right);
    int32_t cx = class_of(x), cy = class_of(y);
    if (cx == cy) continue;
    const Dim sx = size(x), sy = size(y);
    if (sx == sy) {
      classes_[cx].parts = {cy};
    } else if (auto inner = exact_div(sx, sy)) {
      split(cx, sy, *inner);
      left.push_back(x), right.push_back(y);
    } else if (auto outer = exact_div(sy, sx)) {
      split(cy, sx, *outer);
      left.push_back(x), right.push_back(y);
    } else {
      return;
    }
  }
}

}  // namespace remodel::layout
