// Restore: puts the outputs of an entry where the invocation wants them; all of them, or none.
//
// Every output gets a temporary name first and all are renamed at the end, so a reader sees the old file or the new one.
// On failure the temporary files are removed and the caller runs the compiler.
#pragma once

#include <string>
#include <vector>

#include "compiler/invocation.h"
#include "store/blob.h"
#include "store/entry.h"
#include "store/memo.h"

namespace kache {

struct RestoreRequest {
  const Entry& entry;
  const Invocation& invocation;
  const std::string& cwd;
  const Roots& roots;
  bool verify_content = false;
};

struct RestoreReport {
  uint64_t bytes = 0;
  uint32_t linked = 0, cloned = 0, copied = 0, written = 0;  // outputs by the way they came
  uint64_t linked_bytes = 0, cloned_bytes = 0, copied_bytes = 0;  // written ones are copied bytes
};

Result<RestoreReport> restore_outputs(FileSystem& fs, BlobStore& blobs, Memo& memo, const RestoreRequest& request);

// Where an output goes; "" when the invocation has no such place.
std::string output_path(const Output& output, const Invocation& invocation, const std::string& cwd);

// The bytes of an output that is kept as text.
std::string render_output(const Output& output, const Invocation& invocation, const Roots& roots);

// The paths that a command line names itself, absolute. Outputs refer to them by number.
std::vector<std::string> explicit_paths(const Invocation& invocation, const std::string& cwd);

}  // namespace kache
