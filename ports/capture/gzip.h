/// Decompresses a gzip'd input (RFC 1952), of one member or of several.
///
/// Included by reader.cc. zlib's own gzread is not used: it works on descriptors only, and treats
/// rubbish after a member as the end of the file where a capture would silently be short.
/// Threads   one thread at a time.
#pragma once

#include <memory>
#include <span>

#include "ports/capture/input.h"
#include "ports/capture/window.h"

namespace uct::capture {

/// Gives     true when the bytes start as a gzip file does.
bool is_gzip(std::span<const std::byte> bytes);

/// Requires  is_gzip(compressed.bytes())
std::unique_ptr<Input> decompress_gzip(std::unique_ptr<Window> compressed);

}  // namespace uct::capture
