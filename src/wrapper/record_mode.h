// How the inputs of a compile become known, asked once for each toolchain and remembered.
#pragma once

#include <string>

#include "base/env.h"
#include "base/file_system.h"
#include "record/recorder_check.h"
#include "store/layout.h"

namespace kache {

enum class RecordMode : uint8_t {
  unknown,   // no answer: the recorder is not installed, or the self-test could not run
  recorded,  // the recorder sees all that the compiler reads
  declared,  // it does not; the compiler's own word is what there is
};

struct RecordModeRequest {
  std::string compiler;   // absolute path
  std::string toolchain;  // its identity
  std::string recorder;   // path of libkache-record.so
  const Env& env;
  SelfTest::Language language;
};

// The first question runs a small compile; the answer is kept below StoreLayout::toolchains().
// `probe_runs` counts it.
RecordMode find_record_mode(FileSystem& fs, const StoreLayout& layout, const RecordModeRequest& request, uint32_t& probe_runs);

}  // namespace kache
