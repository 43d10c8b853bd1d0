// Fuzzes virtual reassembly: any fragments, decisions and sweeps, in any order.
//
// First byte of an input: which limits are small. Then operations of six bytes each, as
// compared_datagrams.h reads them.
// Promises checked: every decision, every frame that is released and every gauge is that of the
// naive model, which walks lists; no limit is passed; released frames have the bytes they came
// with. The sanitizers see to the memory.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "frag/compared_datagrams.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using uct::core::ComparedDatagrams;
  if (size == 0) return 0;
  ComparedDatagrams both(data[0]);
  for (std::size_t at = 1; at + ComparedDatagrams::kOperationBytes <= size;) {
    ComparedDatagrams::Operation operation;
    std::copy_n(data + at, operation.size(), operation.begin());
    if (!both.step(operation)) std::abort();
    at += operation.size();
  }
  return 0;
}
