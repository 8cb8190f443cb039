// What changed in a text file, where git still knows how it was. The store keeps digests of what was read and not the texts.
#pragma once

#include <string>

#include "cli/command.h"
#include "base/digest.h"

namespace kache {

// Lines of a unified diff from the content with the one digest to the file as it is, at most `most_lines`; "" where the file
// has changed since, is no text, or git has no such version among the newest of it.
std::string text_diff(const CommandContext& context, const std::string& path, const Digest& before, const Digest& after, size_t most_lines);

}  // namespace kache
