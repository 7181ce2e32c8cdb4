#include "wire/deflate.h"

#include <zlib.h>

#include <algorithm>

#include "base/error.h"

namespace remodel {
namespace {

// zlib counts in 32 bits.
constexpr size_t largest_step = size_t{1} << 30;
// A deflate block codes at most 258 bytes in two bits.
constexpr uint64_t largest_ratio = 1032;

int window_bits(DeflateFrame frame) { return frame == DeflateFrame::raw ? -MAX_WBITS : MAX_WBITS; }

// Hands zlib the next piece of what is left on both sides.
void offer(z_stream& stream, std::string_view in, size_t in_at, std::string& out, size_t out_at) {
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(in.data() + in_at));
  stream.avail_in = static_cast<uInt>(std::min(in.size() - in_at, largest_step));
  stream.next_out = reinterpret_cast<Bytef*>(out.data() + out_at);
  stream.avail_out = static_cast<uInt>(std::min(out.size() - out_at, largest_step));
}

}  // namespace

std::string inflate(std::string_view packed, uint64_t size, DeflateFrame frame) {
  if (size / largest_ratio > packed.size()) {
    fail("{} compressed bytes cannot hold {} bytes", packed.size(), size);
  }
  // One byte to spare shows a stream that is longer than it should be.
  std::string plain(size + 1, '\0');
  z_stream stream = {};
  if (inflateInit2(&stream, window_bits(frame)) != Z_OK) fail("inflate cannot start");
  size_t in = 0, out = 0;
  int code = Z_OK;
  while (code == Z_OK) {
    offer(stream, packed, in, plain, out);
    code = ::inflate(&stream, Z_NO_FLUSH);
    in = static_cast<size_t>(reinterpret_cast<const char*>(stream.next_in) - packed.data());
    out = static_cast<size_t>(reinterpret_cast<const char*>(stream.next_out) - plain.data());
  }
  inflateEnd(&stream);
  if (out > size) fail("compressed data is longer than the {} bytes stated", size);
  if (code == Z_BUF_ERROR) fail("compressed data ends early, after {} of {} bytes", out, size);
  if (code != Z_STREAM_END) fail("compressed data is damaged");
  if (out != size) fail("compressed data holds {} bytes, not the {} stated", out, size);
  if (in != packed.size()) fail("{} bytes follow the compressed data", packed.size() - in);
  plain.resize(size);
  return plain;
}

std::string deflate(std::string_view plain, DeflateFrame frame) {
  z_stream stream = {};
  if (deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, window_bits(frame), 8, Z_DEFAULT_STRATEGY) !=
      Z_OK) {
    fail("deflate cannot start");
  }
  std::string packed(deflateBound(&stream, plain.size()), '\0');
  size_t in = 0, out = 0;
  int code = Z_OK;
  while (code == Z_OK) {
    offer(stream, plain, in, packed, out);
    code = ::deflate(&stream, stream.avail_in == plain.size() - in ? Z_FINISH : Z_NO_FLUSH);
    in = static_cast<size_t>(reinterpret_cast<const char*>(stream.next_in) - plain.data());
    out = static_cast<size_t>(reinterpret_cast<const char*>(stream.next_out) - packed.data());
  }
  deflateEnd(&stream);
  if (code != Z_STREAM_END) throw Error("deflate did not end", ErrorKind::internal);
  packed.resize(out);
  return packed;
}

uint32_t crc32_of(std::string_view data, uint32_t start) {
  if (data.empty()) return start;
  return static_cast<uint32_t>(::crc32_z(start, reinterpret_cast<const Bytef*>(data.data()), data.size()));
}

}  // namespace remodel
