// Runs a fuzz target over kept inputs, without a fuzzer.
//
// Every x_fuzz.cc is linked with this file unless the build is for libFuzzer; the ctest
// fuzz.x.replay passes it fuzz/corpus/x and fuzz/regressions/x, so that each interesting input
// stays a unit test in every build. An argument that does not exist is an empty folder: a target
// without a corpus still runs on the empty input.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
extern "C" __attribute__((weak)) int LLVMFuzzerInitialize(int* argc, char*** argv);

namespace {

namespace fs = std::filesystem;

// Gives the files that the argument names, sorted, so that two runs are the same.
std::vector<fs::path> inputs_of(const fs::path& argument) {
  std::vector<fs::path> inputs;
  if (fs::is_regular_file(argument)) inputs.push_back(argument);
  if (fs::is_directory(argument)) {
    for (const auto& entry : fs::recursive_directory_iterator(argument)) {
      if (entry.is_regular_file()) inputs.push_back(entry.path());
    }
  }
  std::sort(inputs.begin(), inputs.end());
  return inputs;
}

bool run(const fs::path& input) {
  std::ifstream file(input, std::ios::binary);
  if (!file) {
    std::fprintf(stderr, "%s: cannot be read\n", input.c_str());
    return false;
  }
  const std::string bytes{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  // The name comes first: after a crash it is the last line.
  std::printf("%s (%zu bytes)\n", input.c_str(), bytes.size());
  std::fflush(stdout);
  LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  if (LLVMFuzzerInitialize != nullptr) LLVMFuzzerInitialize(&argc, &argv);
  // A copy of nothing on the heap, so that a read of even one byte is out of bounds.
  const std::vector<std::uint8_t> nothing(1);
  LLVMFuzzerTestOneInput(nothing.data() + 1, 0);

  std::size_t count = 1;
  bool readable = true;
  for (int i = 1; i < argc; ++i) {
    for (const fs::path& input : inputs_of(argv[i])) {
      readable = run(input) && readable;
      ++count;
    }
  }
  std::printf("%zu inputs ran\n", count);
  return readable ? 0 : 1;
}
