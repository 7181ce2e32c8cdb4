// NumPy's .npy: "\x93NUMPY", version (two bytes), header length (16 bits, from version 2 on 32), then a
// Python dict
//   {'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }
// padded with spaces to a newline, then the elements. And .npz: a zip archive of such files.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/sink.h"

namespace remodel {

struct NpyArray {
  // Byte order, kind, bytes an element (for U: characters). One of |b1 |i1 |u1 <i2 <i4 <i8 <u2 <u4 <u8 <f2
  // <f4 <f8 <c8 <c16, |S<n>, <U<n>. Arrays in other byte orders are turned when read.
  std::string descr;
  std::vector<int64_t> shape;
  // The first axis varies fastest.
  bool fortran = false;
  Bytes data;
};

using NamedArrays = std::vector<std::pair<std::string, NpyArray>>;

// The data is a part of the file where the byte order allows.
NpyArray read_npy(const Bytes& file);
void write_npy(Sink& sink, const NpyArray& array);

// Names are without ".npy". A compressed array larger than the limit is refused.
NamedArrays read_npz(const Bytes& file, uint64_t limit);
// Stored, not compressed.
void write_npz(Sink& sink, const NamedArrays& arrays);

size_t npy_item_size(const std::string& descr);
// The same array with the last axis varying fastest.
NpyArray in_c_order(const NpyArray& array);
// The elements of an S or U array, U as UTF-8, without the zeros that pad them.
std::vector<std::string> npy_strings(const NpyArray& array);
// A U array, or an S array if a text is no UTF-8.
NpyArray npy_from_strings(const std::vector<std::string>& texts, std::vector<int64_t> shape);

}  // namespace remodel
